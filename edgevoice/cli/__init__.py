"""The command line: each module parses, builds, runs and prints for one group of commands.

Modules in this package import only click, `config` and `errors` at their top, so that `--help`
stays under 0.3 s. Heavy modules are imported inside the commands that need them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from edgevoice import __version__
from edgevoice.cli.streams import prepare_streams
from edgevoice.compatibility import OPTIONS, SETTINGS, notice
from edgevoice.config import Resolved, config_path, load
from edgevoice.encoding import well_formed
from edgevoice.errors import EdgevoiceError, StorageError, UsageError
from edgevoice.harmless import harmless, harmless_json
from edgevoice.logs import show_logs
from edgevoice.profiles import PROFILES


class Context:
    """The global options. The configuration is read when a command needs it."""

    def __init__(
        self, config_file: Path | None, settings: tuple[str, ...], profile: str = ""
    ) -> None:
        self._config_file = config_file
        self.profile = profile
        self._warned: set[str] = set()
        self._renamed: dict[str, str] = {}
        self._announced: set[str] = set()
        self.settings: dict[str, str] = {}
        for setting in settings:
            key, equals, value = setting.partition("=")
            if not equals or not key.strip():
                raise UsageError(
                    f"--set takes section.key=value, not {setting!r}",
                    remedy="for example --set turn.silence_ms=500",
                )
            self.settings[self.current(key.strip())] = value.strip()

    def resolve(self, **flags: object) -> Resolved:
        """The configuration with a command's own flags, named section__key; None is absent."""
        given = {k.replace("__", "."): str(v) for k, v in flags.items() if v is not None}
        return self.load({**self.settings, **given})

    def load(self, overrides: dict[str, str]) -> Resolved:
        """The configuration with exactly these overrides, by `section.key`."""
        resolved = load(self._config_file, flags=overrides, profile=self.profile)
        for warning in resolved.warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                complain(warning)
        old = {**self._renamed, **resolved.renamed}
        if any(name in SETTINGS and name not in overrides for name in resolved.renamed):
            self._migrate()
        if unannounced := {name: new for name, new in old.items() if name not in self._announced}:
            self._announced |= set(unannounced)
            complain(notice(unannounced))
        return resolved

    def _migrate(self) -> None:
        """Write today's names into the configuration file, if it can be written."""
        from edgevoice.config_file import migrate

        with contextlib.suppress(EdgevoiceError):
            former = migrate(self.path)
            complain(f"{self.path} has the names of today now; it was copied to {former}")

    def current(self, key: str) -> str:
        """The present name of a setting. Reading the configuration warns about an old name."""
        if key in SETTINGS:
            self._renamed[key] = SETTINGS[key]
        return SETTINGS.get(key, key)

    def renamed_option(self, old: str) -> None:
        """Include an option in the notice about old names."""
        self._renamed[old] = OPTIONS[old]

    @property
    def words(self) -> list[str]:
        """The option that gives another process the same configuration file, as words."""
        return ["--config", str(self._config_file)] if self._config_file else []

    @property
    def path(self) -> Path:
        """The configuration file in use; it may not exist."""
        return self._config_file or config_path()

    def remember(self, key: str, value: str) -> None:
        """Set `section.key` in the configuration file in use."""
        self.remember_all({key: value})

    def remember_all(self, values: Mapping[str, str | int]) -> None:
        """Set each `section.key` in the configuration file in use."""
        from edgevoice.config_file import remember

        remember(values, self._config_file)


pass_context: Callable[[Callable[..., Any]], Callable[..., Any]] = click.make_pass_decorator(
    Context
)


def echo(text: str = "", *, err: bool = False, nl: bool = True, **style: Any) -> None:
    """Write a line to standard output, or with `err` to standard error.

    All output of commands passes through here and is made safe for a terminal. `style` holds the
    options of click.style.
    """
    text = harmless(text)
    # Passed explicitly, because click's own choice ignores the stream's encoding.
    stream = sys.stderr if err else sys.stdout
    click.echo(click.style(text, **style) if style else text, file=stream, nl=nl)


def echo_json(text: str, *, nl: bool = True) -> None:
    """Write JSON to standard output."""
    click.echo(harmless_json(text), file=sys.stdout, nl=nl)


def complain(text: str) -> None:
    """Write a warning or an error to standard error."""
    echo(f"edgevoice: {text}", err=True)


DEBUG_LEVELS = ("edgevoice", "engine")


