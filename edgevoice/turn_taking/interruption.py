"""Interruptions: what happens to a reply while a voice may be interrupting it.

Pure: it uses voiced time and the kind of words, not clocks or speakers. Until the words are known,
every action can be undone: the reply is ducked, then paused, and resumes if it was not interrupted.
Only words, or a voice that goes on, end it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edgevoice.protocols import Transcript
from edgevoice.settings import SttSettings, TurnSettings
from edgevoice.turn_records import Classification
from edgevoice.turn_taking.backchannels import is_backchannel, is_stop, telling
from edgevoice.turn_taking.hallucinations import is_nobody

RESTORE_MS = 256
"""Silence in ms that ends ducking: longer than between two words."""

MOST_WORDLESS_MS = 3000
"""Voiced time in ms without words after which a sound is dismissed."""

MOST_PAUSED_MS = 1500
"""Silence in ms after which the reply resumes though the words are still unknown."""

SHORT_SECONDS = 0.6
"""Voiced time in seconds below which probable non-speech has no words."""

WORDS_AT_ONCE = 2
"""Words that make an unfinished utterance an interruption: a single one may be a cough."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Voiced times in milliseconds: until the reply is ducked, until a turn begins, until the reply
    pauses, and until it ends without any known word."""

    duck_ms: int
    notice_ms: int
    pause_playback_ms: int
    stop_playback_ms: int


INTERRUPTION_PRESETS: dict[str, Thresholds] = {
    "eager": Thresholds(32, 160, 160, 800),
    "normal": Thresholds(64, 256, 256, 1200),
    "careful": Thresholds(96, 256, 640, 1600),
}


def thresholds(settings: TurnSettings) -> Thresholds:
    """The thresholds that are set, else those of the preset."""
    preset = INTERRUPTION_PRESETS[settings.interruption]
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
    """The kind of words in a transcript; None if it is not clear yet.

    `seconds` is the length of the clip, `voiced_seconds` its voiced time. `whole`: no speech
    follows.
    """
    if is_nobody(transcript, seconds, voiced_seconds, settings) is not None:
        return Classification.NO_WORDS
    text, language = transcript.text, transcript.language
    if is_stop(text, language):
        return Classification.STOP
    if is_backchannel(text, language):
        return Classification.BACKCHANNEL
    if is_doubtful(transcript, voiced_seconds, settings):
        return Classification.NO_WORDS
    if whole or telling(text, language) >= WORDS_AT_ONCE:
        return Classification.WORDS
    return None


def is_doubtful(transcript: Transcript, voiced_seconds: float, settings: SttSettings) -> bool:
    """Whether words are too uncertain to end a reply, for example a "mhm" taken for a name."""
    return transcript.no_speech > settings.no_speech and voiced_seconds < SHORT_SECONDS


class Action(Enum):
    """What to do with the reply."""

    DUCK = "duck"
    RESTORE = "restore"
    PAUSE = "pause"
    STOP = "stop"
    """End the reply: the voice goes on."""
    RESUME = "resume"
    """Resume for now: the words are still unknown."""
    DISMISS = "dismiss"
    """Resume: the sound has no words."""


class Interruption:
    """Follows the frames during a reply."""

    def __init__(self, settings: TurnSettings) -> None:
        self._thresholds = thresholds(settings)
        self.reset()

    def reset(self) -> None:
        """Forget the current sound."""
        self._run_ms = 0.0
        self._quiet_ms = 0.0
        self._ducked = False
        self._paused = False

    def listen(self, voiced: bool, ms: float) -> Action | None:
        """Take `ms` of sound before a turn begins."""
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
        """Take the next `ms` of a turn with `voiced_ms` of voice; `classification` covers the first
        `classified_ms` of it."""
        self._ducked = False
        self._run_ms = 0.0
        self._quiet_ms = 0.0 if voiced else self._quiet_ms + ms
        wordless = classification in (Classification.NO_WORDS, Classification.BACKCHANNEL)
        # A sound without words does not count; only the voice after it does.
        unread = voiced_ms - classified_ms if wordless else voiced_ms
        if unread >= self._thresholds.stop_playback_ms:
            return Action.STOP
        if classification is Classification.NO_WORDS and voiced_ms >= MOST_WORDLESS_MS:
            return Action.DISMISS
        if self._paused and self._quiet_ms >= MOST_PAUSED_MS:
            self._paused = False
            return Action.RESUME
        if voiced and not self._paused and voiced_ms >= self._thresholds.pause_playback_ms:
            self._paused = True
            return Action.PAUSE
        return None
