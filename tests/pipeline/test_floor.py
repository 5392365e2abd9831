"""Who has the floor, and what is left of a turn."""

from __future__ import annotations

import gc
import weakref

from edgevoice.bus import Bus
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.history import History
from edgevoice.player import Player
from edgevoice.testing.virtual import VirtualClock
from edgevoice.turn_taking.floor import Floor


def _player(clock: VirtualClock) -> Player:
    return Player(clock, SimulatedSink(clock, 16_000, "nobody"))


def test_a_question_that_has_ended_is_no_answer_that_has() -> None:
    """Broken off while the model was still writing, a reply is not finished, though all that was
    written of it had been heard."""
    clock = VirtualClock()
    history = History("")
    floor = Floor(clock, Bus(clock), _player(clock), history)
    turn = floor.begin("speech")
    turn.transcription.question = "tell me a story"
    assert floor.commit(turn)
    turn.reply.text = "Once there was a king"
    floor.cancel(turn, "interrupted")
    floor.settle(turn, len(turn.reply.text))
    assert history.unfinished is not None
    assert not history.unfinished.ended


def test_an_answer_that_is_written_does_not_end_the_question() -> None:
    """What was thought ahead for somebody who may be interrupting is not let out with the first
    word that confirms them: they may still be speaking."""
    clock = VirtualClock()
    floor = Floor(clock, Bus(clock), _player(clock), History(""))
    reply = floor.begin("speech")
    floor.commit(reply)
    turn = floor.begin("speech", interrupts=reply)
    turn.reply.complete = True
    assert floor.confirm(turn)
    assert not turn.committed
    assert floor.commit(turn)


def test_an_ended_turn_is_released_though_the_next_one_interrupted_it() -> None:
    """However many replies are interrupted in a row, no earlier turn stays in memory."""
    clock = VirtualClock()
    floor = Floor(clock, Bus(clock), _player(clock), History(""))
    newest = floor.begin("speech")
    floor.commit(newest)
    ended = []
    for _ in range(5):
        interrupted = newest
        newest = floor.begin("speech", interrupts=interrupted)
        floor.confirm(newest)
        floor.commit(newest)
        floor.settle(interrupted, 0)
        ended.append(weakref.ref(interrupted))
    floor.settle(newest, 0)
    del interrupted
    gc.collect()
    assert [turn() for turn in ended] == [None] * 5
