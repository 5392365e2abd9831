"""The sound of a scenario, made or read before it begins: what is said, and where its voice is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from edgevoice.audio import EAR_RATE, Audio, Mark, Samples
from edgevoice.bench.corpus.corpus import builtin, speech_end
from edgevoice.bench.scenarios.noises import leveled, noise
from edgevoice.bench.scenarios.scenario import RoomSettings, Scenario, ScenarioStep
from edgevoice.errors import ConfigError
from edgevoice.protocols import SpeechDetector, Synthesizer
from edgevoice.resample import resample
from edgevoice.wav import read_speech

FAINT = 0.03
"""Share of a sound's peak from which on it counts as begun: 30 dB below."""

FADE = 0.01
"""Seconds at both ends of a part of a sentence in which it fades."""

TALKERS = 12
"""Questions of which babble is made."""

BED_SECONDS = 20.0
"""Generated noise that goes on all the while begins again after so long."""


@dataclass(frozen=True, slots=True)
class AudioClip:
    """float32 [n] at 16 kHz, and where its first and its last voiced sample are, in seconds."""

    samples: Samples
    first: float
    last: float

    @property
    def seconds(self) -> float:
        return len(self.samples) / EAR_RATE


@dataclass(frozen=True, slots=True)
class ScenarioScript:
    """A scenario with its sounds: a clip for each step that has one, and the noise in the room."""

    scenario: Scenario
    file: Path
    clips: tuple[AudioClip | None, ...]
    bed: Samples

    @property
    def expected(self) -> float:
        """Seconds that it will take, roughly."""
        spoken = sum(c.seconds if c else s.silence or 0.0 for c, s in self._steps)
        waiting = sum(step.wait + ANSWER * (step.after != "step") for step in self.scenario.step)
        return spoken + waiting + self.scenario.listen + ANSWER

    @property
    def _steps(self) -> list[tuple[AudioClip | None, ScenarioStep]]:
        return list(zip(self.clips, self.scenario.step, strict=True))


ANSWER = 5.0
"""Seconds that an answer may be expected to take."""


class ScenarioAssets:
    """Makes what scenarios need, each sound once.

    `voice` and `detector` are made when they are first needed; `corpus` is the folder for those
    that ask for one.
    """

    def __init__(
        self,
        voice: Callable[[], Synthesizer],
        detector: Callable[[], SpeechDetector],
        corpus: Path | None = None,
    ) -> None:
        self._make_voice, self._make_detector = voice, detector
        self._voice: Synthesizer | None = None
        self._detector: SpeechDetector | None = None
        self._corpus = corpus
        self._made: dict[tuple[tuple[str, ...], float], tuple[AudioClip, ...]] = {}
        self._talk: Samples | None = None

    def script(self, scenario: Scenario, file: Path) -> ScenarioScript:
        """The scenario of `file` with its sounds. Raises ConfigError and AudioFileError."""
        clips: list[AudioClip | None] = []
        for breath in breaths(scenario.step):
            if len(breath) > 1:
                clips += self._said([step.say for step in breath], breath[0].pitch)
            else:
                clips.append(self._clip(breath[0], file))
        return ScenarioScript(scenario, file, tuple(clips), self._bed(scenario.room, file))

    def _clip(self, step: ScenarioStep, file: Path) -> AudioClip | None:
        if step.say:
            return self._said([step.say], step.pitch)[0]
        if step.noise:
            made = noise(step.noise, step.seconds, voices=self._talkers(step.noise))
            return AudioClip(made, *_sounding(made))
        if step.file or step.corpus:
            return self._voiced(self._read(step, file))
        return None

    def _bed(self, room: RoomSettings, file: Path) -> Samples:
        if room.noise:
            made = noise(room.noise, BED_SECONDS, voices=self._talkers(room.noise))
        elif room.file or room.corpus:
            made = self._read(room, file)
        else:
            return np.zeros(0, dtype=np.float32)
        return leveled(made, room.noise_db)

    def _said(self, parts: Sequence[str], pitch: float) -> tuple[AudioClip, ...]:
        """A clip for each part of a sentence, as they are said together."""
        key = tuple(parts), pitch
        if key not in self._made:
            if self._voice is None:
                self._voice = self._make_voice()
            sound, rate = self._sentence(" ".join(parts), self._voice), self._voice.rate
            begins = list(accumulate((len(part) + 1 for part in parts[:-1]), initial=0))
            words = {mark.begin: mark.start for mark in sound.marks or ()}
            cuts = [words[begin] for begin in begins[1:] if begin in words]
            if len(cuts) + 1 == len(parts):
                pieces = np.split(sound.samples, cuts)
            else:
                # A voice that does not tell where its words are says each part for itself.
                pieces = [self._sentence(part, self._voice).samples for part in parts]
            ears = [resample(faded(piece, rate), round(rate * pitch), EAR_RATE) for piece in pieces]
            self._made[key] = tuple(self._voiced(samples) for samples in ears)
        return self._made[key]

    def _sentence(self, text: str, voice: Synthesizer) -> Audio:
        """All of it, with its words. Raises ConfigError where there are none."""
        made, marks = np.zeros(0, dtype=np.float32), list[Mark]()
        for audio in voice.synthesize(text, lambda: False):
            marks += [mark.moved(len(made)) for mark in audio.marks or ()]
            made = np.concatenate([made, audio.samples])
        if not len(made):
            raise ConfigError(f"{text!r} has no words to be spoken", remedy="write a sentence")
        return Audio(made, voice.rate, marks=tuple(marks))

    def _voiced(self, samples: Samples) -> AudioClip:
        if self._detector is None:
            self._detector = self._make_detector()
        first, last = _sounding(samples)
        # A sigh after the last word is no speech; where nothing is, the sound itself counts.
        return AudioClip(samples, first, speech_end(samples, self._detector) or last)

    def _talkers(self, kind: str) -> Samples | None:
        if kind != "babble":
            return None
        if self._talk is None:
            texts = [question for question, _ in builtin()[:TALKERS]]
            self._talk = np.concatenate([self._said([text], 1.0)[0].samples for text in texts])
        return self._talk

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
    """The steps, those together that are parts of one sentence by one voice: who pauses in the
    middle of one does not drop the voice before it, as for a sentence that ends there."""
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
    """Without a click where a sentence was cut apart."""
    slope = np.linspace(0.0, 1.0, min(round(FADE * rate), len(samples) // 2), dtype=np.float32)
    made = samples.copy()
    made[: len(slope)] *= slope
    made[len(made) - len(slope) :] *= slope[::-1]
    return made


def _sounding(samples: Samples) -> tuple[float, float]:
    """Where a sound begins and ends, in seconds."""
    loud = np.flatnonzero(np.abs(samples) >= FAINT * np.abs(samples).max(initial=1e-9))
    return (
        (0.0, 0.0) if not len(loud) else (float(loud[0]) / EAR_RATE, float(loud[-1] + 1) / EAR_RATE)
    )
