"""`run --connect`: a conversation with the models of another machine."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any, Literal

import click

from edgevoice.cli import complain, echo
from edgevoice.cli.converse import controllable, shown, traced
from edgevoice.cli.network import data_folder, imported

if TYPE_CHECKING:
    from edgevoice.audio import Samples
    from edgevoice.bus import Bus
    from edgevoice.clock import Clock
    from edgevoice.server.remote_session import Here
    from edgevoice.settings import Config


def converse_with(
    host: str,
    config: Config,
    options: dict[str, Any],
    clips: list[Samples],
    language: str,
    mode: Literal["push-to-talk"] | None,
) -> None:
    """Hold a conversation with the server at `host`, with the devices of this machine.

    `clips` are questions instead of the microphone, float32 [n] at 16 kHz.
    """
    with imported():
        from edgevoice.server.known_servers import KnownServers, place
        from edgevoice.server.remote_session import RemoteSession, Wishes
    from edgevoice.bus import Bus
    from edgevoice.clock import SystemClock
    from edgevoice.timings import Timings
    from edgevoice.transcript import summary

    where = place(host)
    servers = KnownServers(data_folder() / "servers.json")
    known = None if where.code else servers.find(where.base)
    if known is None:
        known = servers.pair(where, _trusted)
    clock = SystemClock()
    bus = Bus(clock)
    with contextlib.ExitStack() as stack:
        here = _devices(config, clock, bus, clips)
        wishes = Wishes(language, config.models.tts, mode)
        session = RemoteSession(clock, bus, where, known, here, wishes)
        stack.enter_context(traced(bus, options["trace"]))
        stack.enter_context(controllable(session))
        timings = Timings()
        bus.subscribe(timings.add)

        def summed_up() -> list[str]:
            trace = options["trace"]
            written = [trace] if trace and trace.exists() else []
            return summary(timings, [*written, *session.saved])

        title = f"edgevoice at {where.base}"
        shown(session, session.run, summed_up, options, config, title)


def _devices(config: Config, clock: Clock, bus: Bus, clips: list[Samples]) -> Here:
    from edgevoice.bus import Bus as OwnBus
    from edgevoice.devices.simulated import SimulatedSink
    from edgevoice.errors import DeviceError
    from edgevoice.open_devices import Devices, clips_source, echo_free
    from edgevoice.player import Player
    from edgevoice.server.protocol import REPLY_RATE
    from edgevoice.server.remote_session import Here

    devices = Devices(clock, bus)
    if clips:
        silent = SimulatedSink(clock, REPLY_RATE, "no speaker")
        return Here(clips_source(clock, iter(clips), "files"), silent, Player(clock, silent))
    microphone = devices.source(config)
    try:
        speaker = devices.speaker(config)
        player = Player(clock, speaker)
        # Its measurements are in the time of this machine, not of the events.
        source = echo_free(config, clock, OwnBus(clock), microphone, player)
        return Here(source, speaker, player)
    except DeviceError:
        microphone.close()
        raise


def _trusted(fingerprint: str) -> bool:
    """Ask whether this is the fingerprint that the server shows."""
    if not sys.stdin.isatty():
        complain("use the whole address that `edgevoice serve` shows for another computer")
        return False
    echo(f"SHA-256 of the server's certificate:\n  {fingerprint}")
    return click.confirm("Is it the one that `edgevoice serve` shows?", default=False, err=True)
