"""Generated sounds: float32 at 16 kHz, the same every time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import CAPTURE_RATE, Samples, dbfs

Noise = Literal["white", "pink", "hum", "rain", "keyboard", "cough", "door", "music", "babble"]

NOISE_LEVEL = -25.0
"""Level of all of them in dBFS: RMS of what is not silence."""

Array = NDArray[np.float64]


def noise(kind: Noise, seconds: float, seed: int = 1, voices: Samples | None = None) -> Samples:
    """float32 [n] at 16 kHz, `seconds` long.

    `babble` is made of `voices`, float32 [m] of speech: six people who talk at once.
    """
    rng = np.random.default_rng(seed)
    count = max(1, round(seconds * CAPTURE_RATE))
    if kind == "babble":
        assert voices is not None
        made = _babble(count, rng, voices)
    else:
        made = _MAKERS[kind](count, rng)
    return leveled(np.asarray(made, dtype=np.float32), NOISE_LEVEL)


def leveled(samples: Samples, level: float) -> Samples:
    """float32 [n], scaled so that what is not silence has an RMS of `level` dBFS, but no peak
    exceeds full scale."""
    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0.0:
        return samples
    sounding = samples[np.abs(samples) > peak / 1000]
    gain = min(10 ** ((level - dbfs(sounding)) / 20), 0.99 / peak)
    return np.asarray(samples * gain, dtype=np.float32)


def _shaped(count: int, rng: np.random.Generator, gain: Callable[[Array], Array]) -> Array:
    """White noise with this gain at each frequency in Hz."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hertz = np.asarray(np.fft.rfftfreq(count, 1 / CAPTURE_RATE), dtype=np.float64)
    return np.fft.irfft(spectrum * gain(hertz), count)


def _add(made: Array, sound: Array, at: int) -> None:
    """Add a sound from sample `at` on, as far as it fits."""
    part = made[at : at + len(sound)]
    part += sound[: len(part)]


def _pink(count: int, rng: np.random.Generator) -> Array:
    return _shaped(count, rng, lambda f: 1 / np.sqrt(np.maximum(f, 20.0)))


def _band(low: float, high: float) -> Callable[[Array], Array]:
    return lambda f: (
        np.exp(-np.maximum(0.0, low / np.maximum(f, 1.0) - 1.0)) / (1 + (f / high) ** 4)
    )


def _hum(count: int, rng: np.random.Generator) -> Array:
    """A fan: mains hum with a little air."""
    t = np.arange(count) / CAPTURE_RATE
    tones = sum(np.sin(2 * np.pi * 50 * k * t + k) / k for k in (1, 2, 3, 4, 6))
    return np.asarray(tones + 0.05 * rng.standard_normal(count))


def _rain(count: int, rng: np.random.Generator) -> Array:
    """A steady hiss, and drops."""
    made = _shaped(count, rng, _band(400.0, 6000.0))
    made /= np.sqrt(np.mean(made**2))
    drop = np.exp(-np.arange(160) / 30.0) * np.sin(np.arange(160) * 1.1)
    for at in rng.integers(0, count, count // 800):
        _add(made, drop * rng.uniform(0.5, 4.0), at)
    return made


def _strokes(
    count: int, rng: np.random.Generator, every: tuple[float, float], stroke: Callable[[], Array]
) -> Array:
    made = np.zeros(count)
    at = 0
    while at < count:
        _add(made, stroke(), at)
        at += round(rng.uniform(*every) * CAPTURE_RATE)
    return made


def _keyboard(count: int, rng: np.random.Generator) -> Array:
    """About seven keys a second, each with a click down and a fainter one up."""

    def key() -> Array:
        made = np.zeros(CAPTURE_RATE // 8)
        for at, gain in ((0, 1.0), (round(rng.uniform(0.05, 0.09) * CAPTURE_RATE), 0.4)):
            click = _shaped(400, rng, _band(1500.0, 5000.0)) * np.exp(-np.arange(400) / 60.0)
            _add(made, gain * click * rng.uniform(0.6, 1.0), at)
        return made

    return _strokes(count, rng, (0.07, 0.22), key)


def _cough(count: int, rng: np.random.Generator) -> Array:
    """Bursts of throaty noise: a sharp onset, then air and a little voice."""

    def burst() -> Array:
        length = round(rng.uniform(0.22, 0.3) * CAPTURE_RATE)
        t = np.arange(length) / CAPTURE_RATE
        air = _shaped(length, rng, _band(500.0, 2500.0))
        air /= np.sqrt(np.mean(air**2))
        pitch = np.cumsum(170 - 120 * t) / CAPTURE_RATE
        voice = np.sign(np.sin(2 * np.pi * pitch)) * np.exp(-(((t - 0.14) / 0.05) ** 2))
        return np.asarray((air + 0.3 * voice) * np.exp(-t / 0.07) * np.minimum(1.0, t / 0.008))

    return _strokes(count, rng, (0.38, 0.5), burst)


def _door(count: int, rng: np.random.Generator) -> Array:
    """A door falls shut, every three seconds."""

    def slam() -> Array:
        t = np.arange(CAPTURE_RATE // 2) / CAPTURE_RATE
        thud = np.sin(2 * np.pi * 70 * t) * np.exp(-t / 0.09)
        crack = _shaped(len(t), rng, _band(100.0, 1500.0))
        return np.asarray(thud + crack / np.abs(crack).max() * np.exp(-t / 0.03))

    return _strokes(count, rng, (3.0, 3.0), slam)


def _music(count: int, rng: np.random.Generator) -> Array:
    """Chords of plucked strings with a bass, at 100 beats a minute."""
    made = np.zeros(count)
    beat = round(0.6 * CAPTURE_RATE)
    t = np.arange(2 * beat) / CAPTURE_RATE
    chords = ((57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62))
    for number, at in enumerate(range(0, count, beat)):
        chord = chords[number // 4 % 4]
        for pitch in (chord[0] - 24, chord[number % 3], chord[number % 3] + 12):
            hertz = 440 * 2 ** ((pitch - 69) / 12)
            tone = sum(np.sin(2 * np.pi * hertz * k * t) / k**1.5 for k in range(1, 7))
            _add(made, np.asarray(tone) * np.exp(-t / 0.5) * rng.uniform(0.7, 1.0), at)
    return made


def _babble(count: int, rng: np.random.Generator, voices: Samples) -> Array:
    made = np.zeros(count)
    for _ in range(6):
        # Each at a pitch of its own, from another place in the same speech.
        stretch = rng.uniform(0.8, 1.25)
        places = (np.arange(count) * stretch + rng.integers(0, len(voices))) % len(voices)
        made += np.interp(places, np.arange(len(voices)), voices) * rng.uniform(0.5, 1.0)
    return made


_MAKERS: dict[str, Callable[[int, np.random.Generator], Array]] = {
    "white": lambda count, rng: rng.standard_normal(count),
    "pink": _pink,
    "hum": _hum,
    "rain": _rain,
    "keyboard": _keyboard,
    "cough": _cough,
    "door": _door,
    "music": _music,
}
