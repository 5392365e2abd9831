"""Read questions from a file or a pipe, one per line."""

from __future__ import annotations

from typing import BinaryIO

from edgevoice.encoding import decoded
from edgevoice.errors import UsageError


def question_lines(file: BinaryIO) -> list[str]:
    """The questions in `file`. Raises UsageError if it is not text or has no questions."""
    try:
        text = "".join(decoded(file, "strict"))
    except UnicodeDecodeError:
        raise UsageError(
            "the questions are not UTF-8 text",
            where=file.name,
            remedy="write them to a text file, one per line",
        ) from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise UsageError(
            "no questions were given", where=file.name, remedy="write one question per line"
        )
    return lines
