"""The noise floor of background voices: a voice must be louder to be the user's.

Pure. A speech detector takes the babble of a café for speech. The user's voice differs in two
ways: it is louder than the background before it, and it has gaps. Noise that the detector rejects,
for example rain or a fan, does not count, however loud it is. Levels are dBFS of frames.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES

MAYBE_SPEECH = 0.15
"""Speech probability from which a frame may be speech. Babble reaches it in 93 to 97 % of its
frames, a song in 59 %, music in 1 to 6 %, other noise hardly ever."""

LEVEL_FRAMES = 4
"""Frames that a level is measured over, 128 ms: any speech has a loud sound in that time."""

HISTORY_FRAMES = 310
"""Frames of history, ten seconds."""
LEAST_FRAMES = 30
"""Least frames of background, one second, before its level is known."""

DECEIVING = 12
"""Background frames that may be speech, one in 25 of the history, from which the level is used. In
rain or with dishes as loud as the voice the detector needs no help, and would miss 14 of 40
speakers with it."""
ABOVE = 6.0
"""dB above the 90th percentile of such a background from which a voice is the user's. With three,
in café babble 10 dB below the voice, the end is found as late as without a noise floor."""

SOFTEST = 25
"""Percent of the quietest frames that are searched for gaps. If half of them may be speech, there
is no gap, and several people are speaking."""
ABOVE_GAPS = 9.0
"""dB above the quietest tenth from which a voice is the user's then: six has little effect, fifteen
misses speakers in a crowd."""
TO_BEGIN = 3.0
"""More dB for an utterance to begin."""
ABOVE_MIDDLE = 6.0
"""Limit of that level, in dB above the median: a steady noise has no quiet moments, either."""
LEAST_HEARD = 94
"""Least frames, three seconds, in which a single voice has gaps."""

CLOSED = 46
"""Frames, one and a half seconds, in which a single voice has at least two gaps, however fast."""
DEPTH = 15.0
"""dB between the loud moments of a single voice and its two quietest frames in that time. Measured:
15 to 76 for letters read at up to 1.6 times the usual speed, 3 to 10 in a café, 7 to 14 in a
crowded room in eight of ten cases, 9 to 22 for a voice 10 dB above babble."""

BELOW = 3.0
"""Limit of both levels, in dB below the user's own loud moments, so that a quiet user is still
heard. With six, ten of twenty turns do not end in babble 5 dB below the voice; with three, seven,
and three with all rules here."""
VOICE_DECAY_DB = 1.0 * FRAME_SAMPLES / CAPTURE_RATE
"""Decay of the user's voice level in dB a frame, one a second. Otherwise babble after the last word
would count as the user's voice after five seconds."""
VOICE_FRAMES = 150
"""Frames of the user's voice that its level is measured over, five seconds."""
LEAST_VOICED_FRAMES = 10


class NoiseFloor:
    """Follows one stream, frame by frame."""

    def __init__(self) -> None:
        self._background: deque[float] = deque(maxlen=HISTORY_FRAMES)
        self._deceiving: deque[bool] = deque(maxlen=HISTORY_FRAMES)
        self._heard: deque[float] = deque(maxlen=HISTORY_FRAMES)
        self._maybe_speech: deque[bool] = deque(maxlen=HISTORY_FRAMES)
        self._voice: deque[float] = deque(maxlen=VOICE_FRAMES)
        self._powers: deque[float] = deque(maxlen=LEVEL_FRAMES)
        self._levels: deque[float] = deque(maxlen=CLOSED)
        self._voice_level = -np.inf

    def reset(self) -> None:
        """Forget the background: the microphone or the place is another one."""
        for levels in (self._background, self._heard, self._powers, self._levels):
            levels.clear()
        self._deceiving.clear()
        self._maybe_speech.clear()
        self._forget_voice()

    def is_voice(
        self, level: float, *, speech: bool, sure: bool, speaking: bool, maybe_speech: bool
    ) -> bool:
        """Whether a frame of `level` dBFS is the user's voice.

        The detector's verdict on it: `maybe_speech`, `speech`, or `sure` enough to begin an
        utterance. `speaking`: an utterance is under way.
        """
        self._levels.append(level)
        self._powers.append(10.0 ** (level / 10.0))
        mean = _decibels(sum(self._powers) / len(self._powers))
        self._heard.append(mean)
        self._maybe_speech.append(maybe_speech)
        self._voice_level -= VOICE_DECAY_DB
        if not speaking:
            self._forget_voice()
            self._deceiving.append(maybe_speech)
            if not sure:
                self._background.append(mean)
        if not speech:
            return False
        loudest = _decibels(max(self._powers))
        self._voice.append(loudest)
        return loudest >= self._least(speaking)

    def reject_voice(self) -> None:
        """The frames taken for the user's voice were background: count them as such."""
        self._background.extend(self._voice)
        self._deceiving.extend([True] * len(self._voice))
        self._forget_voice()

    def _forget_voice(self) -> None:
        self._voice.clear()
        self._voice_level = -np.inf

    def _least(self, speaking: bool) -> float:
        """The level from which a frame is the user's voice, in dBFS."""
        least = self._above_gaps(speaking)
        if len(self._background) >= LEAST_FRAMES and sum(self._deceiving) >= DECEIVING:
            least = max(least, _share(self._background, 90) + ABOVE)
        if len(self._voice) >= LEAST_VOICED_FRAMES:
            self._voice_level = max(self._voice_level, _share(self._voice, 75))
            least = min(least, self._voice_level - BELOW)
        return least

    def _above_gaps(self, speaking: bool) -> float:
        """The same level, from the gaps between loud frames."""
        if len(self._heard) < LEAST_HEARD or (speaking and self._closes()):
            return -np.inf
        levels = np.array(self._heard)
        gaps, soft, middle = np.percentile(levels, (10, SOFTEST, 50))
        if float(np.mean(np.array(self._maybe_speech)[levels <= soft])) < 0.5:
            return -np.inf
        above = ABOVE_GAPS if speaking else ABOVE_GAPS + TO_BEGIN
        return min(float(gaps) + above, float(middle) + ABOVE_MIDDLE)

    def _closes(self) -> bool:
        """Whether the gaps are as deep as those of a single voice."""
        softest = sorted(self._levels)[1]
        return _share(self._levels, 75) - softest >= DEPTH


def _decibels(power: float) -> float:
    return 10.0 * float(np.log10(power + 1e-12))


def _share(levels: deque[float], percent: int) -> float:
    """A percentile of the levels."""
    return float(np.percentile(levels, percent))
