"""Read WAV, FLAC and Ogg files as 16 kHz mono, and write 16-bit WAV files."""

from __future__ import annotations

import contextlib
import errno
import glob
import io
import os
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
import soundfile

from edgevoice import files
from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.errors import AudioFileError, StorageError, UsageError
from edgevoice.resample import Resampler
from edgevoice.wav_length import UNKNOWN_LENGTH, missing_share, with_length

READ_SECONDS = 10
"""Seconds of sound that are read at a time."""

MIN_RATE, MAX_RATE = 4_000, 384_000
"""Supported sample rates in Hz; a wrong rate in a header could take much memory."""

MAX_READ_VALUES = 1 << 23
"""Maximum values of all channels that are read at a time."""

INVERTED_BELOW = 0.1
"""Power of the channels' mean as a share of their own, below which a channel is inverted."""

HEADER_BYTES = 44

WarningHandler = Callable[[str], None]


def _ignore(_: str) -> None:
    return


def read_speech(path: str | Path, warn: WarningHandler = _ignore) -> Samples:
    """The whole file as float32 [n] mono at 16 kHz; see `speech_blocks`."""
    return np.concatenate(list(speech_blocks(path, warn)))


def speech_blocks(path: str | Path, warn: WarningHandler = _ignore) -> Iterator[Samples]:
    """A sound file (`-`: standard input) as float32 [n] mono blocks at 16 kHz, about 10 s each.

    Any rate, width and number of channels. Of a truncated file the present part is read, and `warn`
    is called with one sentence. Raises AudioFileError if there is no sound.
    """
    with _opened(path) as file:
        name = str(path)
        if not MIN_RATE <= file.samplerate <= MAX_RATE:
            raise AudioFileError(
                f"the sample rate of {file.samplerate} Hz is not between {MIN_RATE} and {MAX_RATE}",
                where=name,
                remedy="convert it first, for example: ffmpeg -i INPUT -ar 16000 speech.wav",
            )
        frames = min(READ_SECONDS * file.samplerate, MAX_READ_VALUES // file.channels)
        # libsndfile reports truncated files only in its log.
        if lost := file.frames / file.samplerate * missing_share(file.extra_info):
            warn(f"{name}: the file is truncated; the last {lost:.1f} s are missing")
        resampler = Resampler(file.samplerate, CAPTURE_RATE, file.channels)
        any_sound = False
        try:
            while len(block := file.read(frames, "float32", True)):
                samples = resampler.push(_in_phase(_clean(block)))
                any_sound = any_sound or len(samples) > 0
                yield samples
        except soundfile.LibsndfileError as error:
            if not any_sound:
                raise _unreadable(name, error) from None
            warn(f"{name}: the file is damaged; the part after the damage is skipped")
        rest = resampler.flush()
        if not any_sound and len(rest) == 0:
            raise AudioFileError(
                "the file has no sound", where=name, remedy="record it again or name another"
            )
        yield rest


def check(path: str | Path) -> None:
    """Raise AudioFileError unless the file opens as sound; standard input is not checked."""
    if str(path) != "-":
        _opened(path).close()


def _opened(path: str | Path) -> soundfile.SoundFile:
    name = str(path)
    source: io.BytesIO | str | bytes
    if name == "-":
        # In memory, because a pipe cannot be rewound, and speech is not written to disk.
        source = io.BytesIO(sys.stdin.buffer.read())
    elif not Path(path).exists():
        raise AudioFileError("no such file", where=name, remedy="check the path")
    elif not Path(path).is_file():
        raise AudioFileError("not a file", where=name, remedy="name a WAV, FLAC or Ogg file")
    elif not os.access(path, os.R_OK):
        raise AudioFileError("no permission to read", where=name, remedy="check its permissions")
    else:
        # libsndfile accepts any name as bytes; Windows has only names of characters.
        source = name if os.name == "nt" else os.fsencode(name)
    empty = len(source.getvalue()) == 0 if isinstance(source, io.BytesIO) else not _size(name)
    if empty:
        raise AudioFileError("the file is empty", where=name, remedy="record it again")
    try:
        file = soundfile.SoundFile(source)
        if file.frames == 0:
            file.close()
            file = soundfile.SoundFile(with_length(source))
        return file
    except soundfile.LibsndfileError as error:
        raise _unreadable(name, error) from None


def _size(name: str) -> int:
    return Path(name).stat().st_size


def _unreadable(name: str, error: soundfile.LibsndfileError) -> AudioFileError:
    return AudioFileError(
        f"not a readable sound file: {error.error_string.rstrip('.')}",
        where=name,
        remedy="convert it first, for example: ffmpeg -i INPUT -ar 16000 -ac 1 speech.wav",
    )


def _clean(block: Samples) -> Samples:
    """float32 [n, channels] without NaNs, infinities and values beyond [-1, 1]."""
    return np.clip(np.nan_to_num(block, copy=False), -1.0, 1.0)


def _in_phase(block: Samples) -> Samples:
    """float32 [n, channels], with channels inverted that would cancel out others."""
    power = np.square(block).mean()
    if block.shape[1] == 1 or np.square(block.mean(axis=1)).mean() > INVERTED_BELOW * power:
        return block
    loudest = block[:, int(np.argmax(np.square(block).sum(axis=0)))]
    return np.where(loudest @ block < 0, -block, block)


class WavWriter:
    """Writes a 16-bit mono WAV file at `rate` Hz in blocks.

    The file gets its name when it is closed and complete. `-` is standard output; the length in its
    header is then unknown. An exception in a `with` block discards the file. Only the owner can
    read a `private` file. Raises StorageError if the disk is full or the folder cannot be written;
    `close` then keeps the earlier blocks, `discard` does not.
    """

    def __init__(self, path: str | Path, rate: int, private: bool = False) -> None:
        self.rate = rate
        self.samples = 0
        """Samples written so far."""
        self._name = str(path)
        self._private = private
        self._closed = False
        self._bytes = 0
        self._part: Path | None = None
        # Of a symbolic link, the target is replaced.
        self._target = Path(os.path.realpath(path))
        if self._name == "-":
            if sys.stdout.isatty():
                raise UsageError(
                    "sound is not written to a terminal",
                    remedy="redirect it: … -o - > speech.wav, or name a file",
                )
            self._file: IO[bytes] = sys.stdout.buffer
        else:
            try:
                self._file = self._open()
            except OSError as error:
                raise self._failed(error) from None
        try:
            self._put(_header(rate, UNKNOWN_LENGTH))
        except BaseException:
            self.discard()
            raise

    def _open(self) -> IO[bytes]:
        target = self._target
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target.exists() and not target.is_file():
            # A device or a pipe, such as /dev/null, is never replaced by a file.
            return target.open("wb", buffering=0)
        handle, part = tempfile.mkstemp(
            prefix=f".{target.name}.", suffix=".part", dir=target.parent
        )
        self._part = Path(part)
        files.lock(handle)
        # Unbuffered, so that the file can be completed even when the disk is full.
        return os.fdopen(handle, "wb", buffering=0)

    def write(self, samples: Samples) -> None:
        """Append float32 [n]; values beyond [-1, 1] are clipped."""
        self._put(_pcm(samples))
        self._bytes += 2 * len(samples)
        self.samples += len(samples)

    def close(self) -> None:
        """Complete the file and rename it; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._part is None:
                self._file.flush()
                if self._name != "-":
                    self._file.close()
            else:
                self._file.truncate(HEADER_BYTES + self._bytes)
                self._file.seek(0)
                self._file.write(_header(self.rate, self._bytes))
                if not self._private:
                    files.set_usual_permissions(self._file.fileno())
                self._file.close()
                self._part.replace(self._target)
        except BrokenPipeError:
            raise
        except OSError as error:
            self._drop()
            raise self._failed(error) from None

    def discard(self) -> None:
        """Delete what was written; an earlier file of that name stays."""
        if self._closed:
            return
        self._closed = True
        self._drop()

    def _drop(self) -> None:
        if self._name != "-":
            with contextlib.suppress(OSError):
                self._file.close()
        if self._part is not None:
            self._part.unlink(missing_ok=True)

    def __enter__(self) -> WavWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                count = self._file.write(rest)
                rest = rest[count:]
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> StorageError:
        return StorageError(
            f"the sound cannot be written: {error.strerror}",
            where="standard output" if self._name == "-" else self._name,
            remedy="free some space or name another folder",
        )


def recover(path: str | Path) -> list[Path]:
    """Complete the recordings to `path` of programs that were killed; returns their new paths."""
    target = Path(os.path.realpath(path))
    saved = []
    for part in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        with contextlib.suppress(OSError):
            with part.open("r+b") as file:
                if not files.lock(file.fileno()):
                    continue
                rate = _own_rate(file.read(HEADER_BYTES))
                if rate is None:
                    continue
                size = (part.stat().st_size - HEADER_BYTES) // 2 * 2
                if size:
                    file.truncate(HEADER_BYTES + size)
                    file.seek(0)
                    file.write(_header(rate, size))
            if size:
                saved.append(files.set_aside(part, target.name))
            else:
                part.unlink()
    return saved


def _own_rate(head: bytes) -> int | None:
    """The sample rate in a header that `WavWriter` wrote; None for any other header."""
    if len(head) < HEADER_BYTES:
        return None
    rate, length = struct.unpack_from("<I", head, 24)[0], struct.unpack_from("<I", head, 40)[0]
    own = rate <= MAX_RATE and head == _header(rate, length)
    return rate if own else None


def pcm_file(samples: Samples, rate: int) -> bytes:
    """A complete 16-bit mono WAV file of float32 [n] at `rate` Hz, clipped to [-1, 1]."""
    return _header(rate, 2 * len(samples)) + _pcm(samples)


def _pcm(samples: Samples) -> bytes:
    return bytes(np.rint(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())


def _header(rate: int, data_bytes: int) -> bytes:
    """The 44 bytes in front of 16-bit mono PCM."""
    # A length beyond 32 bits is unknown to readers, which then read to the end.
    size = min(data_bytes, UNKNOWN_LENGTH)
    riff = min(size + 36, UNKNOWN_LENGTH)
    form = struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16)
    return (
        b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + struct.pack("<I", 16) + form
        + b"data" + struct.pack("<I", size)
    )  # fmt: skip
