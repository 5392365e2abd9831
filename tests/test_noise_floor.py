"""Whose voice it is, by how loud it is beside what goes on around."""

from __future__ import annotations

import itertools

from edgevoice.noise_floor import NoiseFloor


def surrounded(*levels: float, frames: int = 60) -> NoiseFloor:
    """A place with these levels in dBFS, one after the other, and nobody of ours speaking."""
    floor = NoiseFloor()
    for level in itertools.islice(itertools.cycle(levels), frames):
        floor.is_voice(level, speech=True, sure=False, speaking=False)
    return floor


def said(floor: NoiseFloor, level: float, frames: int, *, speaking: bool) -> list[bool]:
    """Which frames of a sound the detector is sure of are taken for the speaker's voice."""
    return [floor.is_voice(level, speech=True, sure=True, speaking=speaking) for _ in range(frames)]


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
    assert not floor.is_voice(-5, speech=False, sure=False, speaking=True)


def test_noise_that_was_mistaken_for_a_voice_raises_the_floor() -> None:
    """The same noise does not begin another utterance."""
    floor = surrounded(-60)
    assert all(said(floor, -30, 150, speaking=True))
    floor.mistaken()
    assert not any(said(floor, -30, 20, speaking=False))


def test_after_a_gap_the_surroundings_are_learned_anew() -> None:
    """Another microphone has another level."""
    floor = surrounded(-30)
    floor.reset()
    assert all(said(floor, -30, 20, speaking=False))
