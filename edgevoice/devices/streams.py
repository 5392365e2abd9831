"""Opening and closing PortAudio's streams, and having it list the devices anew in between."""

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

CLOSING = 3.0
"""Seconds that closing a device may take."""

CLOSING_FAILED = 0.3
"""Seconds that are waited for a device which has failed: it may not let go until it works again."""

_one_at_a_time = threading.Lock()
"""PortAudio keeps a list of what is open, and no lock."""

_open: list[Any] = []
"""Streams that are open: in use, not closed yet, or never to be."""


def open_stream(make: Any, device: Device, kind: str, **settings: Any) -> Any:
    """A running stream of `kind` "input" or "output". Raises DeviceError."""
    portaudio = library()
    stream = None
    try:
        with _one_at_a_time:
            stream = make(device=device.index, **settings)
            _open.append(stream)
        stream.start()
    except (portaudio.PortAudioError, ValueError) as error:
        if stream is not None:
            close_stream(stream, failed=True)
        word = "microphone" if kind == "input" else "speaker"
        raise DeviceError(
            f"the {word} could not be opened at {settings['samplerate']} Hz: {error}",
            where=device.name,
            remedy="close other programs that use it, or choose another: `edgevoice devices`, "
            f"then `--{kind} NAME`",
        ) from None
    return stream


def close_stream(stream: Any, failed: bool = False) -> None:
    """Stop the stream and close it; a device that does not let go of it is left behind."""

    def close() -> None:
        # Not `abort`: it cancels PortAudio's thread wherever that is, and if it waits for the
        # interpreter just then, the interpreter is never free again.
        with contextlib.suppress(Exception):
            stream.stop()
        # Closing a device that has gone may fail, and there is nothing left to do about it.
        with contextlib.suppress(Exception), _one_at_a_time:
            stream.close()
        if stream in _open:
            _open.remove(stream)

    closing = threading.Thread(target=close, name="closing", daemon=True)
    closing.start()
    closing.join(CLOSING_FAILED if failed else CLOSING)
    if closing.is_alive():
        if not failed:
            _log.warning("the sound system does not close a device; leaving it open")
        # It would wait for the same thing when the program ends.
        atexit.unregister(library()._exit_handler)


def look_again() -> None:
    """List the devices anew, unless one is open.

    PortAudio does so only when it is initialised, and closes what is open; for a device that does
    not let go it would wait for ever. Where it fails, there are no devices until the next time;
    where it would crash, they stay as they were.
    """
    portaudio = library()
    if _open:
        return
    try:
        probe.check()
    except NoDeviceError:
        note_listing()
        return
    # Not the binding's own `_initialize`: it takes stderr away for a while, and with it the screen.
    with contextlib.suppress(portaudio.PortAudioError):
        portaudio._terminate()
    if portaudio._lib.Pa_Initialize() == 0:
        portaudio._initialized += 1
    note_listing()
