"""A conversation through the sound devices, and what somebody in the room says into its replies.

    python interrupting.py OUT.json [KEYBOARD.wav]

Detector, recognizer and voice are real; what is answered is a known story. Runs in a process
of its own, whose environment names the devices.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgevoice import events as ev
from edgevoice.agent.language_model_agent import LanguageModelAgent
from edgevoice.assistant import Assistant
from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.bench.scenarios.noises import leveled, noise
from edgevoice.bench.scenarios.room import LoopbackRoom
from edgevoice.bus import Bus
from edgevoice.clock import SystemClock
from edgevoice.context import AudioIO, Engines, SessionContext
from edgevoice.engines.registry import load_chosen
from edgevoice.open_devices import Devices
from edgevoice.protocols import Synthesizer
from edgevoice.resample import resample
from edgevoice.settings import Config, Models, TtsSettings
from edgevoice.testing.scripted import ScriptedLanguageModel
from edgevoice.wav import read_speech

STORY = (
    "Once there was a king who had three sons. The eldest was strong, the second was clever, and"
    " the youngest was kind. One day the king called them all to his room, for he was old."
)
INTO = 1.5
"""Seconds into a reply at which it is spoken into."""
LEVEL = -25.0
QUIET = 10 ** (-50 / 20)


def say(voice: Synthesizer, text: str) -> Samples:
    """Somebody with another voice than the assistant's says `text`; float32 [n] at 16 kHz."""
    pieces = [audio.samples for audio in voice.synthesize(text, lambda: False)]
    return leveled(resample(np.concatenate(pieces), round(voice.rate * 1.12), CAPTURE_RATE), LEVEL)


def main(out: Path, keyboard: Path | None) -> None:
    folder = os.environ.get("EDGEVOICE_MODELS_FOLDER", "")
    config = Config(models=Models(folder=folder), tts=TtsSettings(variation=0.0))
    clock = SystemClock()
    vad, stt, tts = (load_chosen(r, config) for r in ("vad", "stt", "tts"))
    sounds = {
        "interruption": say(tts, "No, tell me about the queen instead, please."),
        "stop": say(tts, "Stop."),
        "yeah": say(tts, "Yeah."),
        "cough": noise("cough", 0.8),
        "typing": noise("keyboard", 3.0) if keyboard is None else read_speech(keyboard),
    }
    bus = Bus(clock)
    events: list[ev.Event] = []
    bus.subscribe(events.append)
    devices = Devices(clock, bus)
    told = {}
    slm = ScriptedLanguageModel(clock, lambda _: STORY, token=0.03)
    with LoopbackRoom(clock) as room:
        assistant = Assistant(
            SessionContext(config, clock, bus),
            AudioIO(devices.source(config), devices.sink(config)),
            Engines(
                lambda: vad,
                lambda: stt,
                lambda: LanguageModelAgent(slm, config),
                {"en": lambda: tts},
            ),
        )
        thread = threading.Thread(target=assistant.run, daemon=True)
        thread.start()

        def wait_until_idle() -> None:
            quiet = 0.0
            while quiet < 0.5:
                clock.sleep(0.05)
                quiet = quiet + 0.05 if assistant.is_idle() else 0.0

        wait_until_idle()
        for name, sound in sounds.items():
            del events[:]
            room.record(60.0)
            assistant.say("tell me a story")
            began = room.wait_for(room.say(sound, at=playing(events, clock) + INTO))
            clock.sleep(len(sound) / CAPTURE_RATE + 6.0)
            if name not in ("interruption", "stop"):
                wait_until_idle()
            happened = list(events)
            assistant.interrupt()
            wait_until_idle()
            told[name] = account(happened, began, room)
        assistant.close()
        thread.join()
    out.write_text(json.dumps({**told, "story": STORY}, indent=1), "utf-8")


def playing(events: list[ev.Event], clock: SystemClock) -> float:
    """Wait for the next reply; returns when its first sample is audible."""
    while True:
        for event in events[:]:
            if isinstance(event, ev.PlaybackStarted):
                return event.audible_at
        clock.sleep(0.01)


def account(events: list[ev.Event], began: float, room: LoopbackRoom) -> dict[str, object]:
    """What happened to the reply, in ms since the sound began, and when it could be heard."""

    def ms(kind: type[ev.Event], turn: int = 0, field: str = "t") -> float | None:
        found = [e for e in events if isinstance(e, kind) and e.turn == first + turn]  # type: ignore[attr-defined]
        return round(1000 * (getattr(found[0], field) - began)) if found else None

    first = next(e.turn for e in events if isinstance(e, ev.TurnStarted))
    held = ms(ev.PlaybackPaused)
    gap = None
    if held is not None:
        # From a little before it was held: the reply has pauses of its own.
        since = began + held / 1000 - 0.1
        loud = np.abs(room.recorded().between(since, since + 2.0)) >= QUIET
        gap = held - 100 + _first_gap(loud)
    return {
        "ducked": ms(ev.PlaybackDucked),
        "first voiced": ms(ev.SpeechStarted, 1, "at"),
        "held": held,
        "silent": gap,
        "words": [e.text for e in events if isinstance(e, ev.FinalTranscript) and e.turn > first],
        "resumed": ms(ev.PlaybackResumed),
        "cancelled": [
            (e.turn - first, e.reason) for e in events if isinstance(e, ev.TurnCancelled)
        ],
        "cancelled after": ms(ev.TurnCancelled),
        "answered": any(isinstance(e, ev.PlaybackStarted) and e.turn > first for e in events),
        "heard": [e.heard for e in events if isinstance(e, ev.TurnCompleted)],
    }


def _first_gap(loud: NDArray[np.bool_], rate: int = 48_000) -> int:
    """Ms after which nothing is heard for 0.2 s."""
    edges = np.concatenate([[-1], np.flatnonzero(loud), [len(loud)]])
    long = np.flatnonzero(np.diff(edges) > rate // 5)
    return (
        round(1000 * (edges[long[0]] + 1) / rate) if len(long) else round(1000 * len(loud) / rate)
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
