"""Any sound file is read as 16 kHz mono, and what is written is complete or not there."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from soundfile import info

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.errors import AudioFileError, StorageError, UsageError
from edgevoice.wav import WavWriter, read_speech, recover, speech_blocks

RATES = [8_000, 16_000, 22_050, 44_100, 48_000]


def tone(rate: int = CAPTURE_RATE, seconds: float = 1.0) -> Samples:
    return np.sin(np.arange(int(rate * seconds)) / rate * 2 * np.pi * 300).astype(np.float32) / 2


def closest(samples: Samples) -> float:
    """How far a tone read at 16 kHz is from that tone, away from the ends."""
    size = min(len(samples), CAPTURE_RATE) - 400
    return float(np.abs(samples[400:size] - tone()[400:size]).max())


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(
    "width", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"]
)
def test_any_wav_becomes_the_same_sound(
    tmp_path: Path, rate: int, channels: int, width: str
) -> None:
    """Width, rate and channels make no difference to what is heard."""
    path = tmp_path / "a.wav"
    soundfile.write(path, np.repeat(tone(rate)[:, None], channels, 1), rate, subtype=width)
    samples = read_speech(path)
    assert samples.dtype == np.float32
    assert abs(len(samples) - CAPTURE_RATE) < 10
    assert closest(samples) < 0.03


@pytest.mark.parametrize("kind", ["FLAC", "OGG"])
def test_flac_and_ogg_are_read_too(tmp_path: Path, kind: str) -> None:
    """What libsndfile reads is good enough, whatever the name ends in."""
    path = tmp_path / "speech"
    soundfile.write(path, tone(48_000), 48_000, format=kind)
    assert abs(len(read_speech(path)) - CAPTURE_RATE) < 600


def test_an_hour_is_read_in_blocks(tmp_path: Path) -> None:
    """A long file never stands in memory at its own rate and width as a whole."""
    path = tmp_path / "hour.wav"
    minute = np.zeros(60 * 8_000, dtype=np.int16)
    with soundfile.SoundFile(path, "w", 8_000, 1, "PCM_16") as file:
        for _ in range(60):
            file.write(minute)
    sizes = [len(block) for block in speech_blocks(path)]
    assert abs(sum(sizes) - 3600 * CAPTURE_RATE) < CAPTURE_RATE
    assert max(sizes) <= 11 * CAPTURE_RATE


@pytest.mark.parametrize("keep", [44_100, 60_001, 90_000])
def test_of_a_truncated_file_what_is_there_is_used_and_said(tmp_path: Path, keep: int) -> None:
    """The header promises more than there is: the rest is read, with a notice of what is lost."""
    path = tmp_path / "cut.wav"
    soundfile.write(path, tone(48_000), 48_000, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:keep])
    notices: list[str] = []
    samples = read_speech(path, notices.append)
    assert abs(len(samples) - (keep - 44) / 2 / 3) < 10
    missing = 1.0 - (keep - 44) / 96_000
    assert len(notices) == 1
    assert f"the last {missing:.1f} s are missing" in notices[0]


UNKNOWN = (
    *(0, 0x7FFE0000, 0x7FFEFFD4, 0x7FFF0000, 0x7FFF0024, 0x7FFFF000, 0x7FFFFF00, 0x7FFFFFFF),
    *(0x80000000, 0x80000024, 0xC0000000, 0xFFFE0000, 0xFFFF0000, 0xFFFFFF00, 0xFFFFFFFF),
)


def of_length(path: Path, length: int, samples: Samples) -> bytes:
    """A WAV file of these samples whose header gives another length, written to `path`."""
    soundfile.write(path, samples, CAPTURE_RATE, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = length.to_bytes(4, "little")
    path.write_bytes(data)
    return bytes(data)


@pytest.mark.parametrize("length", UNKNOWN)
def test_a_stream_of_unknown_length_is_no_truncated_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """A recorder that writes to a pipe or is killed leaves no length; there is nothing to mention.

    It is the same from a file and from standard input.
    """
    path = tmp_path / "streamed.wav"
    data = of_length(path, length, tone())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    notices: list[str] = []
    for name in (path, "-"):
        samples = read_speech(name, notices.append)
        assert len(samples) == CAPTURE_RATE
        assert closest(samples) < 0.001
    assert notices == []


def test_a_long_recording_that_is_cut_short_is_told_of(tmp_path: Path) -> None:
    """A long recording that was cut short is told of, although its header gives a high number."""
    path = tmp_path / "cut.wav"
    of_length(path, 0x70000000, tone())
    notices: list[str] = []
    assert len(read_speech(path, notices.append)) == CAPTURE_RATE
    assert len(notices) == 1


def test_what_stands_behind_no_sound_is_not_taken_for_sound(tmp_path: Path) -> None:
    """A file that was closed properly before anything was recorded holds none."""
    path = tmp_path / "empty.wav"
    of_length(path, 0, tone()[:0])
    path.write_bytes(path.read_bytes() + b"LIST\x04\x00\x00\x00abcd")
    with pytest.raises(AudioFileError, match="no sound"):
        read_speech(path)


@pytest.mark.parametrize("signs", [(1, -1), (-1, 1), (1, -1, 1, -1), (1, -0.9)])
def test_a_channel_that_is_inverted_silences_nothing(
    tmp_path: Path, signs: tuple[float, ...]
) -> None:
    """A cable with two poles exchanged makes one channel the opposite of the other."""
    path = tmp_path / "inverted.wav"
    soundfile.write(path, tone()[:, None] * np.array(signs), CAPTURE_RATE)
    samples = read_speech(path)
    assert np.abs(samples).max() > 0.4


def test_channels_that_differ_are_mixed_as_they_are(tmp_path: Path) -> None:
    """Only what would cancel out is turned round."""
    path = tmp_path / "stereo.wav"
    other = np.random.default_rng(0).standard_normal(CAPTURE_RATE).astype(np.float32) / 10
    soundfile.write(path, np.stack([tone(), other - tone() / 4], 1), CAPTURE_RATE, subtype="FLOAT")
    np.testing.assert_allclose(read_speech(path), (tone() * 0.75 + other) / 2, atol=1e-3)


def test_a_float_file_with_nonsense_in_it_is_made_harmless(tmp_path: Path) -> None:
    """NaN, infinity and overshoot do not reach the models."""
    path = tmp_path / "float.wav"
    samples = tone()
    samples[:4] = [np.nan, np.inf, -np.inf, 7.0]
    soundfile.write(path, samples, CAPTURE_RATE, subtype="FLOAT")
    read = read_speech(path)
    assert np.isfinite(read).all()
    assert np.abs(read).max() <= 1.0


@pytest.mark.parametrize(
    "content",
    [b"", b"RIFF", b"hello, I am a text file\n" * 40, bytes(5000), None],
    ids=["empty", "cut in its header", "text", "zeros", "no sound"],
)
def test_what_is_no_sound_is_one_clear_error(tmp_path: Path, content: bytes | None) -> None:
    """The file is named, with what to do about it."""
    path = tmp_path / "bad.wav"
    if content is None:
        soundfile.write(path, np.zeros(0), CAPTURE_RATE)
    else:
        path.write_bytes(content)
    with pytest.raises(AudioFileError) as caught:
        read_speech(path)
    assert str(path) in str(caught.value)
    assert caught.value.remedy


def test_a_path_that_leads_nowhere_is_one_clear_error(tmp_path: Path) -> None:
    """A missing file and a folder are told apart from broken ones."""
    with pytest.raises(AudioFileError, match="no such file"):
        read_speech(tmp_path / "nothing.wav")
    with pytest.raises(AudioFileError, match="not a file"):
        read_speech(tmp_path)


def test_standard_input_is_read_as_a_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` takes the same formats; an empty pipe is an error like an empty file."""
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(44_100), 44_100, subtype="PCM_24")
    for content in (path.read_bytes(), b""):
        stdin = io.TextIOWrapper(io.BytesIO(content))
        monkeypatch.setattr("sys.stdin", stdin)
        if content:
            assert closest(read_speech("-")) < 0.03
        else:
            with pytest.raises(AudioFileError, match="empty"):
                read_speech("-")


