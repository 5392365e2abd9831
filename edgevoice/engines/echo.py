"""WebRTC's audio processing: echo cancellation (AEC3), noise suppression and gain control.

Only this part of LiveKit's library is used; it opens no network connection.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.errors import EngineError
from edgevoice.settings import EchoSettings

CALL_SAMPLES = 160
"""Samples in one call: 10 ms."""

CANCELLATION_DELAY = 128
"""Delay of the output in samples: two of AEC3's 64-sample blocks (measured)."""

SUPPRESSION_DELAY = 96
"""Additional delay in samples with noise suppression (measured)."""

FULL_SCALE = 32767.0


class WebRtc:
    """An EchoCanceller, with noise suppression and gain control if the settings enable them.

    Raises EngineError if the library does not load.
    """

    step = CALL_SAMPLES

    def __init__(self, settings: EchoSettings) -> None:
        try:
            # Imported only when used: it takes 0.5 s of processor time.
            from livekit.rtc import AudioFrame, AudioProcessingModule
        except Exception as error:  # a missing library, or one built for another system
            raise EngineError(
                f"echo cancellation does not load: {error}",
                remedy="pip install --force-reinstall livekit, or turn it off: "
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
        self.lag = CANCELLATION_DELAY * cancels + SUPPRESSION_DELAY * settings.noise_suppression
        heard, played = bytearray(2 * CALL_SAMPLES), bytearray(2 * CALL_SAMPLES)
        # The frames share memory with the arrays, which are changed in place.
        self._heard = AudioFrame(heard, CAPTURE_RATE, 1, CALL_SAMPLES)
        self._played = AudioFrame(played, CAPTURE_RATE, 1, CALL_SAMPLES)
        self._microphone = np.frombuffer(heard, dtype=np.int16)
        self._reference = np.frombuffer(played, dtype=np.int16)

    def cancel(self, microphone: Samples, reference: Samples) -> Samples:
        """float32 [step] from the microphone without the echo of `reference`, `lag` samples late.

        Raises EngineError.
        """
        self._microphone[:] = _to_int16(microphone)
        self._reference[:] = _to_int16(reference)
        try:
            self._module.process_reverse_stream(self._played)
            self._module.process_stream(self._heard)
        except RuntimeError as error:
            raise EngineError(f"echo cancellation failed: {error}") from error
        return self._microphone.astype(np.float32) / np.float32(FULL_SCALE)

    def restart(self) -> None:
        """Discard the echo path that was learned."""
        self._module = self._make()

    def expect(self, delay: float) -> None:
        """Set the delay in seconds from the reference to its echo."""
        self._module.set_stream_delay_ms(max(0, round(1000 * delay)))


def _to_int16(samples: Samples) -> NDArray[np.int16]:
    scaled = np.clip(samples, -1.0, 1.0) * np.float32(FULL_SCALE)
    integers: NDArray[np.int16] = np.rint(scaled).astype(np.int16)
    return integers
