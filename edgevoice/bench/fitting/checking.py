"""Predictions beside what `bench run` has measured: how far they are off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from edgevoice import __version__
from edgevoice.bench.fitting.choosing import memory_of
from edgevoice.bench.fitting.options import Option, Voiced, options, spare
from edgevoice.bench.fitting.predicting import predict
from edgevoice.bench.fitting.record import Calibration, Check, Checked, Problem
from edgevoice.bench.fitting.unmeasured import Costs
from edgevoice.bench.result.result import BenchResult, BenchTurn, read
from edgevoice.bench.result.summary import summarize
from edgevoice.errors import EdgevoiceError, UsageError
from edgevoice.settings import Config
from edgevoice.timings import percentile

ROLES: tuple[Voiced, ...] = ("slm", "stt", "tts")


@dataclass(frozen=True, slots=True)
class Run:
    """A result that can be checked, and the models that made it."""

    file: str
    result: BenchResult
    models: dict[Voiced, Option]


def runs(files: Sequence[Path], config: Config) -> tuple[list[Run], list[Problem]]:
    """The results that can be checked, and why the others cannot.

    Raises EdgevoiceError if none can: the first one's reason.
    """
    found: list[Run] = []
    problems: list[Problem] = []
    faults: list[EdgevoiceError] = []
    for file in files:
        try:
            found.append(_run(file, config))
        except EdgevoiceError as error:
            faults.append(error)
            problems.append(Problem(about=str(file), what=error.what, fix=error.remedy))
    if not found and faults:
        raise faults[0]
    return found, problems


def _run(file: Path, config: Config) -> Run:
    result = read(file)
    if not any(turn.counts for turn in _turns(result)):
        raise UsageError(
            "no question was answered in it", where=str(file), remedy="edgevoice bench run"
        )
    names: dict[Voiced, list[str]] = {
        role: [result.models[role].name] for role in ROLES if role in result.models
    }
    if len(names) < len(ROLES):
        raise UsageError(
            "it does not tell which models answered",
            where=str(file),
            remedy="take one of `edgevoice bench run`",
        )
    found, _ = options(config, dict(names))
    return Run(str(file), result, {role: found[role][0] for role in ROLES})


def _turns(result: BenchResult) -> list[BenchTurn]:
    """Those that were answered with the settings as they were."""
    first = result.variants[0].name if result.variants else ""
    return [turn for turn in result.turns if turn.variant == first]


def wanted(found: Sequence[Run]) -> dict[Voiced, list[Option]]:
    """Every model of these runs, once."""
    return {
        role: list({run.models[role].name: run.models[role] for run in found}.values())
        for role in ROLES
    }


def check(
    found: Sequence[Run], calibration: Calibration, config: Config, problems: Sequence[Problem]
) -> Check:
    """Every run beside its prediction. Raises EdgevoiceError if nothing is known to predict by."""
    told = list(problems)
    checked: list[Checked] = []
    for run in found:
        machine = run.result.machine
        here = (calibration.described, calibration.cores)
        if (machine.cpu, machine.usable_cores) != here:
            what = f"measured on another machine: {machine.cpu}, {machine.usable_cores} cores"
            told.append(Problem(about=run.file, what=what, fix="run the bench on this one"))
            continue
        if made := _checked(run, calibration, config):
            checked.append(made)
        else:
            told.append(Problem(about=run.file, what="nothing is known of one of its models"))
    if not checked:
        why = told[-1].what if told else "no run"
        raise EdgevoiceError(
            f"nothing could be checked: {why}", remedy="edgevoice bench run, then its file"
        )
    errors = [abs(each.error) for each in checked]
    # Two runs of the same models are predicted alike: either may be the quicker one.
    ordered = sorted(checked, key=lambda each: (each.predicted.gap, each.measured))
    return Check(
        edgevoice=__version__,
        calibration=calibration,
        runs=tuple(checked),
        error=median(errors),
        largest=max(errors),
        in_order=all(one.measured <= other.measured for one, other in pairwise(ordered))
        if len(checked) > 1
        else None,
        problems=tuple(told),
    )


def _checked(run: Run, calibration: Calibration, config: Config) -> Checked | None:
    costs = Costs(calibration, config)
    slm, stt, tts = (run.models[role] for role in ROLES)
    thought, heard, said = costs.thinking(slm), costs.hearing(stt), costs.speaking(tts)
    if thought is None or heard is None or said is None:
        return None
    result = run.result
    devices = bool(result.played_to)
    predicted = predict(
        thought, heard, said, config, calibration.cores, calibration.strain, devices
    )
    turns = _turns(result)
    gaps = [turn.gap for turn in turns if turn.counts and turn.gap is not None]
    measured = percentile(gaps, 0.5) or 0.0
    memory = memory_of((slm, stt, tts), thought, config) + spare(config)[0]
    return Checked(
        file=run.file,
        models={role: run.models[role].name for role in ROLES},
        how={"slm": thought.how, "stt": heard.how, "tts": said.how},
        n=len(gaps),
        predicted=predicted,
        measured=measured,
        spans={name: figures.p50 for name, figures in summarize(turns).spans.items()},
        error=predicted.gap / measured - 1 if measured else 0.0,
        within=sum(predicted.low <= gap <= predicted.high for gap in gaps) / len(gaps),
        memory=memory,
        peak_rss=result.peak_rss,
        memory_error=memory / result.peak_rss - 1 if result.peak_rss else 0.0,
    )
