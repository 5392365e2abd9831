"""Sound devices on virtual time that can be plugged in, pulled out, taken away and put to sleep."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgevoice import events as ev
from edgevoice.assistant import Assistant
from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Frame, Samples
from edgevoice.clock import Clock
from edgevoice.devices.hotplug import Hotplug
from edgevoice.devices.resilient_loudspeaker import ResilientLoudspeaker
from edgevoice.devices.resilient_microphone import ResilientMicrophone
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.devices.watch import DeviceWatch
from edgevoice.errors import DeviceError
from edgevoice.protocols import Position
from edgevoice.testing.rehearsal import Rehearsal

RATE = 16_000


class Desk:
    """What is plugged in, as the system knows it, and as it was listed last."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.there: dict[str, int] = {}
        """Devices by name, with how often each was plugged in."""
        self.default = {"input": "built-in microphone", "output": "built-in speaker"}
        self.taken: set[str] = set()
        """Devices that another program has for itself."""
        self.mute: set[str] = set()
        """Devices whose callbacks do not come."""
        self.asleep = 0.0
        self.listings = 0
        self.opened: list[str] = []
        self.said = np.zeros(0, dtype=np.float32)
        """What is said in the room, from session time 0 on, at 16 kHz."""
        for name in self.default.values():
            self.there[name] = 1
        self._listed = dict(self.there)
        self._listed_default = dict(self.default)

    def plug_in(self, name: str) -> None:
        self.there[name] = abs(self.there.get(name, 0)) + 1

    def pull_out(self, name: str) -> None:
        self.there[name] = -abs(self.there[name])

    def hush(self) -> None:
        """Whoever is speaking in the room says no more."""
        self.said[round(self.clock.now() * CAPTURE_RATE) :] = 0.0

    def is_there(self, name: str, time: int) -> bool:
        return self.there.get(name, 0) == time > 0

    def relist_devices(self) -> None:
        self.listings += 1
        self._listed = {name: time for name, time in self.there.items() if time > 0}
        self._listed_default = dict(self.default)

    def hotplug_state(self) -> Hotplug:
        names = [f"{name} {time}" for name, time in self.there.items() if time > 0]
        defaults = tuple(sum(map(ord, name)) for name in self.default.values())
        return Hotplug(frozenset(names), defaults)

    def seconds_suspended(self) -> float:
        return self.asleep

    def place(self, kind: str, wanted: str) -> tuple[str, int]:
        """The device that is opened, and which plugging in of it. Raises DeviceError."""
        name = wanted or self._listed_default[kind]
        time = self._listed.get(name, 0)
        if not self.is_there(name, time) or name in self.taken:
            raise DeviceError(f"{name} cannot be opened")
        self.opened.append(name)
        return name, time


class Plug:
    """What both kinds of device have in common."""

    def __init__(self, desk: Desk, kind: str, wanted: str) -> None:
        self.name, self.time = desk.place(kind, wanted)
        self.desk = desk

    def failed(self) -> DeviceError | None:
        there = self.desk.is_there(self.name, self.time) and self.name not in self.desk.taken
        return None if there else DeviceError(f"{self.name} is gone")

    def alive(self) -> bool:
        return self.name not in self.desk.mute


class Ear(Plug):
    """Hears what is said in the room."""

    def __init__(self, desk: Desk, wanted: str) -> None:
        super().__init__(desk, "input", wanted)
        self._origin = desk.clock.now()
        self._index = 0
        self._closed = False

    def read(self) -> Frame | None:
        self.desk.clock.sleep(self.time_of(self._index + FRAME_SAMPLES) - self.desk.clock.now())
        if self._closed:
            return None
        if error := self.failed():
            raise error
        at = round(self.time_of(self._index) * CAPTURE_RATE)
        samples = np.zeros(FRAME_SAMPLES, dtype=np.float32)
        heard = self.desk.said[at : at + FRAME_SAMPLES]
        samples[: len(heard)] = heard
        frame = Frame(samples, self._index)
        self._index += FRAME_SAMPLES
        return frame

    def time_of(self, index: int) -> float:
        return self._origin + index / CAPTURE_RATE

    def overruns(self) -> int:
        return 0

    def close(self) -> None:
        self._closed = True


