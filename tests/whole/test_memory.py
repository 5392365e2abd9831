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
from edgevoice.build import build
from edgevoice.bus import Bus
from edgevoice.context import AudioIO, SessionContext
from edgevoice.devices.simulated import SimulatedSink, SimulatedSource
from edgevoice.player import Player
from edgevoice.resources import free_memory
from edgevoice.settings import Config
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.virtual import VirtualClock
from edgevoice.turn import Turn
from edgevoice.wav import read_speech

WARM_UP, TURNS = 40, 400
GROWTH = 0.03
"""Share by which memory may grow. Single pauses differ from each other by more, therefore the
median of many counts."""
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
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted differently elsewhere")
def test_the_voice_holds_no_more_after_one_sentence_than_after_another(
    model_path: Callable[[str], Path],
) -> None:
    """Between sentences of all usual lengths, what it holds differs by less than 20 MB."""
    from edgevoice.engines.piper import Piper

    voice = Piper(model_path("en_US-joe-medium"), Config().tts)
    sentence = "the children walked around the old house and along the river with a bright lantern"
    held = []
    for words in (6, 14, 2, 9, 12, 15, 3, 10, 8, 5, 11, 13):
        for _ in voice.synthesize(" ".join(sentence.split()[:words]), lambda: False):
            pass
        free_memory()
        held.append(psutil.Process().memory_info().rss)
    assert max(held) - min(held) < 20e6, held


@pytest.mark.models
@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted differently elsewhere")
def test_memory_stays_level_over_many_turns(shared: Path) -> None:
    """Four hundred turns after forty, with interruptions and new conversations, on the program's
    own pipeline with locked memory, add hardly anything to what is held between two turns."""
    config = Config()
    config = replace(
        config,
        # Short replies on one thread: what two do is lost where other programs need the cores.
        slm=replace(config.slm, max_tokens=16, threads=1, adapt_threads=False),
        stt=replace(config.stt, language="en"),
        models=replace(
            config.models, slm="smollm2-135m", stt="whisper-tiny.en", tts="en_US-joe-medium"
        ),
    )
    clock = VirtualClock(limit=100_000)
    bus = Bus(clock)
    ended: list[ev.TurnCompleted] = []
    bus.subscribe(
        lambda event: ended.append(event) if isinstance(event, ev.TurnCompleted) else None
    )
    files = sorted((shared / "speech").glob("*.wav"))
    spoken = [clip for clip in map(read_speech, files) if len(clip) < 2.6 * CAPTURE_RATE]
    chance = random.Random(3)
    taken: list[float] = []

    def clips() -> Iterator[Samples]:
        """A question, mostly with another one said into the reply, of ever new lengths."""
        for number in itertools.count():
            if len(ended) >= WARM_UP:
                taken.append(psutil.Process().memory_info().rss)
            if len(ended) >= WARM_UP + TURNS:
                return
            if number % 6 == 0:
                assistant.new_conversation()
            parts = [chance.choice(spoken)[: -chance.randrange(1, 2048)]]
            if chance.random() < 0.6:
                pause = np.zeros(
                    int(chance.choice((1.3, 1.8, 2.3)) * CAPTURE_RATE), dtype=np.float32
                )
                parts += [pause, chance.choice(spoken)]
            yield np.concatenate(parts)

    def source(idle: Callable[[], bool]) -> SimulatedSource:
        return SimulatedSource(clock, clips(), idle, "people", PAUSE)

    sink = Player(clock, SimulatedSink(clock, 22_050, "speaker"))
    assistant = build(SessionContext(config, clock, bus), AudioIO(source, sink))
    assistant.run()
    assert sum(turn.interrupted for turn in ended) >= TURNS / 10
    fifth = len(taken) // 5
    assert np.median(taken[-fifth:]) <= (1 + GROWTH) * np.median(taken[:fifth]), taken
