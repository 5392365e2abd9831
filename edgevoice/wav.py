"""Sound files: any WAV (or FLAC, Ogg) as 16 kHz mono speech, and 16-bit WAV as it is made."""

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
from edgevoice.audio import EAR_RATE, Samples
from edgevoice.errors import AudioFileError, StorageError, UsageError
from edgevoice.resample import Resampler
from edgevoice.wav_length import UNKNOWN_LENGTH, missing_share, with_length

BLOCK_SECONDS = 10

SLOWEST, FASTEST = 4_000, 384_000
"""Samples a second; no sound is recorded at other rates, and a false one would take much memory."""
MOST_NUMBERS = 1 << 23
"""Samples of all channels that are read at once."""
CANCELLED = 0.1
"""Share of their power below which the mean of channels shows that one of them is inverted."""

HEADER_BYTES = 44

Notice = Callable[[str], None]


def _ignore(_: str) -> None:
    return


def read_speech(path: str | Path, notice: Notice = _ignore) -> Samples:
    """The whole file as float32 [n] mono at 16 kHz; see `speech_blocks`."""
    return np.concatenate(list(speech_blocks(path, notice)))


def speech_blocks(path: str | Path, notice: Notice = _ignore) -> Iterator[Samples]:
    """A sound file (`-`: standard input) as float32 [n] mono blocks at 16 kHz, about 10 s each.

    Any rate, width and number of channels. Of a truncated file what is there is used, and `notice`
    is called with one sentence about it. Raises AudioFileError if there is nothing to use.
    """
    with _opened(path) as file:
        name = str(path)
        if not SLOWEST <= file.samplerate <= FASTEST:
            raise AudioFileError(
                f"its sample rate is {file.samplerate} Hz; {SLOWEST} to {FASTEST} can be read",
                where=name,
                remedy="convert it first, for example: ffmpeg -i INPUT -ar 16000 speech.wav",
            )
        frames = min(BLOCK_SECONDS * file.samplerate, MOST_NUMBERS // file.channels)
        # libsndfile reads such files without a word and mentions it only in its log.
        if lost := file.frames / file.samplerate * missing_share(file.extra_info):
            notice(f"{name}: the file is cut short, the last {lost:.1f} s are missing")
        resampler = Resampler(file.samplerate, EAR_RATE, file.channels)
        some = False
        try:
            while len(block := file.read(frames, "float32", True)):
                heard = resampler.push(_in_phase(_clean(block)))
                some = some or len(heard) > 0
                yield heard
        except soundfile.LibsndfileError as error:
            if not some:
                raise _unreadable(name, error) from None
            notice(f"{name}: the file is damaged, what follows the damage is left out")
        rest = resampler.flush()
        if not some and len(rest) == 0:
            raise AudioFileError(
                "the file holds no sound", where=name, remedy="record it again or name another"
            )
        yield rest


def check(path: str | Path) -> None:
    """Raise AudioFileError unless the file can be opened as sound; of standard input, nothing is
    known before it is read."""
    if str(path) != "-":
        _opened(path).close()


def _opened(path: str | Path) -> soundfile.SoundFile:
    name = str(path)
    source: io.BytesIO | str | bytes
    if name == "-":
        # Kept in memory: what was said is never written to disk, and a pipe cannot be rewound.
        source = io.BytesIO(sys.stdin.buffer.read())
    elif not Path(path).exists():
        raise AudioFileError("no such file", where=name, remedy="check the path")
    elif not Path(path).is_file():
        raise AudioFileError("not a file", where=name, remedy="name a WAV, FLAC or Ogg file")
    elif not os.access(path, os.R_OK):
        raise AudioFileError("the file may not be read", where=name, remedy="check its permissions")
    else:
        # libsndfile takes any name in bytes; Windows has names in characters only.
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
        f"not a sound file that can be read: {error.error_string.rstrip('.')}",
        where=name,
        remedy="convert it first, for example: ffmpeg -i INPUT -ar 16000 -ac 1 speech.wav",
    )


def _clean(block: Samples) -> Samples:
    """float32 [n, channels] without the NaNs, infinities and overshoots a float WAV may hold."""
    return np.clip(np.nan_to_num(block, copy=False), -1.0, 1.0)


