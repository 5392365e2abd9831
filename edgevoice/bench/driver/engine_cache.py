"""Engines that outlive an assistant, so that variants share them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from edgevoice.clock import Clock
from edgevoice.engines.pool import EnginePool
from edgevoice.protocols import ChatMessage, LanguageModel, ModelWeights


class EngineCache(EnginePool):
    """Keeps every engine until it is closed, and notes what language models are primed with."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(hold=True, shapes=True)
        self._clock = clock
        self._monitor = clock.monitor()
        self._primed: deque[tuple[float, list[ChatMessage]]] = deque(maxlen=16)
        self._open: list[LanguageModel] = []

    def session(self, model: ModelWeights) -> Any:
        """The model for one assistant, which reports what it was primed with."""
        session = super().session(model)
        self._open.append(session)
        return _Watched(session, self._note, self._open.remove, self._clock.now)

    def language_models(self) -> list[LanguageModel]:
        """Those of the running assistants, in order."""
        return list(self._open)

    def set_reply(self, text: str) -> None:
        """The next reply of the models that cannot answer by themselves."""
        for model in self._open:
            if hasattr(model, "reply_text"):
                model.reply_text = text

    def wait_for_prime(
        self, messages: Sequence[ChatMessage], since: float, given_up: Callable[[], bool]
    ) -> None:
        """Wait until `messages` are in a KV cache, by work begun after session time `since`, or
        until `given_up`."""
        wanted = list(messages)

        def primed() -> bool:
            return any(t >= since and said == wanted for t, said in self._primed)

        with self._monitor:
            while not self._monitor.wait_for(lambda: primed() or given_up(), 0.25):
                continue
            self._primed.clear()

    def _note(self, began: float, messages: Sequence[ChatMessage]) -> None:
        with self._monitor:
            self._primed.append((began, list(messages)))
            self._monitor.notify_all()


class _Watched:
    """A language model that reports what it was primed with, and its end."""

    def __init__(
        self,
        model: Any,
        note: Callable[[float, Sequence[ChatMessage]], None],
        ended: Callable[[Any], None],
        now: Callable[[], float],
    ) -> None:
        self._model = model
        self._note = note
        self._ended = ended
        self._now = now

    def prime(self, messages: Sequence[ChatMessage], cancelled: Callable[[], bool]) -> Any:
        began = self._now()
        result = self._model.prime(messages, cancelled)
        self._note(began, messages)
        return result

    def close(self) -> None:
        self._ended(self._model)
        self._model.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)
