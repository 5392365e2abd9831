"""The standard streams of this process, which may be closed or lack characters."""

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
"""What stands for a character of ours where the encoding lacks it."""


def prepare_streams() -> None:
    """Make the standard streams usable before anything is printed.

    A stream that our caller closed reads as empty and writes to nowhere. A character that the
    encoding of a stream lacks is replaced, so that services, cron and redirects lose no line.
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
    return "".join(map(_alike, lost)), error.end


def _alike(character: str) -> str:
    """`character` in ASCII: a sign like it, its letter without accents, or a question mark."""
    if character in ASCII:
        return ASCII[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain or "?"
