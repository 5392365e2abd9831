"""Record a session's replies; a session that ends while it loads leaves no recording."""

from __future__ import annotations

from edgevoice.audio import Samples
from edgevoice.bus import Bus
from edgevoice.events import Event, Notice, PlaybackStarted, Ready
from edgevoice.wav import WavWriter


class Recording:
    """A private WAV file at `rate` Hz; see `WavWriter`.

    If the session ends while it loads, an earlier file of that name stays, and a notice says so.
    Raises StorageError.
    """

    def __init__(self, bus: Bus, path: str, rate: int) -> None:
        self._bus = bus
        self._path = path
        self._file = WavWriter(path, rate, private=True)
        self._ready = False
        self._unsubscribe = bus.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        self._ready = self._ready or isinstance(event, Ready | PlaybackStarted)

    def write(self, samples: Samples) -> None:
        """Append float32 [n]."""
        self._file.write(samples)

    def close(self) -> None:
        """Complete the file; delete it if the session was never ready."""
        self._unsubscribe()
        if self._ready:
            self._file.close()
            return
        self._file.discard()
        self._bus.emit(Notice(text=f"the session ended while loading: {self._path} is not written"))
