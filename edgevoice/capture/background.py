"""What goes on around the user: what of it is no voice of theirs, and when it drowns them out."""

from __future__ import annotations

from edgevoice import events as ev
from edgevoice.audio import Frame, dbfs
from edgevoice.capture.intelligibility import Intelligibility
from edgevoice.capture.noise_floor import MAYBE_SPEECH, NoiseFloor
from edgevoice.settings import TurnSettings
from edgevoice.turn import Turn
from edgevoice.turn_taking.completeness import Completeness, completeness_of
from edgevoice.turn_taking.endpointing import HYSTERESIS
from edgevoice.turn_taking.floor import Floor

UNCLEAR = "no word can be made out here: come closer to the microphone, or turn the noise down"


class Background:
    """Follows the frames of one source; belongs to the ears' thread."""

    def __init__(self, settings: TurnSettings, floor: Floor) -> None:
        self._settings = settings
        self._floor = floor
        self._level = NoiseFloor()
        self._intelligibility = Intelligibility(settings.unclear_seconds)
        self._notified = False

    def reset(self) -> None:
        """Forget them: there was a gap in what was heard."""
        self._level.reset()

    def without(self, frame: Frame, probability: float, speaking: bool) -> float:
        """The probability that the frame holds speech of the user's, and no other's."""
        if not self._settings.noise_floor:
            return probability
        threshold = self._settings.speech_threshold
        speech = probability >= threshold - HYSTERESIS
        sure = probability >= threshold
        is_voice = self._level.is_voice(
            dbfs(frame.samples),
            speech=speech,
            sure=sure,
            speaking=speaking,
            maybe_speech=probability >= MAYBE_SPEECH,
        )
        return 0.0 if speech and not is_voice else probability

    def begin(self, index: int) -> None:
        """An utterance begins at stream index `index`."""
        self._intelligibility.begin(index)

    def is_doubtful(self, index: int) -> bool:
        """Whether it is time to look at the utterance, even where nobody looks as a rule."""
        return self._intelligibility.is_doubtful(index)

    def follow(self, turn: Turn, index: int) -> None:
        """The utterance goes on at stream index `index`."""
        self._intelligibility.note(index, turn.number, turn.readings, turn.understood, turn.reading)

    def end_of_user(self, turn: Turn, index: int) -> int | None:
        """Up to which stream index the utterance was the user's, where they have said a sentence
        and others go on; None where that cannot be told."""
        if not self._intelligibility.is_left(index):
            return None
        if completeness_of(turn.reading, turn.language) > Completeness.STATEMENT:
            return None
        self._level.reject_voice()
        return self._intelligibility.since

    def is_unintelligible(self, turn: Turn, index: int) -> bool:
        """Whether no word of the utterance could be made out for too long. The turn is over then,
        and the user told: once, until something is understood again."""
        if not self._intelligibility.is_lost(index):
            return False
        self._floor.cancel(turn, "no_speech", "no word could be made out of it")
        self._level.reject_voice()
        if not self._notified:
            self._notified = True
            self._floor.bus.emit(ev.Notice(text=UNCLEAR))
            self._floor.play_earcon("unclear")
        return True

    def ended(self, turn: Turn) -> None:
        """A turn is over; if it was understood, the next time that nothing is will be told."""
        self._notified = self._notified and not turn.question
