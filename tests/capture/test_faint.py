"""Speech that is too quiet to be heard: the user is told, once, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Samples, dbfs
from edgevoice.capture.faint import TOO_QUIET
from edgevoice.settings import Config
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.wav import read_speech

LOUD = 10 ** (-45 / 20)
QUIET = 10 ** (-75 / 20)


class Loud:
    """Hears a square wave that is louder than -60 dBFS, as a detector of speech."""

    def probability(self, samples: Samples) -> float:
        return float(dbfs(samples) > -60.0)

    def reset(self) -> None:
        return None


def sound(*parts: tuple[float, float]) -> Samples:
    """Silence and noise, as (seconds, amplitude)."""
    return np.concatenate([np.full(int(s * CAPTURE_RATE), a, dtype=np.float32) for s, a in parts])


def notices(clips: list[Samples], detector: Callable[[], Loud] = Loud) -> list[str]:
    show = Rehearsal()
    show.detector = show.faint_detector = detector
    show.clips = clips
    show.run()
    return [event.text for event in show.all(ev.Notice)]


def test_speech_that_is_too_quiet_is_told_of_once() -> None:
    """A second and a half of it, twice: one notice, which says what to do."""
    said = sound((0.5, 0.0), (1.5, QUIET), (1.5, 0.0))
    assert notices([said, said]) == [TOO_QUIET]
    assert "input level" in TOO_QUIET


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param(sound((5.0, 0.0)), id="silence"),
        pytest.param(sound((0.5, 0.0), (0.4, QUIET), (4.0, 0.0)), id="a short sound"),
        pytest.param(sound((0.5, 0.0), (1.5, LOUD), (1.5, 0.0)), id="speech that is loud enough"),
    ],
)
def test_what_is_loud_enough_or_no_speech_is_not_called_too_quiet(heard: Samples) -> None:
    """Only sustained speech below what the detector hears gives the notice."""
    assert notices([heard]) == []


def test_who_is_heard_is_not_told_that_it_is_too_quiet() -> None:
    """A sentence that begins softly is answered, without a notice."""
    show = Rehearsal()
    show.faint_detector = Loud
    show.hear((0.5, "what time is it", 1.0))
    show.clips = [np.concatenate([sound((1.2, QUIET)), show.clips[0][CAPTURE_RATE // 2 :]])]
    show.run()
    assert show.heard == ["All right."]
    assert not show.all(ev.Notice)


@pytest.fixture
def silero(model_path: Callable[[str], Path]) -> Callable[[], Loud]:
    from edgevoice.engines.silero import Silero

    return lambda: Silero(model_path("silero-vad"))  # type: ignore[return-value]


def at_level(samples: Samples, level: float) -> Samples:
    """Scaled, so that the louder tenth of its frames begins at `level` dBFS, in 16 bits; with
    silence behind it."""
    count = len(samples) // FRAME_SAMPLES
    levels = [dbfs(f) for f in samples[: count * FRAME_SAMPLES].reshape(count, FRAME_SAMPLES)]
    scaled = samples * 10 ** ((level - float(np.percentile(levels, 90))) / 20)
    exact = np.round(scaled * 32768) / 32768
    return np.concatenate([exact, np.zeros(3 * CAPTURE_RATE)]).astype(np.float32)


@pytest.mark.models
@pytest.mark.parametrize("level", [-30, -40, -50, -60, -65, -70, -75])
def test_quiet_speech_is_heard_or_told_of(
    level: float, shared: Path, silero: Callable[[], Loud]
) -> None:
    """A recorded sentence at any level begins a turn, or the user is told why it does not."""
    for name in ("jfk", "lj-LJ001-0002", "arctic-a0010"):
        show = Rehearsal(config=Config())
        show.detector = show.faint_detector = silero
        show.clips = [
            at_level(read_speech(shared / "speech" / f"{name}.wav")[: 6 * CAPTURE_RATE], level)
        ]
        show.run()
        told = [event.text for event in show.all(ev.Notice)] == [TOO_QUIET]
        assert told or show.all(ev.SpeechStarted), name
        assert not told or level <= -50, name


@pytest.mark.models
def test_noise_is_not_called_quiet_speech(shared: Path, silero: Callable[[], Loud]) -> None:
    """No recording of noise, as loud as it is, gives the notice."""
    for path in sorted((shared / "noise").glob("*.wav")):
        assert TOO_QUIET not in notices([read_speech(path)[: 12 * CAPTURE_RATE]], silero), path.name
