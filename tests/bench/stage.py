"""A bench on virtual time: the real pipeline with scripted engines, asked by the bench itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from edgevoice.audio import EAR_RATE
from edgevoice.bench.corpus import Question
from edgevoice.bench.driver import Interview, interview
from edgevoice.bench.player import QuietRoom
from edgevoice.bench.shelf import Shelf
from edgevoice.protocols import ChatMessage
from edgevoice.settings import Config
from edgevoice.testing.rehearsal import Rehearsal

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
        self.shelf = Shelf(self.show.clock)

    def question(self, *spoken: tuple[float, str, float]) -> Question:
        """A clip with these phrases, and half a second of silence behind them."""
        end = max(start + seconds for start, _, seconds in spoken)
        clip = np.zeros(int((end + 0.5) * EAR_RATE), dtype=np.float32)
        for start, text, seconds in spoken:
            speech = self.show.book.speech(text, seconds)
            at = int(start * EAR_RATE)
            clip[at : at + len(speech)] = speech
        said = " ".join(text for _, text, _ in spoken)
        return Question(said, clip, end, said, "human")

    @contextmanager
    def interview(self) -> Iterator[Interview]:
        """The assistant runs, and can be asked."""
        fetch = self.shelf.fetch(self.show.config)
        scripted = self.show.slm
        self.show.slm = fetch("slm", "scripted", lambda: scripted)
        assistant = self.show.assemble()
        with interview(assistant, self.show.clock, self.room, self.shelf) as one:
            one.wait_until_ready()
            yield one
