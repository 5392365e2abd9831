"""A speaker that sleeps in silence is awake when the first word comes."""

from __future__ import annotations

import numpy as np

from edgevoice.devices.keepalive_noise import NOISE_AMPLITUDE, SPEAKER_MUTES_AFTER, KeepaliveNoise

RATE = 1000
BLOCK = 10


def played(rousing: KeepaliveNoise, blocks: list[bool]) -> list[str]:
    """What goes out, block by block, where `blocks` tells whether there is sound to be played."""
    out = np.zeros((BLOCK, 2), dtype=np.float32)
    what = []
    sounds = 0
    for wanted in blocks:
        sounds += wanted
        out[:] = 0.0
        count = 0
        if not rousing.ahead(BLOCK, sounds > 0) and sounds:
            sounds -= 1
            count = BLOCK
            out[:] = 0.5
        rousing.fill(out, count)
        loudest = float(np.abs(out).max())
        what.append(
            "sound" if loudest == 0.5 else "hiss" if 0 < loudest <= NOISE_AMPLITUDE else "silence"
        )
    return what


def test_nothing_but_sound_goes_out_unless_it_is_asked_for() -> None:
    """The default costs nothing: silence is silence, and sound is not held up."""
    rousing = KeepaliveNoise(RATE, 0.0, False)
    assert played(rousing, [False, True, False]) == ["silence", "sound", "silence"]


def test_hiss_goes_ahead_of_the_first_sound_and_of_one_after_a_long_silence() -> None:
    """30 ms of it, and not between two sounds of one reply."""
    rousing = KeepaliveNoise(RATE, 0.03, False)
    first = played(rousing, [False, True, True, False, False, False, False, True])
    assert first == ["silence", "hiss", "hiss", "hiss", "sound", "sound", "silence", "sound"]
    silence = int(SPEAKER_MUTES_AFTER * RATE / BLOCK)
    assert played(rousing, [False] * silence) == ["silence"] * silence
    assert played(rousing, [True, False, False, False]) == ["hiss", "hiss", "hiss", "sound"]


def test_with_hiss_in_every_silence_sound_is_as_it_was() -> None:
    """The speaker never falls asleep."""
    rousing = KeepaliveNoise(RATE, 0.0, True)
    assert played(rousing, [False, True, False]) == ["hiss", "sound", "hiss"]


def test_hiss_fills_what_a_block_s_sound_leaves_free() -> None:
    """The last sample of a sound is followed by hiss at once."""
    rousing = KeepaliveNoise(RATE, 0.0, True)
    out = np.zeros((BLOCK, 1), dtype=np.float32)
    out[:4] = 0.5
    rousing.fill(out, 4)
    assert (out[:4] == 0.5).all()
    assert out[4:].any()
    assert np.abs(out[4:]).max() <= NOISE_AMPLITUDE


def test_hiss_ends_with_the_sound_that_was_not_to_be() -> None:
    """The reply is stopped before its first sound: silence again, and all of the hiss next time."""
    rousing = KeepaliveNoise(RATE, 0.03, False)
    out = np.zeros((BLOCK, 1), dtype=np.float32)
    assert rousing.ahead(BLOCK, True)
    rousing.fill(out, 0)
    assert out.any()
    out[:] = 0.0
    assert not rousing.ahead(BLOCK, False)
    rousing.fill(out, 0)
    assert not out.any()
    assert played(rousing, [True, False, False, False]) == ["hiss", "hiss", "hiss", "sound"]
