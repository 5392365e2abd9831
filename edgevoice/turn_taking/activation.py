"""Whether what is heard is meant for the assistant, and what of it is only the wake word.

Pure: it counts the samples of the stream, and knows neither clocks nor detectors.
"""

from __future__ import annotations

from difflib import SequenceMatcher

from edgevoice.audio import EAR_RATE, FRAME_SAMPLES
from edgevoice.settings import ActivationSettings, WakeSettings
from edgevoice.words import plain

ALONE = EAR_RATE // 2
"""Samples without a voice after a wake word that mean it came alone."""

LIKE = 0.6
"""How alike words and the wake word are for these to be it: recognizers write "A Jarvis" or
"Page-Jorvis" for "Hey Jarvis"; of other words "Travis" comes nearest, with 0.67 of "Jarvis"."""


class Activation:
    """Follows one stream of frames of `FRAME_SAMPLES` samples; every frame goes through `step`.

    With a wake word, `called` opens it, and it stays open while somebody speaks or is answered, and
    for a while after that.
    """

    def __init__(self, activation: ActivationSettings, wake: WakeSettings) -> None:
        self._settings = activation
        self._follow_up = int(activation.follow_up_seconds * EAR_RATE)
        self._listen = int(wake.listen_seconds * EAR_RATE)
        self._until = 0
        self._alone: int | None = None
        self.awake = activation.mode == "always"
        """Whether it is addressed by now; in the mode `always` it always is."""

    def called(self, end: int) -> None:
        """The wake word was said; its sound ends before stream index `end`."""
        self.awake = True
        self._until = max(self._until, end + self._listen)
        self._alone = end + ALONE

    def sleep(self) -> None:
        """Nobody is listened to any more, until the next call."""
        self._until, self._alone = 0, None
        self.awake = self._settings.mode == "always"

    def step(self, index: int, *, held: bool, hearing: bool, answering: bool) -> bool:
        """Take the frame that begins at `index`; whether it is to be listened to.

        `held`: the key is on; `hearing`: an utterance is under way; `answering`: a reply is being
        thought of or heard.
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
        """True once, when nothing was said for a moment after the wake word."""
        if self._alone is None or index < self._alone:
            return False
        self._alone = None
        return True


def without_wake_word(text: str, phrase: str, within: bool = False) -> str:
    """`text` less the wake word `phrase` that it begins with, if it does.

    Of "Hey Jarvis, what time is it?" there remains "what time is it?"; of "Jarvis." nothing. With
    `within` the wake word may come later, and what was said before it is left out, too.
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
