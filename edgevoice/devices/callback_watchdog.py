"""Detect a device whose callback has stopped coming."""

from __future__ import annotations

STALL_TIMEOUT = 3.0
"""Seconds without a callback after which a device counts as gone."""

MAX_POLL_INTERVAL = 0.5
"""Seconds between two checks above which the time before the later check does not count."""

MIN_UPTIME = 0.3
"""Seconds of callbacks after which a device counts as working."""


class CallbackWatchdog:
    """Detects that a device's callback has stopped.

    Time without checks does not count: the whole program was suspended then, callbacks included.
    """

    def __init__(self, now: float) -> None:
        self.last = self._checked = self._counted_from = now
        """`last`: the session time of the last callback, set by the callback itself."""
        self._created = now

    @property
    def running(self) -> bool:
        """Whether callbacks have come for MIN_UPTIME seconds.

        A suspended device fills its buffers once and then stops.
        """
        return self.last - self._created >= MIN_UPTIME

    def stalled(self, now: float) -> bool:
        """Whether the last callback is too long ago; `now` is the session time in seconds."""
        if now - self._checked > MAX_POLL_INTERVAL:
            self._counted_from = now
        self._checked = now
        return now - max(self.last, self._counted_from) > STALL_TIMEOUT
