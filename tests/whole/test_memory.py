"""Memory stays level, however long people talk, interrupt and begin anew."""

from __future__ import annotations

import gc
import itertools
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from msgspec.structs import replace

from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.devices.simulated import SimulatedSource
from edgevoice.resources import free_memory, meter
from edgevoice.settings import Config
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.turn import Turn
from edgevoice.wav import read_speech

WARM_UP, TURNS = 40, 60
GROWTH = 0.05
"""Share by which memory may grow in so short a time. 93 turns changed it by -1 %; single pauses
differ from each other by up to 8 %, therefore the median of many counts."""
PAUSE = 2.2
"""Seconds between two questions: freed memory has been given back before the next is asked."""


def test_turns_that_interrupt_one_another_do_not_stay_in_memory() -> None:
    """Of twelve turns, each of which interrupts the reply before it, few are there at the end."""
    show = Rehearsal("There is a great deal to be said about that, and it takes a long while.")
    show.hear(*((0.5 + 3.0 * number, f"and what is {number}", 1.0) for number in range(12)))
    alive: list[int] = []

    def look(_: object) -> None:
        gc.collect()
        alive.append(sum(isinstance(each, Turn) for each in gc.get_objects()))

    show.at(1.4, look)
    show.at(36.0, look)
    show.run()
    assert len([e for e in show.all(ev.TurnCompleted) if e.interrupted]) >= 10
    assert alive[1] <= alive[0] + 3


@pytest.mark.models
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted differently elsewhere")
def test_the_voice_gives_back_what_a_long_sentence_took(model_path: Callable[[str], Path]) -> None:
    """A hundred words without a full stop leave less than 150 MB behind."""
    from edgevoice.engines.piper import Piper

    voice = Piper(model_path("en_US-joe-medium"), Config().tts)
    before = psutil.Process().memory_info().rss
    for _ in voice.synthesize("around the old house " * 25, lambda: False):
        pass
    assert psutil.Process().memory_info().rss <= before + 150e6


@pytest.mark.models
@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted differently elsewhere")
def test_memory_stays_level_over_many_turns(
    shared: Path, model_path: Callable[[str], Path]
) -> None:
    """Sixty turns after forty, with interruptions and new conversations, add hardly anything to
    what is held between two turns."""
    from edgevoice.engines.llama import Llama
    from edgevoice.engines.piper import Piper
    from edgevoice.engines.silero import Silero
    from edgevoice.engines.whisper import Whisper

    config = Config()
    config = replace(config, slm=replace(config.slm, max_tokens=30, adapt_threads=False))
    show = Rehearsal(config=config)
    show.meter, show.free_memory = meter(), free_memory
    show.detector = lambda: Silero(model_path("silero-vad"))
    show.recognizer = Whisper(model_path("whisper-tiny.en"), config.stt)
    show.slm = Llama(model_path("smollm2-135m"), config.slm).session()
    show.synthesizer = Piper(model_path("en_US-joe-medium"), config.tts)
    files = sorted((shared / "speech").glob("*.wav"))
    spoken = [clip for clip in map(read_speech, files) if len(clip) < 3.2 * CAPTURE_RATE]
    chance = random.Random(3)
    taken: list[float] = []

    def clips() -> Iterator[Samples]:
        """A question, mostly with another one said into the reply, of ever new lengths."""
        for number in itertools.count():
            done = len(show.all(ev.TurnCompleted))
            if done >= WARM_UP:
                taken.append(psutil.Process().memory_info().rss)
            if done >= WARM_UP + TURNS:
                return
            if number % 6 == 0:
                show.assistant.new_conversation()
            parts = [chance.choice(spoken)[: -chance.randrange(1, 2048)]]
            if chance.random() < 0.6:
                pause = np.zeros(
                    int(chance.choice((1.3, 1.8, 2.3)) * CAPTURE_RATE), dtype=np.float32
                )
                parts += [pause, chance.choice(spoken)]
            yield np.concatenate(parts)

    show.source = lambda idle: SimulatedSource(show.clock, clips(), idle, "people", PAUSE)
    show.run()
    assert any(e.interrupted for e in show.all(ev.TurnCompleted))
    third = len(taken) // 3
    assert np.median(taken[-third:]) <= (1 + GROWTH) * np.median(taken[:third]), taken
