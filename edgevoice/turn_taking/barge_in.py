"""Barge-in: decides from voice and words what happens to the reply.

Capture reports each frame, transcription each transcript; the floor carries out the decision. A
reply that was not interrupted goes on.
"""

from __future__ import annotations

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Utterance
from edgevoice.protocols import Transcript
from edgevoice.settings import Config, TurnSettings
from edgevoice.turn import Turn
from edgevoice.turn_records import Classification
from edgevoice.turn_taking.backchannels import is_backchannel, is_stop
from edgevoice.turn_taking.floor import Floor
from edgevoice.turn_taking.interruption import (
    RESTORE_MS,
    Action,
    Interruption,
    classify,
    is_doubtful,
)

FRAME_MS = 1000 * FRAME_SAMPLES / CAPTURE_RATE


class VoiceOnset:
    """Finds where a voice began that is no turn yet, with only short silences since."""

    def __init__(self) -> None:
        self.since: int | None = None
        """Stream index of its first sample, or None."""
        self._end = 0

    def follow(self, index: int, voiced: bool, turn: Turn | None) -> None:
        """Take the frame at stream index `index`; `turn` is the current utterance's, if any."""
        if turn is not None:
            self.since = None
        elif voiced:
            self._end = index + FRAME_SAMPLES
            self.since = index if self.since is None else self.since
        elif index - self._end >= RESTORE_MS * CAPTURE_RATE // 1000:
            self.since = None


class AcousticBargeIn:
    """Barge-in by voiced time; runs in capture's thread."""

    def __init__(self, settings: TurnSettings, floor: Floor) -> None:
        self._floor = floor
        self._interruption = Interruption(settings)
        self._unclear: Turn | None = None

    def step(self, turn: Turn | None, voiced: bool) -> None:
        """Take the next frame; `turn` is the current utterance's, if any."""
        if turn is not None:
            self._unclear = turn
        elif self._unclear is not None and self._unclear.tentative and self._unclear.live:
            # It has ended, but is not transcribed yet.
            turn = self._unclear
        if turn is None:
            is_voice = voiced and self._floor.turns.answering
            action = self._interruption.listen(is_voice, FRAME_MS)
            if action is not None:
                self._floor.playback.duck(action is Action.DUCK)
            return
        if not (turn.tentative and turn.live):
            return
        words = turn.transcription
        spoken, classified = 1000 * turn.speech.voiced, 1000 * words.classified_voiced
        match self._interruption.follow(voiced, FRAME_MS, spoken, words.classification, classified):
            case Action.PAUSE:
                self._floor.playback.pause(turn)
            case Action.STOP:
                self._floor.confirm(turn)
            case Action.RESUME:
                self._floor.playback.resume(turn)
            case Action.DISMISS:
                self._floor.cancel(turn, "no_speech", "a sound without words")

    def begin(self) -> None:
        """Another utterance begins."""
        self._interruption.reset()

    def reset(self) -> None:
        """Stop following, and play the reply as loudly as before."""
        self._interruption.reset()
        self._floor.playback.duck(False)


class LexicalBargeIn:
    """Barge-in by words; runs in transcription's threads."""

    def __init__(self, config: Config, floor: Floor) -> None:
        self._settings = config
        self._floor = floor

    def interim(self, turn: Turn, transcript: Transcript, said: Utterance) -> None:
        """Take an interim transcript."""
        if not turn.tentative:
            return
        speech, words = turn.speech, turn.transcription
        voiced = speech.voiced
        whole = speech.silent and said.end >= speech.voiced_end
        stt = self._settings.stt
        classification = classify(transcript, said.seconds, voiced, stt, whole=whole)
        words.classification, words.classified_voiced = classification, voiced
        if classification in (Classification.STOP, Classification.WORDS):
            self._floor.confirm(turn)
        elif whole and not self._settings.turn.speculate:
            # Without speculation there is no final transcript in the pause.
            if classification is Classification.BACKCHANNEL:
                self._floor.cancel(turn, "backchannel", transcript.text)
            elif classification is Classification.NO_WORDS:
                self._floor.cancel(turn, "no_speech")

    def are_to_be_answered(self, turn: Turn, transcript: Transcript) -> bool:
        """Take the final transcript; returns whether it is to be answered."""
        if turn.interrupts is None:
            return True
        text, language = transcript.text, transcript.language
        stop, voiced = is_stop(text, language), turn.speech.voiced
        if turn.tentative and not stop and is_backchannel(text, language):
            self._floor.cancel(turn, "backchannel", text)
            return False
        if turn.tentative and not stop and is_doubtful(transcript, voiced, self._settings.stt):
            self._floor.cancel(turn, "no_speech", "too uncertain to end a reply")
            return False
        self._floor.confirm(turn)
        if stop:
            self._floor.cancel(turn, "stop_command", text)
        return not stop
