"""WebRTC's echo cancellation, as the ears use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgevoice.audio import CAPTURE_RATE, Samples, dbfs
from edgevoice.engines.echo import CALL_SAMPLES, WebRtc
from edgevoice.errors import EngineError
from edgevoice.settings import EchoSettings
from edgevoice.wav import read_speech
from tests.processes import PATIENCE


def cancelled(canceller: WebRtc, microphone: Samples, reference: Samples) -> Samples:
    """All of `microphone`, in time with it."""
    end = min(len(microphone), len(reference)) // CALL_SAMPLES * CALL_SAMPLES
    made = [
        canceller.cancel(microphone[at : at + CALL_SAMPLES], reference[at : at + CALL_SAMPLES])
        for at in range(0, end, CALL_SAMPLES)
    ]
    return np.concatenate(made)[canceller.lag :]


def noise(seconds: float) -> Samples:
    samples = np.random.default_rng(1).standard_normal(int(seconds * CAPTURE_RATE)) * 0.1
    return samples.astype(np.float32)


def test_an_echo_is_taken_out() -> None:
    """What was played 60 ms before is all but gone after a second."""
    played = noise(4.0)
    heard = np.concatenate([np.zeros(960, dtype=np.float32), 0.5 * played[:-960]])
    left = cancelled(WebRtc(EchoSettings()), heard, played)
    assert dbfs(left[CAPTURE_RATE:]) < dbfs(heard[CAPTURE_RATE:]) - 25


@pytest.mark.parametrize(
    "settings",
    [
        EchoSettings(),
        EchoSettings(noise_suppression=True),
        EchoSettings(cancel="off", noise_suppression=True),
        EchoSettings(cancel="off", gain_control=True),
    ],
)
def test_what_comes_out_is_as_late_as_it_says(settings: EchoSettings) -> None:
    """With its lag taken off, a click is where it was, to the millisecond."""
    canceller = WebRtc(settings)
    heard = 0.001 * noise(2.0)
    heard[CAPTURE_RATE : CAPTURE_RATE + 32] = 0.5 * np.hanning(32)
    left = cancelled(canceller, heard, np.zeros_like(heard))
    middle = int(np.argmax(np.abs(left[: len(heard) - 500])))
    assert middle == pytest.approx(CAPTURE_RATE + 16, abs=16)


def test_recorded_echoes_go_and_voices_stay(shared: Path) -> None:
    """On recordings of real rooms: far end alone, near end alone."""

    def pair(kind: str) -> tuple[Samples, Samples]:
        return (
            read_speech(shared / "aec" / f"{kind}_mic.wav"),
            read_speech(shared / "aec" / f"{kind}_lpb.wav"),
        )

    microphone, played = pair("farend_singletalk")
    canceller = WebRtc(EchoSettings())
    canceller.expect(0.04)
    left = cancelled(canceller, microphone, played)
    later = slice(2 * CAPTURE_RATE, None)
    assert dbfs(left[later]) < dbfs(microphone[: len(left)][later]) - 25
    microphone, played = pair("nearend_singletalk")
    left = cancelled(WebRtc(EchoSettings()), microphone, played)
    assert dbfs(left[later]) > dbfs(microphone[: len(left)][later]) - 1.5


def test_a_library_that_is_missing_is_told_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The user learns what to install, or how to go on without."""
    monkeypatch.setitem(sys.modules, "livekit.rtc", None)
    with pytest.raises(EngineError) as caught:
        WebRtc(EchoSettings())
    assert "livekit" in caught.value.remedy
    assert "echo.cancel=off" in caught.value.remedy


def test_it_is_not_loaded_before_it_is_needed() -> None:
    """Neither the commands nor the composition root import it."""
    code = (
        "import sys, edgevoice.cli, edgevoice.build; "
        "import edgevoice.capture.echo_cancellation, edgevoice.engines.echo; "
        "sys.exit('livekit' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=PATIENCE).returncode == 0
