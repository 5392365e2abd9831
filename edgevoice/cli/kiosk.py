"""`kiosk`: an unattended session for visitors."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgevoice.cli import Context, complain, echo, pass_context
from edgevoice.errors import StorageError, UsageError
from edgevoice.harmless import one_line

if TYPE_CHECKING:
    from edgevoice.engines.pool import EnginePool
    from edgevoice.kiosk.attendant import Attendant
    from edgevoice.open_devices import Devices
    from edgevoice.session import Session
    from edgevoice.settings import Config

CONFIG = "kiosk.toml"
PLAIN: dict[str, Any] = {"plain": True, "waterfall": False, "trace": None}
"""What `converse` is given in place of the options of `run`."""


@click.group()
def kiosk() -> None:
    """Run unattended, for visitors. Begin with `edgevoice kiosk init`."""


@kiosk.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option(
    "--answers",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file with the answers; nothing is asked.",
)
@click.option(
    "--user",
    metavar="NAME",
    default="",
    help="Write a unit of the system, which runs as this user.",
)
@click.option("--force", is_flag=True, help="Replace files that exist.")
def init(folder: Path, answers: Path | None, user: str, force: bool) -> None:
    """Write kiosk.toml and the files that start the kiosk with the machine."""
    from edgevoice.config import load
    from edgevoice.files import replace
    from edgevoice.kiosk import units
    from edgevoice.kiosk.initial import kiosk_toml

    folder = folder.absolute()
    config = folder / CONFIG
    given = _read(answers) if answers else _ask()
    words = [sys.executable, "-m", "edgevoice", "kiosk", "run", str(config)]
    from edgevoice.places import user_folder

    writable = [user_folder(kind) for kind in ("cache", "data", "config")]
    unit = folder / f"{units.UNIT}.service"
    written = {
        config: kiosk_toml(given),
        unit: units.service(words, user, writable),
        folder / f"{units.LABEL}.plist": units.agent(words),
        folder / f"{units.UNIT}.xml": units.task(words),
    }
    there = [path for path in written if path.exists()]
    if there and not force:
        raise UsageError(
            f"{', '.join(path.name for path in there)} exists already",
            where=str(folder),
            remedy="choose another folder, or replace the files with --force",
        )
    try:
        for path, text in written.items():
            replace(path, [text])
    except OSError as error:
        raise StorageError(
            f"the files cannot be written: {error.strerror}",
            where=str(folder),
            remedy="free some space, or name another folder",
        ) from None
    load(config)
    echo(f"written to {folder}: {', '.join(path.name for path in written)}")
    found = units.complaints(unit)
    if found is None:
        complain("systemd-analyze is not installed: the unit was not checked")
    elif found:
        complain(f"systemd finds fault with the unit:\n{found}")
    _say_commands(unit, user)


def _say_commands(unit: Path, user: str) -> None:
    from edgevoice.kiosk.units import LABEL, UNIT

    quoted = shlex.quote(str(unit))
    if sys.platform == "darwin":
        plist = unit.with_name(f"{LABEL}.plist")
        commands = [
            f"cp {shlex.quote(str(plist))} ~/Library/LaunchAgents/",
            f"launchctl load -w ~/Library/LaunchAgents/{plist.name}",
        ]
    elif sys.platform == "win32":
        commands = [
            f'schtasks /Create /TN {UNIT} /XML "{unit.with_suffix(".xml")}"',
            f"schtasks /Run /TN {UNIT}",
        ]
    elif user:
        commands = [
            f"sudo cp {quoted} /etc/systemd/system/",
            f"sudo systemctl enable --now {UNIT}",
        ]
    else:
        commands = [
            f"systemctl --user enable --now {quoted}",
            "sudo loginctl enable-linger $USER",
        ]
    echo("to install it:")
    for command in (*commands, "edgevoice kiosk status"):
        echo(f"  {command}")
    if sys.platform.startswith("linux") and not user:
        echo("A unit of a user cannot forbid the network to the process; for that use --user NAME.")


@kiosk.command("run")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=CONFIG)
@pass_context
def run_kiosk(context: Context, file: Path) -> None:
    """Talk to visitors, as FILE says, until SIGTERM.

    Words of visitors are neither written nor printed.
    """
    from msgspec.structs import replace

    from edgevoice.cli.converse import converse
    from edgevoice.cli.ready import ready
    from edgevoice.kiosk.prompt import with_rules
    from edgevoice.open_devices import open_source

    if not file.exists():
        raise UsageError("there is no such file", where=str(file), remedy="edgevoice kiosk init")
    attended = Context(file.absolute(), (), context.profile)
    attended.settings = context.settings
    config = ready(attended, dict(context.settings))
    prompt = with_rules(config.slm.system_prompt, config.kiosk)
    overrides = {**context.settings, "slm.system_prompt": prompt}
    config = replace(config, slm=replace(config.slm, system_prompt=prompt))
    attending = _Attending(config)

    def source(config: Config, devices: Devices) -> Any:
        return devices.source(config) if attending.is_open else devices.closed_source(config)

    def sink(config: Config, devices: Devices) -> Any:
        return devices.sink(config)

    if not config.audio.wait:
        from edgevoice.clock import SystemClock

        open_source(config, SystemClock()).close()
    converse(attended, config, overrides, PLAIN, source, sink, beside=attending.beside)
    if (attendant := attending.attendant) and attendant.failure:
        raise attendant.failure


@kiosk.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON as it is.")
def status(as_json: bool) -> None:
    """Show how the running kiosk is; exits with 1 if it is not ready."""
    from edgevoice.control import ask

    text = ask("status")
    report = json.loads(text)
    if not report:
        raise UsageError("the newest session is no kiosk", remedy="edgevoice kiosk run")
    if as_json:
        echo(text)
    else:
        for key, value in report.items():
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            if isinstance(value, dict):
                shown = ", ".join(f"{role} {name}" for role, name in value.items())
            words = {True: "yes", False: "no", None: "unknown", "": "none"}
            echo(f"{key.replace('_', ' ')}: {words.get(shown, shown)}")
    if not report["ready"]:
        click.get_current_context().exit(1)


class _Attending:
    """Joins an attendant to a session."""

    def __init__(self, config: Config) -> None:
        self._settings = config.kiosk
        self.attendant: Attendant | None = None

    @property
    def is_open(self) -> bool:
        """Whether the microphone may be on by now."""
        return self.attendant is not None and self.attendant.is_open

    @contextlib.contextmanager
    def beside(self, session: Session, pool: EnginePool) -> Iterator[None]:
        """Attend the session during the block."""
        from edgevoice.clock import local_time
        from edgevoice.kiosk.attendant import Attendant
        from edgevoice.kiosk.notify import Notifier
        from edgevoice.kiosk.status import KioskStatus
        from edgevoice.places import user_folder

        status = KioskStatus(user_folder("data") / "kiosk.json", session.clock.now())
        self.attendant = attendant = Attendant(
            session, self._settings, status, _log, local_time, Notifier(), pool.abandon
        )
        _log("info", "edgevoice kiosk starts")
        task = session.clock.spawn(attendant.run, "attendant")
        try:
            yield
        finally:
            attendant.close()
            task.join(5.0)
            _log("info", "edgevoice kiosk ends")


PRIORITIES = {"info": 6, "warning": 4, "error": 3}
"""Syslog priorities, which systemd's journal reads at the beginning of a line."""


