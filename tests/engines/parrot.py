"""A voice that another package could add: each word is a tone. The tests install it as such."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from edgevoice.audio import Audio
from edgevoice.engines.registry import Engine
from edgevoice.protocols import Cancelled


class ParrotSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The parrot."""

    hertz: float = 440.0
    work: float = 0.0
    """Seconds of work for each word."""


class Parrot:
    rate = 16_000

    def __init__(self, address: str, settings: ParrotSettings) -> None:
        self.seconds = float(address.removeprefix("tone:"))
        self.settings = settings

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        for _ in text.split():
            time.sleep(self.settings.work)
            cycles = np.arange(int(self.seconds * self.rate)) / self.rate * self.settings.hertz
            yield Audio(np.sin(2 * np.pi * cycles).astype(np.float32) / 2, self.rate)


ENGINE = Engine(
    role="tts",
    formats=("parrot",),
    load=lambda model, config: Parrot(model.entry.address, ENGINE.own(config)),
    settings=ParrotSettings,
)
