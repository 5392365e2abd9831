"""A microphone and a speaker that outlast the devices behind them.

What a session holds is one of these two. A device is put into it and taken out again by the watch
(watch.py), in a thread of its own; whoever reads or writes only notices that there is nothing to
hear, or that nobody listens yet.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import Generic, Literal, Protocol, TypeVar

import numpy as np

from edgevoice.audio import EAR_RATE, FRAME_SAMPLES, Frame, Samples
from edgevoice.clock import Clock
from edgevoice.errors import DeviceError, SpeakerAwayError
from edgevoice.stages import AudioSink, AudioSource

Kind = Literal["input", "output"]

GIVE_UP = 10.0
"""Seconds without a speaker after which a reply is not waited for any longer: who asked has gone on
to something else, and would be startled by the rest of it."""

AT_ONCE = 0.8
"""Seconds of sound that a speaker takes without waiting: twice what is written ahead to it."""

LEGS = 4
"""Devices whose times are remembered, the present one included."""


class Real(Protocol):
    """What a device must tell so that it can be looked after."""

    name: str

    def close(self) -> None: ...

    def failed(self) -> DeviceError | None:
        """Why it can no longer be used; None while it can."""

    def alive(self) -> bool:
        """Whether its callback has come at least once."""


class Ear(AudioSource, Real, Protocol):
    """A real microphone."""


class Mouth(AudioSink, Real, Protocol):
    """A real speaker."""

    def settled(self) -> int:
        """How many samples had left it when its callback last came; never fails."""


D = TypeVar("D", bound=Real)


class Lasting(Generic[D]):
    """A place for a device of one kind. `open` opens the one that is named, or the system's default
    where the name is empty, and raises DeviceError.

    `wanted` is what the settings name; with `fallback` the default one may stand in for it.
    """

    kind: Kind

    def __init__(self, clock: Clock, wanted: str, fallback: bool, open: Callable[[str], D]) -> None:
        self.wanted = wanted
        self.fallback = fallback
        self.standing_in = False
        """Whether the device is the default one, in the place of the one that is wanted."""
        self.outdated = False
        """Whether the system has another default device by now."""
        self.name = wanted
        """The device that is here, or was here last."""
        self._clock = clock
        self._open = open
        self._monitor = clock.monitor()
        self._device: D | None = None
        self._error: DeviceError | None = None
        self._closed = False
        self.wake: Callable[[], None] = lambda: None
        """Called when the device is found to have failed: somebody should look."""
        self.leave: Callable[[], None] = lambda: None
        """Called when it is closed; returns once nobody looks after it any more."""

    @property
    def present(self) -> bool:
        """Whether a device is here."""
        return self._device is not None

    @property
    def alive(self) -> bool:
        """Whether a device is here and has begun to work."""
        device = self._device
        return device is not None and device.alive()

    def failed(self) -> DeviceError | None:
        """Why the device that is here can no longer be used."""
        device = self._device
        if device is None:
            return None
        return self._error or device.failed()

    def fill(self, strictly: bool = False) -> None:
        """Open a device, and use it; `strictly` only the one that is wanted.

        Raises DeviceError: the one about the device that is wanted.
        """
        try:
            device, standing_in = self._open(self.wanted), False
        except DeviceError as error:
            if strictly or not self.wanted or not self.fallback:
                raise
            try:
                device, standing_in = self._open(""), True
            except DeviceError:
                raise error from None
        with self._monitor:
            if self._closed:
                device.close()
                return
            self.name = device.name
            if self.wanted.isdigit() and not standing_in:
                # Numbers are given anew whenever devices are listed.
                self.wanted = self.name
            self.standing_in = standing_in
            self._error = None
            self._device = device
            self._put(device)
            self._monitor.notify_all()

    def clear(self, slept: float = 0.0) -> None:
        """Close the device; `slept` seconds have passed that the clock does not know of."""
        with self._monitor:
            device, self._device = self._device, None
            if device is not None:
                self._taken(device, slept)
            self._monitor.notify_all()
        if device is not None:
            device.close()

    def close(self) -> None:
        with self._monitor:
            if self._closed:
                return
            self._closed = True
            self._monitor.notify_all()
        self.leave()
        self.clear()

    def _failed(self, device: object, error: DeviceError) -> None:
        """Note that `device` has failed, and wait until it is taken away."""
        with self._monitor:
            if device is not self._device:
                return
            self._error = error
        self.wake()
        with self._monitor:
            self._monitor.wait_for(lambda: self._closed or self._device is not device)

    def _put(self, device: D) -> None:
        raise NotImplementedError

    def _taken(self, device: D, slept: float) -> None:
        raise NotImplementedError


class Silence:
    """What is heard while there is no microphone: nothing, in real time, from now on."""

    name = "silence"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._origin = clock.now()
        self._index = 0

    def read(self) -> Frame | None:
        self._clock.sleep(self.time_of(self._index + FRAME_SAMPLES) - self._clock.now())
        frame = Frame(np.zeros(FRAME_SAMPLES, dtype=np.float32), self._index)
        self._index += FRAME_SAMPLES
        return frame

    def time_of(self, index: int) -> float:
        return self._origin + index / EAR_RATE

    def overruns(self) -> int:
        return 0

    def close(self) -> None:
        return None


class LastingMicrophone(Lasting[Ear]):
    """AudioSource: a microphone that hears silence while there is none.

    Frames go on being numbered, and where one device follows another, or silence, the number jumps
    by as much time as was lost, and by one frame at least: who listens can tell that what follows
    does not continue what was said.
    """

    kind: Kind = "input"

    def __init__(
        self, clock: Clock, wanted: str, fallback: bool, open: Callable[[str], Ear]
    ) -> None:
        super().__init__(clock, wanted, fallback, open)
        self._source: AudioSource = Silence(clock)
        # (first index, source, what to add to the source's own index)
        self._legs: deque[tuple[int, AudioSource, int]] = deque(maxlen=LEGS)
        self._next = 0
        self._lost = 0

    def _put(self, device: Ear) -> None:
        self._source = device

    def _taken(self, device: Ear, slept: float) -> None:
        self._lost += device.overruns()
        self._source = Silence(self._clock)

    def read(self) -> Frame | None:
        while not self._closed:
            source = self._source
            try:
                frame = source.read()
            except DeviceError as error:
                self._failed(source, error)
                continue
            if self._closed:
                break
            if frame is not None:
                return self._placed(source, frame)
            self._wait_for_another(source)
        return None

    def _wait_for_another(self, source: AudioSource) -> None:
        """It was closed under us, and something else is about to be in its place."""
        with self._monitor:
            self._monitor.wait_for(lambda: self._closed or self._source is not source)

    def _placed(self, source: AudioSource, frame: Frame) -> Frame:
        if not self._legs:
            self._legs.append((0, source, -frame.index))
        elif self._legs[-1][1] is not source:
            late = source.time_of(frame.index) - self.time_of(self._next)
            first = self._next + max(FRAME_SAMPLES, round(late * EAR_RATE))
            self._legs.append((first, source, first - frame.index))
        index = frame.index + self._legs[-1][2]
        self._next = index + len(frame.samples)
        return Frame(frame.samples, index)

    def time_of(self, index: int) -> float:
        for first, source, add in reversed(self._legs):
            if first <= index:
                return source.time_of(index - add)
        return self._clock.now()

    def overruns(self) -> int:
        device = self._device
        return self._lost + (device.overruns() if device is not None else 0)


class LastingLoudspeaker(Lasting[Mouth]):
    """AudioSink: a speaker that keeps what was not heard until there is one again.

    While there is none, `heard` stands still and `write` waits. After GIVE_UP seconds both raise
    SpeakerAwayError, as long as something is left that nobody has heard.
    """

    kind: Kind = "output"

    def __init__(
        self,
        clock: Clock,
        wanted: str,
        fallback: bool,
        open: Callable[[str], Mouth],
        rate: int,
    ) -> None:
        super().__init__(clock, wanted, fallback, open)
        self.rate = rate
        # (first number, device, what to add to the device's own number)
        self._legs: deque[tuple[int, Mouth, int]] = deque(maxlen=LEGS)
        self._kept: deque[tuple[int, Samples]] = deque()
        """What was written and not yet heard: number of the first sample, samples."""
        self._written = 0
        self._heard = 0
        self._stops = 0
        self._ducked = self._held = False
        self._missed = 0
        self._away: float | None = clock.now()
        """Since when there is no speaker."""
        self._stale = False
        """The machine has slept since what is kept was written."""

    @property
    def busy(self) -> bool:
        """Whether something is being heard."""
        return self._device is not None and self._heard < self._written

    def _put(self, device: Mouth) -> None:
        self._away = None
        self._note(self._written - int(AT_ONCE * self.rate))
        self._legs.append((self._heard, device, self._heard))
        # Should it fail again, it is looked after like any other.
        with contextlib.suppress(DeviceError):
            if self._ducked:
                device.duck(True)
            if self._held:
                device.hold()
            if self._kept:
                device.write(np.concatenate([samples for _, samples in self._kept]))

    def _taken(self, device: Mouth, slept: float) -> None:
        self._note(device.settled() + self._legs[-1][2])
        self._missed += device.underruns()
        self._away = self._clock.now()
        self._stale = slept > GIVE_UP and bool(self._kept)

    def _note(self, heard: int) -> None:
        """Forget what has been heard, up to sample `heard`."""
        self._heard = max(self._heard, min(heard, self._written))
        while self._kept:
            number, samples = self._kept[0]
            if number + len(samples) > self._heard:
                if number < self._heard:
                    self._kept[0] = (self._heard, samples[self._heard - number :])
                return
            self._kept.popleft()

    def write(self, samples: Samples) -> int:
        with self._monitor:
            stops = self._stops

        def over() -> bool:
            return self._closed or self._stops != stops

        while True:
            with self._monitor:
                self._expect_soon(waiting=True)
                self._monitor.wait_for(lambda: over() or self._device is not None, self._patience())
                if over():
                    return self._written
                device = self._device
            if device is None:
                continue
            try:
                device.write(samples)
            except DeviceError as error:
                self._failed(device, error)
                continue
            with self._monitor:
                if over():
                    return self._written
                # Else it went into a device that has since been taken away, and with it the sound.
                if device is self._device:
                    number = self._written
                    self._kept.append((number, samples.copy()))
                    self._written += len(samples)
                    return number

    def heard(self) -> int:
        with self._monitor:
            device = self._device
            if device is None:
                self._expect_soon(waiting=self._heard < self._written)
                return self._heard
            if self._stale:
                self._expect_soon(waiting=True)
            try:
                self._note(device.heard() + self._legs[-1][2])
            except DeviceError as error:
                self._error = error
                self.wake()
            return self._heard

    def _patience(self) -> float | None:
        return None if self._away is None else self._away + GIVE_UP - self._clock.now()

    def _expect_soon(self, waiting: bool) -> None:
        """Raise SpeakerAwayError when who is waiting has waited long enough."""
        patience = self._patience()
        if self._stale or (waiting and patience is not None and patience <= 0):
            raise SpeakerAwayError(
                "there was no speaker for too long",
                where=self.name,
                remedy="plug it in again, and ask again",
            )

    def time_of(self, number: int) -> float:
        for first, device, add in reversed(self._legs):
            if first <= number:
                return device.time_of(number - add)
        return self._clock.now()

    def played(self, time: float, count: int) -> Samples:
        found = np.zeros(count, dtype=np.float32)
        for _, device, _ in list(self._legs):
            found += device.played(time, count)
        return found

    def stop(self) -> int:
        with self._monitor:
            self._stops += 1
            self._stale = self._ducked = self._held = False
            if (device := self._device) is not None:
                first, _, add = self._legs[-1]
                stopped = device.stop()
                self._note(stopped + add)
                # What was being written just now may have been heard without having been counted.
                self._legs[-1] = (first, device, self._heard - stopped)
            self._written = self._heard
            self._kept.clear()
            self._monitor.notify_all()
            return self._heard

    def duck(self, on: bool) -> None:
        with self._monitor:
            self._ducked = on
            if self._device is not None:
                self._device.duck(on)

    def hold(self) -> int:
        with self._monitor:
            self._held = True
            if self._device is None:
                return self._heard
            return self._device.hold() + self._legs[-1][2]

    def release(self, again: int = 0) -> None:
        with self._monitor:
            self._held = False
            if self._device is not None:
                self._device.release(again)

    def silent_before(self, number: int) -> bool:
        with self._monitor:
            if self._device is None:
                return True
            return self._device.silent_before(number - self._legs[-1][2])

    def underruns(self) -> int:
        device = self._device
        return self._missed + (device.underruns() if device is not None else 0)
