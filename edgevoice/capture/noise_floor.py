"""The level of what goes on around the speaker, above which a voice is taken for theirs.

Pure. A speech detector takes the babble of a café for speech, because it is; what tells it from the
speaker's own voice is that it is no louder than what was there before they spoke, and that it never
lets up: one voice has gaps, many have none. Where the detector is not deceived, as by rain or a
fan, it alone decides, however loud that is. Levels are dBFS of frames.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from edgevoice.audio import EAR_RATE, FRAME_SAMPLES

MAYBE_SPEECH = 0.15
"""Probability of speech from which a frame is not plainly something else. Of babble 93 to 97 % of
the frames reach it, of a song 59 %, of music 1 to 6 %, of other noise hardly any."""

FRAMES = 4
"""What a level is taken over, 128 ms: there is a loud sound in as much of anybody's speech."""

KEPT = 310
"""Frames that are kept, ten seconds of them."""
LEAST = 30
"""Frames of surroundings, one second, before which nothing is known of them."""

DECEIVING = 12
"""Frames of surroundings that may be speech, one in 25 of those kept, from which they deceive the
detector: in rain and beside dishes as loud as the voice it needs no help, and 14 of 40 speakers are
missed with it."""
ABOVE = 6.0
"""dB above the loud moments of such surroundings (nine in ten are softer) from which it is the
speaker: in café babble ten dB under them, with three, the end is noticed as late as without any."""

SOFTEST = 25
"""Percent of all that was heard among which gaps are looked for: where half of them may be speech,
there are none, and more than one is speaking."""
ABOVE_GAPS = 9.0
"""dB above the softest tenth of that from which it is the speaker: with six it tells little, and
with fifteen speakers are missed in a crowd."""
TO_BEGIN = 3.0
"""As many more for an utterance to begin: what is in doubt then is all of it."""
ABOVE_MIDDLE = 6.0
"""dB above the middle of all that was heard to which that is limited: a steady noise has no soft
moments, either."""
LEAST_HEARD = 94
"""Frames, three seconds, in which one voice that goes on has gaps: less tells nothing."""

CLOSED = 46
"""Frames, a second and a half, in which one voice closes its lips at least twice, however hasty."""
DEPTH = 15.0
"""dB between the loud moments of one voice and the softest two frames in that time. In letters read
at up to 1.6 times the usual speed it is 15 to 76, in a café 3 to 10, in a crowded room 7 to 14 in
eight of ten cases, in a voice 10 dB above babble 9 to 22."""

BELOW = 3.0
"""dB below the speaker's own loud moments to which both are limited: whoever is hardly louder than
their surroundings is heard all the same. With six, ten of twenty turns hang in babble 5 dB under
the voice; with three, seven, and three with all that is here."""
FADE = 1.0 * FRAME_SAMPLES / EAR_RATE
"""dB a frame, one a second, by which a speaker's loud moments are forgotten at most: otherwise the
babble behind the last word passes for the speaker's voice after five seconds."""
VOICED = 150
"""Frames of the speaker's voice by which that is known, five seconds of them."""
LEAST_VOICED = 10


class NoiseFloor:
    """Follows one stream, frame by frame."""

    def __init__(self) -> None:
        self._background: deque[float] = deque(maxlen=KEPT)
        self._deceiving: deque[bool] = deque(maxlen=KEPT)
        self._heard: deque[float] = deque(maxlen=KEPT)
        self._maybe_speech: deque[bool] = deque(maxlen=KEPT)
        self._voice: deque[float] = deque(maxlen=VOICED)
        self._powers: deque[float] = deque(maxlen=FRAMES)
        self._levels: deque[float] = deque(maxlen=CLOSED)
        self._voice_level = -np.inf

    def reset(self) -> None:
        """Forget the surroundings: it is another microphone or another place."""
        for levels in (self._background, self._heard, self._powers, self._levels):
            levels.clear()
        self._deceiving.clear()
        self._maybe_speech.clear()
        self._forget_voice()

    def is_voice(
        self, level: float, *, speech: bool, sure: bool, speaking: bool, maybe_speech: bool
    ) -> bool:
        """Whether a frame of `level` dBFS is the speaker's voice.

        The detector takes it for `speech`, and is `sure` enough of it for an utterance to begin, or
        it is at least `maybe_speech`; `speaking` tells that an utterance is under way.
        """
        self._levels.append(level)
        self._powers.append(10.0 ** (level / 10.0))
        mean = _decibels(sum(self._powers) / len(self._powers))
        self._heard.append(mean)
        self._maybe_speech.append(maybe_speech)
        self._voice_level -= FADE
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
        """What was taken for the speaker's voice was none: it belongs to the surroundings."""
        self._background.extend(self._voice)
        self._deceiving.extend([True] * len(self._voice))
        self._forget_voice()

    def _forget_voice(self) -> None:
        self._voice.clear()
        self._voice_level = -np.inf

    def _least(self, speaking: bool) -> float:
        """The level from which it is the speaker."""
        least = self._above_gaps(speaking)
        if len(self._background) >= LEAST and sum(self._deceiving) >= DECEIVING:
            least = max(least, _share(self._background, 90) + ABOVE)
        if len(self._voice) >= LEAST_VOICED:
            self._voice_level = max(self._voice_level, _share(self._voice, 75))
            least = min(least, self._voice_level - BELOW)
        return least

    def _above_gaps(self, speaking: bool) -> float:
        """The same, by what is heard in the gaps of what is loud."""
        if len(self._heard) < LEAST_HEARD or (speaking and self._closes()):
            return -np.inf
        levels = np.array(self._heard)
        gaps, soft, middle = np.percentile(levels, (10, SOFTEST, 50))
        if float(np.mean(np.array(self._maybe_speech)[levels <= soft])) < 0.5:
            return -np.inf
        above = ABOVE_GAPS if speaking else ABOVE_GAPS + TO_BEGIN
        return min(float(gaps) + above, float(middle) + ABOVE_MIDDLE)

    def _closes(self) -> bool:
        """Whether what is heard goes down as far between two sounds as one voice alone does."""
        softest = sorted(self._levels)[1]
        return _share(self._levels, 75) - softest >= DEPTH


def _decibels(power: float) -> float:
    return 10.0 * float(np.log10(power + 1e-12))


def _share(levels: deque[float], percent: int) -> float:
    """The level under which so many percent of them are."""
    return float(np.percentile(levels, percent))
