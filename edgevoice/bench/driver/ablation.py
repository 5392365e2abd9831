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
"""What each technique is called in docs/latency.md, and how it is switched off."""

ALL = "all of them"


def variants(
    known: Collection[str], only: Collection[str] = ()
) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """The techniques whose settings are all `known`, by name, each as a variant with it off, and
    one with all of them off; and what is left out, a sentence each.

    `only` names the techniques that are wanted; empty: all. The first variant is everything on.
    """
    found: dict[str, Mapping[str, Any]] = {AS_SET: {}}
    left_out = []
    for name, changes in TECHNIQUES.items():
        missing = [key for key in changes if key not in known]
        if missing:
            left_out.append(f"{name}: there is no setting {' or '.join(missing)}")
        elif not only or name in only:
            found[name] = changes
    if len(found) > 2:
        found[ALL] = {key: value for changes in found.values() for key, value in changes.items()}
    return found, left_out
