"""Write docs/trace.md from the events' own docstrings and types; `--check` only compares."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from msgspec.inspect import type_info
from msgspec.structs import fields

from edgevoice import events as ev

PAGE = Path(__file__).resolve().parent.parent / "docs" / "trace.md"

HEAD = f"""# The trace

`edgevoice run --trace FILE` (and `demo`, and the key `s` on the screen) writes the event stream as
JSON lines: one object a line, in the order in which things happened. The screen, the plain lines,
the timings and the tests read this same stream; there is no second source of truth.

Schema version {ev.SCHEMA}. Every object has

| field | type | meaning |
| --- | --- | --- |
| `type` | string | which event it is, one of those below |
| `t` | number | when it was emitted, in seconds on the session clock, which starts at 0 |
| `seq` | integer | its number, from 0 without gaps |

All other times (`at`, `audible_at`) are on the same clock. `turn` numbers the exchange an event
belongs to, `clause` a clause within its reply. A reader must ignore fields it does not know; an
added field or event does not change the version, a changed meaning does.

The gap of a turn is `playback_started.audible_at` of its first clause less `speech_ended.at`. Its
spans are cut at `transcription_started` (not partial), `final_transcript`, `prefill_ended`, the
first `clause_ready`, its `first_audio`, `turn_committed` and `audible_at`, each no earlier than the
one before: they add up to the gap exactly.

Nothing is written unless asked for, because a trace holds what was said.

## Events
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for event in ev.AnyEvent.__args__:  # type: ignore[attr-defined]
        tag = type_info(event).tag  # type: ignore[union-attr]
        parts.append(f"### `{tag}`\n")
        if event.__doc__ and event.__doc__ != ev.Event.__doc__:
            parts.append(inspect.cleandoc(event.__doc__) + "\n")
        own = [f for f in fields(event) if f.name not in ("t", "seq")]
        if own:
            rows = "\n".join(f"| `{f.name}` | {_type(str(f.type), f.type)} |" for f in own)
            parts.append(f"| field | type |\n| --- | --- |\n{rows}\n")
    return "\n".join(parts)


def _type(text: str, type_: object) -> str:
    plain = {str: "string", int: "integer", float: "number", bool: "boolean"}
    if type_ in plain:
        return plain[type_]  # type: ignore[index]
    if text.startswith("typing.Literal["):
        return " or ".join(f"`{part.strip(chr(39))}`" for part in text[15:-1].split(", "))
    return {
        "dict[str, str]": "object of strings",
        "tuple[str, ...]": "array of strings",
        "int | None": "integer or null",
        "float | None": "number or null",
    }[text]


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            0 if PAGE.read_text("utf-8") == page() else "docs/trace.md is out of date: make docs"
        )
    PAGE.write_text(page(), "utf-8")