def _log(level: str, text: str) -> None:
    from datetime import datetime, timezone

    if os.environ.get("JOURNAL_STREAM"):
        line = f"<{PRIORITIES[level]}>{one_line(text)}"
    else:
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        line = f"{now} {level.upper()} {one_line(text)}"
    with contextlib.suppress(OSError):  # a full disk stops the log, not the conversation
        echo(line, err=True)


def _ask() -> Any:
    from edgevoice.kiosk.initial import KioskAnswers

    ask: Callable[..., Any] = partial(click.prompt, err=True)
    default = KioskAnswers()
    return KioskAnswers(
        place=ask("What is this the voice guide of?", default=default.place),
        languages=ask("Languages of the visitors (codes)", default=default.languages),
        hours=ask(
            "Opening hours (tu-su 10:00-18:00; empty: always)", default="", show_default=False
        ),
        reset_s=ask(
            "Seconds of silence until a visitor is forgotten",
            default=default.reset_s,
            type=click.IntRange(0, 3600),
        ),
        emergency=ask("What to say in an emergency (may be empty)", default="", show_default=False),
        forbidden=ask("Topics not to talk about (may be empty)", default="", show_default=False),
        wake_word=ask("Wake word (empty: always listening)", default="", show_default=False),
    )


def _read(path: Path) -> Any:
    from edgevoice.kiosk.initial import KioskAnswers
    from edgevoice.outside import Malformed, converted, from_toml, read_text

    try:
        return converted(from_toml(read_text(path)), KioskAnswers)
    except (OSError, Malformed) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"the answers cannot be read: {reason}",
            where=str(path),
            remedy="see the fields in docs/kiosk.md",
        ) from None
