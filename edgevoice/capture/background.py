"""Background voices: keeps them out of utterances, and gives up when nothing is intelligible."""

from __future__ import annotations

from edgevoice import events as ev
from edgevoice.audio import Frame, dbfs
from edgevoice.capture.intelligibility import Intelligibility
from edgevoice.capture.noise_floor import MAYBE_SPEECH, NoiseFloor
from edgevoice.context import StageContext
from edgevoice.turn import Turn
from edgevoice.turn_taking.completeness import Completeness, completeness_of
from edgevoice.turn_taking.endpointing import HYSTERESIS

UNCLEAR = "speech is not intelligible here: come closer to the microphone, or reduce the noise"


class Background:
    """Follows the frames of one source; runs in capture's thread."""

    def __init__(self, context: StageContext) -> None:
        settings = context.config.turn
        self._settings = settings
        self._floor = context.floor
        self._bus = context.bus
        self._play_earcon = context.play_earcon
        self._level = NoiseFloor()
        self._intelligibility = Intelligibility(settings.unclear_seconds)
        self._notified = False

    def reset(self) -> None:
        """Forget the background: frames are missing."""
        self._level.reset()

    def without(self, frame: Frame, probability: float, speaking: bool) -> float:
        """The probability that the frame holds the user's speech; 0 for background voices."""
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
        """Whether to transcribe the utterance now, even if interim transcripts are off."""
        return self._intelligibility.is_doubtful(index)

    def follow(self, turn: Turn, index: int) -> None:
        """Note the transcripts of the utterance at stream index `index`."""
        words = turn.transcription
        self._intelligibility.note(
            index, turn.number, words.transcripts, words.accepted_words, words.text
        )

    def end_of_user(self, turn: Turn, index: int) -> int | None:
        """Stream index at the end of the user's speech, if they have finished a sentence and
        background voices go on; else None."""
        if not self._intelligibility.is_left(index):
            return None
        words = turn.transcription
        if completeness_of(words.text, words.language) > Completeness.STATEMENT:
            return None
        self._level.reject_voice()
        return self._intelligibility.since

    def is_unintelligible(self, turn: Turn, index: int) -> bool:
        """Whether the utterance had no intelligible word for too long. Then the turn is cancelled,
        and the user gets one notice until something is understood again."""
        if not self._intelligibility.is_lost(index):
            return False
        self._floor.cancel(turn, "no_speech", "no intelligible word")
        self._level.reject_voice()
        if not self._notified:
            self._notified = True
            self._bus.emit(ev.Notice(text=UNCLEAR))
            self._play_earcon("unclear")
        return True

    def ended(self, turn: Turn) -> None:
        """A turn has ended; if it was understood, the next notice is allowed."""
        self._notified = self._notified and not turn.question
