"""What a user can do wrong, or meet, on the way: one clear message, and nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgevoice.clock import SystemClock
from edgevoice.crew import Crew
from edgevoice.devices import listing, portaudio
from edgevoice.devices.callback_watchdog import STALL_TIMEOUT, CallbackWatchdog
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.errors import DeviceError, StorageError
from edgevoice.player import Player
from edgevoice.testing.virtual import VirtualClock
from edgevoice.wav import WavWriter
from tests.command import LIMITED, edgevoice, edgevoice_process, message

posix = pytest.mark.skipif(os.name != "posix", reason="this is about POSIX systems")

SOUNDS = {
    "empty": (b"", "the file is empty"),
    "text": (b"this is no sound\n" * 50, "not a readable sound file"),
    "cut within its header": (b"RIFF\x24\x00\x00\x00WAVEfmt ", "not a readable sound file"),
}


@pytest.mark.parametrize("kind", SOUNDS)
def test_a_broken_sound_file_is_told_before_a_conversation_begins(
    kind: str, tmp_path: Path
) -> None:
    """`run --input` names the file and what to do, before a model is fetched or loaded."""
    content, said = SOUNDS[kind]
    path = tmp_path / "question.wav"
    path.write_bytes(content)
    told = message(edgevoice("run", "--plain", "--input", path))
    assert said in told
    assert str(path) in told


def test_a_sound_file_that_is_not_there_or_no_file_is_no_device_either(tmp_path: Path) -> None:
    """A path is told from a device's name, whatever it leads to."""
    assert "no such file" in message(edgevoice("run", "--plain", "--input", "gone.wav"))
    gone = tmp_path / "gone"
    assert "no such file" in message(edgevoice("run", "--plain", "--input", gone))
    assert "not a file" in message(edgevoice("run", "--plain", "--input", tmp_path))


@posix
def test_a_sound_file_that_may_not_be_read_is_told_from_one_that_is_broken(tmp_path: Path) -> None:
    """The permissions are named, not the format."""
    path = tmp_path / "secret.wav"
    path.write_bytes(b"RIFF")
    path.chmod(0)
    done = edgevoice_process("run", "--plain", "--input", path, limits=("rights",))
    assert "no permission to read" in message(done)


def test_questions_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """`demo --questions` wants UTF-8 lines, and at least one of them."""
    path = tmp_path / "questions"
    path.write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in message(edgevoice("demo", "--plain", "--questions", path), 2)
    path.write_bytes(b" \n\n")
    assert "no questions" in message(edgevoice("demo", "--plain", "--questions", path), 2)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"[turn\n", "not valid TOML"),
        (b"turn = 5\n", "turn is a section"),
        (b"[turns]\n", "did you mean [turn]?"),
        (b"[turn]\nsilence_mss = 5\n", "did you mean turn.silence_ms?"),
        (b"[turn]\nsilence_ms = '5'\n", "line 2"),
        (b"[tts]\nspeed = 9.0\n", "tts.speed cannot be 9.0"),
    ],
)
def test_a_wrong_configuration_stops_every_command_that_reads_it(
    content: bytes, said: str, tmp_path: Path
) -> None:
    """The file and what is wrong in it are named; exit code 2."""
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    told = message(edgevoice("--config", path, "ask", "Why?"), 2)
    assert said in told
    assert str(path) in told


def test_a_configuration_file_that_is_a_folder_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    """Reading says that it is one, and so does writing."""
    env = {**os.environ, "EDGEVOICE_CONFIG": str(tmp_path)}
    assert "directory" in message(edgevoice("models", "list", env=env), 2)
    assert "not a file" in message(edgevoice("config", "init", "--force", env=env))


@posix
def test_the_configuration_is_written_through_a_link_and_never_over_a_device(
    tmp_path: Path,
) -> None:
    """A linked configuration stays linked; what is no file stays what it is."""
    link, real, pipe = tmp_path / "link.toml", tmp_path / "real.toml", tmp_path / "pipe"
    real.write_text("")
    link.symlink_to(real)
    env = {**os.environ, "EDGEVOICE_CONFIG": str(link)}
    assert edgevoice("config", "init", "--force", env=env).returncode == 0
    assert link.is_symlink()
    assert "[turn]" in real.read_text()
    os.mkfifo(pipe)
    message(edgevoice("config", "init", "--force", env={**env, "EDGEVOICE_CONFIG": str(pipe)}))
    assert pipe.is_fifo()


