"""The microphone beside a speaker: frames keep their times, and lose what the speaker played."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Frame, Samples, dbfs
from edgevoice.bus import Bus
from edgevoice.capture.echo_cancellation import TAIL, EchoCancelledSource
from edgevoice.capture.echo_path import EchoPath
from edgevoice.capture.reference import Reference
from edgevoice.context import SessionContext
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.errors import EngineError
from edgevoice.player import Player
from edgevoice.resample import resample
from edgevoice.settings import Config, EchoSettings
from edgevoice.testing.virtual import VirtualClock

RATE = 48_000
LATENCY = 0.1
"""Seconds after which a frame is handed over."""
STILL = -70.0
"""A quiet room, in dBFS."""
STEP = 160
LAG = 200


def voice(seconds: float, rate: int = CAPTURE_RATE, seed: int = 1) -> Samples:
    """Something like speech: noise in syllables, at about -20 dBFS."""
    noise = np.random.default_rng(seed).standard_normal(int(seconds * CAPTURE_RATE)) * 0.15
    syllables = np.clip(np.sin(np.arange(len(noise)) / CAPTURE_RATE * 2 * np.pi * 3) + 0.6, 0, 1)
    return resample((noise * syllables).astype(np.float32), CAPTURE_RATE, rate)


class Microphone:
    """Hears what left `sink` `delay` seconds ago, and `near`."""

    name = "a microphone"

    def __init__(
        self,
        clock: VirtualClock,
        sink: Player,
        seconds: float,
        delay: float = 0.06,
        gain: float = 0.25,
        latency: float = LATENCY,
    ) -> None:
        self.clock, self.sink, self.delay, self.gain = clock, sink, delay, gain
        self.near = np.zeros(int(seconds * CAPTURE_RATE), dtype=np.float32)
        self.index = self.jump = 0
        self.closed = False
        self.latency = latency

    def read(self) -> Frame | None:
        self.index, self.jump = self.index + self.jump, 0
        end = self.index + FRAME_SAMPLES
        self.clock.sleep(end / CAPTURE_RATE + self.latency - self.clock.now())
        if self.closed or end > len(self.near):
            return None
        margin = 1600
        first = (self.index - margin) / CAPTURE_RATE - self.delay
        count = (FRAME_SAMPLES + 2 * margin) * RATE // CAPTURE_RATE
        # To the sample, as sound in the air is.
        echo = resample(self.sink.reference(round(first * RATE) / RATE, count), RATE, CAPTURE_RATE)
        heard = self.near[self.index : end] + self.gain * echo[margin : margin + FRAME_SAMPLES]
        frame = Frame(heard.astype(np.float32), self.index)
        self.index = end
        return frame

    def time_of(self, index: int) -> float:
        return index / CAPTURE_RATE

    def overruns(self) -> int:
        return 7

    def close(self) -> None:
        self.closed = True


class Subtracting:
    """An EchoCanceller that knows the room, `echo` seconds after its reference, to the sample."""

    step, lag = STEP, LAG

    def __init__(self, echo: float, gain: float = 0.25) -> None:
        self._late = np.zeros(round(echo * CAPTURE_RATE), dtype=np.float32)
        self._out = np.zeros(LAG, dtype=np.float32)
        self._gain = gain
        self.expected: list[float] = []
        self.calls = self.restarts = 0

    def cancel(self, microphone: Samples, reference: Samples) -> Samples:
        assert len(microphone) == len(reference) == STEP
        self.calls += 1
        self._late = np.concatenate([self._late, reference])
        self._out = np.concatenate([self._out, microphone - self._gain * self._late[:STEP]])
        self._late = self._late[STEP:]
        made, self._out = self._out[:STEP], self._out[STEP:]
        return made

    def restart(self) -> None:
        self.restarts += 1

    def expect(self, delay: float) -> None:
        self.expected.append(delay)


class Scene:
    """A conversation beside a speaker, on virtual time."""

    def __init__(
        self, seconds: float = 8.0, settings: EchoSettings | None = None, **room: float
    ) -> None:
        self.clock = VirtualClock()
        self.sink = Player(self.clock, SimulatedSink(self.clock, RATE, "a speaker"))
        self.microphone = Microphone(self.clock, self.sink, seconds, **room)
        self.canceller = Subtracting(0.1)
        self.events: list[ev.Event] = []
        self.bus = Bus(self.clock)
        self.bus.subscribe(self.events.append)
        self._settings = settings or EchoSettings()
        self.load: Callable[[], Subtracting] = lambda: self.canceller
        self.frames: list[Frame] = []
        self.times: list[float] = []

    def play(self, at: float, samples: Samples) -> None:
        """Have the speaker play float32 [n] at its rate from session time `at` on."""

        def player() -> None:
            self.clock.sleep(at - self.clock.now())
            for start in range(0, len(samples), RATE // 10):
                self.sink.write(samples[start : start + RATE // 10])

        self.clock.spawn(player, "player")

    def run(self) -> EchoCancelledSource:
        source = EchoCancelledSource(
            SessionContext(Config(echo=self._settings), self.clock, self.bus),
            self.microphone,
            self.sink,
            self.load,
        )
        while (frame := source.read()) is not None:
            self.frames.append(frame)
            self.times.append(self.clock.now())
        return source

    def heard(self, start: float, end: float) -> Samples:
        """What came out from second `start` to second `end`."""
        samples = np.concatenate([frame.samples for frame in self.frames])
        return samples[int(start * CAPTURE_RATE) : int(end * CAPTURE_RATE)]

    def measured(self) -> list[ev.EchoMeasured]:
        return [event for event in self.events if isinstance(event, ev.EchoMeasured)]


def test_what_the_speaker_plays_is_not_heard_and_what_the_user_says_is_where_it_was() -> None:
    """The echo goes, the user stays, and no sample is moved in time."""
    scene = Scene()
    scene.play(1.0, voice(4.0, RATE))
    near = voice(1.0, seed=2)
    scene.microphone.near[int(3.0 * CAPTURE_RATE) : int(4.0 * CAPTURE_RATE)] = near
    scene.run()
    assert [frame.index for frame in scene.frames] == [
        n * FRAME_SAMPLES for n in range(len(scene.frames))
    ]
    assert dbfs(scene.heard(1.2, 3.0)) < -60
    # What is far quieter than the echo was, between syllables, may be made quieter still.
    assert dbfs(scene.heard(3.05, 4.0) - near[int(0.05 * CAPTURE_RATE) :]) < dbfs(near) - 30
    assert len(scene.frames) == len(scene.microphone.near) // FRAME_SAMPLES


def test_while_nothing_plays_frames_pass_at_once_and_as_they_are() -> None:
    """Listening costs nothing: the canceller is not asked, and the very samples are handed on."""
    scene = Scene(4.0)
    near = voice(4.0, seed=2)
    scene.microphone.near[:] = near
    scene.run()
    assert scene.canceller.calls == 0
    np.testing.assert_array_equal(scene.heard(0, 3.9), near[: int(3.9 * CAPTURE_RATE)])
    for frame, time in zip(scene.frames, scene.times, strict=True):
        assert time == pytest.approx((frame.index + FRAME_SAMPLES) / CAPTURE_RATE + LATENCY)


def test_a_frame_is_one_frame_late_while_there_may_be_an_echo_and_no_longer() -> None:
    """The canceller's lag costs time only from the first sound to the end of the room's tail."""
    scene = Scene()
    scene.play(2.0, voice(2.0, RATE))
    scene.run()
    late = [
        time - (frame.index + FRAME_SAMPLES) / CAPTURE_RATE - LATENCY
        for frame, time in zip(scene.frames, scene.times, strict=True)
    ]
    frame_seconds = FRAME_SAMPLES / CAPTURE_RATE
    assert late[int(1.8 / frame_seconds)] == pytest.approx(0.0)
    assert late[int(3.0 / frame_seconds)] == pytest.approx(frame_seconds)
    assert late[int((4.2 + TAIL) / frame_seconds)] == pytest.approx(0.0)
    assert max(late) == pytest.approx(frame_seconds)


@pytest.mark.parametrize("delay", [-0.03, 0.02, 0.25])
def test_the_delay_is_measured_and_told(delay: float) -> None:
    """It is told once, to the millisecond, and the canceller hears of it at the next reply."""
    scene = Scene(14.0, delay=delay)
    scene.play(1.0, voice(5.0, RATE))
    scene.play(9.0, voice(4.0, RATE))
    scene.run()
    told = scene.measured()
    assert len(told) == 1
    assert told[0].delay == pytest.approx(delay, abs=0.001)
    assert told[0].level == pytest.approx(-12.0, abs=2.0)
    assert scene.canceller.expected[-1] == pytest.approx(delay + 0.04, abs=0.001)


def test_a_reference_that_would_come_behind_its_echo_is_led_further_ahead() -> None:
    """A device that tells its time wrong by a tenth of a second is made up for."""
    scene = Scene(12.0, delay=-0.1, latency=0.3)
    scene.canceller = Subtracting(0.04)
    scene.play(1.0, voice(9.0, RATE))
    scene.run()
    assert scene.measured()[-1].delay == pytest.approx(-0.1, abs=0.001)
    assert scene.canceller.expected[-1] == pytest.approx(0.04, abs=0.001)
    assert dbfs(scene.heard(7.0, 10.0)) < -40


def test_a_delay_that_changes_is_followed() -> None:
    """Another device, or a longer buffer: what is told follows within seconds."""
    scene = Scene(20.0)
    scene.play(1.0, voice(17.0, RATE))

    def move() -> None:
        scene.clock.sleep(6.0)
        scene.microphone.delay = 0.2

    scene.clock.spawn(move, "mover")
    scene.run()
    assert [round(event.delay or 0, 2) for event in scene.measured()] == [0.06, 0.2]


def test_with_headphones_everything_is_heard_as_it_is() -> None:
    """Once it is known that nothing comes back, the canceller is not asked any more."""
    scene = Scene(20.0, gain=0.0)
    scene.play(1.0, voice(12.0, RATE))
    scene.microphone.near[:] = 0.02 * voice(20.0, seed=5)
    scene.run()
    assert [(event.delay, event.level) for event in scene.measured()] == [(None, None)]
    near = scene.microphone.near[int(10.0 * CAPTURE_RATE) : int(13.0 * CAPTURE_RATE)]
    np.testing.assert_array_equal(scene.heard(10.0, 13.0), near)


@pytest.mark.parametrize(("room", "gain"), [(0.0, 0.0), (0.001, 0.001), (0.02, 0.01)])
def test_who_speaks_into_the_first_reply_is_heard_where_it_does_not_come_back(
    room: float, gain: float
) -> None:
    """Headphones, or an echo softer than the room: the canceller is left out within a second or
    two, for it takes out the user instead of an echo that it cannot find."""
    scene = Scene(8.0, gain=gain)
    scene.microphone.near[:] = room * np.random.default_rng(3).standard_normal(8 * CAPTURE_RATE)
    scene.microphone.near[int(4.5 * CAPTURE_RATE) : int(6.5 * CAPTURE_RATE)] += voice(2.0, seed=2)
    near = scene.microphone.near[int(4.5 * CAPTURE_RATE) : int(6.5 * CAPTURE_RATE)].copy()
    scene.play(1.0, voice(6.0, RATE))
    scene.run()
    assert dbfs(scene.heard(4.5, 6.5) - near) < dbfs(near) - 30
    assert scene.canceller.calls < 4.0 * CAPTURE_RATE / STEP


def test_headphones_that_are_pulled_out_are_noticed() -> None:
    """When the speaker is heard after all, it is taken out again."""
    scene = Scene(24.0, gain=0.0)
    scene.play(1.0, voice(22.0, RATE))

    def pull() -> None:
        scene.clock.sleep(12.0)
        scene.microphone.gain = 0.25

    scene.clock.spawn(pull, "user")
    scene.run()
    assert [event.delay is None for event in scene.measured()][:2] == [True, False]
    assert dbfs(scene.heard(18.0, 22.0)) < -50


def test_switched_off_it_only_measures() -> None:
    """The echo stays in what is heard, but whose words they are can still be told."""
    scene = Scene(settings=EchoSettings(cancel="off"))
    scene.load = lambda: pytest.fail("nothing to load")
    source = EchoCancelledSource(
        SessionContext(Config(echo=EchoSettings(cancel="off")), scene.clock, scene.bus),
        scene.microphone,
        scene.sink,
        None,
    )
    scene.play(1.0, voice(5.0, RATE))
    while (frame := source.read()) is not None:
        scene.frames.append(frame)
    assert scene.measured()
    assert dbfs(scene.heard(2.0, 5.0)) > -45


def test_a_canceller_that_does_not_load_costs_a_notice_not_the_conversation() -> None:
    """What is heard goes on as it is, and the user is told what to do."""
    scene = Scene()

    def load() -> Subtracting:
        raise EngineError("echo cancellation does not load", remedy="pip install livekit")

    scene.load = load
    scene.play(1.0, voice(2.0, RATE))
    scene.run()
    notices = [event.text for event in scene.events if isinstance(event, ev.Notice)]
    assert len(notices) == 1
    assert "pip install livekit" in notices[0]
    assert len(scene.frames) == len(scene.microphone.near) // FRAME_SAMPLES


def test_a_canceller_that_breaks_costs_no_frame() -> None:
    """What it had taken is handed on as it was heard."""
    scene = Scene()

    class Broken(Subtracting):
        def cancel(self, microphone: Samples, reference: Samples) -> Samples:
            if self.calls > 40:
                raise EngineError("echo cancellation failed")
            return super().cancel(microphone, reference)

    scene.canceller = Broken(0.1)
    scene.play(1.0, voice(4.0, RATE))
    scene.run()
    assert [frame.index for frame in scene.frames] == [
        n * FRAME_SAMPLES for n in range(len(scene.microphone.near) // FRAME_SAMPLES)
    ]
    assert any(isinstance(event, ev.Notice) for event in scene.events)


def test_noise_suppression_has_every_frame_processed() -> None:
    """It is not only for replies."""
    scene = Scene(3.0, EchoSettings(noise_suppression=True))
    scene.run()
    assert scene.canceller.calls > 2.9 * CAPTURE_RATE / STEP


def test_another_microphone_is_another_room() -> None:
    """Where frames jump, those that wait are handed on as they are, and the echo is measured
    anew."""
    scene = Scene(14.0)
    scene.play(1.0, voice(12.0, RATE))

    def change() -> None:
        scene.clock.sleep(7.0)
        scene.microphone.jump = FRAME_SAMPLES * 5 // 2
        scene.microphone.delay = 0.12

    scene.clock.spawn(change, "user")
    scene.run()
    indices = [frame.index for frame in scene.frames]
    steps = [after - before for before, after in itertools.pairwise(indices)]
    assert steps.count(FRAME_SAMPLES * 7 // 2) == 1
    assert set(steps) == {FRAME_SAMPLES, FRAME_SAMPLES * 7 // 2}
    assert [round(event.delay or 0, 2) for event in scene.measured()] == [0.06, 0.12]
    assert scene.canceller.restarts == 1


def test_what_belongs_to_the_device_is_asked_of_the_device() -> None:
    """Times, losses and closing pass through."""
    scene = Scene(1.0)
    source = scene.run()
    assert source.name == "a microphone"
    assert source.time_of(CAPTURE_RATE) == 1.0
    assert source.overruns() == 7
    source.close()
    assert scene.microphone.closed


@pytest.mark.parametrize("rate", [48_000, 44_100, 22_050, 16_000, 96_000])
def test_the_reference_is_one_stream_at_any_rate(rate: int) -> None:
    """Piece by piece it is what the whole would be at 16 kHz."""
    clock = VirtualClock()
    sink = Player(clock, SimulatedSink(clock, rate, "a speaker"))
    sound = voice(1.0, rate)
    sink.write(sound)
    clock.sleep(1.5)
    reference = Reference(sink)
    pieces = [reference.take(n * 0.032, FRAME_SAMPLES) for n in range(30)]
    whole = resample(sound, rate, CAPTURE_RATE)
    taken = np.concatenate(pieces)[FRAME_SAMPLES:]
    np.testing.assert_allclose(taken, whole[FRAME_SAMPLES:][: len(taken)], atol=1e-4)


def test_clocks_that_tremble_do_not_move_the_reference() -> None:
    """A canceller takes every step for another room: there is none while clocks only tremble."""
    clock = VirtualClock()
    sink = Player(clock, SimulatedSink(clock, RATE, "a speaker"))
    sound = voice(2.0, RATE)
    sink.write(sound)
    clock.sleep(2.5)
    reference = Reference(sink)
    tremble = np.random.default_rng(3).uniform(-0.0009, 0.0009, 50)
    taken = np.concatenate(
        [reference.take(0.032 * n + 0.1 + tremble[n], FRAME_SAMPLES) for n in range(50)]
    )
    whole = resample(sound, RATE, CAPTURE_RATE)[round((0.1 + tremble[0]) * CAPTURE_RATE) :]
    np.testing.assert_allclose(taken, whole[: len(taken)], atol=1e-4)


def test_clocks_that_drift_are_followed_by_single_samples() -> None:
    """A microphone whose clock runs 200 ppm slow is never more than a millisecond or two off."""
    clock = VirtualClock()
    sink = Player(clock, SimulatedSink(clock, CAPTURE_RATE, "a speaker"))
    reference = Reference(sink)
    told: list[int] = []
    for n in range(3000):
        # What left the speaker carries its own time.
        at = n * FRAME_SAMPLES
        sink.write((at + np.arange(FRAME_SAMPLES, dtype=np.float32)) / 2**21)
        clock.sleep((at + FRAME_SAMPLES) / CAPTURE_RATE - clock.now())
        if n > 100:
            wanted = (n - 50) * 0.032 * (1 + 2e-4)
            piece = reference.take(wanted, FRAME_SAMPLES)
            told.append(round(float(piece[0]) * 2**21) - round(wanted * CAPTURE_RATE))
    assert max(map(abs, told)) <= 0.002 * CAPTURE_RATE
    assert max(map(abs, np.diff(told))) <= 2


def test_what_is_not_an_echo_is_not_taken_for_one() -> None:
    """Two people who speak at once are no speaker and its room."""
    path = EchoPath()
    played, heard = voice(30.0), voice(30.0, seed=9)
    for at in range(0, len(played), FRAME_SAMPLES):
        path.push(played[at : at + FRAME_SAMPLES], heard[at : at + FRAME_SAMPLES], STILL)
    assert path.echo is None
    assert path.unheard


def test_an_echo_under_the_voice_of_the_user_is_found() -> None:
    """Twenty decibels below what else is heard it is still there."""
    path = EchoPath()
    played, heard = voice(10.0), voice(10.0, seed=9)
    heard[800:] += 0.1 * played[:-800]
    for at in range(0, len(played), FRAME_SAMPLES):
        path.push(played[at : at + FRAME_SAMPLES], heard[at : at + FRAME_SAMPLES], STILL)
    assert path.echo is not None
    assert path.echo.delay == pytest.approx(0.05, abs=0.001)
    assert path.echo.level == pytest.approx(-20, abs=5)


@pytest.mark.parametrize("room", [0.0004, 0.002])
def test_an_echo_that_the_room_hides_is_not_found_by_somebody_speaking(room: float) -> None:
    """Their voice makes it seem louder than it is; a canceller would take them out for it."""
    path = EchoPath()
    played = voice(8.0)
    heard = room * np.random.default_rng(3).standard_normal(len(played)).astype(np.float32)
    heard[800:] += 0.1 * room / 0.02 * played[:-800]
    spoken = int(1.2 * CAPTURE_RATE)
    heard[spoken:] += voice(8.0, seed=9)[spoken:]
    found = []
    for at in range(0, len(played), FRAME_SAMPLES):
        end = at + FRAME_SAMPLES
        if path.push(played[at:end], heard[at:end], 20 * np.log10(room)):
            found.append(path.echo is not None)
    assert len(found) > 10
    assert not any(found)
    assert path.unheard


class Deafening(Subtracting):
    """An EchoCanceller that finds no echo, and takes out whatever is heard with what is played."""

    def cancel(self, microphone: Samples, reference: Samples) -> Samples:
        return super().cancel(microphone, reference) * np.float32(0.0)


@pytest.mark.parametrize(("gain", "is_heard"), [(0.01, True), (0.25, False)])
def test_who_speaks_far_above_a_faint_echo_is_heard_though_the_canceller_takes_them_out(
    gain: float, is_heard: bool
) -> None:
    """What is much louder than any echo can be by now is handed on as it was heard; where the echo
    is no faint one, that is left to the canceller."""
    scene = Scene(8.0, gain=gain)
    scene.canceller = Deafening(0.1)
    scene.microphone.near[int(4.5 * CAPTURE_RATE) : int(6.5 * CAPTURE_RATE)] += voice(2.0, seed=2)
    near = scene.microphone.near[int(4.5 * CAPTURE_RATE) : int(6.5 * CAPTURE_RATE)].copy()
    scene.play(1.0, voice(6.0, RATE))
    scene.run()
    assert dbfs(scene.heard(3.0, 4.0)) < -100
    assert (dbfs(scene.heard(4.5, 6.5)) > dbfs(near) - 3) == is_heard
