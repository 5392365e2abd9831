"""What comes of sounds not meant for the assistant: noise, music, talk in the next room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct

from edgevoice import events as ev
from edgevoice.audio import EAR_RATE, Samples, dbfs
from edgevoice.bench.corpus.corpus import CorpusRow, Notice
from edgevoice.bench.overhear.offline import HearingEngines, overhear
from edgevoice.errors import AudioFileError
from edgevoice.settings import Config
from edgevoice.wav import read_speech

FORMAT = "edgevoice overheard"
VERSION = 1

SILENCE_KIND = "silence"
"""The kind that is always there, and is not read from a file."""

HOUR = 3600.0


class OverheardSound(Struct, frozen=True, kw_only=True):
    """What came of one kind of sound, `seconds` of it in all, looped from `files`.

    `begun` turns, of which `answered` were; `woken` by the wake word; `complaints` that nothing can
    be made out. `longest` is the longest utterance in seconds; `said` is what was answered.
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

    @property
    def begun_per_hour(self) -> float:
        return self.begun * HOUR / self.seconds

    @property
    def answers_per_hour(self) -> float:
        return self.answered * HOUR / self.seconds


class OverhearResult(Struct, frozen=True, kw_only=True):
    """All kinds, and how it was addressed: always, wake or push."""

    format: str = FORMAT
    version: int = VERSION
    address: str
    overheard: tuple[OverheardSound, ...]


def sounds(
    rows: Sequence[CorpusRow], seconds: float, level: float | None, notice: Notice
) -> Iterator[tuple[str, int, Samples]]:
    """Silence, then each kind that the rows are of: its name, how many files there are of it, and
    so many seconds of them in turn, over and over, float32 [n] at 16 kHz, at `level` dBFS if it is
    given. A file without a kind is one by itself. What cannot be read is told and left out."""
    count = int(seconds * EAR_RATE)
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
    """Have `sound`, float32 [n] at 16 kHz, overheard on virtual time."""
    events = overhear(config, engines, [sound])
    answered = {event.turn for event in events if isinstance(event, ev.PlaybackStarted)}
    return OverheardSound(
        kind=kind,
        files=files,
        seconds=len(sound) / EAR_RATE,
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
    """As Markdown, by the hour."""
    return [
        "| what is heard | level | begun, an hour | answers, an hour | longest utterance |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {o.kind} | {o.level:.0f} dBFS | {o.begun_per_hour:.0f} | {o.answers_per_hour:.0f} "
            f"| {o.longest:.0f} s |"
            for o in overheard
        ),
    ]