@posix
def test_a_configuration_that_finds_no_room_leaves_the_old_one(tmp_path: Path) -> None:
    """A full disk costs the new file, not the one that was there."""
    path = tmp_path / "config.toml"
    path.write_text("[ui]\ntheme = 'light'\n")
    env = {**os.environ, "EDGEVOICE_CONFIG": str(path)}
    done = edgevoice_process("config", "init", "--force", env=env, limits=("disk", "100"))
    assert "cannot be written" in message(done)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["[ui]\ntheme = 'light'\n"]


@pytest.mark.parametrize("words", [("models", "list"), ("ask", "Why?"), ("run", "--plain")])
def test_a_broken_catalog_is_named_by_every_command_that_needs_it(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    """The user's own catalog, where it is and what is wrong with it."""
    catalog = tmp_path / "edgevoice" / "catalog.toml"
    catalog.parent.mkdir()
    catalog.write_text("[[model]\n")
    env = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    wav = tmp_path / "q.wav"
    with WavWriter(wav, 16_000) as file:
        file.write(np.zeros(16_000, dtype=np.float32))
    more = ("--input", str(wav)) if words[0] == "run" else ()
    told = message(edgevoice(*words, *more, env=env), 2)
    assert "catalog is not valid" in told
    assert str(catalog) in told


@posix
def test_a_models_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A pull into it ends before anything is asked of a network."""
    folder = tmp_path / "models"
    folder.mkdir(mode=0o500)
    words = ("--set", f"models.folder={folder}", "models", "pull", "silero-vad")
    done = edgevoice_process(*words, limits=("rights",))
    told = message(done)
    assert "cannot be written" in told
    assert "models.folder" in told


def test_a_model_of_another_role_is_refused_before_it_is_opened() -> None:
    """A voice is no language model, and the message says which it is."""
    told = message(edgevoice("ask", "Why?", "--slm", "en_US-joe-medium"))
    assert "is a voice model, not a language model" in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
def test_results_that_find_no_room_are_an_error() -> None:
    """`edgevoice … > FILE` on a full disk does not pass for success."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "edgevoice", "config", "show"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert "No space left" in message(done)


@posix
@pytest.mark.parametrize(("closed", "code"), [("<&-", 2), (">&-", 2), ("2>&-", 2)])
def test_a_standard_stream_that_is_closed_is_an_empty_one(closed: str, code: int) -> None:
    """Started without a terminal or a pipe, as some services are, it fails as it does with one."""
    command = f"exec {sys.executable} -m edgevoice ask {closed}"
    done = subprocess.run(
        ["sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    if closed != "2>&-":
        message(done, code)


def test_stages_that_fail_together_are_one_message() -> None:
    """A sound server that dies takes microphone and speaker: the first to notice tells it."""
    code = (
        "import sys\n"
        "from edgevoice import cli\n"
        "from edgevoice.errors import DeviceError\n"
        "if sys.version_info < (3, 11): from exceptiongroup import ExceptionGroup\n"
        "def fail(**_):\n"
        "    errors = [DeviceError(w, remedy='r') for w in ('first', 'second')]\n"
        "    raise ExceptionGroup('several', errors)\n"
        "cli.cli.main = fail\n"
        "cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert message(done) == "edgevoice: first\n  fix: r\n"


def test_a_crew_whose_stop_fails_still_ends_and_tells_it() -> None:
    """The error is the crew's, not a traceback from a thread."""
    clock = SystemClock()

    def fail() -> None:
        raise StorageError("no room")

    with pytest.raises(StorageError, match="no room"), Crew(clock, fail) as crew:
        crew.start("quick", lambda: None)


@posix
def test_a_conversation_that_fills_the_disk_keeps_what_was_recorded(tmp_path: Path) -> None:
    """The recording is told as failed, and what found room is a sound file of whole samples."""
    path = tmp_path / "reply.wav"
    code = (
        "import sys, numpy as np\n"
        "from edgevoice.errors import StorageError\n"
        "from edgevoice.wav import WavWriter\n"
        "file = WavWriter(sys.argv[1], 16000)\n"
        "try:\n"
        "    while True: file.write(np.full(1000, 0.5, np.float32))\n"
        "except StorageError as error: print(error)\n"
        "file.close()\n"
    )
    command = [sys.executable, LIMITED, "disk", "10001", sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "cannot be written" in done.stdout, done.stderr
    with wave.open(str(path)) as file:
        assert file.getnframes() == 4000
    assert list(tmp_path.iterdir()) == [path]


def test_a_speaker_whose_recording_fails_says_so_once_and_completes_it() -> None:
    """After the first failure nothing more is written, and the file is closed."""
    calls: list[str] = []

    class Full:
        def write(self, samples: Any) -> None:
            calls.append("write")
            raise StorageError("the disk is full")

        def close(self) -> None:
            calls.append("close")

    clock = VirtualClock()

    sink = Player(clock, SimulatedSink(clock, 16_000, "file", Full()))
    sink.write(np.zeros(1600, dtype=np.float32))
    clock.sleep(1.0)
    with pytest.raises(StorageError):
        sink.write(np.zeros(1600, dtype=np.float32))
    sink.stop()
    sink.close()
    assert calls == ["write", "close"]


@posix
def test_sound_is_written_through_a_link_and_into_a_device_but_never_in_their_place(
    tmp_path: Path,
) -> None:
    """`-o /dev/null` leaves /dev/null a device, and a link leads to the new file."""
    pipe, link, real = tmp_path / "pipe", tmp_path / "link.wav", tmp_path / "real.wav"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)
    real.write_bytes(b"old")
    link.symlink_to(real)
    for path in (pipe, link):
        with WavWriter(path, 16_000) as file:
            file.write(np.zeros(160, dtype=np.float32))
    assert pipe.is_fifo()
    assert os.read(reader, 1000)[:4] == b"RIFF"
    os.close(reader)
    assert link.is_symlink()
    with wave.open(str(real)) as done:
        assert done.getnframes() == 160


@pytest.mark.parametrize(
    ("kind", "make"),
    [("input", portaudio.Microphone), ("output", portaudio.Loudspeaker)],
)
def test_a_device_that_refuses_its_rate_is_one_clear_error(
    kind: str, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device, the rate, PortAudio's own words, and how to choose another."""

    class PortAudioError(Exception):
        pass

    def refuse(**_: Any) -> None:
        raise PortAudioError("Invalid sample rate")

    device = {
        "index": 0,
        "name": "Odd",
        "hostapi": 0,
        "default_samplerate": 11_025.0,
        "max_input_channels": 1,
        "max_output_channels": 1,
    }
    library = SimpleNamespace(
        PortAudioError=PortAudioError,
        InputStream=refuse,
        OutputStream=refuse,
        default=SimpleNamespace(device=(0, 0)),
        query_hostapis=lambda: [{"name": "none"}],
        query_devices=lambda: [device],
    )
    monkeypatch.setattr(listing, "sd", library)
    with pytest.raises(DeviceError) as caught:
        make(SystemClock())
    assert "11025 Hz: Invalid sample rate (Odd)" in str(caught.value)
    assert f"--{kind} NAME" in caught.value.remedy


def test_a_device_is_gone_only_when_it_was_watched_all_the_while() -> None:
    """Silence counts; a program that was suspended or held up counts it from anew."""
    watched = CallbackWatchdog(0.0)
    assert not any(watched.stalled(t / 10) for t in range(int(STALL_TIMEOUT * 10)))
    assert watched.stalled(STALL_TIMEOUT + 0.1)
    suspended = CallbackWatchdog(0.0)
    assert not suspended.stalled(0.1)
    assert not suspended.stalled(3600.0)
    suspended.last = 3600.1
    assert not suspended.stalled(3600.2)
