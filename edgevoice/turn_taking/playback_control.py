"""Control of the playback: ducks and pauses a reply while a voice may be interrupting it."""

from __future__ import annotations

from collections.abc import Callable

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.clock import Clock, Monitor
from edgevoice.player import Player
from edgevoice.turn import Turn
from edgevoice.turn_taking.current_turns import CurrentTurns

SEAMLESS = 0.15
"""Longest pause in seconds after which a reply resumes within a word; some speech sounds are
longer."""

MAX_REPEATED_SECONDS = 0.8
"""Most seconds of a reply that are played twice."""


class PlaybackControl:
    """Ducks, pauses, resumes and stops the reply. All methods may be called from any thread."""

    def __init__(
        self, clock: Clock, bus: Bus, monitor: Monitor, sink: Player, turns: CurrentTurns
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._monitor = monitor
        self._sink = sink
        self._turns = turns
        self.word_start: Callable[[int], int] = lambda number: number
        """First sample of the word that a sample is in; never blocks. Set by playback."""
        self.cut: Callable[[Turn, int, int], int] = lambda turn, start, clause: clause
        """Drop the audio of a turn's reply from character `start` on, which is in the clause that
        begins at character `clause`. Returns the character at which it was cut: at a boundary of
        words, later than `start` if that word is out already. Called under the monitor; set by
        playback."""
        self._paused: tuple[int, float] | None = None
        """The first sample that is not played yet, and the time of the pause."""
        self._ducked = False

    def duck(self, on: bool) -> None:
        """Play the reply more quietly, or as loudly as before."""
        with self._monitor:
            reply = self._turns.reply
            if on == self._ducked or (on and reply is None):
                return
            self._ducked = on
            self._sink.duck(on)
        if reply is None:
            return
        if on:
            self._bus.emit(ev.PlaybackDucked(turn=reply.number))
        else:
            self._bus.emit(ev.PlaybackResumed(turn=reply.number, held=False))

    def pause(self, turn: Turn) -> None:
        """Pause the reply that `turn` may interrupt, until it is confirmed or cancelled."""
        with self._monitor:
            reply = turn.interrupts
            if reply is None or self._paused or not (turn.tentative and turn.live and reply.live):
                return
            number = self._sink.pause()
            self._paused = number, self._clock.now()
            at = self._sink.time_of(number)
        at = max(at, self._clock.now())
        self._bus.emit(ev.PlaybackPaused(turn=reply.number, by=turn.number, at=at))

    def resume(self, turn: Turn) -> None:
        """Resume the reply that `turn` may interrupt, if it is still live."""
        reply = turn.interrupts
        paused, ducked = self.release()
        if reply is not None and reply.live and (paused or ducked):
            self._bus.emit(ev.PlaybackResumed(turn=reply.number, held=paused))

    def release(self) -> tuple[bool, bool]:
        """Resume the speaker; returns whether it was paused, and whether it was ducked."""
        with self._monitor:
            paused, ducked = self._paused, self._ducked
            self._paused, self._ducked = None, False
            self._sink.duck(False)
            self._sink.resume(0 if paused is None else self._samples_to_repeat(*paused))
        return paused is not None, ducked

    def stop(self) -> int:
        """Stop the reply; returns how many samples were played."""
        return self._sink.stop()

    def _samples_to_repeat(self, number: int, since: float) -> int:
        """How many samples before `number` to repeat, so that a word is played whole."""
        if self._clock.now() - since < SEAMLESS:
            return 0
        again = number - self.word_start(number)
        return again if 0 < again <= MAX_REPEATED_SECONDS * self._sink.rate else 0
