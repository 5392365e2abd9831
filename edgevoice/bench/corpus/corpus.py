"""The questions of a bench: recordings from a folder, or sentences spoken by a voice."""

from __future__ import annotations

import csv
import fnmatch
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from edgevoice.audio import EAR_RATE, FRAME_SAMPLES, Samples
from edgevoice.bench.result.result import BenchTurn, Reference
from edgevoice.bench.statistics.word_error_rate import word_errors
from edgevoice.demo import spoken
from edgevoice.errors import AudioFileError, UsageError
from edgevoice.outside import Malformed, check_numbers, read_text
from edgevoice.protocols import ChatMessage, SpeechDetector, Synthesizer
from edgevoice.wav import read_speech

MANIFEST = "manifest.tsv"
VOICED = 0.5
"""Probability at which a frame counts as speech."""

Notice = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BenchQuestion:
    """Something to be asked: float32 [n] at 16 kHz, and what is known about it.

    `speech_end` is where its last voiced sample is, `longest_pause` the longest silence within it,
    both in seconds. `reply` is what a model that cannot answer by itself is made to say. `history`
    is what was said before it; None where nothing is known of that.
    """

    name: str
    samples: Samples
    speech_end: float
    said: str = ""
    reference: Reference = ""
    longest_pause: float = 0.0
    reply: str = ""
    history: tuple[ChatMessage, ...] | None = None

    @property
    def seconds(self) -> float:
        return len(self.samples) / EAR_RATE

    @property
    def known(self) -> bool:
        """Whether what was said is known for certain, and not from another recognizer."""
        return bool(self.said) and self.reference in ("human", "written")

    def turn(self, variant: str, at: float, recognized: str, **found: Any) -> BenchTurn:
        """What became of it: asked at session time `at` and read as `recognized`, with whatever
        else of a Turn was `found`."""
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
    """A recording that is to be read, and what a manifest says about it."""

    file: Path
    said: str = ""
    reference: Reference = ""
    kind: str = ""
    speech_end: float | None = None
    longest_pause: float = 0.0
    reply: str = ""
    history: tuple[ChatMessage, ...] | None = None