class Tape:
    def __init__(self) -> None:
        self.samples = np.zeros(0, dtype=np.float32)

    def write(self, samples: Samples) -> None:
        self.samples = np.concatenate([self.samples, samples])

    def close(self) -> None:
        return None


class Mouth(Plug):
    """Plays to nobody, until it is pulled out."""

    def __init__(self, desk: Desk, wanted: str, rate: int = RATE) -> None:
        super().__init__(desk, "output", wanted)
        self.rate = rate
        self.given = np.zeros(0, dtype=np.float32)
        self._sink = SimulatedSink(desk.clock, rate, self.name)
        self._settled = 0

    def write(self, samples: Samples) -> None:
        if error := self.failed():
            raise error
        self._sink.write(samples)
        self.given = np.concatenate([self.given, samples])

    def position(self) -> Position:
        if error := self.failed():
            raise error
        position = self._sink.position()
        self._settled = position.taken
        return position

    def settled(self) -> int:
        if self.failed() is None:
            self.position()
        return self._settled

    def clear(self, first: int, instead: Samples, fade: int) -> int:
        begin = self._sink.clear(first, instead, fade)
        self.given = np.concatenate([self.given[:begin], instead[max(0, begin - first) :]])
        return begin

    def close(self) -> None:
        self.settled()
        self._sink.close()

    @property
    def let_out(self) -> Samples:
        """What was heard of what it was given."""
        return self.given[: self._settled]


class Plugged(Rehearsal):
    """A rehearsal whose microphone and speaker are real ones on a desk, as far as it can tell."""

    def __init__(self, answer: str = "All right.", *, input: str = "", fallback: bool = True):
        super().__init__(answer)
        self.desk = Desk(self.clock)
        self.watch = DeviceWatch(self.clock, self.desk, self.bus.emit)
        self.bus.subscribe(self.watch)
        self.mouths: list[Mouth] = []
        self.open_mouth: Callable[[Desk, str], Mouth] = Mouth
        self.microphone = ResilientMicrophone(
            self.clock, input, fallback, lambda wanted: Ear(self.desk, wanted)
        )
        self.speaker = ResilientLoudspeaker(self.clock, "", fallback, self._open_mouth, RATE)
        if input:
            self.desk.plug_in(input)
            self.desk.relist_devices()

    def _open_mouth(self, wanted: str) -> Mouth:
        mouth = self.open_mouth(self.desk, wanted)
        self.mouths.append(mouth)
        return mouth

    def speech(self, time: float, text: str, seconds: float) -> None:
        """Let the user say `text` from session time `time` on."""
        speech = self.book.speech(text, seconds)
        at = int(time * CAPTURE_RATE)
        said = np.zeros(max(len(self.desk.said), at + len(speech)), dtype=np.float32)
        said[: len(self.desk.said)] = self.desk.said
        said[at : at + len(speech)] = speech
        self.desk.said = said

    def then(self, time: float, act: Callable[[], None]) -> None:
        """Do something to the desk at a session time."""
        self.at(time, lambda _: act())

    def hold(self, until: float) -> list[ev.Event]:
        """Hold the conversation until a session time."""
        places: tuple[ResilientMicrophone | ResilientLoudspeaker, ...] = (
            self.microphone,
            self.speaker,
        )
        for place in places:
            place.fill()
            self.watch.add(place)
        self.source = lambda idle: self.microphone
        self.sink = self.speaker
        self.at(until, Assistant.close)
        self.watch.start()
        return self.run()

    @property
    def told(self) -> list[tuple[str, str]]:
        """What was told of devices: lost or found, and which."""
        return [
            ("lost" if isinstance(event, ev.DeviceLost) else "found", event.name)
            for event in self.events
            if isinstance(event, ev.DeviceLost | ev.DeviceRestored)
        ]

    @property
    def asked(self) -> list[str]:
        """The questions that were answered."""
        return [m.text for m in self.assistant.history.messages if m.role == "user"]

    @property
    def played(self) -> Samples:
        """What was heard, through whichever speakers."""
        return np.concatenate([mouth.let_out for mouth in self.mouths])