def test_what_is_written_can_be_read_again(tmp_path: Path) -> None:
    """A file written piece by piece is a proper WAV of that sound, clipped where it must be."""
    path = tmp_path / "out.wav"
    with WavWriter(path, 22_050) as file:
        for part in np.array_split(tone(22_050), 7):
            file.write(part)
        file.write(np.array([2.0, -2.0], dtype=np.float32))
        assert file.samples == 22_052
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == 22_050
    assert soundfile.info(path).subtype == "PCM_16"
    np.testing.assert_allclose(samples[:-2], tone(22_050), atol=1e-4)
    np.testing.assert_allclose(samples[-2:], [1.0, -1.0], atol=1e-4)


def test_a_file_is_there_only_once_it_is_complete(tmp_path: Path) -> None:
    """Until it is closed the old file stays; after a failure it stays for good."""
    path = tmp_path / "out.wav"
    path.write_bytes(b"old")
    file = WavWriter(path, CAPTURE_RATE)
    file.write(tone())
    assert path.read_bytes() == b"old"
    file.discard()
    failing = WavWriter(path, CAPTURE_RATE)
    failing.__enter__().write(tone())
    failing.__exit__(KeyError, KeyError(), None)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_rights_files_usually_get(tmp_path: Path) -> None:
    """It is the user's file, not a private one of ours."""
    usual = tmp_path / "usual"
    usual.touch()
    with WavWriter(tmp_path / "out.wav", CAPTURE_RATE) as file:
        file.write(tone())
    assert (tmp_path / "out.wav").stat().st_mode == usual.stat().st_mode


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    """Said before any sound is made."""
    with pytest.raises(StorageError, match="cannot be written"):
        WavWriter(tmp_path / "nowhere" / "out.wav", CAPTURE_RATE)


