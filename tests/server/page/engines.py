"""Scripted engines behind the page: every sound is the same question, and words are hummed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from edgevoice import events as ev
from edgevoice.agent.language_model_agent import LanguageModelAgent
from edgevoice.assistant import Assistant
from edgevoice.audio import Audio, Mark, Samples
from edgevoice.context import AudioIO, Engines, Resume, SessionContext
from edgevoice.protocols import Cancelled, Effort, Transcript
from edgevoice.synthesis.alignment import word_spans
from edgevoice.testing.scripted import ScriptedLanguageModel

QUESTION = "What is the capital of Italy?"
"""What is recognized in every sound."""

ANSWER = (
    "Rome is the capital of Italy. It lies on the river Tiber, in the middle of the country. "
    "People have lived there for almost three thousand years, and it has long been called the "
    "eternal city."
)


class AnySound:
    """Takes everything that is clearly no silence for speech."""

    def probability(self, samples: Samples) -> float:
        return 1.0 if float(np.abs(samples).mean()) > 0.02 else 0.0

    def reset(self) -> None:
        return None


@dataclass
class OneQuestion:
    """Recognizes the same question in every sound."""

    def transcribe(
        self,
        samples: Samples,
        effort: Effort = "final",
        languages: Mapping[str, float] | None = None,
    ) -> Transcript:
        return Transcript(QUESTION, logprob=-0.1)


@dataclass
class Humming:
    """Hums each word, at a pitch of its own."""

    rate: int = 22_050
    second_per_char: float = 0.04

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        a_char = self.second_per_char * self.rate
        sound = np.zeros(int(len(text) * a_char), dtype=np.float32)
        marks = []
        for begin, end in word_spans(text):
            first, last = int(begin * a_char), int(end * a_char)
            pitch = 160 + 20 * (sum(map(ord, text[begin:end])) % 8)
            time = np.arange(last - first) / self.rate
            sound[first:last] = 0.2 * np.sin(2 * np.pi * pitch * time)
            marks.append(Mark(begin, end, first, last))
        yield Audio(sound, self.rate).marked(marks)


def humming(context: SessionContext, audio: AudioIO, resume: Resume) -> Assistant:
    """An assistant that gives ANSWER to every sound."""
    config = replace(context.config, slm=replace(context.config.slm, examples=False))
    context.bus.emit(
        ev.SessionStarted(
            version="0", schema=ev.SCHEMA, wall="", platform="", models={}, input="", output=""
        )
    )
    slm = ScriptedLanguageModel(context.clock, lambda _: ANSWER, token=0.02, prefill=0.0)
    engines = Engines(
        AnySound, OneQuestion, lambda: LanguageModelAgent(slm, config), {"en": Humming}
    )
    return Assistant(context, audio, engines, resume)
