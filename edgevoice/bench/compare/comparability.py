"""Whether two results are of the same thing: what differs beside what is to be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from edgevoice import compatibility
from edgevoice.bench.result.quantities import QuestionKey
from edgevoice.bench.result.result import BenchResult, BenchTurn, Variant

BUSY_BEFORE = 0.75
"""Load average per core in the minute before a bench, from which on the machine was busy."""

BUSY_AFTER = 1.5
"""The same in its last minute, in which the bench itself is a load of about one per core."""

SAME = 0.05
"""Relative difference of memory, or seconds of clip length, that is none."""


def unlike(
    before: BenchResult,
    after: BenchResult,
    variants: tuple[Variant, Variant],
    runs: Sequence[Mapping[QuestionKey, BenchTurn]],
    paired: bool,
) -> Iterator[str]:
    """A sentence for each thing that makes the comparison doubtful.

    `runs` are the compared turns, without warm-ups.
    """
    both = before, after
    same = before.started == after.started and before.turns == after.turns
    if same and variants[0].name == variants[1].name:
        yield "A and B are the same run"
    one, other = map(_facts, both, variants)
    for name in dict.fromkeys([*one, *other]):
        default = "the default" if name.startswith("setting") else "none"
        values = one.get(name, default), other.get(name, default)
        if values[0] != values[1]:
            yield f"another {name}: {values[0]} in A, {values[1]} in B"
    memory, more = before.machine.memory, after.machine.memory
    if abs(memory - more) > SAME * max(memory, more):
        sizes = f"{memory / 1e9:.1f} GB in A, {more / 1e9:.1f} GB in B"
        yield f"another machine (memory): {sizes}"
    yield from _questions(runs[0], runs[1], paired)
    for letter, result in (("A", before), ("B", after)):
        yield from _doubts(letter, result)


def _facts(result: BenchResult, variant: Variant) -> dict[str, object]:
    """What should be the same in both, by name."""
    settings = compatibility.settings({**result.settings, **variant.settings})
    machine = ("cpu", "cores", "logical_cores", "usable_cores", "system", "python")
    return {
        "measurement": f"bench {result.command}",
        "way of asking": "one conversation" if result.conversation else "each question by itself",
        "sound path": "through devices" if result.played_to else "without devices",
        **{f"machine ({n.replace('_', ' ')})": getattr(result.machine, n) for n in machine},
        **{f"model ({role})": model.name for role, model in result.models.items()},
        # Models are compared by their names.
        **{f"setting ({k})": v for k, v in settings.items() if not k.startswith("models.")},
        **{f"version of {name}": version for name, version in result.libraries.items()},
    }


def _questions(
    before: Mapping[QuestionKey, BenchTurn], after: Mapping[QuestionKey, BenchTurn], paired: bool
) -> Iterator[str]:
    shared = [(before[key], after[key]) for key in before if key in after]
    alone = (len(before) - len(shared), len(after) - len(shared))
    if not paired:
        yield (
            f"other questions: only {len(shared)} are in both, so the turns are compared without "
            "pairs, and the questions' own differences are part of the noise"
        )
    elif any(alone):
        yield f"other questions: {alone[0]} only in A, {alone[1]} only in B; these are left out"
    if clips := sum(abs(one.clip_seconds - other.clip_seconds) > SAME for one, other in shared):
        yield f"other recordings of {clips} of the {len(shared)} questions"
    replies = [(one.reply, other.reply) for one, other in shared if one.reply and other.reply]
    if changed := sum(one != other for one, other in replies):
        yield f"other replies to {changed} of the {len(shared)} questions"


def _doubts(letter: str, result: BenchResult) -> Iterator[str]:
    machine, cores = result.machine, max(1, result.machine.usable_cores)
    of = f"{cores} core" if cores == 1 else f"{cores} cores"
    if result.interrupted:
        yield f"{letter} was stopped before its end"
    if machine.load_before is not None and machine.load_before >= BUSY_BEFORE * cores:
        yield f"the machine was busy before {letter} began: load {machine.load_before} on {of}"
    if machine.load_after is not None and machine.load_after >= BUSY_AFTER * cores:
        yield f"the machine was busy during {letter}: load {machine.load_after} on {of}"
