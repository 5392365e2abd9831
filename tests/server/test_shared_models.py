"""A session at this machine and one of a client, at the same time, on one set of models."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.build import build
from edgevoice.bus import Bus
from edgevoice.clock import SystemClock
from edgevoice.context import AudioIO, SessionContext
from edgevoice.engines.piper import Piper
from edgevoice.engines.pool import EnginePool
from edgevoice.open_devices import clips_source, quiet_sink
from edgevoice.resample import resample
from edgevoice.server.serving import Options, Server
from edgevoice.server.shared import offers, preload, sharing
from edgevoice.settings import Config, Models, SlmSettings
from tests.server.hosting import Client, paired


def spoken(voice: Piper, text: str) -> Samples:
    """Somebody saying `text`, float32 [n] at 16 kHz."""
    sound = np.concatenate([piece.samples for piece in voice.synthesize(text, lambda: False)])
    return resample(sound, voice.rate, CAPTURE_RATE)


@pytest.mark.models
@pytest.mark.slow
def test_a_client_and_this_machine_talk_at_the_same_time(
    steady_voice: Piper, tmp_path: Path
) -> None:
    """Both questions are understood and answered, each in its own conversation."""
    config = Config(
        models=Models(slm="qwen2.5-coder-0.5b"),
        slm=SlmSettings(temperature=0.0, max_tokens=24, context=1024),
    )
    pool = EnginePool(hold=True)
    server = Server(Options(tmp_path, 0), config, sharing(pool), offers)
    preload(config, pool)
    server.start()
    clock = SystemClock()
    bus = Bus(clock)
    events: list[ev.Event] = []
    bus.subscribe(events.append)
    clips = iter([spoken(steady_voice, "What is the capital of Italy?")])
    audio = AudioIO(clips_source(clock, clips, "clips"), quiet_sink(clock, "nobody"))
    local = build(SessionContext(config, clock, bus), audio, pool=pool)
    here = threading.Thread(target=local.run)
    here.start()
    try:
        with Client(server, paired(server)) as client:
            welcome = client.wait("welcome")
            assert "en" in welcome["languages"]
            client.wait("ready")
            client.said.put(spoken(steady_voice, "What is the capital of France?"))
            done = client.wait("turn")
            heard = client.wait("heard", turn=done["turn"], final=True)
            assert "france" in heard["text"].lower()
            assert "paris" in done["heard"].lower()
            assert done["response_ms"] > 0
            assert np.abs(client.played).max() > 0.05
    finally:
        here.join()
        server.stop()
        pool.close()
    (turn,) = (e for e in events if isinstance(e, ev.TurnCompleted))
    assert "rome" in turn.heard.lower()
