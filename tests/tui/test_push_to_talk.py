"""A talk key of which a terminal tells only the presses."""

from __future__ import annotations

from edgevoice.events import SpeechEnded, TurnCancelled, TurnStarted
from edgevoice.tui.push_to_talk import RELEASED_AFTER, PushToTalk

FRAME = 1 / 15


def pushed(presses: list[float], until: float) -> list[tuple[float, bool]]:
    """What the key meant, and when, pressed at these times and looked at as the screen does."""
    key, meant, now = PushToTalk(), [], 0.0
    waiting = sorted(presses)
    while now < until:
        while waiting and waiting[0] <= now:
            at = waiting.pop(0)
            if (on := key.press(at)) is not None:
                meant.append((at, on))
        if (on := key.tick(now)) is not None:
            meant.append((now, on))
        now += FRAME
    return meant


def test_a_key_held_down_talks_until_it_is_let_go() -> None:
    """Repetitions after the first half second keep it on, and their end ends it."""
    held = [0.0, *(0.5 + n / 30 for n in range(60))]
    (begun, on), (ended, off) = pushed(held, 5.0)
    assert (begun, on, off) == (0.0, True, False)
    assert held[-1] < ended <= held[-1] + RELEASED_AFTER + 2 * FRAME


def test_a_key_that_repeats_slowly_is_held_down_too() -> None:
    """Ten presses a second are still no finger's."""
    held = [0.0, *(0.66 + n / 10 for n in range(20))]
    assert [on for _, on in pushed(held, 6.0)] == [True, False]


def test_two_taps_begin_and_end() -> None:
    """However long it is between them."""
    for between in (0.3, 1.0, 20.0):
        assert [on for _, on in pushed([0.0, between], between + 2)] == [True, False]


def test_four_taps_are_two_utterances() -> None:
    """After the second one the key begins anew."""
    assert [on for _, on in pushed([0.0, 2.0, 4.0, 6.0], 8.0)] == [True, False, True, False]


def test_an_utterance_that_ended_by_itself_leaves_the_key_as_new() -> None:
    """The next press begins another one."""
    key = PushToTalk()
    assert key.press(0.0) is True
    key.on_event(TurnStarted(turn=3, origin="talk_key"))
    key.on_event(SpeechEnded(turn=3, at=0.9, seconds=0.9))
    assert key.tick(1.0) is None
    assert key.press(2.0) is True


def test_who_was_given_the_floor_by_a_shortcut_can_give_it_back_by_this_key() -> None:
    """`edgevoice ptt` is the same key; the end of another utterance is none of this one."""
    key = PushToTalk()
    key.on_event(TurnStarted(turn=3, origin="talk_key"))
    key.on_event(TurnCancelled(turn=2, reason="resumed"))
    assert key.on
    assert key.press(1.0) is None
    assert key.tick(2.0) is False
