"""The Python API: an assistant in one call, with the answered turns handed to a function."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgevoice.assistant import Assistant
from edgevoice.build import build
from edgevoice.bus import Bus
from edgevoice.clock import SystemClock, local_time
from edgevoice.context import AudioIO, SessionContext
from edgevoice.errors import DeviceError
from edgevoice.events import Event, TurnCompleted
from edgevoice.open_devices import Devices, clips_source, echo_free, quiet_sink
from edgevoice.player import Player
from edgevoice.protocols import Agent
from edgevoice.scene import Scene
from edgevoice.settings import Config
from edgevoice.wav import read_speech


@dataclass(frozen=True, slots=True)
class AnsweredTurn:
    """A question and its reply.

    `response_time` is in seconds from the end of the user's speech to the first sound of the
    reply. `spans` are the seconds each step adds to it, in order.
    """

    question: str
    reply: str
    response_time: float
    spans: Mapping[str, float]
    interrupted: bool


def open_assistant(
    config: Config | None = None,
    *,
    files: Sequence[str | Path] = (),
    on_turn: Callable[[AnsweredTurn], None] = lambda turn: None,
    agent: Agent | None = None,
) -> Assistant:
    """An assistant that is ready to `run`.

    It listens to the microphone, or to sound `files`, one question each, in real time. With files
    and no speaker the replies are not audible. `on_turn` is called after each answered turn, from
    a thread of the assistant; it must return quickly. `agent` answers instead of the language
    model.

    Raises ModelError for a missing model, DeviceError for a missing device, and AudioFileError for
    an unreadable file.
    """
    config = config or Config()
    clock = SystemClock()
    bus = Bus(clock)
    bus.subscribe(TurnReporter(on_turn))
    context = SessionContext(config, clock, bus, wall=local_time)
    devices = Devices(clock, bus)
    clips = [read_speech(str(file)) for file in files]
    if clips:
        sink = _speaker(config, devices, clock)
        source = clips_source(clock, iter(clips), "files")
        return build(context, AudioIO(source, sink), agent=agent)
    microphone = devices.source(config)
    try:
        sink = devices.sink(config)
        heard = echo_free(config, clock, bus, microphone, sink)
        return build(context, AudioIO(heard, sink), agent=agent)
    except BaseException:
        microphone.close()
        raise


def _speaker(config: Config, devices: Devices, clock: SystemClock) -> Player:
    try:
        return devices.sink(config)
    except DeviceError:
        if config.audio.output:
            raise
        return quiet_sink(clock, "no speaker")


class TurnReporter:
    """A subscriber of the bus that calls `on_turn` with each answered turn.

    An error in `on_turn` is printed with its traceback, and the session continues.
    """

    def __init__(self, on_turn: Callable[[AnsweredTurn], None]) -> None:
        self._on_turn = on_turn
        self._scene = Scene()

    def __call__(self, event: Event) -> None:
        self._scene.apply(event)
        if not isinstance(event, TurnCompleted):
            return
        exchange, timing = self._scene.exchange(event.turn), self._scene.timing(event.turn)
        if exchange and timing and timing.response_time is not None:
            spans = {span.name: span.seconds for span in timing.spans}
            reply = exchange.reply.strip()
            turn = AnsweredTurn(
                exchange.question, reply, timing.response_time, spans, timing.interrupted
            )
            try:
                self._on_turn(turn)
            except Exception:
                # The bus would drop this subscriber without a word.
                traceback.print_exc()
