"""The outcome of a scenario, from its events and a recording of the speaker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from msgspec.structs import replace

from edgevoice.audio import AUDIBLE_DBFS
from edgevoice.bench.driver.interruption import NOTICE
from edgevoice.bench.scenarios.exchanges import ScenarioExchange, exchanges
from edgevoice.bench.scenarios.result import LineOutcome, ScenarioCounts, StrayAnswer
from edgevoice.bench.scenarios.room import RoomTrack
from edgevoice.bench.scenarios.runner import ScenarioRecord, StepDone
from edgevoice.bench.scenarios.scenario import Expectations, Scenario, StepEffect
from edgevoice.words import words

EARLY = 0.35
"""Seconds by which capture may date the start of a voice too early: the detector needs frames."""

LATE_TURN_SECONDS = 0.6
"""Seconds after a voice in which a turn may start that belongs to it: reverberation, or the last
word if only that was noticed."""

ECHO = 1.0
"""Seconds after its own voice in which the assistant may still hear it."""

KEY = 0.05
"""Seconds before a typed step in which the reply that it stops was still audible."""

FADE_OUT = 0.3
"""Seconds after a stopped reply in which its end may sound."""

ASKING: frozenset[StepEffect] = frozenset({"question", "interruption"})
SILENCING: frozenset[StepEffect] = frozenset({"interruption", "stop"})

COUNTED = (
    ("missed", "question not answered", "questions not answered"),
    ("cut_offs", "question cut off", "questions cut off"),
    ("false_starts", "false start", "false starts"),
    ("false_answers", "false answer", "false answers"),
    ("self_answers", "answer to itself", "answers to itself"),
    ("false_interruptions", "reply ended by nobody", "replies ended by nobody"),
    ("not_heard", "interruption not heard", "interruptions not heard"),
)
"""The counts that may be limited, with their singular and plural."""


@dataclass(slots=True)
class ScenarioUtterance:
    """One step, or the steps of a question in parts, and its turns."""

    step: int
    part: StepEffect
    what: str
    began: float
    ended: float
    typed: bool
    turns: list[ScenarioExchange] = field(default_factory=list)

    def shared(self, turn: ScenarioExchange) -> float:
        """Seconds that it shares with the turn's speech; negative: seconds between them."""
        return min(turn.end, self.ended) - max(turn.start, self.began)


@dataclass(frozen=True, slots=True)
class ScenarioVerdict:
    """The whole outcome; `failed` names each unmet expectation."""

    lines: tuple[LineOutcome, ...]
    unasked: tuple[StrayAnswer, ...]
    counts: ScenarioCounts
    failed: tuple[str, ...]


def judged(scenario: Scenario, acted: ScenarioRecord) -> ScenarioVerdict:
    """The outcome of `scenario`, which went as `acted` says."""
    turns = exchanges(acted.events)
    said = _utterances(scenario, acted.done)
    stray = _assign(said, turns)
    lines = tuple(_line(one, turns, acted.speaker) for one in said)
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
    answered = [turn for turn in turns if turn.answered]
    silenced = [t.turn for one in said if one.part in SILENCING for t in _sounding(one, turns)]
    pressed = any(step.press in ("interrupt", "new") for step in scenario.step)
    ended_early = sum(turn.interrupted and turn.turn not in silenced for turn in answered)
    counts = ScenarioCounts(
        answers=len(answered),
        questions=sum(one.part == "question" for one in said),
        interruptions=sum(one.part in SILENCING for one in said),
        replies=len(answered),
        resumed=sum(turn.resumed_after for turn in turns),
        missed=sum(line.missed for line in lines),
        cut_offs=sum(line.cut_off for line in lines),
        false_starts=len(stray),
        false_answers=sum(not answer.own for answer in unasked),
        self_answers=sum(answer.own for answer in unasked),
        false_interruptions=0 if pressed else ended_early,
        not_heard=sum(line.reply_outcome == "not heard" for line in lines),
    )
    failed = tuple(_failures(scenario.expect, counts, lines, acted.stuck))
    return ScenarioVerdict(lines, unasked, counts, failed)


def _utterances(scenario: Scenario, done: Sequence[StepDone]) -> list[ScenarioUtterance]:
    said: list[ScenarioUtterance] = []
    begun: StepDone | None = None
    for one in done:
        step = scenario.step[one.step]
        if one.part == "begun":
            begun = begun or one
        elif step.source not in ("silence", "press"):
            first = begun or one
            what = one.what if begun is None else f"{begun.what} … {one.what}"
            typed = step.source == "type"
            said.append(
                ScenarioUtterance(first.step, one.part, what, first.began, one.ended, typed)
            )
            begun = None
    return said