def streaming(target: str) -> subprocess.CompletedProcess[bytes]:
    code = (
        "import numpy as np\nfrom edgevoice.wav import WavWriter\n"
        "from edgevoice.errors import StorageError\n"
        "try:\n    with WavWriter('-', 16000) as f: f.write(np.zeros(16000, np.float32))\n"
        "except StorageError as e: raise SystemExit(str(e))\n"
    )
    with open(target, "wb") as out:
        return subprocess.run([sys.executable, "-c", code], stdout=out, stderr=subprocess.PIPE)


def test_standard_output_gets_a_wav_that_can_be_read(tmp_path: Path) -> None:
    """Its length is not known when it begins, and readers take it all the same."""
    result = streaming(str(tmp_path / "out.wav"))
    assert result.returncode == 0
    assert len(read_speech(tmp_path / "out.wav")) == CAPTURE_RATE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full here")
def test_a_full_disk_is_one_clear_error() -> None:
    """No traceback and no silent loss when there is no room."""
    result = streaming("/dev/full")
    assert result.returncode == 1
    assert b"No space left" in result.stderr
    assert b"Traceback" not in result.stderr


def test_sound_is_not_written_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever forgot to redirect is told so instead of shown noise."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with pytest.raises(UsageError, match="terminal"):
        WavWriter("-", CAPTURE_RATE)


def killed(code: str) -> None:
    """Run `code`, which ends as a killed program does: nothing is completed."""
    done = subprocess.run([sys.executable, "-c", f"import os\n{code}\nos._exit(9)"], timeout=60)
    assert done.returncode == 9


def test_a_recording_of_a_program_that_was_killed_is_completed(tmp_path: Path) -> None:
    """It gets a name of its own beside the one it was meant for, and is a sound file like any."""
    path = tmp_path / "reply.wav"
    path.write_bytes(b"an older one")
    begin = f"import numpy as np; from edgevoice.wav import WavWriter; w = WavWriter({str(path)!r},"
    killed(f"{begin} 8_000); w.write(np.full(16_000, 0.5, np.float32))")
    killed(f"{begin} 48_000); w.write(np.full(480, 0.5, np.float32))")
    with next(tmp_path.glob(".*.part")).open("ab") as file:
        file.write(b"x")  # Half a sample.
    saved = recover(path)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("reply.wav", "reply.unfinished.wav", "reply.unfinished-2.wav"),
    }
    found = {(i.samplerate, i.frames, i.extra_info.count("should be")) for i in map(info, saved)}
    assert found == {(8_000, 16_000, 0), (48_000, 480, 0)}
    assert path.read_bytes() == b"an older one"
    assert recover(path) == []


def test_a_recording_that_is_being_made_is_left_alone(tmp_path: Path) -> None:
    """Another session may write to the same name; what holds no sound is no recording."""
    path = tmp_path / "reply.wav"
    killed(f"from edgevoice.wav import WavWriter; WavWriter({str(path)!r}, 8_000)")
    with WavWriter(path, CAPTURE_RATE) as writer:
        writer.write(tone())
        assert recover(path) == []
        assert len(list(tmp_path.iterdir())) == 1
    assert info(path).frames == CAPTURE_RATE


@pytest.mark.parametrize(
    "head", [b"", b"notes", b"n" * 100, b"RIFF" + b"n" * 100, b"RIFF1234WAVE" + b"n" * 100]
)
def test_a_file_that_is_no_recording_of_ours_is_left_alone(tmp_path: Path, head: bytes) -> None:
    """A name like those of our recordings is no reason to rename a file or to delete it."""
    part = tmp_path / ".reply.wav.mine.part"
    part.write_bytes(head)
    assert recover(tmp_path / "reply.wav") == []
    assert [*tmp_path.iterdir()] == [part]
    assert part.read_bytes() == head


def test_a_recording_without_sound_is_deleted(tmp_path: Path) -> None:
    """Of a session that was killed before it said a word nothing is left behind."""
    path = tmp_path / "reply.wav"
    killed(f"from edgevoice.wav import WavWriter; WavWriter({str(path)!r}, 8_000)")
    assert len(list(tmp_path.iterdir())) == 1
    assert recover(path) == []
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", [1, 100, 3999, 384_001, 2_000_000_000])
def test_a_rate_that_no_sound_has_is_refused(tmp_path: Path, rate: int) -> None:
    """A small file cannot become gigabytes by the rate in its header."""
    path = tmp_path / "strange.wav"
    soundfile.write(path, np.zeros(1000, np.float32), 16_000, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    data[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(AudioFileError, match=f"{rate} Hz"):
        read_speech(path)


@pytest.mark.parametrize("rate", [4000, 384_000])
def test_the_slowest_and_the_fastest_rate_are_read(tmp_path: Path, rate: int) -> None:
    """The limits themselves are rates of real recorders."""
    path = tmp_path / "sound.wav"
    soundfile.write(path, tone(rate), rate)
    assert abs(len(read_speech(path)) - CAPTURE_RATE) < 50
