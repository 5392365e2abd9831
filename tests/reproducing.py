"""A pytest plugin that makes runs alike: one seed, default signals in processes.

For each failed test it prints the command that runs the test again.
"""

from __future__ import annotations

import os
import shlex
import sys

import pytest

from tests.processes import let_children_be_stopped

SEED = 1
"""The default of `--seed`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--seed",
        type=int,
        default=SEED,
        help="Seed of the voices and of Hypothesis. Default: %(default)s.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--hypothesis-seed", None) is None:
        config.option.hypothesis_seed = config.getoption("--seed")
    config.add_cleanup(let_children_be_stopped())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print a command for each failed test that runs it again."""
    failed = [*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")]
    tests = dict.fromkeys(
        report.nodeid for report in failed if isinstance(report, pytest.TestReport)
    )
    if not tests:
        return
    terminalreporter.section("to run a failed test again")
    for test in tests:
        terminalreporter.line(command(config, test))


def command(config: pytest.Config, test: str) -> str:
    """A line for the shell that runs one test as this run did."""
    root = config.rootpath
    python = os.path.abspath(sys.executable)
    if python.startswith(f"{root}{os.sep}"):
        python = os.path.relpath(python, root)
    words = [python, "-m", "pytest", test, f"--seed={config.getoption('--seed')}"]
    if config.option.hypothesis_seed != config.getoption("--seed"):
        words.append(f"--hypothesis-seed={config.option.hypothesis_seed}")
    if config.getoption("--thorough"):
        words.append("--thorough")
    if config.pluginmanager.hasplugin("xdist"):
        words.append("-n0")
    go = "" if config.invocation_params.dir == root else f"cd {shlex.quote(str(root))} && "
    return go + shlex.join(words)
