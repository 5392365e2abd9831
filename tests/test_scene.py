"""The scene depends only on the events."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice import events as ev
from edgevoice.exchange import Exchange
from edgevoice.scene import MAX_ROWS, Remark, Scene
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.trace import line, read
from tests.sessions import Session, conversation, failed, loading, paused


def scene_of(session: Session) -> Scene:
    return fold(session.events)


def fold(events: list[ev.Event]) -> Scene:
    scene = Scene()
    for event in events:
        scene.apply(event)
    return scene


def exchanges(scene: Scene) -> list[Exchange]:
    return [row for row in scene.rows if isinstance(row, Exchange)]


def remarks(scene: Scene) -> list[str]:
    return [row.text for row in scene.rows if isinstance(row, Remark)]


def test_states_follow_a_turn() -> None:
    """The states of a turn follow one another, and end in listening."""
    scene, states = Scene(), []
    session = Session().ready().asked(0, 3.0, "Why?").answered(0, 3.0, ["Because."])
    for event in session.events:
        scene.apply(event)
        if not states or states[-1] != scene.state:
            states.append(scene.state)
    assert states == ["loading", "listening", "hearing", "thinking", "speaking", "listening"]


def test_with_a_wake_word_it_sleeps_and_wakes() -> None:
    """Asleep is a state; an active turn and a muted microphone take precedence."""
    session = Session().ready().add(ev.ActivationMode(mode="wake", word="hey jarvis"))
    scene = scene_of(session)
    assert (scene.state, scene.word) == ("asleep", "hey jarvis")
    assert scene_of(session.add(ev.Activated(by="wake_word"))).state == "listening"
    session.asked(0, 3.0, "Why?").answered(0, 3.0, ["Because."])
    assert scene_of(session.add(ev.Deactivated())).state == "asleep"
    assert scene_of(session.add(ev.Muted(on=True))).state == "muted"


def test_loading_tells_engines_apart() -> None:
    """While loading, each engine has its loading time or is pending."""
    scene = scene_of(loading())
    assert scene.state == "loading"
    assert scene.pending == ["stt", "slm", "draft"]
    assert scene.loading["tts"].seconds == 0.8


def test_another_session_in_the_stream_loads_anew() -> None:
    """A changed device starts another session, and the conversation stays."""
    session = Session().ready().asked(0, 3.0, "Why?").answered(0, 3.0, ["Because."])
    session.add(ev.SessionEnded(reason="closed"))
    assert scene_of(session).state == "ended"
    session.start()
    scene = scene_of(session)
    assert scene.state == "loading"
    assert [e.reply for e in exchanges(scene)] == ["Because."]


def test_muted_is_a_state_only_while_nothing_else_goes_on() -> None:
    """A reply continues while the microphone is muted, and the state is speaking."""
    session = Session().ready().asked(0, 3.0, "Why?").answered(0, 3.0, ["Because."], spoken=2)
    session.add(ev.Muted(on=True))
    scene = scene_of(session)
    assert (scene.state, scene.muted) == ("speaking", True)
    scene.apply(ev.TurnCompleted(turn=0, heard="Because.", interrupted=False))
    assert scene.state == "muted"


def test_partial_text_gives_way_to_the_final_one() -> None:
    """A late interim transcript never replaces the final one."""
    session = Session().ready().asked(0, 3.0, "Why is that so?", partial="Why is")
    scene = scene_of(session.add(ev.InterimTranscript(turn=0, text="Why is")))
    assert (exchanges(scene)[0].question, exchanges(scene)[0].final) == ("Why is that so?", True)


def test_a_resumed_turn_disappears_into_its_successor() -> None:
    """If the user continues after a pause, there is one question, and its text stays visible."""
    session = Session().ready().asked(0, 3.0, "Why")
    session.add(ev.TurnCancelled(turn=0, reason="resumed"))
    session.add(ev.TurnStarted(turn=1, origin="speech", replaces=0))
    scene = scene_of(session)
    assert [(e.turn, e.question, e.final) for e in exchanges(scene)] == [(1, "Why", False)]


def test_a_successor_may_come_before_the_cancellation() -> None:
    """The order in which the two turns change places does not matter."""
    session = Session().ready().asked(0, 3.0, "Why")
    session.add(ev.TurnStarted(turn=1, origin="speech", replaces=0))
    session.add(ev.TurnCancelled(turn=0, reason="resumed"))
    assert [(e.turn, e.question) for e in exchanges(scene_of(session))] == [(1, "Why")]


def test_noise_leaves_one_dim_note() -> None:
    """Turns without speech are removed; several in a row share a note with their count."""
    session = Session().ready()
    for turn in range(3):
        session.add(ev.TurnStarted(turn=turn, origin="speech"))
        session.add(ev.TurnCancelled(turn=turn, reason="no_speech", detail="a cough"))
    scene = scene_of(session)
    assert exchanges(scene) == []
    assert [(r.kind, r.text, r.count) for r in scene.rows if isinstance(r, Remark)] == [
        ("note", "no words recognized: a cough", 3)
    ]
    assert scene.state == "listening"


def test_a_typed_question_is_thought_about_at_once() -> None:
    """A typed question is complete at once, and the state is thinking."""
    session = Session().ready().add(ev.TurnStarted(turn=0, origin="text"))
    session.add(ev.TurnCommitted(turn=0))
    session.add(ev.FinalTranscript(turn=0, text="Why?", language="en", no_speech=0.0, logprob=0.0))
    scene = scene_of(session)
    assert scene.state == "thinking"
    assert exchanges(scene)[0].question == "Why?"


def test_nothing_of_a_reply_may_show_before_the_turn_is_committed() -> None:
    """A speculative reply is not shown until the turn is committed."""
    session = Session().ready().add(ev.TurnStarted(turn=0, origin="speech"))
    session.add(ev.TokenGenerated(turn=0, index=0, text="Maybe"))
    scene = scene_of(session)
    assert not exchanges(scene)[0].committed
    scene.apply(ev.TurnCommitted(turn=0))
    assert exchanges(scene)[0].committed


def test_spoken_and_unspoken_are_told_apart() -> None:
    """The reply is split at the last played word, which never moves back."""
    scene = scene_of(conversation())
    last = exchanges(scene)[-1]
    assert last.heard == "Walk along the river in the evening, then see the old islands "
    assert last.unheard.startswith("with the cathedral")
    scene.apply(ev.PlaybackProgress(turn=last.turn, chars=3))
    assert last.heard.endswith("islands ")


def test_an_interrupted_reply_keeps_what_was_heard() -> None:
    """After a barge-in, the reply is split where the sound stopped."""
    first = exchanges(scene_of(failed()))[0]
    assert first.ending == "interrupted"
    assert first.heard == "The moon goes around the earth, and always"


def test_the_reason_of_a_failure_survives_the_completion() -> None:
    """A committed turn that fails also completes, and counts as failed, not interrupted."""
    scene = scene_of(failed())
    last = exchanges(scene)[-1]
    assert (last.ending, last.detail) == ("failed", "the context is full")
    failure = next(r for r in scene.rows if isinstance(r, Remark) and r.kind == "failure")
    assert (failure.text, failure.remedy) == (
        "agent: the context is full",
        "--set slm.context=8192",
    )


def test_a_lost_device_stays_lost_until_it_is_found() -> None:
    """A lost device is shown until it is back, which is noted."""
    session = failed()
    assert scene_of(session).lost["input"].name == "USB headset"
    session.add(ev.DeviceRestored(kind="input", name="USB headset"))
    scene = scene_of(session)
    assert scene.lost == {}
    assert scene.devices["input"] == "USB headset"
    assert remarks(scene)[-1] == "the microphone is back: USB headset"


def test_a_device_that_stands_in_for_a_lost_one_is_told_by_its_name() -> None:
    """Another device is not reported as the lost one."""
    scene = scene_of(failed().add(ev.DeviceRestored(kind="input", name="built-in")))
    assert scene.lost == {}
    assert remarks(scene)[-1] == "the microphone is now: built-in"


def test_a_new_conversation_clears_the_screen_but_not_the_timings() -> None:
    """The conversation is cleared, the timings stay."""
    scene = scene_of(conversation().add(ev.ConversationCleared()))
    assert exchanges(scene) == []
    assert len(scene.timings.turns) == 2
    scene.apply(ev.TurnCompleted(turn=2, heard="Walk", interrupted=True))
    assert exchanges(scene) == []


def test_an_ended_session_has_no_open_exchange() -> None:
    """All unfinished exchanges end with the session."""
    scene = scene_of(conversation().add(ev.SessionEnded(reason="closed")))
    assert (scene.state, scene.live) == ("ended", None)


def test_only_so_many_rows_are_kept() -> None:
    """A long session keeps a limited number of rows."""
    scene = Scene()
    for n in range(MAX_ROWS + 10):
        scene.apply(ev.Notice(text=f"notice {n}"))
    assert len(scene.rows) == MAX_ROWS
    assert remarks(scene)[-1] == f"notice {MAX_ROWS + 9}"


@pytest.mark.parametrize("seen", ["dbfs", "cpu"])
def test_meters_do_not_disturb_the_conversation(seen: str) -> None:
    """Level and load events do not change the revision of rows."""
    scene = scene_of(conversation())
    revision = scene.revision
    scene.apply(ev.Level(dbfs=-3.0, speech=1.0))
    scene.apply(ev.Resources(cpu=99.0, rss=1))
    assert scene.revision == revision
    assert getattr(scene, seen) in (-3.0, 99.0)


def rehearsed() -> Rehearsal:
    """A real pipeline, with a pause inside a question and an interrupted reply."""
    rehearsal = Rehearsal("Paris is the capital. It lies on the river Seine, as you may know.")
    rehearsal.hear((0.5, "what is the capital of france", 1.5), (2.4, "and why", 0.6))
    rehearsal.hear((0.5, "how many people live there", 1.2))
    rehearsal.at(7.0, lambda assistant: assistant.interrupt())
    rehearsal.run()
    return rehearsal


def test_the_pipelines_own_events_make_the_same_conversation() -> None:
    """Played by the pipeline, the scene holds each question once and just what was heard of each
    reply."""
    rehearsal = rehearsed()
    scene = fold(rehearsal.events)
    assert [e.question for e in exchanges(scene)] == [
        "what is the capital of france and why",
        "how many people live there",
    ]
    assert [e.heard.strip() for e in exchanges(scene)] == rehearsal.heard
    assert [e.ending for e in exchanges(scene)] == ["interrupted", "completed"]


def test_a_written_trace_shows_the_same_scene(tmp_path: Path) -> None:
    """A scene from a trace equals the scene of the session."""
    rehearsal = rehearsed()
    path = tmp_path / "trace.jsonl"
    path.write_text("".join(map(line, rehearsal.events)), encoding="utf-8")
    told, live = fold(list(read(path))), fold(rehearsal.events)
    assert [(e.question, e.reply, e.spoken) for e in exchanges(told)] == [
        (e.question, e.reply, e.spoken) for e in exchanges(live)
    ]
    assert told.timings.turns == live.timings.turns


def test_a_reply_that_waits_is_paused_until_it_goes_on() -> None:
    """It is neither speaking nor only hearing while somebody speaks into a reply; and once that was
    no interruption, or was one, nothing is paused any more."""
    session = paused()
    scene = scene_of(session)
    assert scene.state == "paused"
    session.add(ev.SpeechEnded(turn=3, at=27.0, seconds=0.6))
    assert scene_of(session).state == "paused"
    went_on = [
        *session.events,
        ev.TurnCancelled(turn=3, reason="backchannel", detail="mhm"),
        ev.PlaybackResumed(turn=2, held=True),
    ]
    assert fold(went_on).state == "speaking"
    assert not any(e.paused for e in exchanges(fold(went_on)))
    ended = fold([*session.events, ev.TurnCancelled(turn=2, reason="barge_in")])
    assert ended.state == "thinking"
    assert not any(e.paused for e in exchanges(ended))


def test_a_quieter_reply_still_speaks() -> None:
    """A ducked reply is marked as quieter until it is loud again."""
    session = conversation().add(ev.PlaybackDucked(turn=2))
    scene = scene_of(session)
    assert scene.state == "speaking"
    assert exchanges(scene)[-1].quieter
    scene.apply(ev.PlaybackResumed(turn=2, held=False))
    assert not exchanges(scene)[-1].quieter
    assert remarks(scene) == []


def test_what_only_disturbed_a_reply_leaves_one_note() -> None:
    """The reply is paused during a mhm; afterwards only a note mentions it."""
    show = Rehearsal("Once there was a king who had three sons. The youngest of them was kind.")
    show.hear((0.5, "tell me a story", 1.0), (5.0, "mhm", 0.4))
    scene, paused = Scene(), False
    for event in show.run():
        scene.apply(event)
        reply = scene.exchange(0)
        paused = paused or (reply is not None and reply.paused)
    assert paused
    exchange, note = scene.rows
    assert isinstance(exchange, Exchange)
    assert (exchange.ending, exchange.paused) == ("completed", False)
    assert isinstance(note, Remark)
    assert note.text == 'continues: "mhm"'


def test_what_a_model_thinks_is_not_shown_as_its_reply() -> None:
    """Until the reply begins it is shown to be thinking."""
    exchange = Exchange(1, "text")
    exchange.apply(ev.TurnCommitted(turn=1))
    exchange.apply(ev.TokenGenerated(turn=1, index=0, text="<think>Rome or"))
    assert (exchange.heard, exchange.unheard, exchange.phase) == ("", "", "thinking")
    exchange.apply(ev.TokenGenerated(turn=1, index=1, text=" Milan?</think>Rome. Yes."))
    assert exchange.unheard == "Rome. Yes."
    exchange.apply(ev.PlaybackProgress(turn=1, chars=34))
    assert (exchange.heard, exchange.unheard) == ("Rome.", " Yes.")


def test_loading_is_timed_from_its_own_beginning() -> None:
    """A model that is loaded later in the session has not been loading since its start."""
    scene = Scene()
    for event in Session().ready().at(100.0).start().events:
        scene.apply(event)
    later = Session().at(103.0).add(ev.EngineLoading(role="slm", model="another"))
    for event in later.at(105.0).add(ev.Resources(cpu=1.0, rss=1)).events:
        scene.apply(event)
    assert scene.loaded_for("slm") == 2.0
