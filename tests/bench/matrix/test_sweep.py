"""A sweep measures every combination, keeps what is done, and marks the best."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import numpy as np
import pytest

from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.jobs.progress import BenchProgress, BenchProgressLines
from edgevoice.bench.matrix.axes import SweepAxis, cells
from edgevoice.bench.matrix.sweep import Kept, Sweep, SweepPoint, file_names
from edgevoice.bench.matrix.text import rows, table
from edgevoice.bench.result.device_record import Start
from edgevoice.bench.result.result import StageFigures, read
from edgevoice.bench.result.summary import figures
from edgevoice.bench.stages.cold_start import COLD, WARM
from edgevoice.bench.stages.stages import COSTS
from edgevoice.cli.matrix import STAGE_NAMES
from edgevoice.errors import ModelError
from edgevoice.settings import Config, SlmSettings
from tests.bench.simulated import result, turns

QUESTIONS = [
    BenchQuestion(f"question {n}", np.zeros(16_000, dtype=np.float32), 1.0) for n in range(40)
]


def points(folder: Path, **changes: object) -> list[SweepPoint]:
    """Three combinations of 40 questions."""
    found = list(cells([SweepAxis("llm.threads", "slm.threads", ("1", "2", "4"))]))
    files = file_names(found)
    return [
        SweepPoint(
            cell,
            BenchPlan(
                **{
                    "command": "run",
                    "config": Config(slm=SlmSettings(threads=n)),
                    "questions": QUESTIONS,
                    "source": "built-in",
                    **changes,
                }  # type: ignore[arg-type]
            ),
            folder / files[i],
        )
        for i, (cell, n) in enumerate(zip(found, (1, 2, 4), strict=True))
    ]


def slower(plan: BenchPlan) -> float:
    """Seconds that a combination is slower than the best one, with 2 threads."""
    return {1: 0.4, 2: 0.0, 4: 0.01}[plan.config.slm.threads]


def simulated(plan: BenchPlan, progress: BenchProgress, keep: Kept) -> None:
    """Measures nothing: answers as noisy as real ones, to the questions of the plan."""
    wanted = {question.name for question in plan.questions}
    made = turns(plan.config.slm.threads, slower={"prefill": slower(plan)}, wild=0.0)
    for turn in made:
        if turn.question in wanted:
            progress.done(plan.expected(QUESTIONS[0]), turn.question)
    keep(result([turn for turn in made if turn.warm_up or turn.question in wanted]))


def silent() -> BenchProgressLines:
    """Progress that nobody reads."""
    return BenchProgressLines(io.StringIO())


def test_each_combination_has_a_whole_result_of_its_own(tmp_path: Path) -> None:
    """In a file, which `bench report` and `bench compare` read."""
    made = points(tmp_path)
    Sweep(made, silent(), simulated).run()
    assert [p.file.name for p in made] == [
        f"{n}-llm.threads={v}.json" for n, v in zip("123", "124", strict=True)
    ]
    for point in made:
        found = read(point.file)
        assert found == point.result
        assert found.variants[0].summary.turns == 40
        assert len({turn.question for turn in found.turns if not turn.warm_up}) == 40


def test_the_best_is_marked_and_what_is_no_worse_is_named(tmp_path: Path) -> None:
    """A line for each combination in 80 columns; noise is not taken for a difference."""
    made = points(tmp_path)
    Sweep(made, silent(), simulated).run()
    lines = table(made)
    assert max(map(len, lines)) <= 80
    marked = [line.split()[0] for line in lines if line.split()[2:3] and "*" in line.split()[2]]
    told = " ".join(" ".join(lines).split())
    assert len(marked) == 1
    assert marked[0] in ("llm.threads=2", "llm.threads=4")
    assert f"not told from the best response time ({marked[0]})" in told
    other = {"llm.threads=2", "llm.threads=4"} - set(marked)
    assert told.split("by these questions: ")[1] == other.pop()
    written = list(csv.DictReader(rows(made).splitlines(), delimiter="\t"))
    assert [row["llm.threads"] for row in written] == ["1", "2", "4"]
    assert float(written[0]["response_time.p50"]) > float(written[1]["response_time.p50"])
    assert (tmp_path / written[2]["file"]).exists()


def test_a_combination_that_fails_is_named_and_the_others_are_measured(tmp_path: Path) -> None:
    """In their order."""
    tries: list[int] = []

    def measure(plan: BenchPlan, progress: BenchProgress, keep: Kept) -> None:
        tries.append(plan.config.slm.threads)
        if plan.config.slm.threads == 2:
            raise ModelError("the model does not fit", remedy="take a smaller one")
        simulated(plan, progress, keep)

    made = points(tmp_path)
    Sweep(made, silent(), measure).run()
    assert tries == [1, 2, 4]
    assert [point.failed is None for point in made] == [True, False, True]
    assert not made[1].file.exists()
    assert "not measured: llm.threads=2: the model does not fit" in table(made)
    assert rows(made).splitlines()[2].endswith("the model does not fit")


def test_what_is_done_when_it_is_stopped_is_kept(tmp_path: Path) -> None:
    """The finished combinations, and the part of the one that was at work."""

    def measure(plan: BenchPlan, progress: BenchProgress, keep: Kept) -> None:
        if plan.config.slm.threads == 2:
            part = turns(1)[:6]
            keep(result(part, interrupted=True))
            raise KeyboardInterrupt
        simulated(plan, progress, keep)

    made = points(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        Sweep(made, silent(), measure).run()
    assert [point.file.exists() for point in made] == [True, True, False]
    assert read(made[1].file).interrupted
    assert len(read(made[1].file).turns) == 6
    assert table(made)[1].startswith("llm.threads=1")


def test_progress_tells_the_time_left_of_the_whole_matrix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of all combinations together, which are counted; at the end none is left."""
    now = [0.0]

    def measure(plan: BenchPlan, progress: BenchProgress, keep: Kept) -> None:
        now[0] += 60.0
        simulated(plan, progress, keep)

    Sweep(points(tmp_path), BenchProgressLines(sys.stdout, lambda: now[0]), measure).run()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("3 combinations: about ")
    ends = [line for line in lines if "p50" in line]
    assert [line.split()[0] for line in ends] == [f"[{n}/3]" for n in range(1, 4)]
    assert ends[0].endswith("(2 min 0 s left)")
    assert "left" not in ends[-1]


