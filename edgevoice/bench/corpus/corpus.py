"""The questions of a bench: recordings from a folder, or sentences spoken by a voice."""

from __future__ import annotations

import csv
import fnmatch
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Samples
from edgevoice.bench.result.result import BenchTurn, ReferenceKind
from edgevoice.bench.statistics.word_error_rate import word_errors
from edgevoice.demo import spoken
from edgevoice.errors import AudioFileError, EdgevoiceError, UsageError
from edgevoice.outside import Malformed, check_numbers, read_text
from edgevoice.protocols import ChatMessage, SpeechDetector, Synthesizer
from edgevoice.recordings.folder import TURN_FILE
from edgevoice.recordings.recorded_turn import RecordedTurn, read
from edgevoice.wav import read_speech

MANIFEST = "manifest.tsv"
VOICED_PROBABILITY = 0.5
"""Probability at which a frame counts as speech."""

Notify = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BenchQuestion:
    """A question, float32 [n] at 16 kHz.

    `speech_end` is its last voiced sample, in seconds. A model that cannot answer is made to say
    `reply`. `history` is what was said before; None: unknown.
    """

    name: str
    samples: Samples
    speech_end: float
    said: str = ""
    reference: ReferenceKind = ""
    reply: str = ""
    history: tuple[ChatMessage, ...] | None = None

    @property
    def seconds(self) -> float:
        return len(self.samples) / CAPTURE_RATE

    @property
    def known(self) -> bool:
        """Whether its words are certain, and not another model's transcript."""
        return bool(self.said) and self.reference in ("human", "written")

    def turn(self, variant: str, at: float, recognized: str, **found: Any) -> BenchTurn:
        """Its outcome: asked at session time `at`, transcribed as `recognized`, with the other
        fields of a BenchTurn that were `found`."""
        errors, words = word_errors(self.said, recognized) if self.known else (None, None)
        return BenchTurn(
            variant=variant,
            question=self.name,
            said=self.said,
            reference=self.reference,
            clip_seconds=round(self.seconds, 3),
            asked_at=round(at, 3),
            transcript=recognized,
            words=words,
            word_errors=errors,
            **found,
        )


@dataclass(frozen=True, slots=True)
class CorpusRow:
    """A recording to be read, and what the manifest or its turn says about it."""

    file: Path
    said: str = ""
    reference: ReferenceKind = ""
    kind: str = ""
    speech_end: float | None = None
    reply: str = ""
    history: tuple[ChatMessage, ...] | None = None


def listed(folder: Path, notice: Notify) -> tuple[list[CorpusRow], list[str]]:
    """The recordings that manifest.tsv names, or all WAV files; and the names of missing ones.

    Raises UsageError if there is none, or the manifest cannot be used.
    """
    if not folder.is_dir():
        raise UsageError("no such folder", where=str(folder), remedy="name a folder with WAV files")
    manifest = folder / MANIFEST
    if not manifest.exists():
        rows = [CorpusRow(file) for file in sorted(folder.glob("*.[wW][aA][vV]"))]
        if not rows:
            raise UsageError(
                "there are no WAV files in it",
                where=str(folder),
                remedy="name another folder, or leave --corpus out to use built-in questions",
            )
        return rows, []
    rows, missing = [], []
    for row in _manifest(manifest):
        if os.path.isfile(row.file):
            rows.append(row)
        else:
            notice(f"{manifest} names {row.file.name}, which is not there: left out")
            missing.append(row.file.name)
    if not rows:
        raise UsageError(
            "none of its recordings was found",
            where=str(manifest),
            remedy="put them beside it, or remove it to measure every WAV in the folder",
        )
    return rows, missing


def _manifest(path: Path) -> Iterator[CorpusRow]:
    try:
        lines = read_text(path).splitlines()
        table = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
        heads, rows = table.fieldnames or (), list(table)
    except (OSError, Malformed, csv.Error) as error:
        raise UsageError(
            f"the manifest cannot be read: {error}",
            where=str(path),
            remedy="write it as UTF-8 text, values separated by tabs",
        ) from None
    if "file" not in heads:
        raise UsageError(
            "the manifest has no column `file`",
            where=f"{path}, line 1",
            remedy="name the columns in the first line, separated by tabs; see docs/bench.md",
        )
    for number, values in enumerate(rows, 2):
        where = f"{path}, line {number}"
        said = values.get("transcript", "").strip()
        reference = values.get("reference") or ("human" if said else "")
        if reference not in ("human", "pseudo", "written", ""):
            raise UsageError(
                f"`reference` is {reference!r}", where=where, remedy="human, pseudo, or nothing"
            )
        if values["file"]:
            yield CorpusRow(
                path.parent / values["file"],
                said,
                cast(ReferenceKind, reference),
                values.get("kind", ""),
                _seconds(values, "speech_end_s", where),
            )


