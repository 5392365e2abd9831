"""WebRTC's audio processing: echo cancellation (AEC3), noise suppression and gain control.

Of LiveKit's library only this part is used; it opens no connection, and nothing here connects it.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import EAR_RATE, Samples
from edgevoice.errors import EngineError
from edgevoice.settings import EchoSettings

STEP = 160
"""Samples that are processed at once: 10 ms."""

CANCELLING_LAG = 128
"""Samples by which the cancelled sound comes later: two of its 64-sample blocks, measured."""

SUPPRESSING_LAG = 96
"""Samples more with noise suppression, measured."""

FULL_SCALE = 32767.0


class WebRtc:
    """An EchoCanceller, with noise suppression and gain control where the settings ask for them.

    Raises EngineError where the library does not load.
    """

    step = STEP

    def __init__(self, settings: EchoSettings) -> None:
        try:
            # Half a second of processor time, and two threads that sleep: never before it is used.
            from livekit.rtc import AudioFrame, AudioProcessingModule
        except Exception as error:  # a missing library, or one built for another system
            raise EngineError(
                f"echo cancellation does not load: {error}",
                remedy="pip install --force-reinstall livekit, or go on without: "
                "`--set echo.cancel=off`",
            ) from error
        cancels = settings.cancel != "off"
        self._make = partial(
            AudioProcessingModule,
            echo_cancellation=cancels,
            noise_suppression=settings.noise_suppression,
            auto_gain_control=settings.gain_control,
        )
        self._module = self._make()
        self.lag = CANCELLING_LAG * cancels + SUPPRESSING_LAG * settings.noise_suppression
        heard, played = bytearray(2 * STEP), bytearray(2 * STEP)
        # Both are changed in place, seen by us as numbers and by the library as its frames.
        self._heard = AudioFrame(heard, EAR_RATE, 1, STEP)
        self._played = AudioFrame(played, EAR_RATE, 1, STEP)
        self._microphone = np.frombuffer(heard, dtype=np.int16)
        self._reference = np.frombuffer(played, dtype=np.int16)

    def cancel(self, microphone: Samples, reference: Samples) -> Samples:
        """What is left of float32 [step] from the microphone; the first `lag` samples of all that
        comes out are silence."""
        self._microphone[:] = _whole(microphone)
        self._reference[:] = _whole(reference)
        try:
            self._module.process_reverse_stream(self._played)
            self._module.process_stream(self._heard)
        except RuntimeError as error:
            raise EngineError(f"echo cancellation failed: {error}") from error
        return self._microphone.astype(np.float32) / np.float32(FULL_SCALE)

    def restart(self) -> None:
        """Forget the room: what comes next is heard in another."""
        self._module = self._make()

    def expect(self, delay: float) -> None:
        """Tell that the echo comes `delay` seconds after its reference."""
        self._module.set_stream_delay_ms(max(0, round(1000 * delay)))


def _whole(samples: Samples) -> NDArray[np.int16]:
    scaled = np.clip(samples, -1.0, 1.0) * np.float32(FULL_SCALE)
    whole: NDArray[np.int16] = np.rint(scaled).astype(np.int16)
    return whole
