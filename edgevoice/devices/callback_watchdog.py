"""Whether a device is still alive, told from when its callback last came."""

from __future__ import annotations

STALLED = 3.0
"""Seconds without a callback after which a device counts as gone."""

HELD_UP = 0.5
"""Seconds between two looks at a device after which it gets as long as ever to answer."""

STEADY = 0.3
"""Seconds of callbacks after which a device is known to work."""


class CallbackWatchdog:
    """Tells when a device has gone silent.

    Time in which nobody looked does not count: then the whole program was held up or suspended,
    and the device's callbacks with it.
    """

    def __init__(self, now: float) -> None:
        self.last = self._looked = self._since = now
        """`last`: the session time of the last callback, set by the callback itself."""
        self._made = now

    @property
    def beats(self) -> bool:
        """Whether callbacks have come for long enough: a device that is suspended takes what its
        buffers hold, and then nothing more."""
        return self.last - self._made >= STEADY

    def stalled(self, now: float) -> bool:
        """Whether the last callback is too long ago; `now` is the session time in seconds."""
        if now - self._looked > HELD_UP:
            self._since = now
        self._looked = now
        return now - max(self.last, self._since) > STALLED
