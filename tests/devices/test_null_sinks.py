"""The sound server that the device tests stand on does what they take for granted."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from null_sinks import NullSinks, NullSinksError

from tests.processes import PATIENCE, running

pytestmark = pytest.mark.devices

RECORD = """
import json, sys
import numpy as np
import sounddevice as sd
sd.rec(4800, samplerate=48000, channels=1, blocking=True)  # the stream is up
print("listening", flush=True)
heard = sd.rec(48000 * 3, samplerate=48000, channels=1, blocking=True)[:, 0]
spectrum = np.abs(np.fft.rfft(heard))
print(json.dumps([float(np.abs(heard).max()), float(spectrum.argmax() / 3)]))
"""

PLAY = """
import numpy as np
import sounddevice as sd
tone = 0.5 * np.sin(2 * np.pi * 660 * np.arange(48000) / 48000)
sd.play(tone.astype(np.float32), 48000, blocking=True)
"""


def tone(path: Path, hertz: float) -> Path:
    samples = 16_000 * np.sin(2 * np.pi * hertz * np.arange(32_000) / 16_000)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def test_what_is_played_into_the_microphone_is_what_portaudio_records(
    null_sinks: Any, sound_env: dict[str, str], tmp_path: Path
) -> None:
    """A 440 Hz tone played into the null sink arrives at PortAudio's default input."""
    command = (sys.executable, "-c", RECORD)
    with running(command, env=sound_env, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == "listening\n"
        assert null_sinks.play(tone(tmp_path / "tone.wav", 440)).wait(PATIENCE) == 0
        loudest, pitch = json.loads(process.stdout.readline())
    assert loudest > 0.2
    assert abs(pitch - 440) < 2


def test_what_portaudio_plays_can_be_recorded_from_the_speaker(
    recording: Any, sound_env: dict[str, str], tmp_path: Path
) -> None:
    """A 660 Hz tone that PortAudio plays to its default output is in the recording."""
    with recording(tmp_path / "heard.wav"):
        subprocess.run([sys.executable, "-c", PLAY], env=sound_env, check=True, timeout=PATIENCE)
    with wave.open(str(tmp_path / "heard.wav")) as file:
        rate = file.getframerate()
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert np.abs(heard).max() > 10_000
    assert abs(np.abs(np.fft.rfft(heard)).argmax() * rate / len(heard) - 660) < 2


def test_a_sink_can_be_unplugged_and_plugged_in_again(null_sinks: Any) -> None:
    """Device tests pull the plug and put it back; afterwards the server is as before."""
    null_sinks.unplug("microphone")
    assert not null_sinks.running()
    null_sinks.plug_in("microphone")
    assert null_sinks.running()


def test_devices_lists_the_null_sinks_as_default_input_and_output(
    sound_env: dict[str, str],
) -> None:
    """`edgevoice devices` sees the same devices that a conversation would use."""
    command = [sys.executable, "-m", "edgevoice", "devices"]
    done = subprocess.run(command, env=sound_env, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert "(default input and output)" in done.stdout


def test_a_link_where_the_server_keeps_its_files_is_not_followed(tmp_path: Path) -> None:
    """The folder's name can be guessed, so others could have it lead anywhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "server").symlink_to(elsewhere)
    with pytest.raises(NullSinksError, match="not a folder of this user"):
        NullSinks(tmp_path / "server").start()
    assert list(elsewhere.iterdir()) == []
