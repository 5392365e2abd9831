"""The paced microphone and speaker behave as devices do, in the clock's own time."""

from __future__ import annotations

import numpy as np
import pytest

from edgevoice.audio import FRAME_SAMPLES, Samples
from edgevoice.devices.ring import Ring, mono
from edgevoice.devices.simulated import CLIP_GAP, SimulatedSink, SimulatedSource
from edgevoice.player import WRITE_AHEAD, Player
from edgevoice.testing.virtual import VirtualClock
from tests.sinks import Tape


def ones(seconds: float, rate: int = 1000) -> Samples:
    return np.ones(int(seconds * rate), dtype=np.float32)


def test_frames_come_no_sooner_than_real_time() -> None:
    """A frame is there when its last sample has been spoken."""
    clock = VirtualClock()
    source = SimulatedSource(clock, iter([]), lambda: False, "file")
    for number in range(1, 10):
        frame = source.read()
        assert frame is not None
        assert clock.now() == pytest.approx(number * FRAME_SAMPLES / 16_000)


def test_a_clip_waits_until_the_last_one_is_dealt_with() -> None:
    """Clips are a conversation, not a playlist."""
    clock = VirtualClock()
    busy_until = 5.0
    source = SimulatedSource(clock, iter([ones(0.1)]), lambda: clock.now() >= busy_until, "file")
    times = []
    while (frame := source.read()) is not None:
        if frame.samples.any():
            times.append(clock.now())
    assert times[0] >= busy_until + CLIP_GAP - 0.1


def test_only_the_first_clip_may_come_at_once() -> None:
    """The second one waits for the answer to the first."""
    clock = VirtualClock()
    clips = iter([ones(0.1), ones(0.1)])
    source = SimulatedSource(clock, clips, lambda: clock.now() >= 5.0, "file", 2.0, at_once=True)
    times = []
    while (frame := source.read()) is not None:
        if frame.samples.any():
            times.append(clock.now())
    assert times[0] == pytest.approx(FRAME_SAMPLES / 16_000)
    assert next(time for time in times if time > 1.0) == pytest.approx(7.0, abs=0.1)


def test_what_is_written_is_heard_sample_by_sample_as_time_passes() -> None:
    """`samples_played` follows the clock and stops at what was written."""
    clock = VirtualClock()
    sink = Player(clock, SimulatedSink(clock, 1000, "virtual"))
    clock.sleep(1.0)
    assert sink.write(ones(0.4)) == 0
    clock.sleep(0.1)
    assert sink.samples_played() == 100
    assert sink.time_of(200) == pytest.approx(1.2)
    clock.sleep(9.0)
    assert sink.samples_played() == 400


def test_stopping_drops_what_was_not_heard_and_numbers_go_on_from_there() -> None:
    """After a stop the next sample written is the one after the last one heard."""
    clock = VirtualClock()
    sink = Player(clock, SimulatedSink(clock, 1000, "virtual"))
    sink.write(ones(0.4))
    clock.sleep(0.1)
    assert sink.stop() == 100
    assert sink.samples_played() == 100
    clock.sleep(0.3)
    assert sink.write(ones(0.1)) == 100
    assert sink.time_of(100) == pytest.approx(0.4)


def test_a_writer_far_ahead_waits_and_a_stop_lets_it_go() -> None:
    """`write` holds back what would be too far ahead, and drops it when the sound is stopped."""
    clock = VirtualClock()
    sink = Player(clock, SimulatedSink(clock, 1000, "virtual"))

    def stopper() -> None:
        clock.sleep(0.5)
        sink.stop()

    clock.spawn(stopper, "stopper")
    sink.write(ones(3.0))
    assert clock.now() == 0.5
    assert sink.samples_played() == 500


def test_the_recording_lies_on_the_session_s_time_axis() -> None:
    """Silences are recorded as silences, so that sample n is what was heard at n / rate."""
    clock = VirtualClock()
    tape = Tape()
    sink = Player(clock, SimulatedSink(clock, 1000, "virtual", tape))
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
    # What is stopped fades out, so that it does not click.
    heard[2100:2110] = np.arange(9, -1, -1) / 10
    assert tape.closed
    np.testing.assert_allclose(tape.samples, heard, atol=1e-6)


def count_from(start: int, count: int) -> Samples:
    return np.arange(start, start + count, dtype=np.float32)


def test_what_left_the_speaker_is_known_by_the_time_at_which_it_did() -> None:
    """Sound between two silences is found where it was, and what is still queued is not."""
    clock = VirtualClock()
    sink = Player(clock, SimulatedSink(clock, 1000, "virtual"))
    clock.sleep(1.0)
    sink.write(count_from(1, 200))
    clock.sleep(0.5)
    sink.write(count_from(1001, 300))
    clock.sleep(0.1)
    played = sink.reference(0.9, 1000)
    expected = np.zeros(1000)
    expected[100:300] = count_from(1, 200)
    expected[600:700] = count_from(1001, 100)
    np.testing.assert_array_equal(played, expected)
    assert sink.reference(1.05, 3).tolist() == [51, 52, 53]


