"""The room rig: echo, voices and noise are put together exactly, and found again."""

from __future__ import annotations

import numpy as np
import pytest

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.bench.scenarios.acoustics import Mixer, RoomTape
from edgevoice.bench.scenarios.loopback import SURE_PEAK_RATIO, found
from edgevoice.bench.scenarios.room import RoomTrack
from edgevoice.bench.scenarios.room_response import Acoustics, Convolver, impulse_response
from edgevoice.devices.duplex import DEVICE_RATE, REMEMBERED_CALLBACKS, StreamTimes


def noise(count: int, seed: int = 3) -> Samples:
    return np.random.default_rng(seed).standard_normal(count).astype(np.float32) / 10


@pytest.mark.parametrize("level", [-30.0, -12.0, -3.0])
@pytest.mark.parametrize("tail", [0.0, 0.3])
def test_a_room_lets_through_as_much_as_it_is_told(level: float, tail: float) -> None:
    """The energy of the impulse response is the level, with a tail and without."""
    response = impulse_response(Acoustics(level=level, tail=tail), DEVICE_RATE)
    assert 10 * np.log10(np.sum(response**2)) == pytest.approx(level, abs=0.01)


def test_an_echo_fades_by_60_db_in_its_time() -> None:
    """Schroeder's backward integral falls by 20 dB in a third of RT60."""
    tail = 0.6
    response = impulse_response(Acoustics(tail=tail, level=0.0), DEVICE_RATE)[1:]
    left = 10 * np.log10(np.cumsum(response[::-1] ** 2)[::-1])
    third = left[round(tail * DEVICE_RATE / 3)] - left[round(0.01 * DEVICE_RATE)]
    assert third == pytest.approx(-20.0, abs=1.5)


def test_the_same_seed_is_the_same_room() -> None:
    """And another one another."""
    one, same, other = (impulse_response(Acoustics(seed=s), DEVICE_RATE) for s in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("length", [1, 480, 481, 5000])
def test_blockwise_it_is_the_same_as_one_long_convolution(length: int) -> None:
    """No delay of its own, nothing lost at the borders of blocks, nor after a long silence."""
    response, sound = noise(length), noise(480 * 40, seed=4)
    sound[480 * 10 : 480 * 30] = 0.0
    convolver = Convolver(response, 480)
    made = np.concatenate([convolver.push(block) for block in sound.reshape(-1, 480)])
    wanted = np.convolve(sound, response)[: len(sound)]
    assert np.abs(made - wanted).max() < 1e-5


def test_a_voice_begins_with_the_very_sample_it_is_told() -> None:
    """Over borders of blocks, on top of what is heard already, and never twice."""
    voice = noise(1000)
    mix = Mixer()
    mix.add(voice, begin=700)
    whole = np.ones(480 * 5, dtype=np.float32)
    for start in range(0, len(whole), 480):
        mix.into(whole[start : start + 480], start)
    wanted = np.ones_like(whole)
    wanted[700:1700] += voice
    assert np.array_equal(whole, wanted)


def test_voices_can_be_dropped() -> None:
    """All at once."""
    mix = Mixer()
    mix.add(noise(480), begin=0)
    block = np.zeros(480, dtype=np.float32)
    mix.drop()
    mix.into(block, 0)
    assert not block.any()


def test_a_bed_of_noise_goes_on_without_a_seam() -> None:
    """Longer than a block or shorter, it begins again with the sample after its last."""
    for length in (100, 700):
        bed = noise(length)
        mix = Mixer()
        mix.bed = bed
        whole = np.zeros(480 * 4, dtype=np.float32)
        for start in range(0, len(whole), 480):
            mix.into(whole[start : start + 480], start)
        assert np.array_equal(whole, np.resize(bed, len(whole)))


def test_a_tape_that_is_full_keeps_what_it_has() -> None:
    """And tells when its samples sounded."""
    tape = RoomTape.of(0.1)
    for number in range(20):
        tape.put(np.full(480, 0.5, dtype=np.float32), 7.0 + number / 100)
    cut = tape.cut()
    assert cut.count == len(cut.samples) == DEVICE_RATE // 10
    assert set(cut.samples) == {16383}
    assert cut.marks[0] == (0, 7.0)


def test_a_recording_is_found_by_time_across_a_leap() -> None:
    """A device that ran dry for a second leaves a gap in time, not in the samples."""
    track = RoomTrack(
        np.arange(3000, dtype=np.float32), 1000, ((0, 10.0), (1000, 11.0), (2000, 13.0))
    )
    assert track.time_of(500) == pytest.approx(10.5)
    assert track.time_of(2500) == pytest.approx(13.5)
    assert track.number_at(13.25) == 2250
    assert list(track.between(10.998, 11.002)) == [998, 999, 1000, 1001]
    assert track.number_at(99.0) == 3000


def test_times_of_samples_do_not_wander_with_late_callbacks() -> None:
    """Jitter leaves the numbering where it was; a device that ran dry moves it."""
    timed = StreamTimes(DEVICE_RATE)
    jitter = np.random.default_rng(1).uniform(-0.003, 0.003, 1000)
    for number in range(500):
        timed.note(number * 480, 5.0 + number / 100 + jitter[number])
        if number == REMEMBERED_CALLBACKS:
            origin = timed.origin
    assert timed.settled
    assert timed.origin == origin == pytest.approx(5.0, abs=0.003)
    for number in range(500, 1000):
        timed.note(number * 480, 5.1 + number / 100 + jitter[number])
    assert timed.origin == pytest.approx(5.1, abs=0.003)
    assert timed.number_at(timed.time_of(12_345)) == 12_345


def test_a_probe_is_found_where_it_arrives() -> None:
    """With its level, in noise that is louder; and nowhere where it is not."""
    probe = noise(8000)
    heard = noise(24_000, seed=9) / 2
    assert found(probe, heard)[1] < SURE_PEAK_RATIO
    heard[5000:13_000] += probe / 4
    at, sure, gain = found(probe, heard)
    assert at == 5000
    assert sure > SURE_PEAK_RATIO
    assert gain == pytest.approx(0.25, rel=0.1)
    assert len(probe) / CAPTURE_RATE == 0.5
