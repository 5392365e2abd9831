"""A recorded turn asked again: as it was recorded, after the same messages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE
from edgevoice.bench.corpus.corpus import BenchQuestion, CorpusRow, Notify, known, speech_end
from edgevoice.bench.driver.driver import judged
from edgevoice.bench.result.result import BenchResult, BenchTurn, Variant
from edgevoice.bench.result.summary import summarize
from edgevoice.catalog import NONE
from edgevoice.config import keys, text_of
from edgevoice.errors import AudioFileError
from edgevoice.protocols import SpeechDetector
from edgevoice.recordings.recorded_turn import RecordedTurn, read, settings_of, timed
from edgevoice.settings import Config
from edgevoice.timings import TurnTimings, fold
from edgevoice.wav import read_speech

AS_RECORDED = "as recorded"  # the variant that is the turn as it was recorded


@dataclass(frozen=True, slots=True)
class ReplayableTurn:
    """A recorded turn that can be asked again: what is in `file`, and the question."""

    kept: RecordedTurn
    file: Path
    question: BenchQuestion

    def turn(self) -> BenchTurn:
        """The outcome when it was recorded."""
        then = dataclasses.replace(self.question, speech_end=self.kept.speech_end)
        return judged(then, timed(self.kept.decoded_events()), self.kept.began, AS_RECORDED, False)

    def timings(self) -> TurnTimings | None:
        """Where the time went when it was recorded; None if nothing was audible."""
        return last(fold(timed(self.kept.decoded_events())))


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """A recording and its outcomes now: a turn and its timings for each run, in order. `models`
    are those that ran, by role."""

    recording: ReplayableTurn
    config: Config
    models: dict[str, str]
    runs: tuple[tuple[BenchTurn, TurnTimings | None], ...]

    @property
    def middle(self) -> tuple[BenchTurn, TurnTimings | None]:
        """The median run by its response time (of two, the quicker); without any, the last."""
        ordered = sorted(
            (run for run in self.runs if run[0].response_time is not None),
            key=lambda run: run[0].response_time or 0.0,
        )
        return ordered[(len(ordered) - 1) // 2] if ordered else self.runs[-1]

    @property
    def different(self) -> dict[str, tuple[Any, Any]]:
        """Models and settings that differ from the recording's: by `section.key`, then and now."""
        kept = self.recording.kept
        then = {**kept.settings, **_named(kept.models)}
        now = {**settings_of(self.config), **_named(self.models)}
        found = {key: (then.get(key), now.get(key)) for key in (*now, *then)}
        return {key: (one, other) for key, (one, other) in found.items() if one != other}

    def beside(self, result: BenchResult) -> BenchResult:
        """The result of the replay, with the recorded turn as a second variant."""
        kept = self.recording.turn()
        settings = {key: then for key, (then, _) in self.different.items()}
        variant = Variant(name=AS_RECORDED, settings=settings, summary=summarize([kept]))
        return replace(result, variants=(*result.variants, variant), turns=(*result.turns, kept))


def _named(models: Mapping[str, str]) -> dict[str, Any]:
    """The settings that choose these models; without a draft model, none drafts."""
    roles = {role: name for role, name in models.items() if role != "draft"}
    chosen = {f"models.{role}": name for role, name in roles.items()}
    return {"slm.draft": models.get("draft", "off"), **chosen}


def load(file: Path, detector: SpeechDetector, notice: Notify) -> ReplayableTurn:
    """A recorded turn with its audio. Raises EdgevoiceError if one of them cannot be used."""
    kept = read(file)
    sound = file.parent / Path(kept.audio).name
    samples = read_speech(sound, notice)
    end = speech_end(samples, detector)
    if end is None:
        raise AudioFileError(
            "the recording contains no speech",
            where=str(sound),
            remedy=f"run another turn again: `edgevoice replay --list {file.parent}`",
        )
    if len(samples) / CAPTURE_RATE < kept.speech_end:
        notice(f"{sound}: the last of what was said is missing, so the question is another one")
    else:
        end = kept.speech_end
    row = known(CorpusRow(sound), kept)
    question = BenchQuestion(
        sound.name, samples, end, row.said, row.reference, row.reply, row.history
    )
    return ReplayableTurn(kept, file, question)


def made_with(kept: RecordedTurn, notice: Notify) -> dict[str, str]:
    """The models and settings that a turn was recorded with, by `section.key`."""
    found = {"models.turn": NONE, **kept.settings, **_named(kept.models)}
    there = set(keys())
    if unknown := [key for key in found if key not in there]:
        notice(f"settings that this version does not have, left out: {', '.join(unknown)}")
    return {key: text_of(value) for key, value in found.items() if key in there}


def last(answered: Sequence[TurnTimings]) -> TurnTimings | None:
    """The last one: a question that was cut in parts has several answers."""
    return answered[-1] if answered else None


def replayed(
    recording: ReplayableTurn,
    config: Config,
    models: dict[str, str],
    turns: Sequence[BenchTurn],
    events: Sequence[ev.Event],
) -> ReplayResult:
    """The outcome for a recording, from all turns of a bench and the events of its session."""
    ends = [*(turn.asked_at for turn in turns[1:]), float("inf")]
    runs = tuple(
        (turn, last(fold(e for e in events if turn.asked_at <= e.t < end)))
        for turn, end in zip(turns, ends, strict=True)
        if not turn.warm_up
    )
    return ReplayResult(recording, config, models, runs)
