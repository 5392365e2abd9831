"""The whole command line: fast start, complete help, one message per error."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from edgevoice import __version__
from edgevoice.cli import cli, run_command
from edgevoice.errors import EdgevoiceError
from edgevoice.logs import ENGINES
from tests.command import edgevoice, edgevoice_process, message
from tests.conftest import ROOT
from tests.hostile import COMMANDS, EVIL
from tests.processes import PATIENCE

HEAVY = {
    *("numpy", "textual", "llama_cpp", "faster_whisper", "ctranslate2", "onnxruntime", "piper"),
    *("sounddevice", "soundfile", "soxr", "huggingface_hub", "rich", "psutil", "jinja2"),
}


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def test_help_imports_nothing_heavy() -> None:
    """`--help` loads no engine, screen, numpy or device library."""
    code = (
        "import sys; from edgevoice.cli import cli\n"
        "cli.main(['--help'], standalone_mode=False)\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert HEAVY & set(done.stderr.split()) == set()


def test_every_command_there_is_can_be_found_from_help() -> None:
    """All commands are listed, and none is hidden."""
    promised = {
        *("run", "demo", "transcribe", "ask", "say", "devices", "doctor"),
        *("models list", "models pull", "models verify", "models add", "models remove"),
        *("models path", "config show", "config path", "config init"),
    }
    assert promised <= {name for name, _ in commands(cli)}
    assert not [name for name, command in commands(cli) if command.hidden]


@pytest.mark.parametrize(
    ("name", "command"), list(commands(cli)), ids=[n for n, _ in commands(cli)]
)
def test_every_command_and_option_says_what_it_is_for(name: str, command: click.Command) -> None:
    """Every command and every option has a help text."""
    assert command.help
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_version_is_printed() -> None:
    """`--version` names the program and its version."""
    assert edgevoice_process("--version").stdout == f"edgevoice, version {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "turn.silence=5", "config", "show"), "did you mean turn.silence_ms?"),
        (("--set", "nonsense", "config", "show"), "--set takes section.key=value"),
        (("--config", "/nowhere/c.toml", "config", "show"), "no such configuration file"),
        (("sing",), "no such command 'sing'"),
        (("devices", "--loud"), "no such option '--loud'"),
        (("transcribe", "--jsn", "a.wav"), "did you mean --json?"),
        (("models", "remove"), "missing argument 'NAMES...'"),
        (("ptt", "up"), "'up' is not one of 'press', 'release', 'toggle'"),
        (("say", "--speed", "fast", "Hello"), "'fast' is not a valid float"),
        (("--config",), "option '--config' requires an argument"),
        (("demo", "--questions", "none.txt"), "No such file"),
        (("--debug=engines", "config", "path"), "'engine'"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_message_and_exit_code_2(
    words: tuple[str, ...], said: str
) -> None:
    """The error and its fix are on stderr, stdout is empty, and there is no traceback."""
    done = edgevoice(*words)
    assert done.stdout == ""
    assert said in message(done, 2)
    assert "Usage:" not in done.stderr


@pytest.mark.parametrize("words", [(), ("models",), ("bench",)])
def test_a_group_without_a_command_shows_its_help(words: tuple[str, ...]) -> None:
    """It lists the commands, like --help."""
    done = edgevoice(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: edgevoice")
    assert "Commands:" in done.stderr


def test_an_error_shows_its_traceback_only_with_debug() -> None:
    """Only --debug shows a traceback; the message and the exit code stay the same."""
    words = ("--set", "turn.silence=5", "config", "show")
    done, debugged = edgevoice(*words), edgevoice_process("--debug", *words)
    assert done.returncode == debugged.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Traceback" in debugged.stderr
    assert debugged.stderr.endswith(done.stderr)


LOGGED = """
import logging, sys
from edgevoice.cli import run_command
from edgevoice.logs import ENGINES
evil = sys.argv.pop(1)
code = run_command([*sys.argv[1:], "--set", evil + "=1", "config", "show"])
for name in ("edgevoice.engines.llama", ENGINES):
    logging.getLogger(name).debug("%s says %s", name, evil, exc_info=ValueError(evil))
sys.exit(code)
"""


@pytest.mark.parametrize("debug", ["--debug", "--debug=engine"])
def test_logs_and_tracebacks_command_no_terminal(debug: str) -> None:
    """Text of models and files is in logs and tracebacks as well; it is made harmless there."""
    evil = EVIL.replace("\x00", "")  # no argument holds NUL
    done = subprocess.run(
        [sys.executable, "-c", LOGGED, evil, debug],
        capture_output=True, encoding="utf-8", timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert "edgevoice.engines.llama says evil" in done.stderr
    assert (f"{ENGINES} says evil" in done.stderr) == (debug == "--debug=engine")
    assert not COMMANDS.findall(done.stderr)


@click.command()
def broken() -> None:
    """A command that reads a damaged file of its own."""
    raise EOFError("marshal data too short")


def test_a_file_that_ends_too_soon_is_not_taken_for_ctrl_d(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An EOFError outside of a prompt is reported as an error, not as an end by the user."""
    assert run_command([], broken) == 70
    assert "marshal data too short" in capsys.readouterr().err


LEVELS = """
import logging, sys
from edgevoice.cli import run_command
from edgevoice.logs import ENGINES
assert run_command([*sys.argv[1:], "config", "path"]) == 0
for name in ("edgevoice.engines.llama", ENGINES):
    print(logging.getLogger(name).isEnabledFor(logging.DEBUG), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "ours", "engines"),
    [((), False, False), (("--debug",), True, False), (("--debug=engine",), True, True)],
)
def test_the_engines_messages_come_only_when_they_are_asked_for(
    words: tuple[str, ...], ours: bool, engines: bool
) -> None:
    """--debug alone is short; only --debug=engine shows the messages of llama.cpp."""
    done = subprocess.run(
        [sys.executable, "-c", LEVELS, *words], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.stderr.splitlines() == [str(ours), str(engines)]


def test_every_exit_code_of_an_error_is_in_the_documentation() -> None:
    """Exit codes are documented for scripts and supervisors."""

    def all_kinds(kind: type[EdgevoiceError]) -> Iterator[type[EdgevoiceError]]:
        yield kind
        for each in kind.__subclasses__():
            yield from all_kinds(each)

    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    table = page.split("## Exit codes")[1].split("\n## ")[0]
    codes = {kind.exit_code for kind in all_kinds(EdgevoiceError)} | {0, 70, 129, 130, 143}
    assert {int(code) for code in re.findall(r"\b\d+\b(?=[ ,|\d]*\|)", table)} >= codes


def test_a_reader_that_goes_away_is_no_error() -> None:
    """`edgevoice … | head -0` ends without an error."""
    with subprocess.Popen(
        [sys.executable, "-m", "edgevoice", "config", "show"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
