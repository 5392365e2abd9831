"""A session that is replaced keeps its conversation and its models."""

from __future__ import annotations

import itertools
import queue
import threading
from collections import Counter

import numpy as np
import pytest
from msgspec.structs import replace

from edgevoice import events as ev
from edgevoice.assistant import Assistant
from edgevoice.audio import CAPTURE_RATE
from edgevoice.build import build
from edgevoice.bus import Bus
from edgevoice.clock import SystemClock
from edgevoice.context import AudioIO, Resume, SessionContext
from edgevoice.open_devices import clips_source, quiet_sink
from edgevoice.session import ChoiceKind, Session
from edgevoice.settings import AudioSettings, Config, Models, SlmSettings, SttSettings
from tests.processes import PATIENCE
from tests.whole.test_two_conversations import CountingPool

CONFIG = Config(
    models=Models(slm="smollm2-135m", stt="whisper-tiny.en"),
    stt=SttSettings(language="en"),
    slm=SlmSettings(
        temperature=0.0, max_tokens=12, context=512, prompt_cache=False, examples=False
    ),
)


class Settings:
    """Another speaker, by its name."""

    def changed(self, key: str, value: str) -> Config:
        assert key == "audio.output"
        return replace(CONFIG, audio=AudioSettings(output=value))

    def keep(self, key: str, value: str) -> None:
        """Nothing is kept."""


class Desk(Session):
    """A session whose choices need no devices."""

    def choices(self, kind: ChoiceKind) -> list[tuple[str, str]]:
        return [("other", "another speaker")]


@pytest.mark.models
def test_another_speaker_replaces_the_session_and_loads_nothing_again() -> None:
    """Recognizer, language model and voice are loaded once; the conversation goes on."""
    clock, pool = SystemClock(), CountingPool()
    bus, events = Bus(clock), queue.Queue[ev.Event]()
    bus.subscribe(events.put)

    def assemble(config: Config, resume: Resume) -> Assistant:
        silence = itertools.repeat(np.zeros(CAPTURE_RATE, np.float32))
        sink = quiet_sink(clock, config.audio.output or "first")
        audio = AudioIO(clips_source(clock, silence, "silence"), sink)
        return build(SessionContext(config, clock, bus), audio, resume, pool)

    def until(kind: type[ev.Event]) -> ev.Event:
        while not isinstance(event := events.get(timeout=PATIENCE), kind):
            pass
        return event

    session = Desk(CONFIG, clock, bus, assemble, Settings())
    thread = threading.Thread(target=session.run)
    thread.start()
    try:
        until(ev.Ready)
        session.say("What is the capital of France?")
        until(ev.TurnCompleted)
        session.choose("output", "other")
        session.say("And of Italy?")
        until(ev.TurnCompleted)
    finally:
        session.close()
        thread.join()
        pool.close()
    outputs = [e.output for e in session.recorder.events if isinstance(e, ev.SessionStarted)]
    assert outputs == ["first", "other"]
    loads = Counter(pool.loaded)
    assert {role: loads[role] for role in ("stt", "slm", "tts")} == {"stt": 1, "slm": 1, "tts": 1}
    asked = [line for line in session.transcript().splitlines() if line.startswith("you: ")]
    assert asked == ["you: What is the capital of France?", "you: And of Italy?"]
