"""The paced microphone and speaker behave as devices do, in the clock's own time."""

from __future__ import annotations

import numpy as np
import pytest

from edgevoice.audio import FRAME_SAMPLES, Samples
from edgevoice.devices.played_history import HISTORY_SECONDS, PlayedHistory
from edgevoice.devices.playout_buffer import PlayoutBuffer
from edgevoice.devices.ring import Ring, mono
from edgevoice.devices.simulated import CLIP_GAP, SimulatedSink, SimulatedSource
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
    sink = SimulatedSink(clock, 1000, "virtual")
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
    sink = SimulatedSink(clock, 1000, "virtual")
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
    sink = SimulatedSink(clock, 1000, "virtual")
    sink.write(ones(2.0))

    def stopper() -> None:
        clock.sleep(0.5)
        sink.stop()

    clock.spawn(stopper, "stopper")
    sink.write(ones(1.0))
    assert clock.now() == 0.5
    assert sink.samples_played() == 500


def test_the_recording_lies_on_the_session_s_time_axis() -> None:
    """Silences are recorded as silences, so that sample n is what was heard at n / rate."""
    clock = VirtualClock()
    tape = Tape()
    sink = SimulatedSink(clock, 1000, "virtual", tape)
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
    sink = SimulatedSink(clock, 1000, "virtual")
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
    sink = SimulatedSink(clock, 1000, "virtual")
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
    sink = SimulatedSink(clock, 1000, "virtual")
    for _ in range(20):
        sink.write(ones(0.5))
        clock.sleep(1.0)
    assert not sink.reference(1.0, 500).any()
    assert sink.reference(clock.now() - 2.0, 2000).sum() == 1000


def device(
    past: PlayedHistory, rate: int, seconds: float, late: float = 0.0, start: float = 5.0
) -> None:
    """Let `past` take blocks of numbered samples, the callbacks up to `late` seconds late."""
    block = rate // 100
    for number in range(int(seconds * 100)):
        lateness = late * (number % 7) / 6
        past.put(count_from(number * block, block), start + number / 100 + lateness)


def test_a_device_s_past_is_aligned_to_the_sample_however_late_its_callbacks_come() -> None:
    """Lateness is not taken for delay."""
    past = PlayedHistory(1000)
    device(past, 1000, 2.0, late=0.03)
    assert past.at(5.5, 4).tolist() == [500, 501, 502, 503]


def test_a_device_s_past_reaches_back_a_few_seconds_across_the_ring_s_edge() -> None:
    """What is older, or has not left the speaker yet, is silence."""
    past = PlayedHistory(1000)
    device(past, 1000, 9.5)
    end = 9500
    assert (
        past.at(5.0 + (end - 1000 * HISTORY_SECONDS) / 1000, 1)[0] == end - 1000 * HISTORY_SECONDS
    )
    assert not past.at(5.0 + (end - 1000 * HISTORY_SECONDS) / 1000 - 0.1, 90).any()
    assert past.at(5.0 + (end - 2) / 1000, 4).tolist() == [end - 2, end - 1, 0, 0]
    np.testing.assert_array_equal(past.at(12.0, 2000), count_from(7000, 2000))


def test_a_device_that_let_out_silence_of_its_own_is_aligned_anew_within_a_second() -> None:
    """After an interruption of the device the old alignment is forgotten."""
    past = PlayedHistory(1000)
    device(past, 1000, 2.0)
    for number in range(110):
        past.put(count_from(number * 10, 10), 8.0 + number / 100)
    assert past.at(8.05, 2).tolist() == [50, 51]


def test_a_reply_that_is_held_goes_on_where_it_was_heard_last() -> None:
    """Silence comes within 10 ms, nothing is lost, and later samples are due as much later."""
    clock = VirtualClock()
    tape = Tape()
    sink = SimulatedSink(clock, 1000, "virtual", tape)
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
    sink = SimulatedSink(clock, 1000, "virtual")
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
    sink = SimulatedSink(clock, 1000, "virtual", tape)
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
    sink = SimulatedSink(clock, 1000, "virtual")
    sink.write(ones(0.8))

    def release() -> None:
        clock.sleep(2.0)
        sink.resume()

    sink.pause()
    clock.spawn(release, "release")
    sink.write(ones(0.1))
    assert clock.now() == pytest.approx(2.3)


