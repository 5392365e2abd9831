"""Premature ends: detects that the user was cut off, and adapts to the speaker's tempo."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE
from edgevoice.bus import Bus
from edgevoice.settings import TurnSettings
from edgevoice.turn import Turn
from edgevoice.turn_taking.completeness import Completeness, completeness_of
from edgevoice.turn_taking.patience import limits
from edgevoice.turn_taking.speaker_tempo import SpeakerTempo
from edgevoice.words import count

CONTINUED = int(1.0 * CAPTURE_RATE)
"""Samples after the end of a turn within which new speech continues it: a reaction to the reply
takes longer, a quarter of a second each to understand and to speak."""

LEAST_TEMPO_CHANGE = 0.02
"""Least change of the tempo factor that is reported."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """A turn that has ended: its last voiced sample, the stream index of its end, the required
    silence, and the silence after which the user went on."""

    turn: Turn
    voiced_end: int
    index: int
    wait_ms: float
    silence_ms: float = 0.0


class PrematureEnd:
    """Follows the utterances, and adapts `tempo`; runs in capture's thread."""

    def __init__(self, settings: TurnSettings, bus: Bus) -> None:
        self.tempo = SpeakerTempo(settings)
        self._settings = settings
        self._bus = bus
        self._told = self.tempo.factor
        self._last: _Taken | None = None
        self._continued: _Taken | None = None
        """What the utterance under way is the other continued of."""

    def forget(self) -> None:
        """A new conversation, perhaps with another speaker: reset the tempo."""
        self.tempo.reset()
        self._told = self.tempo.factor

    def began(self, start: int) -> None:
        """An utterance begins at stream index `start`. If it continues the last turn, that turn is
        marked as `continued`; to be called before that turn is cancelled."""
        last, self._continued = self._last, None
        if last is None or not last.turn.live:
            return
        if last.turn.playback.ready and start - last.index > CONTINUED:
            return
        last.turn.speech.continued = True
        self._continued = replace(last, silence_ms=1000 * (start - last.voiced_end) / CAPTURE_RATE)

    def ended(self, turn: Turn, voiced_end: int, index: int, wait_ms: float, voiced: int) -> None:
        """A turn with `voiced` voiced samples ends at stream index `index`, after the required
        silence `wait_ms`."""
        continued, self._continued = self._continued, None
        self._last = _Taken(turn, voiced_end, index, wait_ms)
        if not turn.question:
            return
        tempo = self.tempo
        if (
            continued is not None
            and completeness_of(turn.question, turn.transcription.language)
            is not Completeness.COMMAND
        ):
            # "Stop!" does not continue a question.
            tempo.cut_off(continued.silence_ms, continued.wait_ms)
        tempo.spoke(count(turn.question), voiced / CAPTURE_RATE)
        if abs(tempo.factor - self._told) >= LEAST_TEMPO_CHANGE:
            self._told = tempo.factor
            shortest, longest = limits(self._settings, tempo.factor)
            factor = round(tempo.factor, 2)
            self._bus.emit(
                ev.SpeakerTempoChanged(
                    turn=turn.number, factor=factor, shortest_ms=shortest, longest_ms=longest
                )
            )
