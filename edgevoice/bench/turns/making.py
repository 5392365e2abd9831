"""The sound of a scenario, made or read before it begins: what is said, and where its voice is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgevoice.audio import EAR_RATE, Samples
from edgevoice.bench.corpus import builtin, speech_end
from edgevoice.bench.turns.noises import leveled, noise
from edgevoice.bench.turns.scenario import Room, Scenario, Step
from edgevoice.errors import ConfigError
from edgevoice.resample import resample
from edgevoice.stages import SpeechDetector, Synthesizer
from edgevoice.wav import read_speech

FAINT = 0.03
"""Share of a sound's peak from which on it counts as begun: 30 dB below."""

TALKERS = 12
"""Questions of which babble is made."""

BED_SECONDS = 20.0
"""Generated noise that goes on all the while begins again after so long."""


@dataclass(frozen=True, slots=True)
class Clip:
    """float32 [n] at 16 kHz, and where its first and its last voiced sample are, in seconds."""

    samples: Samples
    first: float
    last: float

    @property
    def seconds(self) -> float:
        return len(self.samples) / EAR_RATE


@dataclass(frozen=True, slots=True)
class Script:
    """A scenario with its sounds: a clip for each step that has one, and the noise in the room."""

    scenario: Scenario
    file: Path
    clips: tuple[Clip | None, ...]
    bed: Samples

    @property
    def expected(self) -> float:
        """Seconds that it will take, roughly."""
        spoken = sum(c.seconds if c else s.silence or 0.0 for c, s in self._steps)
        waiting = sum(step.wait + ANSWER * (step.after != "step") for step in self.scenario.step)
        return spoken + waiting + self.scenario.listen + ANSWER

    @property
    def _steps(self) -> list[tuple[Clip | None, Step]]:
        return list(zip(self.clips, self.scenario.step, strict=True))


ANSWER = 5.0
"""Seconds that an answer may be expected to take."""


class Sounds:
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
        self._made: dict[tuple[str, float], Clip] = {}
        self._talk: Samples | None = None

    def script(self, scenario: Scenario, file: Path) -> Script:
        """The scenario of `file` with its sounds. Raises ConfigError and AudioFileError."""
        clips = tuple(self._clip(step, file) for step in scenario.step)
        return Script(scenario, file, clips, self._bed(scenario.room, file))

    def _clip(self, step: Step, file: Path) -> Clip | None:
        if step.say:
            return self._said(step.say, step.pitch)
        if step.noise:
            made = noise(step.noise, step.seconds, voices=self._talkers(step.noise))
            return Clip(made, *_sounding(made))
        if step.file or step.corpus:
            return self._voiced(self._read(step, file))
        return None

    def _bed(self, room: Room, file: Path) -> Samples:
        if room.noise:
            made = noise(room.noise, BED_SECONDS, voices=self._talkers(room.noise))
        elif room.file or room.corpus:
            made = self._read(room, file)
        else:
            return np.zeros(0, dtype=np.float32)
        return leveled(made, room.noise_db)

    def _said(self, text: str, pitch: float) -> Clip:
        if (text, pitch) not in self._made:
            if self._voice is None:
                self._voice = self._make_voice()
            pieces = [audio.samples for audio in self._voice.synthesize(text, lambda: False)]
            whole = np.concatenate([*pieces, np.zeros(0, dtype=np.float32)])
            if not len(whole):
                raise ConfigError(f"{text!r} has no words to be spoken", remedy="write a sentence")
            samples = resample(whole, round(self._voice.rate * pitch), EAR_RATE)
            self._made[text, pitch] = self._voiced(samples)
        return self._made[text, pitch]

    def _voiced(self, samples: Samples) -> Clip:
        if self._detector is None:
            self._detector = self._make_detector()
        first, last = _sounding(samples)
        # A sigh after the last word is no speech; where nothing is, the sound itself counts.
        return Clip(samples, first, speech_end(samples, self._detector) or last)

    def _talkers(self, kind: str) -> Samples | None:
        if kind != "babble":
            return None
        if self._talk is None:
            texts = [question for question, _ in builtin()[:TALKERS]]
            self._talk = np.concatenate([self._said(text, 1.0).samples for text in texts])
        return self._talk

    def _read(self, item: Step | Room, file: Path) -> Samples:
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


def _sounding(samples: Samples) -> tuple[float, float]:
    """Where a sound begins and ends, in seconds."""
    loud = np.flatnonzero(np.abs(samples) >= FAINT * np.abs(samples).max(initial=1e-9))
    return (
        (0.0, 0.0) if not len(loud) else (float(loud[0]) / EAR_RATE, float(loud[-1] + 1) / EAR_RATE)
    )
