"""Closing a device, however its driver takes it."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from edgevoice.devices import listing, streams
from edgevoice.devices.listing import Device
from edgevoice.errors import DeviceError


class Stream:
    """Notes what is done to it; `stop` waits for `free` and fails if it is told to."""

    def __init__(self, free: threading.Event, fails: bool = False) -> None:
        self.free = free
        self.fails = fails
        self.done: list[str] = []

    def stop(self) -> None:
        self.free.wait(30)
        if self.fails:
            raise OSError("no such device")
        self.done.append("stop")

    def close(self) -> None:
        self.done.append("close")


@pytest.fixture
def left_alone(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What was taken off the list of things to do at the end of the program."""
    found: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "unregister", found.append)
    return found


@pytest.mark.parametrize("fails", [False, True])
def test_a_device_is_stopped_and_closed_even_if_it_is_gone(
    left_alone: list[Callable[[], None]], fails: bool
) -> None:
    """What fails while it is stopped does not keep it open."""
    free = threading.Event()
    free.set()
    stream = Stream(free, fails)
    streams.close_stream(stream)
    assert stream.done[-1] == "close"
    assert left_alone == []


def test_a_device_that_does_not_let_go_is_left_behind(
    left_alone: list[Callable[[], None]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The program goes on and ends, and says that something was wrong."""
    monkeypatch.setattr(streams, "CLOSING", 0.01)
    monkeypatch.setattr(listing, "sd", SimpleNamespace(_exit_handler=lambda: None))
    initialised: list[str] = []
    monkeypatch.setattr(listing.sd, "_terminate", lambda: initialised.append("anew"), raising=False)
    free = threading.Event()
    stream = Stream(free)
    monkeypatch.setattr(streams, "_open", [stream])
    with caplog.at_level(logging.WARNING):
        streams.close_stream(stream)
    assert stream.done == []
    assert "does not close" in caplog.text
    assert len(left_alone) == 1
    streams.look_again()
    assert initialised == []
    free.set()


def test_a_stream_that_does_not_start_is_closed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else devices could never be listed anew."""

    class Refused(Stream):
        def start(self) -> None:
            raise ValueError("another program has it")

    monkeypatch.setattr(streams, "_open", [])
    monkeypatch.setattr(listing, "sd", SimpleNamespace(PortAudioError=OSError))
    free = threading.Event()
    free.set()
    stream = Refused(free)
    device = Device(0, "headset", "ALSA", 1, 0, 48_000.0, True, False)
    with pytest.raises(DeviceError, match="another program has it"):
        streams.open_stream(lambda **_: stream, device, "input", samplerate=48_000)
    assert stream.done == ["stop", "close"]
    assert streams._open == []
