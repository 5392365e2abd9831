"""What came of a scenario, from its events and a recording of the speaker. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from msgspec.structs import replace

from edgevoice.audio import AUDIBLE_DBFS
from edgevoice.bench.scenarios.exchanges import ScenarioExchange, exchanges
from edgevoice.bench.scenarios.result import Ended, LineOutcome, ScenarioCounts, StrayAnswer
from edgevoice.bench.scenarios.room import RoomTrack
from edgevoice.bench.scenarios.runner import ScenarioRecord, StepDone
from edgevoice.bench.scenarios.scenario import Expectations, Part, Scenario
from edgevoice.words import words

EARLY = 0.35
"""Seconds that the ears may have a voice begin before it does: the detector needs some frames."""

LATE = 0.6
"""Seconds after a voice in which a turn may begin that is still of it: the echo of the room, and
the last word, where that alone was noticed."""

NOTICE = 1.0
"""Seconds after the first voiced sample of an interruption in which a reply may end by itself."""

ECHO = 1.0
"""Seconds after its own voice in which what it hears is still that."""

KEY = 0.05
"""Seconds before something typed in which what it stops was still to be heard."""

AFTER = 0.3
"""Seconds after a reply was stopped in which the last of it may sound."""

ASKING: frozenset[Part] = frozenset({"question", "interruption"})
SILENCING: frozenset[Part] = frozenset({"interruption", "stop"})


@dataclass(slots=True)
class ScenarioUtterance:
    """Steps that are one: a question that was begun, and what went on with it."""

    step: int
    part: Part
    what: str
    began: float
    ended: float
    typed: bool
    turns: list[ScenarioExchange] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ScenarioVerdict:
    """Everything that was found: `failed` is what was not as it must be."""

    lines: tuple[LineOutcome, ...]
    unasked: tuple[StrayAnswer, ...]
    counts: ScenarioCounts
    failed: tuple[str, ...]


def judged(scenario: Scenario, acted: ScenarioRecord) -> ScenarioVerdict:
    """What came of `scenario` as it was `acted`."""
    turns = exchanges(acted.events)
    said = _said(scenario, acted.done)
    stray = _attributed(said, turns)
    lines = tuple(_line(one, turns, acted.recording.speaker) for one in said)
    unasked = tuple(
        StrayAnswer(
            at=round(turn.told, 3),
            recognized=turn.recognized,
            reply=turn.reply.strip(),
            own=scenario.room.echo and _echoes(turn, turns),
        )
        for turn in stray
        if turn.answered
    )
    asked = [one for one in said if one.part in ASKING]
    silenced = {id(t) for one in said if one.part in SILENCING for t in _sounding(one, turns)}
    pressed = any(step.press in ("interrupt", "new") for step in scenario.step)
    ended_early = [
        turn for turn in turns if turn.interrupted and turn.answered and id(turn) not in silenced
    ]
    counts = ScenarioCounts(
        answers=sum(turn.answered for turn in turns),
        questions=sum(one.part == "question" for one in asked),
        interruptions=sum(one.part in SILENCING for one in said),
        replies=sum(turn.answered for turn in turns),
        resumed=sum(turn.resumed_after for turn in turns),
        missed=sum(line.missed for line in lines),
        cut_offs=sum(line.cut_off for line in lines),
        false_starts=len(stray),
        false_answers=sum(not answer.own for answer in unasked),
        self_answers=sum(answer.own for answer in unasked),
        false_interruptions=0 if pressed else len(ended_early),
        not_heard=sum(line.reply_outcome == "not heard" for line in lines),
    )
    failed = tuple(_failures(scenario.expect, counts, lines, acted.stuck))
    return ScenarioVerdict(lines, unasked, counts, failed)


def _said(scenario: Scenario, done: Sequence[StepDone]) -> list[ScenarioUtterance]:
    """The steps that were done, each question whole."""
    said: list[ScenarioUtterance] = []
    begun: StepDone | None = None
    for one in done:
        step = scenario.step[one.step]
        if one.part == "begun":
            begun = begun or one
            continue
        if step.source in ("silence", "press"):
            continue
        first = begun or one
        what = one.what if begun is None else f"{begun.what} … {one.what}"
        said.append(
            ScenarioUtterance(
                first.step, one.part, what, first.began, one.ended, step.source == "type"
            )
        )
        begun = None
    return said


def _attributed(
    said: Sequence[ScenarioUtterance], turns: Sequence[ScenarioExchange]
) -> list[ScenarioExchange]:
    """Give each turn to what it was said with; returns those that nobody asked for."""
    stray = []
    for turn in turns:
        if not turn.spoken:
            # In the order in which they were typed.
            typed = [one for one in said if one.typed and not one.turns]
            if typed:
                typed[0].turns.append(turn)
            continue
        began = turn.told if turn.began is None else turn.began
        ended = max(began, turn.ended if turn.ended is not None else turn.told)
        owners = [
            one
            for one in said
            if not one.typed
            and one.part != "nothing"
            and began < one.ended + LATE
            and ended > one.began - EARLY
        ]
        if not owners:
            stray.append(turn)
            continue
        # Of several the one that it shares most with.
        best = max(owners, key=lambda one: min(ended, one.ended) - max(began, one.began))
        best.turns.append(turn)
    return stray


def _sounding(one: ScenarioUtterance, turns: Sequence[ScenarioExchange]) -> list[ScenarioExchange]:
    """The replies that could be heard when it began, or just before: a key stops at once."""
    return [
        turn
        for turn in turns
        if turn not in one.turns and (turn.sounding(one.began) or turn.sounding(one.began - KEY))
    ]


def _line(
    one: ScenarioUtterance, turns: Sequence[ScenarioExchange], speaker: RoomTrack
) -> LineOutcome:
    answers = [turn for turn in one.turns if turn.answered]
    answer = answers[-1] if answers else None
    committed = [turn for turn in one.turns if turn.committed is not None]
    told = committed or one.turns
    line = LineOutcome(
        step=one.step,
        part=one.part,
        what=one.what,
        began=round(one.began, 3),
        ended=round(one.ended, 3),
        recognized=" ".join(turn.recognized for turn in told if turn.recognized),
        reply=answer.reply.strip() if answer else "",
        heard=answer.heard if answer else "",
        answered_after=_rounded(answer.audible_from, one.ended) if answer else None,
        cut_off=any((t.committed or 0.0) < one.ended and not one.typed for t in committed),
        missed=one.part in ASKING and answer is None,
    )
    return _interrupting(line, one, turns, speaker) if one.part in SILENCING else line


def _interrupting(
    line: LineOutcome, one: ScenarioUtterance, turns: Sequence[ScenarioExchange], speaker: RoomTrack
) -> LineOutcome:
    replies = _sounding(one, turns)
    if not replies:
        return replace(line, reply_outcome="nothing to interrupt")
    reply = replies[-1]
    if not reply.interrupted:
        over = reply.audible_to
        ended: Ended = "late" if over is not None and over - one.began <= NOTICE else "not heard"
        return replace(line, reply_outcome=ended)
    stopped = reply.audible_to if reply.audible_to is not None else one.ended
    following = [t.audible_from for t in turns if t.audible_from and t.audible_from > one.began]
    end = min([stopped + AFTER, *(at - 0.02 for at in following)])
    silent = _last_audible(speaker, one.began, end)
    noticed = reply.noticed
    return replace(
        line,
        reply_outcome="silenced",
        noticed_after=_rounded(noticed, one.began),
        silent_after=_rounded(silent, one.began),
        silent_after_noticed=(None if noticed is None else round(max(0.0, silent - noticed), 4)),
    )


def _last_audible(speaker: RoomTrack, start: float, end: float) -> float:
    """Session time of the last audible sample between two times; `start` where there is none."""
    first = speaker.number_at(start)
    loud = np.flatnonzero(
        np.abs(speaker.samples[first : speaker.number_at(end)]) >= 10 ** (AUDIBLE_DBFS / 20)
    )
    return speaker.time_of(first + int(loud[-1])) if len(loud) else start


def _echoes(turn: ScenarioExchange, turns: Sequence[ScenarioExchange]) -> bool:
    """Whether a turn began with what it said itself."""
    at = turn.told if turn.began is None else turn.began
    return any(
        other.turn != turn.turn
        and other.audible_from is not None
        and other.audible_from - EARLY <= at
        and (other.audible_to is None or at <= other.audible_to + ECHO)
        for other in turns
    )


def _failures(
    expect: Expectations, counts: ScenarioCounts, lines: Sequence[LineOutcome], stuck: str
) -> Iterator[str]:
    if stuck:
        yield stuck
    for name, one, many in COUNTED:
        most, found = getattr(expect, name), getattr(counts, name)
        if most is not None and found > most:
            yield f"{found} {one if found == 1 else many}" + (f", at most {most}" if most else "")
    if expect.answers is not None and counts.answers != expect.answers:
        yield f"{counts.answers} answers instead of {expect.answers}"
    if any(line.reply_outcome == "nothing to interrupt" for line in lines):
        yield "there was no reply to interrupt"
    answered = [line for line in lines if line.part in ASKING]
    for number, wanted in enumerate(expect.recognized):
        text = answered[number].recognized if number < len(answered) else ""
        if missing := lacking(wanted, text):
            yield f"{', '.join(missing)} not in what was understood: {text!r}"
    for number, wanted in enumerate(expect.replies):
        text = answered[number].reply if number < len(answered) else ""
        if missing := lacking(wanted, text):
            yield f"{', '.join(missing)} not in the reply: {text!r}"
    for line in lines:
        for limit, took, since in (
            (expect.silent_ms, line.silent_after, "of the interruption"),
            (expect.confirmed_ms, line.silent_after_noticed, "after it was noticed"),
        ):
            if limit is not None and took is not None and took * 1000 > limit:
                yield f"silent {took * 1000:.0f} ms {since}, at most {limit}"


COUNTED = (
    ("missed", "question not answered", "questions not answered"),
    ("cut_offs", "question cut off", "questions cut off"),
    ("false_starts", "false start", "false starts"),
    ("false_answers", "false answer", "false answers"),
    ("self_answers", "answer to itself", "answers to itself"),
    ("false_interruptions", "reply ended by nobody", "replies ended by nobody"),
    ("not_heard", "interruption not heard", "interruptions not heard"),
)
"""The counts that may be limited, and what one and several of them are called."""


def lacking(wanted: Sequence[str], text: str) -> list[str]:
    """Those of the `wanted` words, or `a|b` for either, that are not in `text`."""
    there = set(words(text))
    return [
        choice
        for choice in wanted
        if not any(set(words(word)) <= there for word in choice.split("|"))
    ]


def _rounded(at: float | None, since: float) -> float | None:
    return None if at is None else round(at - since, 4)
