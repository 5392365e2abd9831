"""`edgevoice bench compare` and `--budget` as their user, and a CI job, meet them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import fields, replace

from edgevoice.bench.compare.compare import ComparisonResult
from edgevoice.bench.result.result import BenchResult, Figures, Summary, read, write
from edgevoice.bench.result.text import render
from edgevoice.cli import bench as commands
from edgevoice.cli import cli
from edgevoice.errors import EdgevoiceError
from tests.bench.simulated import MACHINE, result, turns
from tests.command import edgevoice, message
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "results.md").read_text("utf-8")


@pytest.fixture
def files(elsewhere: Path) -> Path:
    """Two runs of the same, a.json and b.json, and one with a slowed stage."""
    write(elsewhere / "a.json", result(turns(1)))
    write(elsewhere / "b.json", result(turns(2)))
    write(elsewhere / "slow.json", result(turns(3, slower={"prefill": 0.12})))
    return elsewhere


def test_the_same_is_no_change_and_exits_with_0(files: Path) -> None:
    """Nothing on standard error, the verdict last."""
    done = edgevoice("bench", "compare", files / "a.json", files / "b.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("no change")
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_slowed_stage_is_named_and_exits_with_1(files: Path) -> None:
    """That is what a CI job fails with; the other way round it passes."""
    done = edgevoice("bench", "compare", files / "a.json", files / "slow.json")
    assert (done.returncode, done.stderr) == (1, "")
    assert "\nslower: prefill (+1" in done.stdout
    back = edgevoice("bench", "compare", files / "slow.json", files / "a.json")
    assert back.returncode == 0
    assert "\nfaster: prefill (-1" in back.stdout


def test_another_machine_is_warned_of(files: Path) -> None:
    """Plainly, and without a change of the exit code."""
    other = replace(result(turns(2)), machine=replace(MACHINE, cpu="Slow 2"))
    write(files / "b.json", other)
    done = CliRunner().invoke(cli, ["bench", "compare", "a.json", "b.json"])
    assert done.exit_code == 0
    assert "warning: another machine (cpu): Quiet 1000 in A, Slow 2 in B" in done.stdout


def test_budgets_are_for_b(files: Path) -> None:
    """If B exceeds one, there is one line for it, and the exit code is 1."""
    words = ["bench", "compare", "a.json", "b.json", "--budget", "dropped=0", "--budget"]
    kept = CliRunner().invoke(cli, [*words, "first_audio.p95=30s"])
    assert kept.exit_code == 0
    broken = CliRunner().invoke(cli, [*words, "first_audio.p95=10ms"])
    assert broken.exit_code == 1
    lines = [line for line in broken.stdout.splitlines() if line.startswith("budget not met: ")]
    assert len(lines) == 1
    assert lines[0].startswith("budget not met: response time p95 ")


def test_figures_and_markdown_go_where_they_are_asked_to(files: Path) -> None:
    """JSON to a file or to standard output, with what a person reads beside it."""
    words = [
        "bench",
        "compare",
        "a.json",
        "slow.json",
        "--budget",
        "response_time.p95=30s",
        "--json",
    ]
    done = CliRunner().invoke(cli, [*words, "c.json", "--markdown"])
    assert done.exit_code == 1
    assert done.stdout.startswith("**slower: prefill")
    found = msgspec.json.decode((files / "c.json").read_bytes(), type=ComparisonResult)
    assert found.regressed
    assert [outcome.met for outcome in found.budgets] == [True]
    piped = edgevoice(*words, "-")
    assert piped.returncode == 1
    assert json.loads(piped.stdout)["verdict"] == "slower"
    assert "slower: prefill" in piped.stderr


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("b.json", "[", "a damaged result"),
        ("b.json", "{}", "not a result of the bench"),
        ("b.json", '{"format": "edgevoice bench", "version": 99}', "newer edgevoice"),
        ("b.json", '{"format": "edgevoice bench", "version": "x"}', "a damaged result"),
        ("b.json", '{"format": "edgevoice bench", "version": 1, "turns": 3}', "a damaged result"),
        ("b.json", "\udcff", "a damaged result"),
        ("c.json", "", "cannot be read"),
    ],
)
def test_what_cannot_be_compared_is_no_regression(
    files: Path, name: str, text: str, told: str
) -> None:
    """Exit code 2, which a CI job can tell from a slower program, and one message."""
    (files / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    if not text:
        (files / name).unlink()
    assert told in message(edgevoice("bench", "compare", "a.json", name), 2)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--budget", "latency.p95=900ms"), "names: first_audio, response_time, pause, "),
        (("--budget", "response_time.p95=900"), "its unit is ms or s"),
        (("--variant", "magic"), "there is no variant 'magic'"),
        (("--variant", "a", "--variant", "b", "--variant", "c"), "more than twice"),
        (("--least", "much"), "not a share"),
        (("--least", "nan%"), "not a share"),
        (("--least", "0"), "not a share"),
        (("--json", "a.json/c.json"), "cannot be written"),
    ],
)
def test_a_wrong_option_is_a_usage_error(files: Path, words: tuple[str, ...], told: str) -> None:
    """One message that says how it is right, and exit code 2."""
    assert told in message(edgevoice("bench", "compare", "a.json", "b.json", *words), 2)


def test_a_malformed_budget_is_told_before_a_bench_begins(elsewhere: Path) -> None:
    """Not after the minutes it takes; and without any model."""
    told = message(edgevoice("bench", "run", "--budget", "first_audio.p95=900"), 2)
    assert "names: first_audio" in told
    assert not list(elsewhere.glob("*.json"))


@pytest.mark.parametrize(("limit", "code"), [("30s", 0), ("10ms", 1)])
def test_a_run_exits_with_1_when_it_breaks_its_budget(
    limit: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says which; a run that keeps all says so too."""
    made = result(turns(1))
    asked: dict[str, Any] = {}

    def measured(context: object, command: str, given: dict[str, Any]) -> BenchResult:
        asked.update(given)
        return made

    monkeypatch.setattr(commands, "measure", measured)
    words = ["bench", "run", "--json", "-", "--budget", f"first_audio.p95={limit}"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == code
    assert (
        "budget not met: response time p95 " if code else "budget met: response time p95 "
    ) in done.stderr
    assert "budgets" not in asked


def test_results_of_before_there_were_intervals_are_read(files: Path) -> None:
    """A result without the newer figures can be compared."""
    new = [f.name for f in fields(Figures) if f.name not in ("n", "p50", "p95", "mean")]
    old = json.loads((files / "a.json").read_text())
    summary = old["variants"][0]["summary"]
    for found in (summary["response_time"], summary["ttft"], *summary["spans"].values()):
        for name in new:
            del found[name]
    (files / "a.json").write_text(json.dumps(old))
    response_time = read(files / "a.json").variants[0].summary.response_time
    assert response_time is not None
    assert {getattr(response_time, name) for name in new} == {None}
    words = ["bench", "compare", "b.json", "a.json", "--budget", "response_time.p99=1ms"]
    assert "budget not met: response time p99 " in CliRunner().invoke(cli, words).stdout


def test_the_table_shows_how_sure_the_gap_is() -> None:
    """Only where there are turns enough to say so, and within 80 columns."""
    lines = render(result(turns(1, questions=80)))
    assert max(map(len, lines)) <= 80
    [line] = [line for line in lines if line.startswith("  95 % sure")]
    assert re.fullmatch(r"  95 % sure: p50 from \d+ to \d+ ms, p95 from \d+ to \d+ ms", line)
    assert not [line for line in render(result(turns(1, 5))) if "95 % sure" in line]


def test_figures_of_a_run_hold_their_own_percentiles() -> None:
    """Each between the ends of its interval, and in the order of their names."""
    made = result(turns(1, questions=120)).variants[0].summary
    assert isinstance(made, Summary)
    response_time = made.response_time
    assert response_time is not None
    assert response_time.p50_low is not None
    assert response_time.p50_high is not None
    assert response_time.p95_low is not None
    assert response_time.p95_high is not None
    assert response_time.p90 is not None
    assert response_time.p99 is not None
    assert response_time.p50_low <= response_time.p50 <= response_time.p50_high
    assert response_time.p95_low <= response_time.p95 <= response_time.p95_high
    assert response_time.p50 <= response_time.p90 <= response_time.p95 <= response_time.p99


def test_budgets_of_the_page_can_be_read() -> None:
    """Every `--budget` on the page is valid."""
    from edgevoice.bench.compare.budgets import parse

    shown = re.findall(r"--budget (\"[^\"]+\"|[^\s`\\]+)", PAGE)
    limits = [text.strip('"') for text in shown if text not in ("LIMIT",)]
    assert len(limits) >= 5
    for text in limits:
        assert parse(text).text == text


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["bench", "compare", "a.json", "b.json"], 2),
        (["bench", "soak", "--hours", "9"], 1),
        (["bench", "run", "--sweep", "turn.silence_ms=300,500"], 1),
    ],
)
def test_what_needs_the_extra_says_how_to_install_it(
    files: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], status: int
) -> None:
    """Before anything is measured, with the command that installs it."""
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(EdgevoiceError) as raised:
        CliRunner().invoke(cli, words, catch_exceptions=False)
    assert raised.value.what == "edgevoice[bench] is not installed"
    assert raised.value.remedy.endswith('-m pip install "edgevoice[bench]"')
    assert raised.value.exit_code == status
