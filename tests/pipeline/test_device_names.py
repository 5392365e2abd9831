"""What devices are called on the screen."""

from __future__ import annotations

from edgevoice.devices.device_slot import DeviceSlot
from edgevoice.devices.names import of_default, shown_name
from edgevoice.devices.resilient_microphone import ResilientMicrophone, SilentInput
from edgevoice.testing.virtual import VirtualClock

INFO = """\
Server Name: PulseAudio (on PipeWire 1.0.5)
Default Sink: alsa_output.pci-0000_00_1f.3.analog-stereo
Default Source: alsa_input.usb-Jabra.mono-fallback
"""
LISTING = """\
Source #48
\tState: SUSPENDED
\tName: alsa_output.pci-0000_00_1f.3.analog-stereo.monitor
\tDescription: Monitor of Built-in Audio Analog Stereo
Source #49
\tState: RUNNING
\tName: alsa_input.usb-Jabra.mono-fallback
\tDescription: Jabra SPEAK 510 USB Mono
"""


def test_the_default_device_is_called_what_it_is() -> None:
    """The sound server says which device is behind "default"; without an answer, nothing is
    invented."""
    assert of_default("input", INFO, LISTING) == "Jabra SPEAK 510 USB Mono"
    assert of_default("output", INFO, LISTING) == ""
    assert of_default("input", "", "") == ""


class Card(SilentInput):
    """A microphone with the name that ALSA gives it."""

    name = "HDA Intel PCH: ALC257 Analog (hw:0,0)"

    def failed(self) -> None:
        return None

    def alive(self) -> bool:
        return True


def test_a_card_is_shown_without_its_numbers_and_found_by_its_whole_name() -> None:
    """A device that was chosen by its number is reopened by the name that PortAudio knows."""
    clock = VirtualClock()
    slot: DeviceSlot[Card] = ResilientMicrophone(clock, "3", False, lambda _: Card(clock))  # type: ignore[assignment]
    slot.fill()
    assert slot.name == shown_name("input", Card.name) == "HDA Intel PCH: ALC257 Analog"
    assert slot.configured == Card.name
