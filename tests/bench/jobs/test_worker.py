"""Work in another process: its progress, result and failure arrive, however it ends."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from msgspec import Struct

from edgevoice.bench.jobs.progress import BenchProgressLines
from edgevoice.bench.jobs.worker import WORKER_COMMAND, Worker
from edgevoice.errors import EdgevoiceError, ModelError
from tests.command import message
from tests.conftest import ROOT


class Sum(Struct, frozen=True, kw_only=True):
    """What the other process makes of a few numbers."""

    total: int


SCRIPT = """
import os, time
from tests.bench.jobs.test_worker import Sum
from edgevoice.bench.jobs.worker import reporting, task
from edgevoice.cli import end_cleanly
from edgevoice.errors import ModelError
end_cleanly()
numbers = task()
with reporting() as told:
    told.begin("adding", 2.0)
    print("noise that nobody asked for")
    os.write(1, b"noise of a library")
    {work}
"""


def apart(
    work: str, numbers: object = (1, 2)
) -> tuple[Worker[Sum], io.StringIO, BenchProgressLines]:
    """A process that does `work`, a statement, and what is shown of its progress."""
    out = io.StringIO()
    script = SCRIPT.format(work=work)
    return Worker[Sum](numbers, ("-c", script)), out, BenchProgressLines(out)


def test_progress_and_result_arrive_and_nothing_else() -> None:
    """What anything prints there does not come in between."""
    process, out, lines = apart(
        "told.done(2.0, 'added'); told.say('well'); told.made(Sum(total=sum(numbers)))"
    )
    process.run(lines)
    assert process.made == Sum(total=3)
    assert out.getvalue().splitlines() == ["adding: about 2 s", "added", "well"]


def test_a_failure_is_raised_as_it_was_there() -> None:
    """With what was made before it."""
    process, _, lines = apart(
        "told.made(Sum(total=1)); raise ModelError('gone', where='here', remedy='pull it')"
    )
    with pytest.raises(ModelError) as caught:
        process.run(lines)
    assert (caught.value.what, caught.value.where, caught.value.remedy) == (
        "gone",
        "here",
        "pull it",
    )
    assert process.made == Sum(total=1)


@pytest.mark.parametrize(
    ("work", "told"),
    [
        ("raise RuntimeError('it fell over')", "code 1: RuntimeError: it fell over"),
        ("os.kill(os.getpid(), 9)", "the system killed"),
        ("pass", "code 0"),
    ],
)
def test_a_process_that_dies_is_an_error_with_a_remedy(work: str, told: str) -> None:
    """Whatever it died of, also of nothing it told."""
    process, _, lines = apart(work)
    with pytest.raises(EdgevoiceError, match=told) as caught:
        process.run(lines)
    assert caught.value.remedy


def test_what_interrupts_it_interrupts_the_work_and_what_was_done_is_kept() -> None:
    """It is asked once to end, and its last words are waited for."""
    process, _, _ = apart(
        """
    try:
        told.done(1.0, "half")
        time.sleep(600)
    except BaseException:
        told.made(Sum(total=1))
        raise
"""
    )

    class Impatient(BenchProgressLines):
        def done(self, seconds: float, line: str) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process.run(Impatient(io.StringIO()))
    assert process.made == Sum(total=1)


def test_the_command_does_nothing_for_anybody_else() -> None:
    """Run by hand it says so, with the command that was perhaps meant."""
    words = [sys.executable, *WORKER_COMMAND]
    done = subprocess.run(words, input="", capture_output=True, text=True, cwd=ROOT, check=False)
    assert "no work on standard input" in message(done, 2)