class Program(click.Group):
    """The group of all commands. Its --debug accepts a value only after =."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        command = next((at for at, arg in enumerate(args) if arg in self.commands), len(args))
        options = [
            f"--debug={DEBUG_LEVELS[0]}" if arg == "--debug" else arg for arg in args[:command]
        ]
        return super().parse_args(ctx, options + args[command:])


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `edgevoice run`. If something is wrong, `edgevoice doctor` says what.",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file [default: the user's].",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="SECTION.KEY=VALUE",
    help="Override one setting; repeatable. `edgevoice config show` lists all.",
)
@click.option(
    "--profile",
    type=click.Choice([*PROFILES]),
    help="Settings for a kind of machine, which all other settings override.",
)
@click.option(
    "--debug",
    type=click.Choice(DEBUG_LEVELS),
    metavar="[=engine]",
    help="Show tracebacks and logs; =engine adds the messages of the engines.",
)
@click.version_option(__version__, "--version", prog_name="edgevoice")
@click.pass_context
def cli(
    ctx: click.Context,
    config_file: Path | None,
    settings: tuple[str, ...],
    profile: str | None,
    debug: str | None,
) -> None:
    """A voice assistant that runs on your own device, offline, and shows where the time went."""
    if debug:
        show_logs(engines=debug == "engine")
    ctx.obj = Context(config_file, settings, profile or "")


def _add_commands() -> None:
    from edgevoice.cli import (
        bench,
        control,
        fit,
        kiosk,
        machine,
        models,
        quality,
        replay,
        run,
        serve,
        settings,
        skills,
        soak,
        speech,
        timers,
        turns,
        uninstall,
    )

    bench.bench.add_command(soak.soak)
    bench.bench.add_command(turns.turns)
    bench.bench.add_command(quality.quality)
    for command in (
        run.run,
        run.demo,
        serve.serve,
        control.ptt,
        control.mute,
        control.stop,
        control.reset,
        kiosk.kiosk,
        speech.transcribe,
        speech.ask,
        speech.say,
        timers.timers,
        skills.skills,
        models.models,
        machine.devices,
        machine.doctor,
        bench.bench,
        fit.fit,
        replay.replay,
        settings.config,
        uninstall.uninstall,
    ):
        cli.add_command(command)


_add_commands()


def main(command: click.Command = cli) -> None:
    """Run this process's command line, and exit with its code.

    `command` is the group of all commands, or a single command.
    """
    prepare_streams()
    end_cleanly()
    _leave(run_command(sys.argv[1:], command))


def run_command(words: list[str], command: click.Command = cli) -> int:
    """Run a command line; returns its exit code.

    A failure prints one message, with --debug its traceback too, and the code is not 0.
    """
    debug = any(word.split("=")[0] == "--debug" for word in words)
    try:
        code = command.main(args=words, prog_name="edgevoice", standalone_mode=False)
    except KeyboardInterrupt:
        code = 130
    except click.exceptions.Abort as aborted:
        # click treats every EOFError as Ctrl-D; only after its own prompts there is no cause.
        cause = aborted.__cause__
        code = _report(cause, debug) if isinstance(cause, EOFError) else 130
    except SystemExit as ended:
        code = ended.code
    except click.exceptions.NoArgsIsHelpError as error:
        echo(error.format_message(), err=True)
        code = error.exit_code
    except click.ClickException as error:
        complain(str(_usage_error(error)))
        code = error.exit_code
    except BrokenPipeError:
        # The pipe's reader has closed it, for example `| head`.
        code = 0
    except Exception as error:
        code = _report(error, debug)
    return code if isinstance(code, int) else 0


def _report(error: Exception, debug: bool) -> int:
    """Print what failed, with `debug` after its traceback; returns its exit code."""
    known = _known(error)
    with contextlib.suppress(OSError):
        if debug:
            import traceback

            echo("".join(traceback.format_exception(error)), err=True, nl=False)
        complain(str(known or _unexpected(error)))
    return known.exit_code if known else 70


def end_cleanly() -> None:
    """Let SIGTERM and a closed terminal end the program like Ctrl-C, so that files are completed.

    A second SIGTERM ends it at once.
    """

    def end(number: int, frame: object) -> None:
        for each in handled:
            # A closed terminal sends SIGHUP twice if a shell passes it on.
            next_action = signal.SIG_DFL if each == signal.SIGTERM else signal.SIG_IGN
            signal.signal(each, next_action)
        raise SystemExit(128 + number)

    numbers = (getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP"))
    # An ignored signal stays ignored, for example under nohup.
    handled = [n for n in numbers if n is not None and signal.getsignal(n) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, end)


def _usage_error(error: click.ClickException) -> UsageError:
    """An error of click as a UsageError, with a remedy."""
    context = getattr(error, "ctx", None)
    near = getattr(error, "possibilities", None)
    text = (error.message if near else error.format_message()).rstrip(".")
    remedy = f"{context.command_path if context else 'edgevoice'} --help"
    return UsageError(
        f"{text[:1].lower()}{text[1:]}", remedy=f"did you mean {near[0]}?" if near else remedy
    )


def _known(error: Exception) -> EdgevoiceError | None:
    """The error as an EdgevoiceError; None if it is unexpected."""
    if isinstance(error, EdgevoiceError):
        return error
    if members := getattr(error, "exceptions", ()):
        # Stages that failed together usually have one cause: the first failure.
        known = [_known(member) for member in members]
        return known[0] if all(known) else None
    if isinstance(error, UnicodeEncodeError) and well_formed(error.object) != error.object:
        return EdgevoiceError(
            "a name that is not valid UTF-8 cannot be used here",
            where=error.object[max(0, error.start - 40) : error.end + 40],
            remedy="rename that file or folder",
        )
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return EdgevoiceError(
            "the file name is too long",
            where=f"{str(error.filename)[:80]}…",
            remedy="use a shorter name",
        )
    if isinstance(error, OSError) and error.errno in (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
    ):
        return StorageError(
            f"the output cannot be written: {error.strerror}",
            where=str(error.filename or "standard output"),
            remedy="free some space, or choose another place",
        )
    return None


def _unexpected(error: Exception) -> str:
    return (
        f"unexpected {type(error).__name__}: {error}\n"
        "  fix: run the command again with --debug and report what it prints"
    )


def _leave(code: int) -> NoReturn:
    if hasattr(signal, "SIGHUP"):
        # All files are complete. Another SIGHUP during exit would change the exit code.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # The reader is gone or the disk is full; without this, Python prints an error at exit.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if any(thread is not threading.current_thread() for thread in threading.enumerate()):
        # A thread is stuck in a model or a device, and a regular exit could hang or crash.
        os._exit(code)
    sys.exit(code)
