"""Two conversations at once in one process, on one set of models."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice.assistant import Assistant
from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.build import build
from edgevoice.bus import Bus
from edgevoice.clock import SystemClock
from edgevoice.context import AudioIO, SessionContext
from edgevoice.engines.piper import Piper
from edgevoice.engines.pool import EnginePool, Loan
from edgevoice.history import History
from edgevoice.open_devices import clips_source, quiet_sink
from edgevoice.resample import resample
from edgevoice.settings import Config, Models, SlmSettings

ASKED = (
    ("What is the capital of France?", "How many people live in Paris?"),
    ("What is the capital of Italy?", "How many people live in Rome?"),
)


class CountingPool(EnginePool):
    """Notes what is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def lend(self, role: ev.Role, model: str, config: Config, load: Callable[[], Any]) -> Loan:
        def noted() -> Any:
            self.loaded.append(role)
            return load()

        return super().lend(role, model, config, noted)


class Conversation:
    """An assistant that is asked these clips one after the other."""

    def __init__(
        self, clock: SystemClock, config: Config, pool: EnginePool, clips: Sequence[Samples]
    ) -> None:
        bus = Bus(clock)
        self.events: list[ev.Event] = []
        bus.subscribe(self.events.append)
        audio = AudioIO(clips_source(clock, iter(clips), "clips"), quiet_sink(clock, "nobody"))
        self.assistant: Assistant = build(SessionContext(config, clock, bus), audio, pool=pool)

    @property
    def history(self) -> History:
        return self.assistant.history

    def all(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def spoken(voice: Piper, text: str) -> Samples:
    sound = np.concatenate([piece.samples for piece in voice.synthesize(text, lambda: False)])
    return resample(sound, voice.rate, CAPTURE_RATE)


@pytest.mark.models
@pytest.mark.slow
def test_two_whole_conversations_share_the_models_and_nothing_else(steady_voice: Piper) -> None:
    """Each hears its own questions to their end and plays its own replies to theirs; recognizer,
    language model and voice are loaded once."""
    pool = CountingPool()
    config = Config(
        models=Models(slm="qwen2.5-coder-0.5b", stt="whisper-tiny.en"),
        slm=SlmSettings(temperature=0.0, max_tokens=24, context=1024, examples=False),
    )
    clock = SystemClock()
    both = [
        Conversation(clock, config, pool, [spoken(steady_voice, text) for text in asked])
        for asked in ASKED
    ]
    threads = [threading.Thread(target=one.assistant.run) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close()
    loads = Counter(pool.loaded)
    assert {role: loads[role] for role in ("stt", "slm", "tts")} == {"stt": 1, "slm": 1, "tts": 1}
    for one, (country, other), capital in zip(
        both, (("france", "italy"), ("italy", "france")), ("paris", "rome"), strict=True
    ):
        text = " ".join(message.text for message in one.history.messages[1:]).lower()
        assert country in text
        assert capital in text
        assert other not in text
        assert [message.role for message in one.history.messages[1:]] == ["user", "assistant"] * 2
        completed = one.all(ev.TurnCompleted)
        assert len(completed) == len(one.all(ev.TurnCommitted)) == 2
        for turn in completed:
            written = [e.text for e in one.all(ev.TokenGenerated) if e.turn == turn.turn]
            assert turn.heard == "".join(written).strip()
            assert not turn.interrupted
    first, second = ([e.t for e in one.events] for one in both)
    assert max(first[0], second[0]) < min(first[-1], second[-1]), "they were held at once"