def _in_phase(block: Samples) -> Samples:
    """float32 [n, channels], of which those that would silence the others are turned round."""
    power = np.square(block).mean()
    if block.shape[1] == 1 or np.square(block.mean(axis=1)).mean() > CANCELLED * power:
        return block
    loudest = block[:, int(np.argmax(np.square(block).sum(axis=0)))]
    return np.where(loudest @ block < 0, -block, block)


class WavWriter:
    """A 16-bit mono WAV file at `rate` Hz, written as the sound comes.

    The file appears under its name only when it is closed and complete. `-` is standard output,
    where the header says that the length is unknown. Used as a context, an exception discards the
    file. Only the owner may read a `private` one. Raises StorageError when the disk is full or the
    folder cannot be written; `close` then keeps what was written before, `discard` does not.
    """

    def __init__(self, path: str | Path, rate: int, private: bool = False) -> None:
        self.rate = rate
        self.samples = 0
        """How many samples were written so far."""
        self._name = str(path)
        self._private = private
        self._closed = False
        self._bytes = 0
        self._part: Path | None = None
        # A symbolic link stays one: its target is what is replaced.
        self._target = Path(os.path.realpath(path))
        if self._name == "-":
            if sys.stdout.isatty():
                raise UsageError(
                    "sound is not written to a terminal",
                    remedy="redirect it: … -o - > speech.wav, or give a file name",
                )
            self._file: IO[bytes] = sys.stdout.buffer
        else:
            try:
                self._file = self._begun()
            except OSError as error:
                raise self._failed(error) from None
        try:
            self._put(_header(rate, UNKNOWN_LENGTH))
        except BaseException:
            self.discard()
            raise

    def _begun(self) -> IO[bytes]:
        target = self._target
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target.exists() and not target.is_file():
            # A device or a pipe, such as /dev/null: written to, never replaced by a file.
            return target.open("wb", buffering=0)
        handle, part = tempfile.mkstemp(
            prefix=f".{target.name}.", suffix=".part", dir=target.parent
        )
        self._part = Path(part)
        files.lock(handle)
        # Unbuffered: what has been written can be completed even when the disk is full.
        return os.fdopen(handle, "wb", buffering=0)

    def write(self, samples: Samples) -> None:
        """Append float32 [n]; what is beyond [-1, 1] is clipped."""
        self._put(_pcm(samples))
        self._bytes += 2 * len(samples)
        self.samples += len(samples)

    def close(self) -> None:
        """Complete the file and give it its name; a second call does nothing."""
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
                    files.give(self._file.fileno())
                self._file.close()
                self._part.replace(self._target)
        except BrokenPipeError:
            raise
        except OSError as error:
            self._drop()
            raise self._failed(error) from None

    def discard(self) -> None:
        """Drop what was written; a file of that name that was there before stays as it was."""
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
    """Complete the recordings to `path` that programs which were killed left behind; returns where
    they are now, each under a name of its own."""
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
    """The sample rate of a file that begins as `WavWriter` begins one; None of any other."""
    if len(head) < HEADER_BYTES:
        return None
    rate, length = struct.unpack_from("<I", head, 24)[0], struct.unpack_from("<I", head, 40)[0]
    own = rate <= FASTEST and head == _header(rate, length)
    return rate if own else None


def pcm_file(samples: Samples, rate: int) -> bytes:
    """A whole 16-bit mono WAV file of float32 [n] at `rate` Hz; beyond [-1, 1] it is clipped."""
    return _header(rate, 2 * len(samples)) + _pcm(samples)


def _pcm(samples: Samples) -> bytes:
    return bytes(np.rint(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())


def _header(rate: int, data_bytes: int) -> bytes:
    """The 44 bytes in front of 16-bit mono PCM."""
    # A length beyond 32 bits cannot be told; readers then read to the end, as with a stream.
    size = min(data_bytes, UNKNOWN_LENGTH)
    riff = min(size + 36, UNKNOWN_LENGTH)
    form = struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16)
    return (
        b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + struct.pack("<I", 16) + form
        + b"data" + struct.pack("<I", size)
    )  # fmt: skip
