"""`serve`: the assistant for the other devices in the house."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING

import click

from edgevoice.cli import Context, complain, echo, pass_context
from edgevoice.cli.network import data_folder, imported
from edgevoice.errors import EdgevoiceError

if TYPE_CHECKING:
    from edgevoice.server.devices import PairedDevice
    from edgevoice.server.serving import Server


@click.group(invoke_without_command=True)
@click.option("--lan", is_flag=True, help="Let other devices in the local network connect.")
@click.option(
    "--port",
    type=click.IntRange(1, 65_533),
    default=8440,
    show_default=True,
    help="Port for this machine; with --lan, the next two as well.",
)
@click.option(
    "--sessions",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Devices that may talk at the same time; others wait.",
)
@pass_context
def serve(context: Context, lan: bool, port: int, sessions: int) -> None:
    """Serve a page to talk to the assistant from a phone or another computer.

    Prints an address with a pairing code, as a QR code too. Sound and words go to this machine
    only.
    """
    if click.get_current_context().invoked_subcommand is None:
        _serve(context, lan, port, sessions)


@serve.command()
@click.option("--revoke", metavar="NAME", help="Disconnect and forget this device, by name or id.")
@pass_context
def devices(context: Context, revoke: str | None) -> None:
    """List the paired devices, or revoke one."""
    from edgevoice.server.devices import PairedDevices

    known = PairedDevices(data_folder() / "devices.json")
    if revoke is not None:
        for device in known.revoke(revoke):
            echo(f"revoked: {device.name}")
        return
    paired = known.all()
    if not paired:
        complain("no device is paired: `edgevoice serve --lan` shows how")
    for device in paired:
        echo(f"{device.id:>3}  {device.name}  paired {_day(device.paired)}, {_seen(device)}")


def _day(seconds: int) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(seconds))


def _seen(device: PairedDevice) -> str:
    return f"last connected {_day(device.seen)}" if device.seen else "never connected"


def _serve(context: Context, lan: bool, port: int, sessions: int) -> None:
    from edgevoice.cli.ready import ready

    with imported():
        from edgevoice.server.serving import Options, Server
        from edgevoice.server.shared import offers, preload, sharing
    from edgevoice.engines.pool import EnginePool

    config = ready(context, dict(context.settings))
    pool = EnginePool(hold=True)
    shown = threading.Event()

    def paired(device: PairedDevice) -> None:
        echo(f"paired: {device.name}")
        shown.set()

    options = Options(data_folder(), port, lan, sessions)
    server = Server(options, config, sharing(pool), offers, paired)
    echo("loading the models …", err=True)
    preload(config, pool)
    server.start()
    try:
        while server.failure is None:
            _show(server)
            shown.clear()
            while not shown.wait(1.0) and server.failure is None:
                pass
        raise EdgevoiceError(f"the server ended: {server.failure}", remedy="start it again")
    finally:
        server.stop()
        pool.close()


def _show(server: Server) -> None:
    """Print the address for the next device, and its QR code on a terminal."""
    address = server.address(server.code.code)
    if sys.stdout.isatty():
        from edgevoice.server.qr import text

        with contextlib.suppress(UnicodeEncodeError):
            echo(text(address))
    echo(address)
    if certificate := server.certificate_address():
        assert server.authority is not None
        echo(f"certificate for phones: {certificate}")
        echo(f"  SHA-256 {server.authority.fingerprint}")
        fingerprint = server.authority.fingerprint.replace(":", "")[:32]
        echo(f"another computer: edgevoice run --connect '{address}&ca={fingerprint}'")
        echo(f"on this machine: {server.local_address()}#code={server.code.code}")
