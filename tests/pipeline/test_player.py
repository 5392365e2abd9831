"""The player pauses, ducks, stops, repeats and replaces, whatever the way to the speaker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgevoice.audio import Samples
from edgevoice.player import DUCK_RAMP, DUCKED_LEVEL, FADE_RAMP, WRITE_AHEAD, Player
from edgevoice.testing.virtual import VirtualClock
from tests.sinks import BLOCK, RATE, Device, local, recorded, remote, resilient, simulated

WAYS = {
    "simulated": simulated,
    "recorded": recorded,
    "local": local,
    "resilient": resilient,
    "remote": remote,
}
FADE = round(FADE_RAMP * RATE)
SCALE = 4096
TOLERANCE = 2e-4


def counted(first: int, count: int) -> Samples:
    """Samples from which their numbers can be told."""
    return np.arange(first + 1, first + count + 1, dtype=np.float32) / SCALE


class Listener:
    """A player over one of the ways to a speaker, and who listens at its end."""

    def __init__(self, way: str, folder: Path) -> None:
        self.clock = VirtualClock()
        self.sink, self.heard, self.slack = WAYS[way](self.clock, folder)
        self.player = Player(self.clock, self.sink)

    def write_all(self, samples: Samples) -> None:
        """Write piece by piece, as playback does."""
        for start in range(0, len(samples), 100):
            self.player.write(samples[start : start + 100])

    def silent(self, first: float, last: float) -> bool:
        return not np.abs(self.heard(first, last)).max(initial=0.0)

    def sound(self, first: float, last: float) -> Samples:
        """What was heard from the first sound to the last."""
        return np.trim_zeros(self.heard(first, last))


@pytest.fixture(params=WAYS)
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(request.param, tmp_path)
    yield listener
    listener.player.close()


def close(sound: Samples, wanted: Samples) -> bool:
    return len(sound) == len(wanted) and np.allclose(sound, wanted, atol=TOLERANCE)


def test_a_sample_is_heard_when_the_player_says_so(at: Listener) -> None:
    """Nothing before it, all that follows it, and `samples_played` ends at what was written."""
    at.clock.sleep(1.0)
    assert at.player.write(counted(0, 400)) == 0
    at.clock.sleep(0.3)
    assert 0 < at.player.samples_played() < 400
    at.clock.sleep(1.0)
    assert at.player.samples_played() == 400
    begun = at.player.time_of(0)
    assert begun >= 1.0
    assert close(at.heard(begun, begun + 400 / RATE), counted(0, 400))
    assert at.silent(0.0, begun)


def test_a_pause_is_silent_at_once_and_loses_nothing(at: Listener) -> None:
    """After it everything is heard that was not, and counted once."""
    at.write_all(counted(0, 800))
    at.clock.sleep(0.3)
    held, paused = at.player.pause(), at.clock.now()
    at.clock.sleep(1.0)
    assert at.player.samples_played() == held
    resumed = at.clock.now()
    at.player.resume()
    at.clock.sleep(2.0)
    assert at.player.samples_played() == 800
    assert at.silent(paused + at.slack + FADE_RAMP, resumed)
    after = at.sound(resumed, resumed + 2.0)
    assert close(after[FADE:], counted(held + FADE, 800 - held - FADE))
    assert np.all(after[:FADE] <= counted(held, FADE) + TOLERANCE)


def test_the_end_of_what_was_heard_can_be_heard_again(at: Listener) -> None:
    """From so many samples before the pause; they count once."""
    at.write_all(counted(0, 800))
    at.clock.sleep(0.3)
    held = at.player.pause()
    at.clock.sleep(0.5)
    at.player.resume(again=60)
    counts, begun = [], at.clock.now()
    for _ in range(200):
        at.clock.sleep(0.01)
        counts.append(at.player.samples_played())
    assert counts == sorted(counts)
    assert counts[0] == held
    assert counts[-1] == 800
    after = at.sound(begun, begun + 2.0)
    assert close(after[FADE:], counted(held - 60 + FADE, 860 - held - FADE))


def test_what_is_stopped_is_dropped_and_the_next_reply_is_whole(at: Listener) -> None:
    """Silence at once; numbers go on from what was heard."""
    at.write_all(counted(0, 800))
    at.clock.sleep(0.3)
    end, stopped = at.player.stop(), at.clock.now()
    at.clock.sleep(0.5)
    assert at.player.samples_played() == end
    ended = at.player.time_of(end)
    written = at.clock.now()
    assert at.player.write(counted(1000, 200)) == end
    at.clock.sleep(1.0)
    assert at.player.time_of(end) > ended
    assert at.player.samples_played() == end + 200
    assert at.silent(stopped + at.slack + FADE_RAMP, written)
    assert close(at.sound(written, written + 1.0), counted(1000, 200))


def test_a_reply_can_follow_a_stop_at_once(at: Listener) -> None:
    """Its first sample is not lost in the end of the one before."""
    at.write_all(counted(0, 800))
    at.clock.sleep(0.3)
    at.player.stop()
    written = at.clock.now()
    at.player.write(counted(1000, 200))
    at.clock.sleep(1.0)
    sound = at.sound(written, written + 1.0)
    assert close(sound[-200 + FADE :], counted(1000 + FADE, 200 - FADE))


def test_ducking_is_quieter_at_once_and_changes_no_count(at: Listener) -> None:
    """In ramps, without a step in the volume, and no sample is missing."""
    at.write_all(counted(3000, 800))
    at.clock.sleep(0.2)
    at.player.duck(True)
    ducked = at.clock.now()
    at.clock.sleep(0.3)
    at.player.duck(False)
    raised = at.clock.now()
    at.clock.sleep(2.0)
    assert at.player.samples_played() == 800
    begun = at.player.time_of(0)
    heard = at.heard(begun, begun + 800 / RATE)
    volume = heard / counted(3000, 800)
    quiet = slice(*(round((t + at.slack + DUCK_RAMP - begun) * RATE) for t in (ducked, raised)))
    assert np.allclose(
        volume[quiet.start : round((raised - begun) * RATE)], DUCKED_LEVEL, atol=1e-3
    )
    assert np.allclose(volume[quiet.stop :], 1.0, atol=1e-3)
    assert np.abs(np.diff(volume)).max() < 1.2 / (DUCK_RAMP * RATE)


def test_a_pause_ends_ducking_and_ducking_survives_a_pause(at: Listener) -> None:
    """As loud after a pause as is asked for then."""
    at.write_all(counted(3000, 800))
    at.clock.sleep(0.2)
    at.player.duck(True)
    at.player.pause()
    at.clock.sleep(0.3)
    at.player.duck(False)
    at.player.resume()
    resumed = at.clock.now()
    at.clock.sleep(2.0)
    sound = at.sound(resumed, resumed + 2.0)
    assert close(sound[FADE:], counted(3800 - len(sound) + FADE, len(sound) - FADE))


def test_a_reply_can_be_replaced_from_a_sample_that_was_not_heard_yet(at: Listener) -> None:
    """The samples before it are heard, then the new ones, joined without a click."""
    at.write_all(counted(0, 700))
    at.clock.sleep(0.2)
    assert at.player.replace(600, counted(2000, 900)) == 600
    at.clock.sleep(2.0)
    assert at.player.samples_played() == 1500
    begun = at.player.time_of(0)
    heard = at.heard(begun, begun + 1500 / RATE)
    assert close(heard[:600], counted(0, 600))
    assert close(heard[600 + FADE :], counted(2000 + FADE, 900 - FADE))
    assert np.abs(np.diff(heard)).max() < 0.1


def test_a_replacement_that_comes_late_begins_where_it_is_still_in_time(at: Listener) -> None:
    """What was heard stays, and as much of the new sound is left out."""
    at.write_all(counted(0, 700))
    at.clock.sleep(0.3)
    first = at.player.replace(100, counted(2100, 500))
    at.clock.sleep(2.0)
    assert 100 < first < 500
    assert at.player.samples_played() == 600
    begun = at.player.time_of(0)
    heard = at.heard(begun, begun + 600 / RATE)
    late = first + round(at.slack * RATE) + FADE
    assert close(heard[:first], counted(0, first))
    assert close(heard[late:], counted(2000 + late, 600 - late))


def test_a_replacement_in_a_pause_is_heard_after_it(at: Listener) -> None:
    """Nothing is heard of what it replaces."""
    at.write_all(counted(0, 700))
    at.clock.sleep(0.2)
    held = at.player.pause()
    at.player.replace(held + 50, counted(2000, 100))
    at.clock.sleep(0.3)
    at.player.resume()
    resumed = at.clock.now()
    at.clock.sleep(1.0)
    assert at.player.samples_played() == held + 150
    wanted = np.concatenate([counted(held, 50), counted(2000, 100)])
    assert close(at.sound(resumed, resumed + 1.0)[FADE:], wanted[FADE:])


def test_what_left_the_speaker_is_known_by_its_time(at: Listener) -> None:
    """The reference for echo cancellation is what is heard, at the time at which it is."""
    at.clock.sleep(0.5)
    at.write_all(counted(0, 300))
    at.clock.sleep(1.0)
    at.write_all(counted(1000, 300))
    at.clock.sleep(1.0)
    now = at.clock.now()
    reference = at.player.reference(now - 2.0, 2 * RATE)
    assert close(reference, at.heard(now - 2.0, now))
    assert reference.any()


def test_a_writer_far_ahead_waits(at: Listener) -> None:
    """Until what is queued lasts no longer than it must."""
    at.player.write(counted(0, round(WRITE_AHEAD * RATE)))
    at.player.write(counted(0, 400))
    begun = at.clock.now()
    at.player.write(counted(0, 400))
    assert at.clock.now() - begun > 0.2
    assert at.player.samples_played() > 0


@pytest.mark.parametrize("end", ["stop", "close"])
def test_a_writer_that_waits_is_let_go(at: Listener, end: str) -> None:
    """Even while playback is paused."""
    at.write_all(counted(0, 700))
    at.player.pause()

    def release() -> None:
        at.clock.sleep(2.0)
        getattr(at.player, end)()

    at.clock.spawn(release, "release")
    at.player.write(counted(700, 2000))
    assert at.clock.now() < 3.5


def test_silence_before_a_sample_is_known(at: Listener) -> None:
    """Sound that follows in time has none before it; after the speaker ran dry there is."""
    at.player.write(counted(0, 300))
    at.clock.sleep(0.1)
    assert not at.player.silent_before(at.player.write(counted(300, 100)))
    at.clock.sleep(1.0)
    assert at.player.silent_before(at.player.write(counted(400, 100)))
    assert not at.player.silent_before(at.player.write(counted(500, 100)))


def test_silence_that_was_asked_for_is_not_running_dry(at: Listener) -> None:
    """Neither a pause nor a stop counts as one, however long it lasts."""
    at.player.write(counted(0, 300))
    at.player.pause()
    at.clock.sleep(1.0)
    at.player.stop()
    at.clock.sleep(1.0)
    assert not at.player.silent_before(at.player.write(counted(400, 100)))


@pytest.mark.parametrize("again", [0, 30])
@pytest.mark.parametrize("moment", range(3, 9))
def test_pausing_ducking_and_stopping_in_any_order_loses_no_count(moment: int, again: int) -> None:
    """`samples_played` never goes back, and the next number is where the last reply was stopped."""
    clock = VirtualClock()
    device = Device(clock)
    player = Player(clock, device)
    player.write(counted(0, 300))
    counts = []
    end = None
    for step in range(1, 40):
        device.run(1)
        counts.append(player.samples_played())
        if step == moment:
            player.duck(True)
        elif step == moment + 1:
            player.pause()
        elif step == 2 * moment + 2:
            player.resume(again)
        elif step == 3 * moment:
            end = player.stop()
        elif step == 3 * moment + 1:
            assert player.write(counted(0, 50)) == end
    assert counts == sorted(counts)
    assert end is not None
    assert counts[-1] == end + 50
    assert np.abs(np.diff(device.tape.samples)).max() < 0.02


def test_what_a_device_had_taken_when_it_was_stopped_is_known_by_number_and_time() -> None:
    """The time of the last sample heard does not move when what lay behind it is dropped."""
    clock = VirtualClock()
    device = Device(clock)
    player = Player(clock, device)
    player.write(counted(0, 400))
    device.run(5)
    end = player.stop()
    assert end == 5 * BLOCK
    last = 5 * BLOCK / RATE + Device.LATENCY
    assert player.time_of(end) == pytest.approx(last)
    device.run(10)
    assert player.samples_played() == end
    assert player.time_of(end) == pytest.approx(last)
    assert player.write(counted(0, 100)) == end
    device.run(20)
    assert player.samples_played() == end + 100
    assert player.time_of(end) == pytest.approx(15 * BLOCK / RATE + Device.LATENCY)
    assert close(device.tape.samples[15 * BLOCK : 15 * BLOCK + 100], counted(0, 100))


def test_a_device_s_past_is_aligned_to_the_sample_however_late_its_callbacks_come() -> None:
    """Lateness is not taken for delay."""
    clock = VirtualClock()
    device = Device(clock, late=0.03).start()
    player = Player(clock, device)
    for number in range(40):
        player.write(counted(number * 100, 100))
    wanted = device.tape.samples[-1000:]
    begin = (len(device.tape.samples) - len(wanted)) / RATE + Device.LATENCY
    assert wanted.all()
    assert close(player.reference(begin, len(wanted)), wanted)


def test_a_device_that_played_silence_of_its_own_is_aligned_anew_at_once() -> None:
    """After an underrun the next block's time counts, and none before."""
    clock = VirtualClock()
    device = Device(clock)
    player = Player(clock, device)
    player.write(counted(0, 400))
    device.run(10)
    before = player.time_of(300)
    device.pause_of_its_own(0.5)
    device.run(5)
    assert player.time_of(300) == pytest.approx(before + 0.5)
    device.run(30)
    begin = player.time_of(200)
    assert close(player.reference(begin, 200), counted(200, 200))
