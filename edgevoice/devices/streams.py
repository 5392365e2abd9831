"""Open and close PortAudio's streams, and have PortAudio list the devices again."""

from __future__ import annotations

import atexit
import contextlib
import logging
import threading
from typing import Any

from edgevoice.devices import probe
from edgevoice.devices.listing import Device, library, note_listing
from edgevoice.errors import DeviceError, NoDeviceError

_log = logging.getLogger(__name__)

CLOSE_TIMEOUT = 3.0
"""Seconds to wait for a device to close."""

FAILED_CLOSE_TIMEOUT = 0.3
"""Seconds to wait for a failed device to close; some close only once they work again."""

_portaudio_lock = threading.Lock()
"""PortAudio's list of open streams is not thread-safe."""

_open_streams: list[Any] = []
"""Open streams, including those that failed to close."""


def open_stream(make: Any, device: Device, kind: str, **settings: Any) -> Any:
    """A running stream of `kind` "input" or "output"; `make` is its class. Raises DeviceError."""
    portaudio = library()
    stream = None
    try:
        with _portaudio_lock:
            stream = make(device=device.index, **settings)
            _open_streams.append(stream)
        stream.start()
    except (portaudio.PortAudioError, ValueError) as error:
        if stream is not None:
            close_stream(stream, failed=True)
        label = "microphone" if kind == "input" else "speaker"
        raise DeviceError(
            f"the {label} could not be opened at {settings['samplerate']} Hz: {error}",
            where=device.name,
            remedy="close other programs that use it, or choose another: `edgevoice devices`, "
            f"then `--{kind} NAME`",
        ) from None
    return stream


def close_stream(stream: Any, failed: bool = False) -> None:
    """Stop and close the stream; if that takes too long, leave it open."""

    def close() -> None:
        # Not `abort`: it cancels PortAudio's thread, and if that thread is waiting for the GIL,
        # the GIL is never released again.
        with contextlib.suppress(Exception):
            stream.stop()
        # Closing a lost device may fail; it needs no further action.
        with contextlib.suppress(Exception), _portaudio_lock:
            stream.close()
        if stream in _open_streams:
            _open_streams.remove(stream)

    closing = threading.Thread(target=close, name="closing", daemon=True)
    closing.start()
    closing.join(FAILED_CLOSE_TIMEOUT if failed else CLOSE_TIMEOUT)
    if closing.is_alive():
        if not failed:
            _log.warning("the sound system did not close a device in time; it stays open")
        # At exit it would wait for the same device.
        atexit.unregister(library()._exit_handler)


def relist_devices() -> None:
    """List the devices again, unless one is open.

    PortAudio lists devices only when it is initialised, which closes open streams and can wait for
    ever for a stuck device. If it fails, there are no devices until the next listing. If it would
    crash, the old list stays.
    """
    portaudio = library()
    if _open_streams:
        return
    try:
        probe.check()
    except NoDeviceError:
        note_listing()
        return
    # Not the binding's own `_initialize`: it redirects stderr meanwhile, and with it the screen.
    with contextlib.suppress(portaudio.PortAudioError):
        portaudio._terminate()
    if portaudio._lib.Pa_Initialize() == 0:
        portaudio._initialized += 1
    note_listing()