def test_what_was_stopped_never_left_the_speaker() -> None:
    """After a stop, silence and then what is written next left it, not what was dropped."""
    clock = VirtualClock()
    sink = Player(clock, SimulatedSink(clock, 1000, "virtual"))
    sink.write(count_from(1, 400))
    clock.sleep(0.1)
    sink.stop()
    clock.sleep(0.1)
    sink.write(count_from(501, 100))
    clock.sleep(1.0)
    expected = np.zeros(400)
    expected[:100] = count_from(1, 100)
    expected[100:110] = count_from(101, 10) * np.arange(9, -1, -1) / 10  # it fades out
    expected[200:300] = count_from(501, 100)
    np.testing.assert_allclose(sink.reference(0.0, 400), expected, atol=1e-3)


def test_a_long_conversation_is_not_kept() -> None:
    """Only the last seconds of what was played are."""
    clock = VirtualClock()
    sink = Player(clock, SimulatedSink(clock, 1000, "virtual"))
    for _ in range(20):
        sink.write(ones(0.5))
        clock.sleep(1.0)
    assert not sink.reference(1.0, 500).any()
    assert sink.reference(clock.now() - 2.0, 2000).sum() == 1000


def test_a_reply_that_is_held_goes_on_where_it_was_heard_last() -> None:
    """Silence comes within 10 ms, nothing is lost, and later samples are due as much later."""
    clock = VirtualClock()
    tape = Tape()
    sink = Player(clock, SimulatedSink(clock, 1000, "virtual", tape))
    sink.write(ones(0.4))
    clock.sleep(0.1)
    assert sink.pause() == 100
    clock.sleep(1.0)
    assert sink.samples_played() == 100
    sink.resume()
    assert sink.time_of(300) == pytest.approx(1.3)
    assert sink.time_of(50) == pytest.approx(0.05)
    clock.sleep(0.1)
    assert sink.samples_played() == 200
    clock.sleep(1.0)
    assert sink.samples_played() == 400
    sink.close()
    assert tape.samples[:100].min() == 1
    assert tape.samples[110:1100].max() == 0
    assert tape.samples[1110:1400].min() == 1
    assert np.abs(np.diff(tape.samples[:1390])).max() < 0.11


def test_the_end_of_what_was_heard_can_be_heard_again_after_a_hold() -> None:
    """Going back to the beginning of a word repeats sound, but nothing is counted twice."""
    clock = VirtualClock()
    sink = Player(clock, SimulatedSink(clock, 1000, "virtual"))
    sink.write(count_from(0, 400))
    clock.sleep(0.1)
    sink.pause()
    clock.sleep(0.5)
    sink.resume(again=30)
    assert sink.time_of(400) == pytest.approx(0.6 + 0.33)
    clock.sleep(0.02)
    assert sink.samples_played() == 100
    clock.sleep(0.02)
    assert sink.samples_played() == 110
    np.testing.assert_array_equal(sink.reference(0.615, 5), count_from(85, 5))


def test_a_reply_that_is_held_can_be_stopped() -> None:
    """What was kept back is dropped, and the next reply is heard at once and in full."""
    clock = VirtualClock()
    tape = Tape()
    sink = Player(clock, SimulatedSink(clock, 1000, "virtual", tape))
    sink.write(ones(0.4))
    clock.sleep(0.1)
    sink.duck(True)
    sink.pause()
    clock.sleep(0.5)
    assert sink.stop() == 100
    assert sink.time_of(100) == pytest.approx(0.1)
    assert sink.write(ones(0.2)) == 100
    assert sink.time_of(100) == pytest.approx(0.6)
    clock.sleep(0.5)
    sink.close()
    assert tape.samples[120:600].max() == 0
    assert tape.samples[600:800].min() == 1


def test_a_writer_waits_while_what_it_wrote_is_held() -> None:
    """Held back, the speaker takes no more than it ever does; a release makes room again."""
    clock = VirtualClock()
    sink = Player(clock, SimulatedSink(clock, 1000, "virtual"))
    sink.write(ones(0.8))

    def release() -> None:
        clock.sleep(2.0)
        sink.resume()

    sink.pause()
    clock.spawn(release, "release")
    sink.write(ones(0.1))
    assert clock.now() == pytest.approx(2.0 + 0.8 - WRITE_AHEAD)


def test_a_speaker_makes_way_without_a_step_in_its_volume() -> None:
    """Ducked, it is quieter by what is set; then as loud as before, in ramps both times."""
    clock = VirtualClock()
    tape = Tape()
    sink = Player(clock, SimulatedSink(clock, 1000, "virtual", tape), ducked=0.5)
    sink.write(ones(0.4))
    clock.sleep(0.1)
    sink.duck(True)
    clock.sleep(0.1)
    sink.duck(False)
    clock.sleep(0.3)
    sink.close()
    assert tape.samples[120:200] == pytest.approx(0.5)
    assert tape.samples[220:400] == pytest.approx(1.0)
    assert np.abs(np.diff(tape.samples[:400])).max() < 0.05


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
