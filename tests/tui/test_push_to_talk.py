"""The talk key of a terminal, which reports only presses."""

from __future__ import annotations

from edgevoice.events import SpeechEnded, TurnCancelled, TurnStarted
from edgevoice.tui.push_to_talk import RELEASED_AFTER, PushToTalk

FRAME = 1 / 15


def pushed(presses: list[float], until: float) -> list[tuple[float, bool]]:
    """The changes and their times for these presses, polled like the screen does."""
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
    """A held key keeps it on, and the end of its repetitions ends it."""
    held = [0.0, *(0.5 + n / 30 for n in range(60))]
    (begun, on), (ended, off) = pushed(held, 5.0)
    assert (begun, on, off) == (0.0, True, False)
    assert held[-1] < ended <= held[-1] + RELEASED_AFTER + 2 * FRAME


def test_a_key_that_repeats_slowly_is_held_down_too() -> None:
    """Ten presses a second are a held key."""
    held = [0.0, *(0.66 + n / 10 for n in range(20))]
    assert [on for _, on in pushed(held, 6.0)] == [True, False]


def test_two_taps_begin_and_end() -> None:
    """Any time may pass between the two taps."""
    for between in (0.3, 1.0, 20.0):
        assert [on for _, on in pushed([0.0, between], between + 2)] == [True, False]


def test_four_taps_are_two_utterances() -> None:
    """After the second tap the key starts again."""
    assert [on for _, on in pushed([0.0, 2.0, 4.0, 6.0], 8.0)] == [True, False, True, False]


def test_an_utterance_that_ended_by_itself_leaves_the_key_as_new() -> None:
    """The next press starts another utterance."""
    key = PushToTalk()
    assert key.press(0.0) is True
    key.on_event(TurnStarted(turn=3, origin="talk_key"))
    key.on_event(SpeechEnded(turn=3, at=0.9, seconds=0.9))
    assert key.tick(1.0) is None
    assert key.press(2.0) is True


def test_who_was_given_the_floor_by_a_shortcut_can_give_it_back_by_this_key() -> None:
    """`edgevoice ptt` counts as the key; the end of another utterance does not."""
    key = PushToTalk()
    key.on_event(TurnStarted(turn=3, origin="talk_key"))
    key.on_event(TurnCancelled(turn=2, reason="resumed"))
    assert key.on
    assert key.press(1.0) is None
    assert key.tick(2.0) is False
