"""Closing a device, however its driver takes it."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from edgevoice.devices import listing, streams
from edgevoice.devices.listing import Device
from edgevoice.errors import DeviceError
from tests.processes import PATIENCE


class Stream:
    """Notes what is done to it; `stop` waits for `free` and fails if it is told to."""

    def __init__(self, free: threading.Event, fails: bool = False) -> None:
        self.free = free
        self.fails = fails
        self.done: list[str] = []

    def start(self) -> None:
        self.done.append("start")

    def stop(self) -> None:
        self.free.wait(PATIENCE)
        if self.fails:
            raise OSError("no such device")
        self.done.append("stop")

    def close(self) -> None:
        self.done.append("close")


class Refused(Stream):
    """Does not start."""

    def start(self) -> None:
        raise ValueError("another program has it")


class PortAudio:
    """As much of PortAudio's binding as is used here; notes each time that it lists the devices."""

    PortAudioError = OSError

    def __init__(self) -> None:
        self.listings = 0
        self._initialized = 1
        self._lib = self

    def _exit_handler(self) -> None:
        raise AssertionError("taken off the list of things to do at the end of the program")

    def _terminate(self) -> None:
        self._initialized -= 1

    def Pa_Initialize(self) -> int:
        self.listings += 1
        return 0


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> PortAudio:
    """PortAudio's binding, as the package meets it."""
    binding = PortAudio()
    monkeypatch.setattr(listing, "sd", binding)
    return binding


@pytest.fixture
def free() -> Iterator[threading.Event]:
    """When devices let go; they do at the end, and no thread waits for one any more."""
    letting_go = threading.Event()
    yield letting_go
    letting_go.set()
    for thread in threading.enumerate():
        if thread.name == "closing":
            thread.join()


@pytest.fixture
def left_alone(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What was taken off the list of things to do at the end of the program."""
    found: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "unregister", found.append)
    return found


def opened(stream: Stream) -> Stream:
    """The stream, open on a headset."""
    device = Device(0, "headset", "ALSA", 1, 0, 48_000.0, True, False)
    streams.open_stream(lambda **_: stream, device, "input", samplerate=48_000)
    return stream


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.usefixtures("portaudio")
def test_a_device_is_stopped_and_closed_even_if_it_is_gone(
    free: threading.Event, left_alone: list[Callable[[], None]], fails: bool
) -> None:
    """What fails while it is stopped does not keep it open."""
    free.set()
    stream = opened(Stream(free, fails))
    streams.close_stream(stream)
    assert stream.done[-1] == "close"
    assert left_alone == []


def test_a_device_that_does_not_let_go_is_left_behind(
    portaudio: PortAudio,
    free: threading.Event,
    left_alone: list[Callable[[], None]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The program goes on and ends, and says that something was wrong."""
    monkeypatch.setattr(streams, "CLOSE_TIMEOUT", 0.01)
    stream = opened(Stream(free))
    with caplog.at_level(logging.WARNING):
        streams.close_stream(stream)
    assert stream.done == ["start"]
    assert "did not close" in caplog.text
    assert len(left_alone) == 1
    streams.relist_devices()
    assert portaudio.listings == 0


def test_a_stream_that_does_not_start_is_closed_again(
    portaudio: PortAudio, free: threading.Event
) -> None:
    """Else devices could never be listed anew."""
    free.set()
    stream = Refused(free)
    with pytest.raises(DeviceError, match="another program has it"):
        opened(stream)
    assert stream.done == ["stop", "close"]
    streams.relist_devices()
    assert portaudio.listings == 1
