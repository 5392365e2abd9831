"""`run` without some devices: what it does before models are downloaded or loaded."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import click.testing
import pytest

from edgevoice.cli import cli
from edgevoice.devices import listing
from edgevoice.devices.listing import Device
from edgevoice.errors import DeviceError

MICROPHONE = Device(3, "USB Microphone", "ALSA", 1, 0, 48000.0, True, False)
SPEAKER = Device(4, "HDMI 1", "ALSA", 0, 2, 48000.0, False, True)


class Stream:
    """A stream that opens."""

    active = True

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...


def refused() -> Stream:
    raise OSError("device busy")


def refusal(
    monkeypatch: pytest.MonkeyPatch, opens: Callable[[], Stream], devices: list[Device], *words: str
) -> DeviceError:
    """The output of `run --demo-without-microphone` with these devices."""
    monkeypatch.setattr(listing, "listed", lambda: devices)
    portaudio = SimpleNamespace(PortAudioError=OSError, InputStream=lambda **_: opens())
    monkeypatch.setattr(listing, "sd", portaudio)
    command = ("run", "--plain", "--demo-without-microphone", *words)
    done = click.testing.CliRunner().invoke(cli, command)
    assert isinstance(done.exception, DeviceError)
    assert done.exception.remedy
    return done.exception


def test_a_microphone_that_does_not_open_is_an_error_and_no_reason_for_the_demo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A microphone that cannot be opened is an error, not a reason for the demo."""
    error = refusal(monkeypatch, refused, [MICROPHONE, SPEAKER])
    assert "could not be opened at 48000 Hz: device busy" in error.what


def test_a_microphone_that_was_named_is_wanted_and_no_demo_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A named microphone must exist; without it, there is no demo."""
    error = refusal(monkeypatch, Stream, [], "--input", "headset")
    assert (error.what, error.where) == ("no microphone was found", "audio.input is headset")


def test_a_microphone_without_a_speaker_is_an_error_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A missing speaker is reported before models are downloaded."""
    assert refusal(monkeypatch, Stream, [MICROPHONE]).what == "no speaker was found"
