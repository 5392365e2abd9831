"""Earcons, and the short spoken answer to a wake word that came alone.

They are not part of a reply. Nothing waits for them, and a full queue drops them.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from edgevoice.audio import Audio, Samples
from edgevoice.messages import Cue
from edgevoice.settings import Config

EarconKind = Literal["called", "woke", "slept", "muted", "unmuted", "failed", "unclear", "ring"]
"""`called`: by a wake word that came alone; `woke`: by a key; `unclear`: no intelligible word for
too long."""

EARCON_RATE = 24_000
PEAK = 0.07
"""Share of full scale, -23 dB: about 10 dB below a voice."""

NOTES: dict[EarconKind, tuple[tuple[float, float], ...]] = {
    "called": ((659.3, 0.07), (880.0, 0.11)),
    "woke": ((880.0, 0.07),),
    "slept": ((880.0, 0.07), (659.3, 0.11)),
    "muted": ((440.0, 0.06), (330.0, 0.09)),
    "unmuted": ((330.0, 0.06), (440.0, 0.09)),
    "unclear": ((440.0, 0.07), (415.3, 0.07), (440.0, 0.09)),
    "failed": ((311.1, 0.12), (0.0, 0.05), (311.1, 0.12)),
    "ring": 2 * (*(2 * ((987.8, 0.11), (0.0, 0.06))), (1318.5, 0.22), (0.0, 0.25)),
}
"""Notes of each earcon: Hz (0: a rest) and seconds. Rising means open, falling closed."""

LOUD: frozenset[EarconKind] = frozenset({"ring"})
"""Earcons that are as loud as a voice: they are for somebody who does not expect them."""
LOUD_FACTOR = 3.0

EDGE = 0.012
"""Fade-in and fade-out of a note in seconds, against clicks."""


def earcon(kind: EarconKind) -> Audio:
    """The earcon of a kind, at `EARCON_RATE` Hz."""
    factor = np.float32(LOUD_FACTOR if kind in LOUD else 1.0)
    return Audio(factor * np.concatenate([_note(*note) for note in NOTES[kind]]), EARCON_RATE)


def _note(pitch: float, seconds: float) -> Samples:
    time = np.arange(int(seconds * EARCON_RATE)) / EARCON_RATE
    swell = np.minimum(1.0, np.minimum(time, time[::-1]) / EDGE)
    tone = np.sin(2 * np.pi * pitch * time) + 0.2 * np.sin(4 * np.pi * pitch * time)
    return (PEAK / 1.2 * np.sin(swell * np.pi / 2) ** 2 * tone).astype(np.float32)


class Earcons:
    """The earcons of one configuration."""

    def __init__(self, config: Config) -> None:
        activation = config.activation
        self._on = activation.earcons == "on" or (
            activation.earcons == "auto" and activation.mode != "always"
        )
        self.words = config.wake.reply.strip() if activation.mode == "wake" else ""
        """The spoken answer to the wake word alone; synthesized in advance."""
        self.spoken: Audio | None = None
        """Its audio; written by synthesis."""

    def sound(self, kind: EarconKind) -> Cue | None:
        """The sound to play, if any."""
        if kind == "called" and self.spoken is not None:
            return Cue(self.spoken)
        return Cue(earcon(kind)) if self._on else None
