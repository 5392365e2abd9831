"""The techniques that make answers fast, each with the settings that turn it off."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from edgevoice.bench.result.result import AS_SET

TECHNIQUES: Mapping[str, Mapping[str, Any]] = {
    "encode only the clip": {"stt.window": "full"},
    "read and prefill while they speak": {"stt.partials": False, "slm.prefill_ahead": False},
    "prefill while they speak": {"slm.prefill_ahead": False},
    "work in the pause": {"turn.speculate": False},
    "end of turn by sound and words": {"turn.silence_ms": 700},
    "end of turn by sound": {"models.turn": "none"},
    "sound before the clause is whole": {"tts.stream": False},
    "first clause by measured rates": {"tts.first_clause_words": 4},
    "no silence before the voice": {"tts.shorten_silence": False},
    "cores by plan": {"slm.adapt_threads": False},
}
"""Named as in docs/latency.md."""

ALL_OFF = "all of them"


def variants(only: Collection[str] = ()) -> dict[str, Mapping[str, Any]]:
    """Variants by name: all techniques on, each one off, and all off. `only` selects some."""
    off = {name: changes for name, changes in TECHNIQUES.items() if not only or name in only}
    every = {key: value for changes in off.values() for key, value in changes.items()}
    return {AS_SET: {}, **off, **({ALL_OFF: every} if len(off) > 1 else {})}
