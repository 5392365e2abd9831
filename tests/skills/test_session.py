"""Skills in a session: what they say, when they act, and how timers ring."""

from __future__ import annotations

import datetime
from pathlib import Path

from edgevoice import events as ev
from edgevoice.history import History, Reply
from edgevoice.protocols import Token
from edgevoice.skills.timers import Timers
from tests.skills.rehearsing import NOON, SkilledRehearsal


def test_a_skill_answers_without_the_language_model() -> None:
    """The time is right, and the model is not asked."""
    show = SkilledRehearsal()
    show.hear((0.5, "what time is it", 1.2))
    show.run()
    assert show.heard == ["It's noon."]
    assert show.all(ev.PrefillEnded) == []


def test_everything_else_goes_to_the_language_model() -> None:
    """A question that only looks like an intent, too."""
    show = SkilledRehearsal()
    show.hear((0.5, "what time is it in tokyo", 1.6))
    show.run()
    assert show.heard == ["I am a language model."]


def test_a_timer_is_set_once_the_turn_is_committed() -> None:
    """The user goes on after a pause: only the whole sentence sets one."""
    show = SkilledRehearsal()
    show.hear((0.5, "set a timer for ten minutes", 1.6), (2.5, "and thirty seconds", 1.0))
    show.run()
    (timer,) = show.timers.all()
    assert timer.seconds == 630
    assert [event.name for event in show.all(ev.ToolCalled)] == ["timer_set"]
    assert show.all(ev.TurnCommitted)[0].seq < show.all(ev.ToolCalled)[0].seq


def test_a_timer_rings_until_somebody_says_stop() -> None:
    """It says what it was for, rings again, and is gone after the word."""
    show = SkilledRehearsal()
    show.hear((0.5, "set a pasta timer for twenty seconds", 2.0))
    show.hear((40.0, "stop", 0.6))
    show.run()
    rung = [text for text in show.heard if "pasta" in text and "up" in text]
    assert rung[:2] == ["Your pasta timer is up.", "Time's up for your pasta timer."]
    assert not show.timers.all()
    last = show.all(ev.TimersChanged)[-1]
    assert last.timers == ()


def test_a_timer_rings_in_over_a_running_reply() -> None:
    """The reply ends as by a barge-in, and the timer is heard at once."""
    show = SkilledRehearsal(answer="A very long story goes on. " * 40)
    show.timers.add("timer", show.timers.now() + 8, "tea", "en")
    show.hear((0.5, "tell me a story", 1.2))
    show.at(11.0, lambda assistant: assistant.interrupt())
    show.run()
    (cancelled, *_) = show.all(ev.TurnCancelled)
    assert cancelled.reason == "barge_in"
    started = [event for event in show.all(ev.TurnStarted) if event.origin == "announcement"]
    assert 8.0 <= started[0].t <= 8.5


def test_what_fell_due_while_nothing_ran_is_told_late(tmp_path: Path) -> None:
    """After a restart: once, with the time at which it was due."""
    path = tmp_path / "timers.json"
    before = Timers(path, (NOON - datetime.timedelta(hours=1)).timestamp)
    before.add("timer", before.now() + 600, "roast", "en")
    before.add("timer", before.now() + 3605, "tea", "en")
    show = SkilledRehearsal(path=path)
    show.hear((30.0, "stop", 0.6))
    show.run()
    assert show.heard[0] == "While I was off, your roast timer ended, at 11:10 am."
    assert "tea" in show.heard[1]
    assert path.stat().st_mode & 0o777 == 0o600
    assert not Timers(path, show.timers.now).all()


def test_repeat_says_the_last_reply_again() -> None:
    """Word by word."""
    show = SkilledRehearsal()
    show.hear((0.5, "who are you really", 1.2))
    show.hear((0.5, "say that again", 1.0))
    show.run()
    assert show.heard == ["I am a language model."] * 2


def test_the_volume_the_rate_and_the_conversation_change_by_voice() -> None:
    """The session does what was asked."""
    show = SkilledRehearsal()
    for words in ("set the volume to fifty percent", "speak more slowly", "start over"):
        show.hear((0.5, words, 1.6))
    show.run()
    assert show.player.loudness == 0.5
    assert show.assistant.speed < 1
    assert show.all(ev.ConversationCleared)
    assert [m.text for m in show.assistant.history.messages if m.role != "system"] == []


def test_a_question_after_an_unanswered_one_is_understood_alone() -> None:
    """The prompt joins the two; a skill looks at the new one."""
    history = History("")
    history.remember("why is the sky", Reply(""))
    (asked,) = history.asking("what time is it", "en")
    assert (asked.text, asked.newest) == ("why is the sky what time is it", "what time is it")
    show = SkilledRehearsal()
    said = list(show.agent.respond([asked], lambda: False, lambda: True))  # type: ignore[union-attr]
    assert said[0] == Token("It's noon.")


def test_stop_during_the_ring_ends_it() -> None:
    """As it ends a reply: the timer is gone, and nothing is answered."""
    show = SkilledRehearsal()
    show.timers.add("timer", show.timers.now() + 3, "a long name", "en")
    show.hear((4.3, "stop", 0.6), (30.0, "what time is it", 1.2))
    show.run()
    rung = [event for event in show.all(ev.TurnStarted) if event.origin == "announcement"]
    assert len(rung) == 1
    assert not show.timers.all()