def _seconds(values: dict[str, str], column: str, where: str) -> float | None:
    text = values.get(column)
    if not text:
        return None
    try:
        seconds = float(text)
        check_numbers(seconds)
        return seconds
    except ValueError:
        raise UsageError(
            f"`{column}` is {text!r}", where=where, remedy="write seconds as a number, or nothing"
        ) from None


def with_history(rows: Sequence[CorpusRow], notice: Notify) -> tuple[list[CorpusRow], list[str]]:
    """The rows, with the data of those that are recorded turns; and the names of unusable ones.

    Each turn is asked after the same history as when it was recorded. So every model gets the same
    conversation, also where a turn is missing.
    """
    found: list[CorpusRow] = []
    left_out: list[str] = []
    for row in rows:
        file = row.file.with_suffix(".json")
        try:
            kept = read(file) if file.is_file() else None
        except EdgevoiceError as error:
            if TURN_FILE.fullmatch(row.file.name):
                notice(f"{error.what} ({file}): left out")
                left_out.append(row.file.name)
                continue
            kept = None  # another program's file
        if kept is None:
            found.append(row)
        elif kept.heard or row.said:
            found.append(known(row, kept))
        else:
            notice(f"no words were recognized in {row.file}: left out")
            left_out.append(row.file.name)
    return found, left_out


def known(row: CorpusRow, kept: RecordedTurn) -> CorpusRow:
    """A row with the data of its recorded turn; the manifest takes precedence."""
    return replace(
        row,
        said=row.said or kept.heard,
        reference=row.reference if row.said else "pseudo",
        kind=row.kind or "kept",
        speech_end=kept.speech_end if row.speech_end is None else row.speech_end,
        reply=kept.reply,
        history=kept.past,
    )


def chosen(rows: Sequence[CorpusRow], only: str) -> list[CorpusRow]:
    """The rows whose file name or kind matches the pattern `only`; empty: all. Raises UsageError if
    there is none."""
    fit = [
        row
        for row in rows
        if not only or any(fnmatch.fnmatch(name, only) for name in (row.file.name, row.kind))
    ]
    if not fit:
        raise UsageError(
            f"no recording fits {only!r}",
            remedy="--only takes a file name or kind, for example 'cv-*'",
        )
    return fit


def spread(items: Sequence[T], limit: int) -> list[T]:
    """`limit` of the items, sampled evenly; 0: all."""
    if not 0 < limit < len(items):
        return list(items)
    return [items[i * len(items) // limit] for i in range(limit)]


def recorded(
    rows: Sequence[CorpusRow], detector: SpeechDetector, notice: Notify
) -> tuple[list[BenchQuestion], list[str]]:
    """The recordings as questions, and the names of those that cannot be read.

    Raises AudioFileError if none can be read.
    """
    found: list[BenchQuestion] = []
    left_out: list[str] = []
    for row in rows:
        try:
            samples = read_speech(row.file, notice)
            end = row.speech_end if row.speech_end is not None else speech_end(samples, detector)
            why = "nobody speaks in it"
        except AudioFileError as error:
            end, why = None, error.what
        if end is None:
            notice(f"{why} ({row.file}): left out")
            left_out.append(row.file.name)
            continue
        reply = row.reply or REPLIES[len(found) % len(REPLIES)]
        found.append(
            BenchQuestion(row.file.name, samples, end, row.said, row.reference, reply, row.history)
        )
    if not found:
        raise AudioFileError(
            "none of the recordings can be used",
            where=str(rows[0].file.parent),
            remedy="see the messages above",
        )
    return found, left_out


def speech_end(samples: Samples, detector: SpeechDetector) -> float | None:
    """The end of the last voiced frame of float32 [n] at 16 kHz, in seconds; None without any."""
    detector.reset()
    last = None
    for start in range(0, len(samples) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        if detector.probability(samples[start : start + FRAME_SAMPLES]) >= VOICED_PROBABILITY:
            last = (start + FRAME_SAMPLES) / CAPTURE_RATE
    return last


def builtin() -> list[tuple[str, str]]:
    """Everyday questions, each with a suitable reply."""
    text = (files("edgevoice.bench.corpus") / "questions.tsv").read_text("utf-8")
    return [
        (row["question"], row["reply"])
        for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    ]


REPLIES = tuple(reply for _, reply in builtin())


def synthesized(
    texts: Sequence[str], voice: Synthesizer, detector: SpeechDetector
) -> Iterator[BenchQuestion]:
    """Each text as `voice` speaks it; a text without words is left out."""
    replies = dict(builtin())
    for number, text in enumerate(texts):
        samples = np.concatenate([*spoken([text], voice), np.zeros(0, dtype=np.float32)])
        end = speech_end(samples, detector)
        if end is not None:
            reply = replies.get(text, REPLIES[number % len(REPLIES)])
            yield BenchQuestion(text, samples, end, text, "written", reply)
