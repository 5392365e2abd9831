"""What a model costs that is not here: by the nearest one that was measured, or by the machine."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from edgevoice.bench.fitting.options import Option
from edgevoice.bench.fitting.record import Calibration, Hearing, Speaking, Thinking
from edgevoice.bench.fitting.thinking import SIZES, counts, scaled
from edgevoice.bench.result.device_record import Speeds
from edgevoice.bench.roofline.costs import RecognizerCosts as Work
from edgevoice.bench.roofline.roofline import MachineLimits, question
from edgevoice.engines.threads import of_recognizer, of_voice
from edgevoice.settings import Config

REACHED = {"recognize": 0.13, "decode": 0.35, "prefill": 0.12, "synthesize": 0.2}
"""The share of the roofline's floor that stages usually reach: roofline-2026-11."""
CLIP, SAID = 1.5, 6
"""Seconds and words of a usual question."""
FIRST_SOUND = 0.4
"""Seconds of sound that a voice has decoded when its first is heard: that and its context."""
VOICE = 3.9e9 / 63.2e6
"""Operations for a second of sound, for each byte of a Piper voice."""
SAYING = 0.06
"""Seconds a character is heard, where no voice was measured."""
LENGTHS = (15, 45)
BESIDE = 1.5
"""How much longer reading takes beside another reading, where that was not measured."""

WIDTHS = {"tiny": (384, 4), "base": (512, 6), "small": (768, 12), "medium": (1024, 24)}
"""Width of Whisper's layers, and how many encoder and decoder have each, by what its name says."""
WORDS, MEL = 51_865, 80


def work(name: str) -> Work | None:
    """What the Whisper model called so multiplies; None where its name does not tell."""
    found = next((WIDTHS[size] for size in WIDTHS if size in name), None)
    if found is None:
        return None
    width, layers = found
    square = width * width
    return Work(
        linear=14 * square * layers,
        convolved=2 * 3 * MEL * width + 3 * square,
        width=width,
        layers=layers,
        decoder=14 * square * layers + WORDS * width,
        padding=1.5,
        window=30.0,
        full=False,
    )


def thought(option: Option, known: Sequence[Thinking], speeds: Speeds | None) -> Thinking | None:
    """A language model: by the nearest in size, else by the speed of memory and arithmetic."""
    size = option.weights
    if known:
        nearest = min(known, key=lambda each: abs(each.file - size))
        return Thinking(
            model=option.name,
            how="by size",
            file=size,
            size=size,
            batches=scaled(nearest.batches, size / nearest.file),
            quantization=option.quantization,
        )
    if speeds is None or not speeds.memory_all or not speeds.int8_all:
        return None
    one = size / speeds.memory_all / REACHED["decode"]
    # Half a byte a number, a multiplication and an addition each.
    more = 4.0 * size / speeds.int8_all / REACHED["prefill"]
    batches = {
        number: {n: max(one, more * n) * speeds.threads / number for n in SIZES}
        for number in counts(speeds.threads)
    }
    return Thinking(
        model=option.name,
        how="by the machine's speed",
        file=size,
        size=size,
        batches=batches,
        quantization=option.quantization,
    )


def heard(
    option: Option, known: Sequence[Hearing], speeds: Speeds | None, config: Config
) -> Hearing | None:
    """A recognizer: by the work of the nearest in size, else by the speed of arithmetic."""
    if known:
        nearest = min(known, key=lambda each: abs(each.size - option.disk))
        factor = _ratio(option, nearest, speeds)
        return replace(
            nearest,
            model=option.name,
            how="by size",
            size=option.disk,
            alone=nearest.alone * factor,
            beside=nearest.beside * factor,
        )
    counted = work(option.name)
    if speeds is None or counted is None or not speeds.int8_all:
        return None
    threads = of_recognizer(config.stt, speeds.threads)
    floor, _ = question(MachineLimits.of(speeds, None), counted, CLIP, SAID)
    alone = floor / REACHED["recognize"]
    return Hearing(
        model=option.name,
        how="by the machine's speed",
        size=option.disk,
        threads=threads,
        alone=alone,
        beside=alone * BESIDE,
    )


def _ratio(option: Option, nearest: Hearing, speeds: Speeds | None) -> float:
    """How much longer than the nearest one it takes."""
    one, other = work(option.name), work(nearest.model)
    if one is None or other is None or speeds is None or not speeds.int8_all:
        return option.disk / nearest.size
    limits = MachineLimits.of(speeds, None)
    return question(limits, one, CLIP, SAID)[0] / question(limits, other, CLIP, SAID)[0]


def said(
    option: Option, known: Sequence[Speaking], speeds: Speeds | None, config: Config
) -> Speaking | None:
    """A voice: by the size of one that was measured, else by the speed of arithmetic."""
    if known:
        nearest = min(known, key=lambda each: abs(each.size - option.disk))
        factor = option.disk / nearest.size
        return replace(
            nearest,
            model=option.name,
            how="by size",
            size=option.disk,
            first={length: seconds * factor for length, seconds in nearest.first.items()},
        )
    if speeds is None or not speeds.float32_one:
        return None
    rtf = VOICE * option.disk / speeds.float32_one / REACHED["synthesize"]
    return Speaking(
        model=option.name,
        how="by the machine's speed",
        size=option.disk,
        threads=of_voice(config.tts),
        first=dict.fromkeys(LENGTHS, FIRST_SOUND * rtf),
        saying=SAYING,
    )


class Costs:
    """What every option costs, measured or not."""

    def __init__(self, calibration: Calibration, config: Config) -> None:
        self.calibration = calibration
        self._config = config

    def thinking(self, option: Option) -> Thinking | None:
        """Of a language model; None where nothing is known to go by."""
        known = self.calibration.thinking
        found = _of(option, known)
        return found or thought(option, known, self.calibration.speeds)

    def hearing(self, option: Option) -> Hearing | None:
        """Of a recognizer; None where nothing is known to go by."""
        known = self.calibration.hearing
        found = next((each for each in known if each.model == option.key), None)
        return found or heard(option, known, self.calibration.speeds, self._config)

    def speaking(self, option: Option) -> Speaking | None:
        """Of a voice; None where nothing is known to go by."""
        known = self.calibration.speaking
        found = next((each for each in known if each.model == option.key), None)
        return found or said(option, known, self.calibration.speeds, self._config)


def _of(option: Option, known: Sequence[Thinking]) -> Thinking | None:
    """What was measured in its place: its file, its shape or, where neither is here, a part."""
    keys = [option.key, *((option.architecture.name,) if option.architecture else ())]
    return next((each for key in keys for each in known if key and each.model == key), None)