def listed(folder: Path, notice: Notice) -> tuple[list[CorpusRow], list[str]]:
    """The recordings of a folder: those its manifest.tsv names, or else every WAV in it.

    Beside them the names of those that are not there, each told to `notice`. Raises UsageError when
    there is none, or when the manifest cannot be used.
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
                remedy="name another folder, or leave --corpus out: then questions are spoken by "
                "the voice",
            )
        return rows, []
    rows, missing = [], []
    for row in _manifest(manifest):
        if _is_file(row.file):
            rows.append(row)
        else:
            notice(f"{manifest} names {row.file.name}, which is not there: left out")
            missing.append(row.file.name)
    if not rows:
        raise UsageError(
            "none of the recordings it names is there",
            where=str(manifest),
            remedy="put them beside it, or remove it to measure every WAV in the folder",
        )
    return rows, missing


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def _manifest(path: Path) -> Iterator[CorpusRow]:
    try:
        text = read_text(path)
    except (OSError, Malformed) as error:
        raise UsageError(
            f"the manifest cannot be read: {error}",
            where=str(path),
            remedy="write it as UTF-8 text, values separated by tabs",
        ) from None
    if len(longest := max(text.splitlines(), key=len, default="")) > csv.field_size_limit():
        raise UsageError(
            f"a line of the manifest has {len(longest):,} characters",
            where=str(path),
            remedy="write a line for each recording, values separated by tabs",
        )
    table = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    if "file" not in (table.fieldnames or ()):
        raise UsageError(
            "the manifest has no column `file`",
            where=f"{path}, line 1",
            remedy="name its columns in the first line, separated by tabs; docs/bench.md lists "
            "those that are used",
        )
    for number, values in enumerate(table, 2):
        where = f"{path}, line {number}"
        reference = values.get("reference") or ("human" if values.get("transcript") else "")
        if reference not in ("human", "pseudo", "written", ""):
            raise UsageError(
                f"`reference` is {reference!r}",
                where=where,
                remedy="human, pseudo, or nothing",
            )
        if not values["file"]:
            continue
        yield CorpusRow(
            file=path.parent / values["file"],
            said=(values.get("transcript") or "").strip(),
            reference=cast(Reference, reference),
            kind=values.get("kind") or "",
            speech_end=_seconds(values.get("speech_end_s"), "speech_end_s", where),
            longest_pause=_seconds(values.get("longest_pause_s"), "longest_pause_s", where) or 0.0,
        )


def _seconds(text: str | None, column: str, where: str) -> float | None:
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


def chosen(rows: Sequence[CorpusRow], only: str, least_pause: float = 0.0) -> list[CorpusRow]:
    """Those whose file name or kind fits the pattern `only` (empty: all) and whose longest pause
    is `least_pause` seconds at least. Raises UsageError when there is none."""
    fit = [
        row
        for row in rows
        if row.longest_pause >= least_pause
        and (not only or any(fnmatch.fnmatch(name, only) for name in (row.file.name, row.kind)))
    ]
    if not fit and only:
        raise UsageError(
            f"no recording fits {only!r}", remedy="--only takes a file name or kind, as in 'cv-*'"
        )
    if not fit:
        raise UsageError(
            f"no recording has a pause of {least_pause:g} s that the manifest tells of",
            remedy="write longest_pause_s and speech_end_s into manifest.tsv; see docs/bench.md",
        )
    return fit


def spread(items: Sequence[T], limit: int) -> list[T]:
    """`limit` of them, evenly from the whole list; all where it is 0 or more than there are."""
    if not 0 < limit < len(items):
        return list(items)
    return [items[i * len(items) // limit] for i in range(limit)]


def recorded(
    rows: Sequence[CorpusRow], detector: SpeechDetector, notice: Notice
) -> tuple[list[BenchQuestion], list[str]]:
    """The recordings, read; and the names of those that cannot be, each told to `notice`.

    Raises AudioFileError when none can be read.
    """
    found: list[BenchQuestion] = []
    left_out: list[str] = []
    for row in rows:
        try:
            samples = read_speech(row.file, notice)
        except AudioFileError as error:
            notice(f"{error.what} ({row.file}): left out")
            left_out.append(row.file.name)
            continue
        end = row.speech_end if row.speech_end is not None else speech_end(samples, detector)
        if end is None:
            notice(f"nobody speaks in {row.file}: left out")
            left_out.append(row.file.name)
            continue
        question = BenchQuestion(
            row.file.name,
            samples,
            end,
            row.said,
            row.reference,
            row.longest_pause,
            row.reply or REPLIES[len(found) % len(REPLIES)],
            row.history,
        )
        found.append(question)
    if not found:
        raise AudioFileError(
            "none of the recordings can be used",
            where=str(rows[0].file.parent),
            remedy="see the messages above",
        )
    return found, left_out


def speech_end(samples: Samples, detector: SpeechDetector) -> float | None:
    """Where the last voiced frame of float32 [n] at 16 kHz ends, in seconds; None without any."""
    detector.reset()
    last = None
    for start in range(0, len(samples) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        if detector.probability(samples[start : start + FRAME_SAMPLES]) >= VOICED:
            last = (start + FRAME_SAMPLES) / EAR_RATE
    return last


def builtin() -> list[tuple[str, str]]:
    """Everyday questions, each with a reply that would do."""
    text = (files("edgevoice.bench.corpus") / "questions.tsv").read_text("utf-8")
    return [
        (row["question"], row["reply"])
        for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    ]


REPLIES = tuple(reply for _, reply in builtin())


def synthesized(
    texts: Sequence[str], voice: Synthesizer, detector: SpeechDetector
) -> Iterator[BenchQuestion]:
    """Each text as `voice` speaks it, made when it is asked for; one without words is left out."""
    replies = dict(builtin())
    for number, text in enumerate(texts):
        samples = np.concatenate([*spoken([text], voice), np.zeros(0, dtype=np.float32)])
        end = speech_end(samples, detector)
        if end is not None:
            reply = replies.get(text, REPLIES[number % len(REPLIES)])
            yield BenchQuestion(text, samples, end, text, "written", 0.0, reply)
