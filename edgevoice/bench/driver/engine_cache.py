"""Engines that outlive an assistant, so that variants share them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import to_builtins

from edgevoice.build import Fetch
from edgevoice.clock import Clock
from edgevoice.events import Role
from edgevoice.protocols import ChatMessage, LanguageModel
from edgevoice.settings import Config

NOT_THE_ENGINES = frozenset(
    {
        *(
            "slm.system_prompt",
            "slm.date_time",
            "slm.examples",
            "slm.prefill_ahead",
            "stt.partials",
        ),
        *("tts.first_clause_words", "tts.shorten_silence"),
    }
)
"""Settings in an engine's section that only the pipeline reads."""


class EngineCache:
    """Keeps every engine by role, model and settings; `close` frees them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._monitor = clock.monitor()
        self._engines: dict[str, Any] = {}
        self._primed: deque[tuple[float, list[ChatMessage]]] = deque(maxlen=16)
        self._open: list[LanguageModel] = []

    def fetch(self, config: Config) -> Fetch:
        """The way for `build` to get engines from here."""

        def get(role: Role, model: str, load: Callable[[], Any]) -> Any:
            key = _made_of(role, model, config)
            with self._monitor:
                engine = self._engines.get(key)
            if engine is None:
                engine = load()
                if role == "slm":
                    self._open.append(engine)
                    engine = _Watched(engine, self._note, self._clock.now)
                with self._monitor:
                    self._engines[key] = engine
            return engine

        return get

    def language_models(self) -> list[LanguageModel]:
        """The loaded language models, in order."""
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

    def close(self) -> None:
        """Free the language models. No assistant may use them."""
        for model in self._open:
            model.close()
        self._open.clear()
        self._engines.clear()


class _Watched:
    """A language model that reports what it was primed with, and that no assistant can close."""

    def __init__(
        self,
        model: Any,
        note: Callable[[float, Sequence[ChatMessage]], None],
        now: Callable[[], float],
    ) -> None:
        self._model = model
        self._note = note
        self._now = now

    def prime(self, messages: Sequence[ChatMessage], cancelled: Callable[[], bool]) -> Any:
        began = self._now()
        result = self._model.prime(messages, cancelled)
        self._note(began, messages)
        return result

    def close(self) -> None:
        """The cache does it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def _made_of(role: Role, model: str, config: Config) -> str:
    """The key of an engine: configurations with the same key share it."""
    own = to_builtins({"stt": config.stt, "slm": config.slm, "tts": config.tts}.get(role))
    settings = {k: v for k, v in (own or {}).items() if f"{role}.{k}" not in NOT_THE_ENGINES}
    others = (config.kokoro if role == "tts" else None, config.engines)
    return repr((role, config.models.folder, model, settings, others))
