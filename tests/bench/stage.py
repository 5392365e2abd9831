"""A bench on virtual time: the real pipeline with scripted engines, asked by the bench itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from edgevoice.audio import CAPTURE_RATE
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.driver import QuestionDriver, interview
from edgevoice.bench.driver.engine_cache import EngineCache
from edgevoice.bench.driver.player import QuietRoom
from edgevoice.protocols import ChatMessage
from edgevoice.settings import Config
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedLanguageModel

Phrases = tuple[tuple[float, str, float], ...]
"""What is said: phrases `(starts at, text, lasts)`, in seconds of the clip."""


class Stage:
    """A rehearsal whose microphone is the bench's quiet room."""

    def __init__(
        self, answer: Callable[[Sequence[ChatMessage]], str] | str, config: Config | None = None
    ) -> None:
        self.show = Rehearsal(answer, config)
        self.room = QuietRoom(self.show.clock)
        self.show.source = lambda idle: self.room
        self.cache = EngineCache(self.show.clock)

    def question(self, *spoken: tuple[float, str, float]) -> BenchQuestion:
        """A clip with these phrases, and half a second of silence behind them."""
        end = max(start + seconds for start, _, seconds in spoken)
        clip = np.zeros(int((end + 0.5) * CAPTURE_RATE), dtype=np.float32)
        for start, text, seconds in spoken:
            speech = self.show.book.speech(text, seconds)
            at = int(start * CAPTURE_RATE)
            clip[at : at + len(speech)] = speech
        said = " ".join(text for _, text, _ in spoken)
        return BenchQuestion(said, clip, end, said, "human")

    @contextmanager
    def interview(self) -> Iterator[QuestionDriver]:
        """The assistant runs, and can be asked."""
        scripted = self.show.slm
        assert isinstance(scripted, ScriptedLanguageModel)
        self.show.slm = self.cache.session(scripted)
        assistant = self.show.assemble()
        with interview(assistant, self.show.clock, self.room, self.cache) as one:
            one.wait_until_ready()
            yield one
