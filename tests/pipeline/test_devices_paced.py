"""The paced microphone and speaker behave as devices do, in the clock's own time."""

from __future__ import annotations

import numpy as np
import pytest

from edgevoice.audio import FRAME_SAMPLES, Samples
from edgevoice.devices.paced import GAP, PacedSink, PacedSource
from edgevoice.devices.ring import Ring, mono
from edgevoice.testing.virtual import VirtualClock


class Tape:
    def __init__(self) -> None:
        self.samples = np.zeros(0, dtype=np.float32)
        self.closed = False

    def write(self, samples: Samples) -> None:
        self.samples = np.concatenate([self.samples, samples])

    def close(self) -> None:
        self.closed = True


def ones(seconds: float, rate: int = 1000) -> Samples:
    return np.ones(int(seconds * rate), dtype=np.float32)


def test_frames_come_no_sooner_than_real_time() -> None:
    """A frame is there when its last sample has been spoken."""
    clock = VirtualClock()
    source = PacedSource(clock, iter([]), lambda: False, "file")
    for number in range(1, 10):
        frame = source.read()
        assert frame is not None
        assert clock.now() == pytest.approx(number * FRAME_SAMPLES / 16_000)


def test_a_clip_waits_until_the_last_one_is_dealt_with() -> None:
    """Clips are a conversation, not a playlist."""
    clock = VirtualClock()
    busy_until = 5.0
    source = PacedSource(clock, iter([ones(0.1)]), lambda: clock.now() >= busy_until, "file")
    times = []
    while (frame := source.read()) is not None:
        if frame.samples.any():
            times.append(clock.now())
    assert times[0] >= busy_until + GAP - 0.1


def test_what_is_written_is_heard_sample_by_sample_as_time_passes() -> None:
    """`heard` follows the clock and stops at what was written."""
    clock = VirtualClock()
    sink = PacedSink(clock, 1000, "virtual")
    clock.sleep(1.0)
    assert sink.write(ones(0.4)) == 0
    clock.sleep(0.1)
    assert sink.heard() == 100
    assert sink.time_of(200) == pytest.approx(1.2)
    clock.sleep(9.0)
    assert sink.heard() == 400


def test_stopping_drops_what_was_not_heard_and_numbers_go_on_from_there() -> None:
    """After a stop the next sample written is the one after the last one heard."""
    clock = VirtualClock()
    sink = PacedSink(clock, 1000, "virtual")
    sink.write(ones(0.4))
    clock.sleep(0.1)
    assert sink.stop() == 100
    assert sink.heard() == 100
    clock.sleep(0.3)
    assert sink.write(ones(0.1)) == 100
    assert sink.time_of(100) == pytest.approx(0.4)


def test_a_writer_far_ahead_waits_and_a_stop_lets_it_go() -> None:
    """`write` holds back what would be too far ahead, and drops it when the sound is stopped."""
    clock = VirtualClock()
    sink = PacedSink(clock, 1000, "virtual")
    sink.write(ones(2.0))

    def stopper() -> None:
        clock.sleep(0.5)
        sink.stop()

    clock.spawn(stopper, "stopper")
    sink.write(ones(1.0))
    assert clock.now() == 0.5
    assert sink.heard() == 500


def test_the_recording_lies_on_the_session_s_time_axis() -> None:
    """Silences are recorded as silences, so that sample n is what was heard at n / rate."""
    clock = VirtualClock()
    tape = Tape()
    sink = PacedSink(clock, 1000, "virtual", tape)
    clock.sleep(1.0)
    sink.write(ones(0.2))
    clock.sleep(1.0)
    sink.write(ones(0.4))
    clock.sleep(0.1)
    sink.stop()
    clock.sleep(0.5)
    sink.close()
    heard = np.zeros(2600)
    heard[1000:1200] = heard[2000:2100] = 1
    assert tape.closed
    np.testing.assert_array_equal(tape.samples, heard)


def test_a_ring_gives_back_what_was_put_across_its_edge() -> None:
    """Wrapping around loses and reorders nothing."""
    ring = Ring(10, 1)
    out = np.zeros((7, 1), dtype=np.float32)
    taken, given = [], iter(range(1000))
    for _ in range(30):
        block = np.array([next(given) for _ in range(7)], dtype=np.float32)
        assert ring.put(mono(block)) == 7
        assert ring.take(out) == 7
        taken += out[:, 0].tolist()
    assert taken == list(range(210))


def test_a_full_ring_counts_what_it_loses() -> None:
    """Overruns are counted, never silent, and never overwrite what was not read."""
    ring = Ring(5, 1)
    assert ring.put(mono(np.arange(8, dtype=np.float32))) == 5
    assert ring.lost == 3
    out = np.zeros((8, 1), dtype=np.float32)
    assert ring.take(out) == 5
    assert out[:5, 0].tolist() == [0, 1, 2, 3, 4]
