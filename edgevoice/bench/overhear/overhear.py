"""Counts answers to sounds that are not meant for the assistant: noise, music, talk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct

from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE, Samples, dbfs
from edgevoice.bench.corpus.corpus import CorpusRow, Notify
from edgevoice.bench.overhear.offline import HearingEngines, overhear
from edgevoice.bench.result.wording import markdown_table
from edgevoice.errors import AudioFileError
from edgevoice.settings import Config
from edgevoice.wav import read_speech

FORMAT = "edgevoice overheard"
VERSION = 1

SILENCE_KIND = "silence"
"""A kind without files, which is always measured."""

HOUR = 3600.0


class OverheardSound(Struct, frozen=True, kw_only=True):
    """The outcome of one kind of sound: `seconds` of it, from `files` in a loop.

    `begun` counts turns, `answered` those with a reply, `woken` activations by the wake word, and
    `complaints` notices. `longest` is the longest utterance in seconds; `said` are the transcripts
    that were answered.
    """

    kind: str
    files: int
    seconds: float
    level: float
    begun: int
    answered: int
    woken: int
    complaints: int
    longest: float
    said: tuple[str, ...]


class OverhearResult(Struct, frozen=True, kw_only=True):
    """All kinds; `address` is the activation: always, wake or push."""

    format: str = FORMAT
    version: int = VERSION
    address: str
    overheard: tuple[OverheardSound, ...]


def sounds(
    rows: Sequence[CorpusRow], seconds: float, level: float | None, notice: Notify
) -> Iterator[tuple[str, int, Samples]]:
    """Silence, then each kind of the rows: its name, number of files, and `seconds` of them in a
    loop, float32 [n] at 16 kHz, at `level` dBFS if given. A file without a kind is its own kind."""
    count = int(seconds * CAPTURE_RATE)
    yield SILENCE_KIND, 0, np.zeros(count, dtype=np.float32)
    kinds: dict[str, list[CorpusRow]] = {}
    for row in rows:
        kinds.setdefault(row.kind or row.file.stem, []).append(row)
    for kind, of_kind in kinds.items():
        clips = []
        for row in of_kind:
            try:
                clips.append(read_speech(row.file, notice))
            except AudioFileError as error:
                notice(f"{error.what} ({row.file}): left out")
        once = np.concatenate([np.zeros(0, dtype=np.float32), *clips])
        if not len(once):
            continue
        if level is not None:
            once = once * np.float32(10 ** ((level - dbfs(once)) / 20))
        yield kind, len(clips), np.resize(once, count)


def measured(
    config: Config, engines: HearingEngines, kind: str, files: int, sound: Samples
) -> OverheardSound:
    """The outcome of `sound`, float32 [n] at 16 kHz."""
    events = overhear(config, engines, [sound])
    answered = {event.turn for event in events if isinstance(event, ev.PlaybackStarted)}
    return OverheardSound(
        kind=kind,
        files=files,
        seconds=len(sound) / CAPTURE_RATE,
        level=round(dbfs(sound), 1),
        begun=sum(isinstance(event, ev.TurnStarted) and event.replaces is None for event in events),
        answered=len(answered),
        woken=sum(isinstance(event, ev.Activated) for event in events),
        complaints=sum(isinstance(event, ev.Notice) for event in events),
        longest=max((e.seconds for e in events if isinstance(e, ev.SpeechEnded)), default=0.0),
        said=tuple(
            e.text for e in events if isinstance(e, ev.FinalTranscript) and e.turn in answered
        ),
    )


def table(overheard: Sequence[OverheardSound]) -> list[str]:
    """A Markdown table with rates per hour."""
    heads = ("sound", "level", "turns per hour", "answers per hour", "longest utterance")
    rows = (
        (
            o.kind,
            f"{o.level:.0f} dBFS",
            f"{o.begun * HOUR / o.seconds:.0f}",
            f"{o.answered * HOUR / o.seconds:.0f}",
            f"{o.longest:.0f} s",
        )
        for o in overheard
    )
    return markdown_table(heads, rows)
