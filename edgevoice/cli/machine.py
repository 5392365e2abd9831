"""`devices` and `doctor`: the sound devices, and whether a conversation is possible."""

from __future__ import annotations

import click

from edgevoice.cli import Context, echo, echo_json, pass_context
from edgevoice.encoding import json_bytes
from edgevoice.errors import DeviceError
from edgevoice.harmless import one_line


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array instead of the table.")
def devices(as_json: bool) -> None:
    """List microphones and speakers.

    Choose one by its number or a part of its name: `edgevoice run --input NAME --output NAME`.
    """
    from edgevoice.devices.listing import listed

    found = listed()
    if as_json:
        import msgspec

        echo_json(msgspec.json.format(msgspec.json.encode(found)).decode())
    if not found:
        raise DeviceError(
            "no sound device was found",
            remedy="plug in a microphone and a speaker or a headset, and check that this user may "
            "use them; without any, `edgevoice demo` shows a conversation",
        )
    if as_json:
        return
    rows = [("", "input", "output", "rate", "API", "name")]
    for device in found:
        default = [
            *(["input"] if device.default_input else []),
            *(["output"] if device.default_output else []),
        ]
        rows.append(
            (
                str(device.index),
                _channels(device.inputs),
                _channels(device.outputs),
                f"{device.rate:.0f} Hz",
                one_line(device.api),
                one_line(device.name) + (f"  (default {' and '.join(default)})" if default else ""),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        echo("  ".join([*cells, row[-1]]))


def _channels(count: int) -> str:
    return f"{count} ch" if count else "-"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@pass_context
def doctor(context: Context, as_json: bool) -> None:
    """Check everything that a conversation needs.

    Every problem is printed with its fix. Exits with 0 if a conversation is possible without a
    network, otherwise with 1.
    """
    from edgevoice.doctor import examine

    words = {"ok": "✓ ok", "warning": "! warning", "failed": "✗ FAILED"}
    colours = {"ok": "green", "warning": "yellow", "failed": "red"}
    checks = []
    for check in examine(context.resolve):
        checks.append(check)
        if as_json:
            continue
        found = check.found.replace("\n", "\n" + " " * 29)
        echo(words[check.state].ljust(9), nl=False, fg=colours[check.state])
        echo(f"  {check.name:16}  {found}")
        if check.fix:
            echo(f"{'':29}fix: {check.fix}")
    failed = [check.name for check in checks if check.state == "failed"]
    if as_json:
        import msgspec

        report = {"can_converse": not failed, "checks": checks}
        echo_json(msgspec.json.format(json_bytes(report)).decode())
    elif failed:
        echo(f"Not ready for a conversation: {', '.join(failed)}.")
    else:
        echo("Ready for a conversation, without a network.")
    click.get_current_context().exit(1 if failed else 0)