def _assign(
    said: Sequence[ScenarioUtterance], turns: Sequence[ScenarioExchange]
) -> list[ScenarioExchange]:
    """Assign each turn to its utterance; returns the turns that have none."""
    stray = []
    for turn in turns:
        if turn.origin == "text":
            # In the order in which they were typed.
            owners = [one for one in said if one.typed and not one.turns][:1]
        else:
            owners = [
                one
                for one in said
                if not one.typed and one.part != "nothing"
                and turn.start < one.ended + LATE_TURN_SECONDS
                and turn.end > one.began - EARLY
            ]  # fmt: skip
            if not owners:
                stray.append(turn)
        if owners:
            max(owners, key=lambda one: one.shared(turn)).turns.append(turn)
    return stray


def _sounding(one: ScenarioUtterance, turns: Sequence[ScenarioExchange]) -> list[ScenarioExchange]:
    """The replies that were audible when it began, or just before: a key stops at once."""
    return [
        turn
        for turn in turns
        if turn not in one.turns and (turn.sounding(one.began) or turn.sounding(one.began - KEY))
    ]


def _line(
    one: ScenarioUtterance, turns: Sequence[ScenarioExchange], speaker: RoomTrack
) -> LineOutcome:
    answer = next((turn for turn in reversed(one.turns) if turn.answered), None)
    committed = [turn for turn in one.turns if turn.committed is not None]
    line = LineOutcome(
        step=one.step,
        part=one.part,
        what=one.what,
        began=round(one.began, 3),
        ended=round(one.ended, 3),
        recognized=" ".join(t.recognized for t in committed or one.turns if t.recognized),
        reply=answer.reply.strip() if answer else "",
        heard=answer.heard if answer else "",
        answered_after=_after(one.ended, answer.audible_from) if answer else None,
        cut_off=any((t.committed or 0.0) < one.ended and not one.typed for t in committed),
        missed=one.part in ASKING and answer is None,
    )
    return _interruption(line, one, turns, speaker) if one.part in SILENCING else line


def _interruption(
    line: LineOutcome, one: ScenarioUtterance, turns: Sequence[ScenarioExchange], speaker: RoomTrack
) -> LineOutcome:
    replies = _sounding(one, turns)
    if not replies:
        return replace(line, reply_outcome="nothing to interrupt")
    reply = replies[-1]
    over = reply.audible_to
    if not reply.interrupted:
        late = over is not None and over - one.began <= NOTICE
        return replace(line, reply_outcome="late" if late else "not heard")
    following = [t.audible_from for t in turns if t.audible_from and t.audible_from > one.began]
    end = min([(over or one.ended) + FADE_OUT, *(at - 0.02 for at in following)])
    silent, noticed = _last_audible(speaker, one.began, end), reply.noticed
    return replace(
        line,
        reply_outcome="silenced",
        noticed_after=_after(one.began, noticed),
        silent_after=_after(one.began, silent),
        silent_after_noticed=None if noticed is None else _after(noticed, max(noticed, silent)),
    )


def _after(since: float, at: float | None) -> float | None:
    return None if at is None else round(at - since, 4)


def _last_audible(speaker: RoomTrack, start: float, end: float) -> float:
    """Session time of the last audible sample between two times; `start` if there is none."""
    loud = np.flatnonzero(np.abs(speaker.between(start, end)) >= 10 ** (AUDIBLE_DBFS / 20))
    return speaker.time_of(speaker.number_at(start) + int(loud[-1])) if len(loud) else start


def _echoes(turn: ScenarioExchange, turns: Sequence[ScenarioExchange]) -> bool:
    """Whether a turn began while another reply was audible, or just after."""
    return any(
        other.turn != turn.turn
        and other.audible_from is not None
        and other.audible_from - EARLY <= turn.start
        and (other.audible_to is None or turn.start <= other.audible_to + ECHO)
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
    for place, expected, texts in (
        ("what was understood", expect.recognized, [line.recognized for line in answered]),
        ("the reply", expect.replies, [line.reply for line in answered]),
    ):
        for number, wanted in enumerate(expected):
            text = texts[number] if number < len(texts) else ""
            if missing := lacking(wanted, text):
                yield f"{', '.join(missing)} not in {place}: {text!r}"
    for line in lines:
        for limit, took, since in (
            (expect.silent_ms, line.silent_after, "of the interruption"),
            (expect.confirmed_ms, line.silent_after_noticed, "after it was noticed"),
        ):
            if limit is not None and took is not None and took * 1000 > limit:
                yield f"silent {took * 1000:.0f} ms {since}, at most {limit}"


def lacking(wanted: Sequence[str], text: str) -> list[str]:
    """Those of the `wanted` words, or `a|b` for either, that are not in `text`."""
    there = set(words(text))
    return [
        choice
        for choice in wanted
        if not any(set(words(word)) <= there for word in choice.split("|"))
    ]
