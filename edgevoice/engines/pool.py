"""Load engines once, lend them to sessions, and free them when no session needs them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from edgevoice.errors import ModelError
from edgevoice.protocols import LanguageModel, ModelWeights

if TYPE_CHECKING:
    from edgevoice.events import EnginePart
    from edgevoice.settings import Config

SHARED_ROLES: frozenset[EnginePart] = frozenset({"stt", "slm", "draft", "tts", "turn"})
"""Roles whose engines keep no state of a session. Others are loaded for each session."""

NOT_THE_ENGINES = frozenset(
    {
        *(
            "slm.system_prompt",
            "slm.examples",
            "slm.date_time",
            "slm.prefill_ahead",
            "slm.draft",
            "slm.draft_trust",
            "slm.adapters",
            "stt.partials",
        ),
        *("tts.first_clause_words", "tts.shorten_silence"),
    }
)
"""Settings in an engine's section that sessions read, not the engine."""


@dataclass(slots=True)
class _Entry:
    role: EnginePart
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while the engine is loaded."""
    engine: Any = None
    users: int = 0
    abandoned: bool = False


class EnginePool:
    """Owns the loaded engines. Every method may be called from any thread.

    An engine that no session uses stays until another one of its role is loaded; with `hold`,
    until the pool is closed. `shapes`: a synthetic language model may be lent as well.
    """

    def __init__(self, hold: bool = False, shapes: bool = False) -> None:
        self._hold = hold
        self.shapes = shapes
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def lend(self, role: EnginePart, model: str, config: Config, load: Callable[[], Any]) -> Loan:
        """The engine for a model and the settings, loaded by `load` if it is not here yet.

        Raises what `load` raises.
        """
        if role not in SHARED_ROLES:
            return Loan(load(), lambda: None)
        key = _made_of(role, model, config)
        with self._lock:
            if not self._hold:
                self._free_unused(role, key)
            entry = self._entries.setdefault(key, _Entry(role))
            entry.users += 1
        try:
            with entry.lock:
                if entry.engine is None:
                    entry.engine = load()
            engine = entry.engine
            if role in ("slm", "draft"):
                engine = self.session(entry.engine, role)
                if role == "slm":
                    adapt(engine, config.slm.adapters)
        except BaseException:
            self._return(entry)
            raise
        return Loan(engine, lambda: self._return(entry))

    def session(self, model: ModelWeights, role: EnginePart = "slm") -> LanguageModel:
        """What a session gets of a language model."""
        return model.session()

    def close(self) -> None:
        """Free every engine that no session uses."""
        with self._lock:
            for key, entry in list(self._entries.items()):
                if not entry.users:
                    _free(self._entries.pop(key))

    def abandon(self) -> None:
        """Lend the engines in use to no further session: a thread may hang in one of them.

        Each is freed when its last user gives it back.
        """
        with self._lock:
            for key in [key for key, entry in self._entries.items() if entry.users]:
                self._entries.pop(key).abandoned = True

    def _return(self, entry: _Entry) -> None:
        with self._lock:
            entry.users -= 1
            if entry.abandoned and not entry.users:
                _free(entry)

    def _free_unused(self, role: EnginePart, key: str) -> None:
        for other, entry in list(self._entries.items()):
            if entry.role == role and not entry.users and other != key:
                _free(self._entries.pop(other))


def adapt(model: LanguageModel, adapters: Sequence[str]) -> None:
    """Have a session's language model answer with the LoRA adapters of slm.adapters.

    Raises ModelError if it cannot.
    """
    if not adapters:
        return
    use = getattr(model, "use_adapters", None)
    if use is None:
        raise ModelError(
            "the engine of this language model has no adapters", remedy="remove slm.adapters"
        )
    use(adapters)


@dataclass(frozen=True, slots=True)
class Loan:
    """An engine that is lent until `give_back` is called."""

    engine: Any
    give_back: Callable[[], None]


def _free(entry: _Entry) -> None:
    close = getattr(entry.engine, "close", None)
    if close is not None:
        close()
    entry.engine = None


def _made_of(role: EnginePart, model: str, config: Config) -> str:
    """The key of an engine: configurations with the same key share it."""
    role = "slm" if role == "draft" else role
    own = to_builtins({"stt": config.stt, "slm": config.slm, "tts": config.tts}.get(role))
    settings = {k: v for k, v in (own or {}).items() if f"{role}.{k}" not in NOT_THE_ENGINES}
    others = (config.kokoro if role == "tts" else None, config.engines)
    return repr((role, config.models.folder, model, settings, others))
