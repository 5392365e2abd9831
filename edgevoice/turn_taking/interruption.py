"""Whether a sound that is heard while it speaks is an interruption, and what is done meanwhile.

Pure: it knows voiced time and what words came to, not clocks or speakers. Nothing that is done
before the words are known is for good: the reply becomes quieter, then it pauses, and goes on where
it was if nobody meant to interrupt it. Only words, or a voice that goes on, end it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edgevoice.protocols import Transcript
from edgevoice.settings import SttSettings, TurnSettings
from edgevoice.turn import Classification
from edgevoice.turn_taking.backchannels import is_backchannel, is_stop, telling
from edgevoice.turn_taking.hallucinations import is_nobody

RESTORE_MS = 256
"""Silence after which the reply is as loud as before: between two words there is less."""

MOST_WORDLESS_MS = 3000
"""Voiced time without a word in it after which a sound is taken for nobody's."""

MOST_PAUSED_MS = 1500
"""Silence after which the reply goes on though it is not known yet what was said."""

SHORT_SECONDS = 0.6
"""Voiced time under which words do not count that the recognizer takes for no speech."""

WORDS_AT_ONCE = 2
"""Words in what is still being said that make it an interruption: a single one may be a cough."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Voiced time in milliseconds after which the reply is made quieter, after which what is said
    is listened to as a turn of its own, after which the reply pauses, and after which it is over
    though no word is known."""

    duck_ms: int
    notice_ms: int
    pause_playback_ms: int
    stop_playback_ms: int


PRESETS: dict[str, Thresholds] = {
    "eager": Thresholds(32, 160, 160, 800),
    "normal": Thresholds(64, 256, 256, 1200),
    "careful": Thresholds(96, 256, 640, 1600),
}


def thresholds(settings: TurnSettings) -> Thresholds:
    """As set, else the preset's."""
    preset = PRESETS[settings.interruption]
    return Thresholds(
        settings.duck_ms or preset.duck_ms,
        settings.barge_in_ms or preset.notice_ms,
        settings.pause_playback_ms or preset.pause_playback_ms,
        settings.stop_playback_ms or preset.stop_playback_ms,
    )


def classify(
    transcript: Transcript,
    seconds: float,
    voiced_seconds: float,
    settings: SttSettings,
    *,
    whole: bool,
) -> Classification | None:
    """What has been read comes to; None where that is not clear yet.

    `seconds` is the length of the clip, `voiced_seconds` how much of it is voice. `whole` says that
    nothing was said after it.
    """
    if is_nobody(transcript, seconds, voiced_seconds, settings) is not None:
        return Classification.NOBODY
    text, language = transcript.text, transcript.language
    if is_stop(text, language):
        return Classification.STOP
    if is_backchannel(text, language):
        return Classification.BACKCHANNEL
    if is_doubtful(transcript, voiced_seconds, settings):
        return Classification.NOBODY
    if whole or telling(text, language) >= WORDS_AT_ONCE:
        return Classification.WORDS
    return None


def is_doubtful(transcript: Transcript, voiced_seconds: float, settings: SttSettings) -> bool:
    """Whether words are too unlikely to end a reply: a "mhm" that was read as somebody's name."""
    return transcript.no_speech > settings.no_speech and voiced_seconds < SHORT_SECONDS


class Action(Enum):
    """What is to be done about the reply."""

    DUCK = "duck"
    RESTORE = "restore"
    PAUSE = "pause"
    STOP = "stop"
    """It is over: somebody speaks who does not stop."""
    RESUME = "resume"
    """It goes on for now: what was said is still being read."""
    DISMISS = "dismiss"
    """It goes on: what is heard has no words."""


class Interruption:
    """Follows the frames that are heard while a reply is."""

    def __init__(self, settings: TurnSettings) -> None:
        self._thresholds = thresholds(settings)
        self.reset()

    def reset(self) -> None:
        """Nothing is heard."""
        self._run_ms = 0.0
        self._quiet_ms = 0.0
        self._ducked = False
        self._paused = False

    def listen(self, voiced: bool, ms: float) -> Action | None:
        """Take `ms` of sound, before anything is listened to as a turn."""
        self._paused = False
        if voiced:
            self._run_ms += ms
            self._quiet_ms = 0.0
            if not self._ducked and self._run_ms >= self._thresholds.duck_ms:
                self._ducked = True
                return Action.DUCK
            return None
        self._run_ms = 0.0
        self._quiet_ms += ms
        if self._ducked and self._quiet_ms >= RESTORE_MS:
            self._ducked = False
            return Action.RESTORE
        return None

    def follow(
        self,
        voiced: bool,
        ms: float,
        voiced_ms: float,
        classification: Classification | None,
        classified_ms: float,
    ) -> Action | None:
        """Take the next `ms` of a turn of `voiced_ms` of voice, which came to `sense` when
        `classified_ms` of it had been read."""
        self._ducked = False
        self._run_ms = 0.0
        self._quiet_ms = 0.0 if voiced else self._quiet_ms + ms
        wordless = classification in (Classification.NOBODY, Classification.BACKCHANNEL)
        # What was found to be nothing counts no longer; only what came after it does.
        unread = voiced_ms - classified_ms if wordless else voiced_ms
        if unread >= self._thresholds.stop_playback_ms:
            return Action.STOP
        if classification is Classification.NOBODY and voiced_ms >= MOST_WORDLESS_MS:
            return Action.DISMISS
        if self._paused and self._quiet_ms >= MOST_PAUSED_MS:
            self._paused = False
            return Action.RESUME
        if voiced and not self._paused and voiced_ms >= self._thresholds.pause_playback_ms:
            self._paused = True
            return Action.PAUSE
        return None
