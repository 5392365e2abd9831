"""A microphone and a speaker that are looked after, without the rest of the assistant.

    python outlasting.py [SECTION.KEY=VALUE ...]

A line from stdin is a number of seconds of a tone to be played, `load`, or `end`. Writes what
happens, a line each, with the time of the machine's monotonic clock: devices lost and found, a tone
begun or over in the microphone, the playing of a tone ended or given up, the processor time taken.
"""

from __future__ import annotations

import sys
import threading
import time

import numpy as np

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.clock import SystemClock
from edgevoice.config import load
from edgevoice.errors import SpeakerAwayError
from edgevoice.open_devices import Devices
from edgevoice.player import Player
from edgevoice.protocols import AudioSource


def say(*words: object) -> None:
    print(*words, f"at {time.monotonic():.3f}", flush=True)


def told(event: ev.Event) -> None:
    match event:
        case ev.DeviceLost():
            say("lost", event.kind, event.name)
        case ev.DeviceRestored():
            say("found", event.kind, event.name)
        case _:
            pass


def listen(source: AudioSource) -> None:
    loud, index = False, -512
    while (frame := source.read()) is not None:
        if frame.index != index + 512:
            say("hole", frame.index - index - 512)
        index = frame.index
        if (float(np.abs(frame.samples).max()) > 0.05) is not loud:
            loud = not loud
            say("tone" if loud else "quiet")


def play(sink: Player, seconds: float) -> None:
    tone = 0.5 * np.sin(np.arange(int(seconds * sink.rate)) * 2 * np.pi * 440 / sink.rate)
    step = sink.rate // 10
    end = 0
    try:
        for start in range(0, len(tone), step):
            part = tone[start : start + step].astype(np.float32)
            end = sink.write(part) + len(part)
        while sink.samples_played() < end:
            time.sleep(0.02)
        say("played", end)
    except SpeakerAwayError:
        say("given up", sink.stop())


def main(settings: list[str]) -> None:
    clock = SystemClock()
    bus = Bus(clock)
    bus.subscribe(told)
    devices = Devices(clock, bus)
    config = load(environ={}, flags=dict(word.split("=") for word in settings)).config
    source, sink = devices.source(config), devices.sink(config)
    ears = threading.Thread(target=listen, args=(source,))
    ears.start()
    bus.emit(
        ev.SessionStarted(
            version="", schema=1, wall="", platform="", models={}, input="", output=""
        )
    )
    say("ready", source.name, sink.name)
    for line in sys.stdin:
        word = line.strip()
        if word == "end":
            break
        if word == "load":
            say("load", time.process_time())
        else:
            threading.Thread(target=play, args=(sink, float(word))).start()
    source.close()
    sink.close()
    ears.join()
    say("ended")


if __name__ == "__main__":
    main(sys.argv[1:])
