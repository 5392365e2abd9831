"""Activation: whether the assistant listens, and which part of a transcript is the wake word.

Pure: it counts samples of the stream, and uses neither clocks nor detectors.
"""

from __future__ import annotations

from difflib import SequenceMatcher

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES
from edgevoice.settings import ActivationSettings, WakeSettings
from edgevoice.words import plain

ALONE = CAPTURE_RATE // 2
"""Silent samples after a wake word that mean it came alone."""

LIKE = 0.6
"""Least similarity of words and the wake word: recognizers write "A Jarvis" or "Page-Jorvis" for
"Hey Jarvis". "Travis" has 0.67 of "Jarvis", the most of other words."""


class Activation:
    """Follows one stream of frames of `FRAME_SAMPLES` samples; every frame goes through `step`.

    With a wake word, `called` activates it. It stays active during speech and replies, and for the
    follow-up time after them.
    """

    def __init__(self, activation: ActivationSettings, wake: WakeSettings) -> None:
        self._settings = activation
        self._follow_up = int(activation.follow_up_seconds * CAPTURE_RATE)
        self._listen = int(wake.listen_seconds * CAPTURE_RATE)
        self._until = 0
        self._alone: int | None = None
        self.awake = activation.mode == "always"
        """Whether it is active; always in the mode `always`."""

    def called(self, end: int) -> None:
        """The wake word was detected; its audio ends before stream index `end`."""
        self.awake = True
        self._until = max(self._until, end + self._listen)
        self._alone = end + ALONE

    def sleep(self) -> None:
        """Deactivate until the next wake word."""
        self._until, self._alone = 0, None
        self.awake = self._settings.mode == "always"

    def step(self, index: int, *, held: bool, hearing: bool, answering: bool) -> bool:
        """Take the frame that begins at `index`; returns whether it passes.

        `held`: the key is on; `hearing`: an utterance is under way; `answering`: a reply is being
        generated or played.
        """
        mode = self._settings.mode
        if mode == "always":
            return True
        if held or hearing:
            self._alone = None
        if mode == "push":
            self.awake = held or hearing
            return self.awake
        if held or hearing or (self.awake and answering):
            self.awake = True
            self._until = max(self._until, index + FRAME_SAMPLES + self._follow_up)
            return held or hearing or self._settings.interrupt == "speech"
        self.awake = index < self._until
        if not self.awake:
            self._alone = None
        return self.awake

    def came_alone(self, index: int) -> bool:
        """True once, if a short silence follows the wake word."""
        if self._alone is None or index < self._alone:
            return False
        self._alone = None
        return True


def without_wake_word(text: str, phrase: str, within: bool = False) -> str:
    """`text` without the wake word `phrase` at its beginning.

    "Hey Jarvis, what time is it?" becomes "what time is it?", "Jarvis." becomes empty. `within`:
    the wake word may come later; then the words before it are removed, too.
    """
    names = {plain(phrase.replace(" ", "")), plain((phrase.split() or [""])[-1])}
    said = text.split()
    likeness, rest = LIKE, 0
    for start in range(len(said) if within else min(1, len(said))):
        for end in range(start + 1, min(len(said), start + len(phrase.split()) + 1) + 1):
            words = plain("".join(said[start:end]))
            for name in names:
                alike = SequenceMatcher(None, words, name).ratio()
                if alike > likeness:
                    likeness, rest = alike, end
    return " ".join(said[rest:])
