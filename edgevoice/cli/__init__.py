"""The command line: each module here parses, builds, runs and prints for one group of commands.

Modules in this package import only click, `config` and `errors` at their top, so that `--help`
stays under 0.3 s; whatever is heavy is imported inside the command that needs it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edgevoice import __version__
from edgevoice.config import Resolved, config_path, load
from edgevoice.errors import EdgevoiceError, UsageError


class Context:
    """What the global options said; the configuration is read when a command asks for it."""

    def __init__(self, config_file: Path | None, settings: tuple[str, ...], debug: bool) -> None:
        self.debug = debug
        self._config_file = config_file
        self.settings: dict[str, str] = {}
        for setting in settings:
            key, equals, value = setting.partition("=")
            if not equals:
                raise UsageError(
                    f"--set takes section.key=value, not {setting!r}",
                    remedy="for example --set turn.silence_ms=500",
                )
            self.settings[key.strip()] = value.strip()

    def resolve(self, **flags: object) -> Resolved:
        """The configuration under this command's own flags, named section__key; None is absent."""
        typed = {k.replace("__", "."): str(v) for k, v in flags.items() if v is not None}
        return self.load({**self.settings, **typed})

    def load(self, overrides: dict[str, str]) -> Resolved:
        """The configuration under exactly these overrides, by `section.key`."""
        return load(self._config_file, flags=overrides)

    @property
    def path(self) -> Path:
        """The configuration file in use, whether it is there or not."""
        return self._config_file or config_path()

    def remember(self, key: str, value: str) -> None:
        """Set `section.key` in the configuration file that is in use."""
        from edgevoice.config_file import remember

        remember(key, value, self._config_file)


pass_context: Callable[[Callable[..., Any]], Callable[..., Any]] = click.make_pass_decorator(
    Context
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `edgevoice run`. If something is wrong, `edgevoice doctor` says what.",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Read this configuration file instead of the user's own.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="SECTION.KEY=VALUE",
    help="Override one setting; repeatable. `edgevoice config show` lists them all.",
)
@click.option("--debug", is_flag=True, help="Show tracebacks and the engines' own messages.")
@click.version_option(__version__, "--version", prog_name="edgevoice")
@click.pass_context
def cli(
    ctx: click.Context, config_file: Path | None, settings: tuple[str, ...], debug: bool
) -> None:
    """A voice assistant that runs on your own device, offline, and shows where the time went."""
    if debug:
        import logging

        logging.basicConfig(format="%(name)s: %(message)s")
        logging.getLogger("edgevoice").setLevel(logging.DEBUG)
    ctx.obj = Context(config_file, settings, debug)


def _add_commands() -> None:
    from edgevoice.cli import machine, models, run, settings, speech

    for command in (
        run.run,
        run.demo,
        speech.transcribe,
        speech.ask,
        speech.say,
        models.models,
        machine.devices,
        machine.doctor,
        settings.config,
    ):
        cli.add_command(command)


_add_commands()


def main() -> None:
    """Run the command line; every failure ends in one clear message and a non-zero exit code."""
    debug = "--debug" in sys.argv
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        # The reader of our pipe has gone, as `| head` does; Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except EdgevoiceError as error:
        if debug:
            raise
        click.echo(f"edgevoice: {error}", err=True)
        code = error.exit_code
    except Exception as error:
        if debug:
            raise
        click.echo(
            f"edgevoice: unexpected {type(error).__name__}: {error}\n"
            "  fix: run the command again with --debug and report what it prints",
            err=True,
        )
        code = 70
    sys.exit(code if isinstance(code, int) else 0)
