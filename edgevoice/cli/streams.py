"""Prepare the standard streams, which may be closed, or use an encoding that lacks characters."""

from __future__ import annotations

import codecs
import io
import os
import sys
import unicodedata

ASCII = {
    **dict(zip("✓✗×·•─│░█", "+xx-*-|.#", strict=True)),
    **dict(zip("▁▂▃▄▅▆▇▏└┘", "_.-=+*%|++", strict=True)),
    **dict(zip("‘’“”–—", "''\"\"--", strict=True)),
    "→": "->",
    "…": "...",
    "°": " deg",
}
"""Replacements for the program's own characters where the encoding lacks them."""


def prepare_streams() -> None:
    """Make the standard streams usable before anything is printed.

    A closed stream is replaced by the null device. A character that a stream's encoding lacks is
    replaced by a similar one, so that services, cron and redirects lose no line.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - as long as we run
    codecs.register_error("edgevoice", _replacement)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="edgevoice")


def _replacement(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(map(_to_ascii, lost)), error.end


def _to_ascii(character: str) -> str:
    """A similar character in ASCII, the letter without accents, or a question mark."""
    if character in ASCII:
        return ASCII[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain or "?"
