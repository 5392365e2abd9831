"""Notices a voice that fades, before the speech detector notices the silence. Pure."""

from __future__ import annotations

import numpy as np

from edgevoice.audio import FRAME_SAMPLES, Samples

FAINT = 0.125
"""Loudness of a faint frame in relation to the voice: 18 dB less."""
FORGETTING = 0.98
"""Factor per frame for the loudness of the voice: a speaker may go on more quietly."""
TAIL_SAMPLES = 2 * FRAME_SAMPLES
"""Longest faint end of a voice without words. Silero takes as much of it for speech after half of
the last words."""


class FadingVoice:
    """Follows the frames of one utterance."""

    def __init__(self) -> None:
        self._loudness = 0.0
        self.loud_end = 0
        """Stream index after the last frame that was not faint."""
        self.words_end = 0
        """Stream index up to which there may be words: only a short faint tail follows."""

    def push(self, samples: Samples, end: int) -> None:
        """Take a voiced frame, float32 [n], that ends at stream index `end`."""
        loudness = float(np.sqrt(np.mean(np.square(samples))))
        self._loudness = max(loudness, FORGETTING * self._loudness)
        if loudness >= FAINT * self._loudness:
            self.loud_end = end
        self.words_end = max(self.loud_end, end - TAIL_SAMPLES)
