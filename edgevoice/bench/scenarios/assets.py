"""The sound of a scenario, made or read before the scenario begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np

from edgevoice.audio import CAPTURE_RATE, Audio, Mark, Samples
from edgevoice.bench.corpus.corpus import builtin, speech_end
from edgevoice.bench.scenarios.noises import Noise, leveled, noise
from edgevoice.bench.scenarios.scenario import RoomSettings, Scenario, ScenarioStep
from edgevoice.errors import ConfigError
from edgevoice.protocols import SpeechDetector, Synthesizer
from edgevoice.resample import resample
from edgevoice.wav import read_speech

ONSET_SHARE = 0.03
"""Share of a sound's peak from which on it counts as begun: 30 dB below."""

FADE_SECONDS = 0.01
"""Seconds of fade at both ends of a part of a sentence."""

TALKERS = 12
"""Number of questions in babble."""

BED_SECONDS = 20.0
"""Length of a generated noise that plays in a loop."""

ANSWER_EXPECTED = 5.0
"""Seconds that an answer may be expected to take."""


@dataclass(frozen=True, slots=True)
class AudioClip:
    """float32 [n] at 16 kHz, with its first and last voiced sample in seconds."""

    samples: Samples
    first: float
    last: float

    @property
    def seconds(self) -> float:
        return len(self.samples) / CAPTURE_RATE


@dataclass(frozen=True, slots=True)
class ScenarioScript:
    """A scenario with a clip for each step that sounds, and the noise in the room."""

    scenario: Scenario
    file: Path
    clips: tuple[AudioClip | None, ...]
    bed: Samples

    @property
    def expected(self) -> float:
        """Seconds that it will take, roughly."""
        total = self.scenario.listen + ANSWER_EXPECTED
        for clip, step in zip(self.clips, self.scenario.step, strict=True):
            total += clip.seconds if clip else step.silence or 0.0
            total += step.wait + ANSWER_EXPECTED * (step.after != "step")
        return total


class ScenarioAssets:
    """Makes the sounds of scenarios, each once; `corpus` is the folder of the recordings."""

    def __init__(
        self, voice: Synthesizer, detector: SpeechDetector, corpus: Path | None = None
    ) -> None:
        self._voice, self._detector = voice, detector
        self._corpus = corpus
        self._made: dict[tuple[tuple[str, ...], float], tuple[AudioClip, ...]] = {}

    def script(self, scenario: Scenario, file: Path) -> ScenarioScript:
        """The scenario of `file` with its sounds. Raises ConfigError and AudioFileError."""
        clips: list[AudioClip | None] = []
        for breath in breaths(scenario.step):
            first = breath[0]
            if first.say:
                clips += self._spoken(tuple(step.say for step in breath), first.pitch)
            elif first.noise:
                made = self._noise(first.noise, first.seconds)
                clips.append(AudioClip(made, *_sounding(made)))
            elif first.file or first.corpus:
                clips.append(self._voiced(self._read(first, file)))
            else:
                clips.append(None)
        return ScenarioScript(scenario, file, tuple(clips), self._bed(scenario.room, file))

    def _bed(self, room: RoomSettings, file: Path) -> Samples:
        if room.noise:
            return leveled(self._noise(room.noise, BED_SECONDS), room.noise_db)
        if room.file or room.corpus:
            return leveled(self._read(room, file), room.noise_db)
        return np.zeros(0, dtype=np.float32)

    def _noise(self, kind: Noise, seconds: float) -> Samples:
        return noise(kind, seconds, voices=self._talk if kind == "babble" else None)

    @cached_property
    def _talk(self) -> Samples:
        texts = [question for question, _ in builtin()[:TALKERS]]
        return np.concatenate([self._spoken((text,), 1.0)[0].samples for text in texts])

    def _spoken(self, parts: tuple[str, ...], pitch: float) -> tuple[AudioClip, ...]:
        """A clip for each part of a sentence, cut from the whole sentence."""
        key = parts, pitch
        if key not in self._made:
            sound, rate = self._sentence(" ".join(parts)), self._voice.rate
            begins = list(accumulate((len(part) + 1 for part in parts[:-1]), initial=0))
            words = {mark.begin: mark.start for mark in sound.marks or ()}
            cuts = [words[begin] for begin in begins[1:] if begin in words]
            if len(cuts) + 1 == len(parts):
                pieces = np.split(sound.samples, cuts)
            else:
                # The voice does not say where its words are.
                pieces = [self._sentence(part).samples for part in parts]
            ears = [
                resample(faded(piece, rate), round(rate * pitch), CAPTURE_RATE) for piece in pieces
            ]
            self._made[key] = tuple(self._voiced(samples) for samples in ears)
        return self._made[key]

    def _sentence(self, text: str) -> Audio:
        """The whole sentence with the places of its words. Raises ConfigError without words."""
        made, marks = np.zeros(0, dtype=np.float32), list[Mark]()
        for audio in self._voice.synthesize(text, lambda: False):
            marks += [mark.moved(len(made)) for mark in audio.marks or ()]
            made = np.concatenate([made, audio.samples])
        if not len(made):
            raise ConfigError(f"{text!r} has no words to be spoken", remedy="write a sentence")
        return Audio(made, self._voice.rate, marks=tuple(marks))

    def _voiced(self, samples: Samples) -> AudioClip:
        first, last = _sounding(samples)
        # A breath after the last word is no speech; a sound without speech ends with itself.
        return AudioClip(samples, first, speech_end(samples, self._detector) or last)

    def _read(self, item: ScenarioStep | RoomSettings, file: Path) -> Samples:
        if item.file:
            return read_speech(file.parent / item.file)
        if self._corpus is None:
            raise ConfigError(
                f"it needs {item.corpus} of a corpus", where=str(file), remedy="--corpus FOLDER"
            )
        for path in (self._corpus / item.corpus, *sorted(self._corpus.glob(f"*/{item.corpus}"))):
            if path.is_file():
                return read_speech(path)
        raise ConfigError(
            f"there is no {item.corpus} in the corpus",
            where=str(self._corpus),
            remedy=f"put it there, or leave {file.name} out",
        )


def breaths(steps: Sequence[ScenarioStep]) -> list[tuple[ScenarioStep, ...]]:
    """The steps, with the parts of one sentence by one voice together: a voice that pauses within
    a sentence does not fall as at its end."""
    made: list[tuple[ScenarioStep, ...]] = []
    for step in steps:
        last = made[-1][-1] if made else None
        goes_on = last is not None and last.say and last.part == "begun" and step.after == "step"
        if last is not None and goes_on and step.say and step.pitch == last.pitch:
            made[-1] = (*made[-1], step)
        else:
            made.append((step,))
    return made


def faded(samples: Samples, rate: int) -> Samples:
    """float32 [n] that fades in and out, so that a cut does not click."""
    slope = np.linspace(
        0.0, 1.0, min(round(FADE_SECONDS * rate), len(samples) // 2), dtype=np.float32
    )
    made = samples.copy()
    made[: len(slope)] *= slope
    made[len(made) - len(slope) :] *= slope[::-1]
    return made


def _sounding(samples: Samples) -> tuple[float, float]:
    """Where a sound begins and ends, in seconds."""
    loud = np.flatnonzero(np.abs(samples) >= ONSET_SHARE * np.abs(samples).max(initial=1e-9))
    return (
        (int(loud[0]) / CAPTURE_RATE, int(loud[-1] + 1) / CAPTURE_RATE) if len(loud) else (0.0, 0.0)
    )
