"""What people say, and the intent that it is: one half tuned to, the other set aside."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from edgevoice.skills.intents import intent
from edgevoice.skills.matcher import Matcher
from edgevoice.skills.sentence_files import sentence_file

FOLDER = Path(__file__).parent
LEAST_HELD_OUT = 0.8
"""Share of the half set aside; measured: see docs/measurements/skills-2026-12.md."""

Row = tuple[str, str, str, str]


def rows(name: str) -> list[Row]:
    """Language, phrase, intent and arguments."""
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    return [
        (*line.split("\t"), "", "")[:4]  # type: ignore[misc]
        for line in lines
        if line and line[0] != "#"
    ]


@lru_cache
def matcher(language: str) -> Matcher:
    return Matcher(language, sentence_file(language))


def understood(language: str, phrase: str) -> str:
    match = matcher(language).match(phrase)
    found = intent(match) if match else None
    return f"{found.name} {found}".strip().lower() if found else "-"


def expected(name: str, args: str) -> str:
    pairs = re.findall(r"(\w+)=(.*?)(?= \w+=|$)", args)
    return " ".join((name, *(f"{key}={value}" for key, value in sorted(pairs)))).lower()


def is_right(row: Row) -> bool:
    language, phrase, name, args = row
    return understood(language, phrase) == expected(name, args)


def test_the_phrasings_that_the_files_are_tuned_to_are_understood() -> None:
    """Each with its intent and its arguments, or left to the language model."""
    assert [row for row in rows("tuned.tsv") if not is_right(row)] == []


def test_most_of_the_phrasings_set_aside_are_understood() -> None:
    """Nobody tunes the sentence files to them."""
    table = rows("held_out.tsv")
    assert sum(map(is_right, table)) >= LEAST_HELD_OUT * len(table)


def test_no_ordinary_question_set_aside_is_taken() -> None:
    """What looks like an intent, and is none, goes to the language model."""
    ordinary = [row for row in rows("held_out.tsv") if row[2] == "-"]
    assert [row[1] for row in ordinary if not is_right(row)] == []
