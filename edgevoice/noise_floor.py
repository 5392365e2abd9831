"""The level of what goes on around the speaker, above which a voice is taken for theirs.

Pure. A speech detector takes the babble of a café for speech, because it is; what tells it from the
speaker's own voice is that it is no louder than what was there before they spoke. Levels are dBFS
of frames.
"""

from __future__ import annotations

from collections import deque

import numpy as np

FRAMES = 4
"""What a level is taken over, 128 ms: there is a loud sound in as much of anybody's speech."""

KEPT = 310
"""Frames of surroundings that are kept, ten seconds of them."""
LEAST = 30
"""Frames of surroundings, one second, before which nothing is known of them."""

ABOVE = 6.0
"""dB above the loud moments of the surroundings (nine in ten are softer) from which it is the
speaker: in café babble ten dB under them, with three, the end is noticed as late as without any."""
BELOW = 3.0
"""dB below the speaker's own loud moments to which that is limited: whoever is hardly louder than
their surroundings is heard all the same. With six, ten of twenty turns hang in babble 5 dB under
the voice; with three, seven."""
VOICED = 150
"""Frames of the speaker's voice by which that is known, five seconds of them."""
LEAST_VOICED = 10


class NoiseFloor:
    """Follows one stream, frame by frame."""

    def __init__(self) -> None:
        self._around: deque[float] = deque(maxlen=KEPT)
        self._voice: deque[float] = deque(maxlen=VOICED)
        self._powers: deque[float] = deque(maxlen=FRAMES)

    def reset(self) -> None:
        """Forget the surroundings: it is another microphone or another place."""
        self._around.clear()
        self._voice.clear()
        self._powers.clear()

    def is_voice(self, level: float, *, speech: bool, sure: bool, speaking: bool) -> bool:
        """Whether a frame of `level` dBFS is the speaker's voice.

        The detector takes it for `speech`, and is `sure` enough of it for an utterance to begin;
        `speaking` tells that one is under way.
        """
        self._powers.append(10.0 ** (level / 10.0))
        if not speaking:
            self._voice.clear()
            if not sure:
                mean = sum(self._powers) / len(self._powers)
                self._around.append(10.0 * float(np.log10(mean + 1e-12)))
        if not speech or len(self._around) < LEAST:
            return speech
        loudest = 10.0 * float(np.log10(max(self._powers) + 1e-12))
        self._voice.append(loudest)
        least = float(np.percentile(self._around, 90)) + ABOVE
        if len(self._voice) >= LEAST_VOICED:
            least = min(least, float(np.percentile(self._voice, 75)) - BELOW)
        return loudest >= least

    def mistaken(self) -> None:
        """What was taken for the speaker's voice was none: it belongs to the surroundings."""
        self._around.extend(self._voice)
        self._voice.clear()
