"""The response time of the trace is that of a recording, to the sample where sound can be compared.

A single null sink has the speaker in its left channel and the microphone in its right one, so that
one recording shows both on one time axis. The last voiced sample is found in it by its sound: the
frame that the ears took for the last voiced one is looked for in the recorded microphone. The first
audible sample is the first one above -50 dBFS in the recorded speaker.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from null_sinks import NullSinks

from edgevoice import events as ev
from edgevoice.audio import AUDIBLE_DBFS, CAPTURE_RATE, FRAME_SAMPLES, Samples
from edgevoice.resample import resample
from edgevoice.timings import fold
from edgevoice.trace import read
from tests.conftest import ROOT
from tests.devices.conftest import finish
from tests.processes import PATIENCE

pytestmark = [pytest.mark.devices, pytest.mark.models, pytest.mark.slow]

RATE = 48_000
AGREEMENT = 0.015
"""Seconds by which trace and recording may differ."""
DELAYED = 0.04
"""The same, for one turn of three on a busy machine."""

PROGRAM = Path(__file__).with_name("overheard.py")

JOINED = """\
load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/native
load-module module-null-sink sink_name=both rate={rate} channels=2 \
channel_map=front-left,front-right
load-module module-remap-sink sink_name=speaker master=both channels=1 \
master_channel_map=front-left channel_map=mono remix=no
load-module module-remap-sink sink_name=microphone master=both channels=1 \
master_channel_map=front-right channel_map=mono remix=no
load-module module-remap-source source_name=hears master=both.monitor channels=1 \
master_channel_map=front-right channel_map=mono remix=no
set-default-sink speaker
set-default-source hears
"""


@pytest.fixture
def joined_sinks() -> Iterator[NullSinks]:
    """A sound server whose speaker and microphone are two channels of one sink."""
    with tempfile.TemporaryDirectory(prefix="ev-sound-") as folder:
        sinks = NullSinks(Path(folder, "server"), JOINED)
        sinks.start()
        yield sinks
        sinks.stop()


def overheard(sinks: NullSinks, env: dict[str, str], folder: Path) -> Samples:
    """Ask the questions through the devices; returns what both sinks played, float32 [n, 2]."""
    both = folder / "both.wav"
    recorder = sinks.record(both, "both", channels=2, rate=RATE)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(folder)],
        cwd=ROOT,
        env={**env, **sinks.env()},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    finish(recorder, both, 2 * 2 * RATE)
    samples, rate = soundfile.read(both, dtype="float32")
    assert rate == RATE
    return np.asarray(samples)


def found_at(piece: Samples, whole: Samples) -> int:
    """Where `piece` begins in `whole`, as the cross-correlation has it."""
    size = 1 << int(len(whole) + len(piece)).bit_length()
    spectrum = np.fft.rfft(whole, size) * np.conj(np.fft.rfft(piece, size))
    return int(np.fft.irfft(spectrum, size)[: len(whole)].argmax())


def test_every_gap_agrees_with_the_recording(
    joined_sinks: NullSinks,
    sound_env: dict[str, str],
    starter_models: dict[str, Path],
    tmp_path: Path,
) -> None:
    """Three questions through PortAudio: trace and recording differ by 15 ms at the median."""
    both = overheard(joined_sinks, sound_env, tmp_path)
    speaker = both[:, 0]
    microphone = resample(np.ascontiguousarray(both[:, 1]), RATE, CAPTURE_RATE)
    ears = np.load(tmp_path / "ears.npz")
    heard, times = ears["samples"], ears["times"]
    events = list(read(tmp_path / "trace.jsonl"))
    turns = fold(events)
    assert len(turns) == 3
    differences = []
    for turn in turns:
        began = next(
            e.at for e in events if isinstance(e, ev.SpeechStarted) and e.turn == turn.turn
        )
        ended = next(e.at for e in events if isinstance(e, ev.SpeechEnded) and e.turn == turn.turn)
        # Both are borders of frames, whatever the last digits of a frame's time became later.
        start, end = (int(np.abs(times - at).argmin()) * FRAME_SAMPLES for at in (began, ended))
        question = heard[start:end]
        last_voiced = (found_at(question, microphone) + len(question)) / CAPTURE_RATE
        loud = np.flatnonzero(np.abs(speaker) >= 10 ** (AUDIBLE_DBFS / 20)) / RATE
        first_audible = float(loud[loud > last_voiced - 0.2][0])
        assert turn.response_time is not None
        differences.append(turn.response_time - (first_audible - last_voiced))
    # A busy machine may call PortAudio's callbacks late, and with them their times: not each time.
    assert np.median(np.abs(differences)) <= AGREEMENT, differences
    assert np.abs(differences).max() <= DELAYED, differences
