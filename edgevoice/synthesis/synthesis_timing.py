"""Synthesizes clauses as parts of one reply, and measures the rates for the clause cuts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from edgevoice.agent.speech_rate import SpeechRate
from edgevoice.audio import Audio, Mark
from edgevoice.protocols import Cancelled, Synthesizer
from edgevoice.settings import TtsSettings
from edgevoice.synthesis.silence_trimming import held_up, shortened

SPACING = 0.1
"""Initial value for the seconds from a clause's first piece to its second."""
SYNTHESIS_SAFETY = 1.25
"""Safety factor for that time."""
UNCOUNTED_SECONDS = 0.03
"""Seconds of the first piece that do not count: a speaker takes audio in blocks of a third of its
latency, and resampling holds a little back. Most first pieces last 0.17 to 0.23 s; one of 0.1 s
("In Italian", after a long silence) was too short."""
EASE = 0.5
"""Weight of a faster measurement; a slower one replaces the value at once."""


class TimedSynthesis:
    """Synthesizes clauses with one voice, and measures `rate` by the clock `now`."""

    def __init__(
        self,
        voice: Synthesizer,
        settings: TtsSettings,
        rate: SpeechRate,
        now: Callable[[], float],
    ) -> None:
        self._voice = self._normal = voice
        self._speed = 1.0
        self._shortens_silence = settings.shorten_silence
        self._rate = rate
        self._now = now
        self._spacing = SPACING

    def set_speed(self, factor: float) -> None:
        """Speak by a factor faster than the setting says, if the voice can."""
        if factor != self._speed:
            self._speed = factor
            at_speed = getattr(self._normal, "at_speed", None)
            if at_speed is not None:
                self._voice = self._normal if factor == 1.0 else at_speed(factor)

    def sound(self, spoken: str, cancelled: Cancelled, *, first: bool) -> Iterator[Audio]:
        """The audio of the clause `spoken`, piece by piece.

        `first`: it is the first clause of the reply. Its first piece is held back until it is long
        enough to last until the next one is ready.
        """
        began = self._now()
        until_first = seconds = 0.0
        held: Audio | None = None
        missed: tuple[Mark, ...] = ()
        text = held_up(spoken) if self._shortens_silence else spoken
        for audio in self._timed(text, cancelled):
            heard = audio
            if self._shortens_silence:
                shorter = shortened(audio, spoken, first=first and held is None)
                if shorter is None:
                    dropped = audio.marked(missed + (audio.marks or ()), -len(audio.samples))
                    missed = dropped.marks or ()
                    continue
                heard = shorter
                if missed and heard.marks is not None:
                    heard, missed = heard.marked(missed + heard.marks), ()
            if held is not None:
                heard = _joined(held, heard)
            if (
                first
                and heard.left
                and heard.seconds < SYNTHESIS_SAFETY * self._spacing + UNCOUNTED_SECONDS
            ):
                held = heard
                continue
            if not seconds:
                until_first = self._now() - began
            first, held = False, None
            seconds += heard.seconds
            yield heard
        if held is not None and not cancelled():  # the voice announced more audio than it made
            seconds += held.seconds
            yield held
        if seconds and not cancelled():
            self._rate.said(len(spoken), until_first, seconds)

    def _timed(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        """The voice's pieces; measures the time from the first to the second one."""
        last: float | None = None
        for number, audio in enumerate(self._voice.synthesize(text, cancelled)):
            if number == 1 and last is not None:
                took = self._now() - last
                self._spacing += (1.0 if took > self._spacing else EASE) * (took - self._spacing)
            last = self._now()
            yield audio


def _joined(one: Audio, other: Audio) -> Audio:
    both = Audio(np.concatenate([one.samples, other.samples]), one.rate, other.left)
    if other.marks is None:
        return both
    later = (mark.moved(len(one.samples)) for mark in other.marks)
    return both.marked((*(one.marks or ()), *later))
