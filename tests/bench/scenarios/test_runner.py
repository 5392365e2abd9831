"""Scenarios acted out on the virtual clock: what goes well passes, and what does not is named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgevoice.bench.driver.driver import interview
from edgevoice.bench.driver.engine_cache import EngineCache
from edgevoice.bench.scenarios.assertions import ScenarioVerdict, judged, lacking
from edgevoice.bench.scenarios.assets import AudioClip, ScenarioScript
from edgevoice.bench.scenarios.result import ScenarioCounts
from edgevoice.bench.scenarios.runner import ScenarioRunner
from edgevoice.bench.scenarios.scenario import Expectations, RoomSettings, Scenario, ScenarioStep
from edgevoice.settings import Config, TurnSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedLanguageModel
from tests.bench.virtual_room import VirtualRoom

LONG = "There is a great deal to be said about that, and it takes a long while to say all of it."


def acted(
    steps: Sequence[ScenarioStep],
    answer: str = "It is noon.",
    turn: TurnSettings | None = None,
    expect: Expectations | None = None,
    room: RoomSettings | None = None,
    listen: float = 0.0,
) -> ScenarioVerdict:
    """What came of these steps; what is said takes a third of a second a word."""
    show = Rehearsal(answer, Config(turn=turn or TurnSettings()))
    stage = VirtualRoom(show.clock)
    show.source, show.sink = lambda idle: stage, stage.sink
    clips = []
    for step in steps:
        text = step.say or ("cough" if step.noise else "")
        seconds = len(text.split()) / 3
        speech = show.book.speech(text, seconds) if text else None
        clips.append(None if speech is None else AudioClip(speech, 0.0, seconds))
    scenario = Scenario(
        format="edgevoice scenario",
        version=1,
        means="It is so.",
        name="talk",
        step=tuple(steps),
        expect=expect or Expectations(),
        room=room or RoomSettings(),
        listen=listen,
    )
    script = ScenarioScript(
        scenario, Path("talk.toml"), tuple(clips), np.zeros(0, dtype=np.float32)
    )
    cache = EngineCache(show.clock)
    scripted = show.slm
    assert isinstance(scripted, ScriptedLanguageModel)
    show.slm = cache.session(scripted)
    with interview(show.assemble(), show.clock, None, cache) as one:
        one.wait_until_ready()
        played = ScenarioRunner(one, stage).act(script, scenario.room.acoustics)
    return judged(scenario, played)


def counts(**found: int) -> ScenarioCounts:
    return ScenarioCounts(**found)


def test_a_question_that_is_answered_passes() -> None:
    """With what was understood and said, and the time from its last sample to the first heard."""
    verdict = acted([ScenarioStep(say="what time is it")])
    assert verdict.failed == ()
    assert verdict.counts == counts(answers=1, questions=1, replies=1)
    [line] = verdict.lines
    assert (line.recognized, line.reply) == ("what time is it", "It is noon.")
    assert line.answered_after is not None
    assert 0.0 < line.answered_after < 3.0
    assert line.ended - line.began == pytest.approx(4 / 3, abs=0.001)


def test_a_question_in_two_parts_is_one() -> None:
    """Whoever is given time to think is answered once, to all of it."""
    steps = [
        ScenarioStep(say="what time is it in", part="begun"),
        ScenarioStep(say="the city of Paris", after="step", wait=0.8),
    ]
    verdict = acted(steps, turn=TurnSettings(silence_ms=1500))
    assert verdict.failed == ()
    [line] = verdict.lines
    assert line.recognized == "what time is it in the city of Paris"


def test_one_that_is_answered_in_its_middle_was_cut_off() -> None:
    """A silence of 300 ms ends every turn: the pause was taken for the end."""
    steps = [
        ScenarioStep(say="what time is it in", part="begun"),
        ScenarioStep(say="the city of Paris", after="step", wait=1.5),
    ]
    verdict = acted(steps, turn=TurnSettings(silence_ms=300))
    assert verdict.counts.cut_offs == 1
    assert "1 question cut off" in verdict.failed


def test_an_interruption_silences_and_is_answered() -> None:
    """The recording tells when the last sound was heard, the events when it was noticed."""
    steps = [
        ScenarioStep(say="tell me all about it"),
        ScenarioStep(say="stop what time is it", after="reply", wait=1.0, part="interruption"),
    ]
    verdict = acted(steps, LONG)
    assert verdict.failed == ()
    line = verdict.lines[1]
    assert line.reply_outcome == "silenced"
    assert line.silent_after is not None
    assert line.noticed_after is not None
    assert 0.0 < line.noticed_after <= line.silent_after + 0.05 < 1.0
    assert (verdict.counts.interruptions, verdict.counts.not_heard) == (1, 0)


def test_one_that_is_not_heard_is_told() -> None:
    """With barge-in off the reply goes on; a limit that is not kept is told, too."""
    steps = [
        ScenarioStep(say="tell me all about it"),
        ScenarioStep(say="stop", after="reply", wait=1.0, part="stop"),
    ]
    deaf = acted(steps, LONG, TurnSettings(barge_in=False))
    assert deaf.lines[1].reply_outcome == "not heard"
    assert deaf.failed == ("1 interruption not heard",)
    steps[1] = ScenarioStep(say="stop that now please", after="reply", wait=1.0, part="stop")
    [told] = acted(steps, LONG, expect=Expectations(silent_ms=1)).failed
    assert told.startswith("silent ")
    assert told.endswith("of the interruption, at most 1")


def test_a_reply_that_is_over_cannot_be_interrupted() -> None:
    """The scenario measured nothing, and says so."""
    steps = [
        ScenarioStep(say="tell me all about it"),
        ScenarioStep(say="stop", after="reply_end", wait=0.5, part="stop"),
    ]
    assert "there was no reply to interrupt" in acted(steps).failed


def test_who_speaks_to_somebody_else_is_not_to_be_answered() -> None:
    """A voice that is to bring about nothing: each answer to it is false, and so is each start."""
    verdict = acted([ScenarioStep(say="and now the news", part="nothing")])
    assert verdict.counts == counts(answers=1, replies=1, false_starts=1, false_answers=1)
    assert verdict.failed == ("1 false answer",)
    assert verdict.unasked[0].recognized == "and now the news"
    assert not verdict.unasked[0].own


def test_what_ends_a_reply_without_being_to_is_a_false_interruption() -> None:
    """A voice in the room is taken for one that interrupts, and answered."""
    steps = [
        ScenarioStep(say="tell me all about it"),
        ScenarioStep(say="not meant for you", after="reply", wait=1.0, part="nothing"),
    ]
    verdict = acted(steps, LONG)
    assert verdict.counts.false_interruptions == 1
    assert verdict.counts.false_answers == 1


def test_where_it_can_hear_itself_an_answer_to_that_is_its_own() -> None:
    """In a room with echo, begun while its own reply was heard; the way is as asked for."""
    steps = [
        ScenarioStep(say="tell me all about it"),
        ScenarioStep(say="to be said about that", after="reply", wait=1.0, part="nothing"),
    ]
    verdict = acted(steps, LONG, room=RoomSettings(echo=True))
    assert (verdict.counts.self_answers, verdict.counts.false_answers) == (1, 0)
    assert verdict.unasked[0].own
    assert "1 answer to itself" in verdict.failed


def test_a_reply_that_never_comes_is_waited_for_no_longer() -> None:
    """The step that waits for it is named."""
    steps = [
        ScenarioStep(silence=0.5),
        ScenarioStep(say="stop", after="reply", part="stop"),
    ]
    assert acted(steps).failed == ("step 2 waits for a reply that never came",)


def test_typed_and_pressed() -> None:
    """A typed question takes the place of a reply; a key that interrupts is no false one."""
    steps = [
        ScenarioStep(say="tell me all about it"),
        ScenarioStep(type="what time is it", after="reply", wait=1.0, part="interruption"),
        ScenarioStep(press="interrupt", after="reply", wait=1.0),
    ]
    verdict = acted(steps, LONG)
    assert verdict.failed == ()
    assert [line.what for line in verdict.lines] == ["tell me all about it", "what time is it"]
    assert verdict.counts.answers == 2


def test_so_many_words_of_a_reply_are_waited_for() -> None:
    """The step is done once they were heard, and not before."""
    steps = [
        ScenarioStep(say="tell me all about it"),
        ScenarioStep(say="stop that", after="reply", words=9, part="stop"),
    ]
    verdict = acted(steps, LONG)
    assert verdict.failed == ()
    assert len(verdict.lines[0].heard.split()) >= 9


def test_words_that_are_missing_are_named() -> None:
    """In what was understood and in the reply; either of two will do."""
    verdict = acted(
        [ScenarioStep(say="what time is it")],
        expect=Expectations(
            recognized=(("time", "place"),), replies=(("noon|midnight",),), answers=2
        ),
    )
    assert verdict.failed == (
        "1 answers instead of 2",
        "place not in what was understood: 'what time is it'",
    )
    assert lacking(["two|2", "Sky"], "2 in the sky.") == []


@pytest.mark.parametrize("listen", [0.0, 30.0])
def test_silence_is_nobody(listen: float) -> None:
    """For as long as it is listened to."""
    verdict = acted([ScenarioStep(silence=1.0)], listen=listen, expect=Expectations(false_starts=0))
    assert verdict.failed == ()
    assert verdict.counts == ScenarioCounts()


def test_every_count_can_be_limited() -> None:
    """Expect has a field for each thing that may go wrong."""
    limits: dict[str, Any] = dict.fromkeys(ScenarioCounts.__struct_fields__[5:])
    assert set(limits) <= set(Expectations.__struct_fields__)
