"""A kept turn, asked once more: as it was recorded, after what had been said before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from edgevoice import events as ev
from edgevoice.audio import EAR_RATE
from edgevoice.bench.corpus.corpus import BenchQuestion, CorpusRow, Notice, known, speech_end
from edgevoice.bench.driver.driver import judged
from edgevoice.bench.result.result import BenchResult, BenchTurn, Variant
from edgevoice.bench.result.summary import summarize
from edgevoice.catalog import NONE
from edgevoice.config import keys
from edgevoice.errors import AudioFileError
from edgevoice.protocols import SpeechDetector
from edgevoice.recordings.recorded_turn import RecordedTurn, read, settings_of, timed
from edgevoice.settings import Config
from edgevoice.timings import TurnTimings, fold
from edgevoice.wav import read_speech

AS_KEPT = "as kept"
"""The variant that is the turn as it was when it was kept."""


@dataclass(frozen=True, slots=True)
class ReplayableTurn:
    """A kept turn that can be asked again: what was kept in `file`, and the question."""

    kept: RecordedTurn
    file: Path
    question: BenchQuestion

    def turn(self) -> BenchTurn:
        """What came of it when it was kept."""
        then = dataclasses.replace(self.question, speech_end=self.kept.speech_end)
        return judged(then, timed(self.kept.decoded_events()), self.kept.began, AS_KEPT, False)

    def timings(self) -> TurnTimings | None:
        """Where its time went when it was kept; None where nothing was audible."""
        return last(fold(timed(self.kept.decoded_events())))


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """A recording, and what came of it now: a turn for each time it was asked, in order, with
    where its time went. `models` are those that ran, by role."""

    recording: ReplayableTurn
    config: Config
    models: dict[str, str]
    runs: tuple[tuple[BenchTurn, TurnTimings | None], ...]

    @property
    def middle(self) -> tuple[BenchTurn, TurnTimings | None]:
        """The run in the middle by its gap (of an even number the quicker); without any, the
        last."""
        ordered = sorted(
            (run for run in self.runs if run[0].gap is not None), key=lambda run: run[0].gap or 0.0
        )
        return ordered[(len(ordered) - 1) // 2] if ordered else self.runs[-1]

    @property
    def different(self) -> dict[str, tuple[Any, Any]]:
        """Models and settings that were others when it was kept: by `section.key`, then and now."""
        kept = self.recording.kept
        then = {**{f"models.{role}": name for role, name in kept.models.items()}, **kept.settings}
        now = {
            **{f"models.{role}": name for role, name in self.models.items()},
            **settings_of(self.config),
        }
        found = {key: (then.get(key), now.get(key)) for key in (*now, *then)}
        return {key: (one, other) for key, (one, other) in found.items() if one != other}

    def beside(self, result: BenchResult) -> BenchResult:
        """The result of the replay, with the turn as it was kept for a second variant."""
        kept = self.recording.turn()
        settings = {key: then for key, (then, _) in self.different.items()}
        variant = Variant(name=AS_KEPT, settings=settings, summary=summarize([kept]))
        return replace(result, variants=(*result.variants, variant), turns=(*result.turns, kept))


def load(file: Path, detector: SpeechDetector, notice: Notice) -> ReplayableTurn:
    """A kept turn and its recording. Raises EdgevoiceError where one of them cannot be used."""
    kept = read(file)
    sound = file.parent / Path(kept.audio).name
    samples = read_speech(sound, notice)
    end = speech_end(samples, detector)
    if end is None:
        raise AudioFileError(
            "nobody speaks in the recording",
            where=str(sound),
            remedy=f"run another turn again: `edgevoice replay --list {file.parent}`",
        )
    if len(samples) / EAR_RATE < kept.speech_end:
        notice(f"{sound}: the last of what was said is missing, so the question is another one")
    else:
        end = kept.speech_end
    row = known(CorpusRow(sound), kept)
    question = BenchQuestion(
        sound.name, samples, end, row.said, row.reference, 0.0, row.reply, row.history
    )
    return ReplayableTurn(kept, file, question)


def made_with(kept: RecordedTurn, notice: Notice) -> dict[str, str]:
    """The models and settings that a turn was made with, by `section.key`."""
    models = {f"models.{role}": name for role, name in kept.models.items()}
    found = {"models.turn": NONE, **models, **kept.settings}
    there = set(keys())
    if unknown := [key for key in found if key not in there]:
        notice(f"settings that this version does not have, left out: {', '.join(unknown)}")
    return {key: str(value) for key, value in found.items() if key in there}


def timings(turns: Sequence[BenchTurn], events: Sequence[ev.Event]) -> list[TurnTimings | None]:
    """Where the time of each turn went, by the events of the session they were asked in."""
    ends = [*(turn.asked_at for turn in turns[1:]), float("inf")]
    return [
        last(fold(e for e in events if turn.asked_at <= e.t < end))
        for turn, end in zip(turns, ends, strict=True)
    ]


def last(answered: Sequence[TurnTimings]) -> TurnTimings | None:
    """The last one, as a question that was cut in parts has several answers."""
    return answered[-1] if answered else None


def replayed(
    recording: ReplayableTurn,
    config: Config,
    models: dict[str, str],
    turns: Sequence[BenchTurn],
    events: Sequence[ev.Event],
) -> ReplayResult:
    """What came of a recording, from all the turns of a bench and the events of its session."""
    runs = zip(turns, timings(turns, events), strict=True)
    counted = tuple((turn, answered) for turn, answered in runs if not turn.warm_up)
    return ReplayResult(recording, config, models, counted)