def test_a_speaker_makes_way_without_a_step_in_its_volume() -> None:
    """Ducked, it is quieter by what is set; then as loud as before, in ramps both times."""
    clock = VirtualClock()
    tape = Tape()
    sink = SimulatedSink(clock, 1000, "virtual", tape, ducked=0.5)
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


RATE = 1024
BLOCK = 16
LATENCY = 1 / 16


class Device:
    """A callback every `BLOCK` samples, whose sound leaves the speaker `LATENCY` seconds later."""

    def __init__(self, queue: PlayoutBuffer) -> None:
        self.queue = queue
        self.now = 0.0
        self.sound = np.zeros(0, dtype=np.float32)

    def run(self, blocks: int) -> None:
        out = np.empty((BLOCK, 1), dtype=np.float32)
        for _ in range(blocks):
            self.queue.take(out, self.now + LATENCY)
            self.sound = np.concatenate([self.sound, out[:, 0]])
            self.now += BLOCK / RATE

    def left(self) -> Samples:
        """What has left the speaker by now."""
        return self.sound[: max(0, round((self.now - LATENCY) * RATE))]


def test_a_device_falls_silent_within_a_fade_and_goes_on_without_losing_a_sample() -> None:
    """Held in the middle of a block: what faded out is heard again in full."""
    queue = PlayoutBuffer(RATE, 0.4)
    device = Device(queue)
    queue.put(ones(400, 1))
    device.run(5)
    held = queue.pause()
    device.run(20)
    assert held == 80
    assert queue.samples_played(device.now) == 80
    assert np.count_nonzero(device.sound) - 80 < 11
    queue.resume()
    device.run(30)
    assert queue.samples_played(device.now) == 400
    assert np.count_nonzero(device.sound > 0.999) == 400 - 10
    assert np.abs(np.diff(device.sound[: 25 * BLOCK + 300])).max() < 0.11
    resumed = queue.time_of(80)
    assert resumed == pytest.approx(25 * BLOCK / RATE + LATENCY)
    assert queue.time_of(40) == pytest.approx(40 / RATE + LATENCY)


def test_what_a_device_had_taken_when_it_was_stopped_is_known_by_number_and_time() -> None:
    """The time of the last sample heard does not move when what lay behind it is dropped."""
    queue = PlayoutBuffer(RATE, 0.4)
    device = Device(queue)
    queue.put(ones(400, 1))
    device.run(5)
    end = queue.stop()
    assert end == 80
    assert queue.time_of(end) == pytest.approx(80 / RATE + LATENCY)
    device.run(10)
    assert queue.samples_played(device.now) == 80
    assert queue.time_of(end) == pytest.approx(80 / RATE + LATENCY)
    assert queue.written == 80
    queue.put(ones(100, 1))
    device.run(20)
    assert queue.samples_played(device.now) == 180
    assert queue.time_of(80) == pytest.approx(15 * BLOCK / RATE + LATENCY)
    assert device.sound[15 * BLOCK : 15 * BLOCK + 100].min() == 1


@pytest.mark.parametrize("again", [0, 30])
@pytest.mark.parametrize("moment", range(3, 9))
def test_holding_ducking_and_stopping_in_any_order_loses_no_count(moment: int, again: int) -> None:
    """`samples_played` never goes back, and the next number is where the last reply was stopped."""
    queue = PlayoutBuffer(RATE, 0.4)
    device = Device(queue)
    queue.put(count_from(1, 300))
    counts = []
    end = None
    for step in range(1, 40):
        device.run(1)
        counts.append(queue.samples_played(device.now))
        if step == moment:
            queue.duck(True)
        elif step == moment + 1:
            queue.pause()
        elif step == 2 * moment + 2:
            queue.resume(again)
        elif step == 3 * moment:
            end = queue.stop()
        elif step == 3 * moment + 1:
            assert queue.written == end
            queue.put(ones(50, 1))
    assert counts == sorted(counts)
    assert end is not None
    assert counts[-1] == end + 50


def test_a_device_that_tells_of_its_silence_is_aligned_anew_at_once() -> None:
    """After an underrun the next block's time counts, and none before."""
    past = PlayedHistory(1000)
    device(past, 1000, 2.0)
    past.interrupted()
    assert not past.at(6.0, 10).any()
    past.put(count_from(0, 10), 8.0)
    assert past.at(8.005, 2).tolist() == [5, 6]


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