def test_starts_and_stages_have_columns_of_their_own(tmp_path: Path) -> None:
    """What matters of each is side by side, the best marked."""
    for number in range(2):
        made = points(tmp_path)[:2]
        for point, seconds in zip(made, (2.0, 1.0), strict=True):
            if number:
                summed = figures([seconds])
                assert summed is not None
                alone = StageFigures(
                    stage="stt", model="w", quantity="reading", unit="s", per="r", figures=summed
                )
                point.result = result(turns(1), command="stages", stages=(alone,))
                continue
            starts = tuple(
                Start(
                    variant=kind,
                    program=0.1,
                    imported=0.2,
                    loads={},
                    listening=0.5,
                    ready=seconds,
                    response_time=seconds / 2,
                    rss=10**9,
                )
                for kind in (COLD, WARM)
            )
            point.result = result(turns(1), command="starts", starts=starts)
        lines = table(made)
        assert "1000*" in lines[2]
        assert "2000 " in lines[1]


def test_every_stage_that_is_offered_can_be_measured() -> None:
    """The command line knows them without loading anything."""
    assert tuple(COSTS) == STAGE_NAMES


def test_file_names_are_taken_by_any_system() -> None:
    """Whatever the values are; two that would be the same are told apart by their number."""
    found = list(cells([SweepAxis("k", "slm.system_prompt", ("a/b:c", "a*b?c", "x" * 300))]))
    names = file_names(found)
    assert names[0] == "1-k=a_b_c.json"
    assert len(set(names.values())) == 3
    assert max(map(len, names.values())) < 120
