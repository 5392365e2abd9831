"""Whose voice it is, by how loud it is beside what goes on around."""

from __future__ import annotations

import itertools

from edgevoice.capture.noise_floor import NoiseFloor


def surrounded(*levels: float, frames: int = 60) -> NoiseFloor:
    """A place with these levels in dBFS, one after the other, and nobody of ours speaking."""
    floor = NoiseFloor()
    for level in itertools.islice(itertools.cycle(levels), frames):
        floor.is_voice(level, speech=True, sure=False, speaking=False, maybe_speech=True)
    return floor


def said(floor: NoiseFloor, level: float, frames: int, *, speaking: bool) -> list[bool]:
    """Which frames of a sound the detector is sure of are taken for the speaker's voice."""
    return [
        floor.is_voice(level, speech=True, sure=True, speaking=speaking, maybe_speech=True)
        for _ in range(frames)
    ]


def test_babble_that_was_there_before_begins_nothing() -> None:
    """As loud as the surroundings is no speaker of ours, however clearly it is speech."""
    assert not any(said(surrounded(-42, -38, -40), -38, 20, speaking=False))


def test_a_voice_above_the_babble_is_heard_and_the_babble_behind_it_is_silence() -> None:
    """The end of what was said is noticed although others go on talking."""
    floor = surrounded(-42, -38, -40)
    assert all(said(floor, -25, 30, speaking=True))
    assert not any(said(floor, -39, 20, speaking=True)[4:])


def test_in_a_quiet_room_a_soft_voice_is_heard() -> None:
    """What is soft is measured by what is around it."""
    assert all(said(surrounded(-70, -65), -50, 20, speaking=False))


def test_who_is_hardly_louder_than_their_surroundings_is_heard_to_their_end() -> None:
    """An utterance that has begun is measured by its own voice, too."""
    floor = surrounded(-42, -38, -40)
    assert all(said(floor, -36, 40, speaking=True)[10:])


def test_before_anything_is_known_of_a_place_the_detector_decides() -> None:
    """The first second of a session may be a question."""
    assert all(said(surrounded(-20, frames=10), -30, 20, speaking=False))


def test_no_speech_is_no_voice_however_loud() -> None:
    """The level only ever takes away from what the detector has found."""
    floor = surrounded(-60)
    assert not floor.is_voice(-5, speech=False, sure=False, speaking=True, maybe_speech=False)


def test_a_noise_that_deceives_nobody_hides_no_voice() -> None:
    """Rain as loud as the speaker is no speech to the detector, which needs no help then."""
    floor = NoiseFloor()
    for _ in range(300):
        floor.is_voice(-30, speech=False, sure=False, speaking=False, maybe_speech=False)
    assert all(said(floor, -29, 4, speaking=False))
    assert all(said(floor, -29, 40, speaking=True))


def test_a_crowd_that_nobody_doubts_to_be_speech_begins_nothing_after_three_seconds() -> None:
    """It has no gaps: its soft moments are speech, too, and not far below the loud ones."""
    floor = NoiseFloor()
    crowd = [voice for level in (-30, -28, -26, -29) * 50 for voice in said_once(floor, level)]
    assert all(crowd[:90])
    assert not any(crowd[94:])
    assert all(said(floor, -12, 20, speaking=False)), "a voice above it does"


def test_one_voice_that_goes_on_for_long_is_not_taken_for_a_crowd() -> None:
    """It has gaps, in which nothing is heard that may be speech."""
    floor = NoiseFloor()
    for _ in range(12):
        assert all(said(floor, -28, 20, speaking=True)[4:])
        for _ in range(8):
            floor.is_voice(-60, speech=False, sure=False, speaking=True, maybe_speech=False)


def test_hasty_speech_without_a_pause_is_not_taken_for_a_crowd() -> None:
    """The detector hears speech all the time, but one voice goes far down before each stop.

    Nor are the words at the end of a sentence, which are softer.
    """
    floor = NoiseFloor()
    syllables = (-26, -24, -30, -25, -28, -33, -27, -44)
    sentence = [*syllables * 12, *(level - 6 for level in syllables * 3)]
    heard = [v for level in sentence * 2 for v in said(floor, level, 1, speaking=True)]
    assert all(heard)


def test_the_babble_behind_the_last_word_does_not_become_the_speakers_own_voice() -> None:
    """Six seconds on, it is still 12 dB softer than they were."""
    floor = surrounded(-42, -38, -40)
    assert all(said(floor, -25, 60, speaking=True))
    assert not any(said(floor, -39, 180, speaking=True)[4:])


def said_once(floor: NoiseFloor, level: float) -> list[bool]:
    """Whether one frame that the detector is sure of is taken for a voice that begins."""
    return said(floor, level, 1, speaking=False)


def test_noise_that_was_mistaken_for_a_voice_raises_the_floor() -> None:
    """The same noise does not begin another utterance."""
    floor = surrounded(-60)
    assert all(said(floor, -30, 150, speaking=True))
    floor.reject_voice()
    assert not any(said(floor, -30, 20, speaking=False))


def test_after_a_gap_the_surroundings_are_learned_anew() -> None:
    """Another microphone has another level."""
    floor = surrounded(-30)
    floor.reset()
    assert all(said(floor, -30, 20, speaking=False))
