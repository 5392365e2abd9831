"""What else is to be heard in a room: voices that begin at a sample, and noise that goes on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgevoice.audio import Samples


@dataclass(slots=True)
class MixedSound:
    """float32 [n] whose first sample is number `begin` of the stream; None: not known yet."""

    id: int
    samples: Samples
    begin: int | None = None

    @property
    def end(self) -> int | None:
        return None if self.begin is None else self.begin + len(self.samples)


class Mixer:
    """Adds sounds and a bed of noise to a stream, to the sample.

    `bed` is played over and over from its beginning; empty is silence.
    """

    def __init__(self) -> None:
        self.sounds: list[MixedSound] = []
        self.bed: Samples = np.zeros(0, dtype=np.float32)
        self._bed_at = 0

    def add(self, sound: MixedSound) -> None:
        """Have it heard from the sample on that it begins with."""
        self.sounds.append(sound)

    def drop(self, id: int | None = None) -> None:
        """Hear no more of a sound, or of all."""
        self.sounds = [s for s in self.sounds if id is not None and s.id != id]

    def into(self, block: Samples, number: int) -> None:
        """Add all that is heard from sample `number` of the stream on to float32 [n]."""
        self._lay(block)
        for sound in self.sounds:
            if sound.begin is None:
                continue
            start = sound.begin - number
            first, last = max(0, start), min(len(block), start + len(sound.samples))
            if first < last:
                block[first:last] += sound.samples[first - start : last - start]

    def _lay(self, block: Samples) -> None:
        bed = self.bed
        done = 0
        while len(bed) and done < len(block):
            at = self._bed_at % len(bed)
            count = min(len(block) - done, len(bed) - at)
            block[done : done + count] += bed[at : at + count]
            done += count
            self._bed_at = at + count
