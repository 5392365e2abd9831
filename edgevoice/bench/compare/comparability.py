"""Whether two results are of the same thing: what else differs than what is to be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from edgevoice import compatibility
from edgevoice.bench.result.quantities import Key
from edgevoice.bench.result.result import BenchResult, BenchTurn, Machine, Variant

BUSY_BEFORE = 0.75
"""Load average per core, over the minute before a bench, from which on it may have begun too warm
or too busy; speaking the questions counts as well."""

BUSY_AFTER = 1.5
"""The same over its last minute, in which the bench itself is a load of about one per core."""

_SAME_MEMORY = 0.05
_SAME_SECONDS = 0.05


def unlike(
    before: BenchResult,
    after: BenchResult,
    variants: tuple[Variant, Variant],
    runs: Sequence[Mapping[Key, BenchTurn]],
    paired: bool,
) -> Iterator[str]:
    """A sentence for everything that makes the comparison doubtful; none where all is alike.

    `runs` are the turns that are compared, warm-ups left out.
    """
    if before.command != after.command:
        yield f"A is of `bench {before.command}`, B of `bench {after.command}`"
    if (
        before.started == after.started
        and before.turns == after.turns
        and (variants[0].name == variants[1].name)
    ):
        yield "A and B are the same run"
    yield from _machines(before.machine, after.machine)
    for role in dict.fromkeys([*before.models, *after.models]):
        names = [
            result.models[role].name if role in result.models else "none"
            for result in (before, after)
        ]
        if names[0] != names[1]:
            yield f"another model ({role}): {names[0]} in A, {names[1]} in B"
    yield from _settings(before, after, variants)
    for name in dict.fromkeys([*before.libraries, *after.libraries]):
        versions = [result.libraries.get(name, "none") for result in (before, after)]
        if versions[0] != versions[1]:
            yield f"another version of {name}: {versions[0]} in A, {versions[1]} in B"
    if before.conversation != after.conversation:
        yield "one is a conversation, in the other each question stands for itself"
    if bool(before.played_to) != bool(after.played_to):
        yield "one was heard through devices, the other was not"
    yield from _questions(runs[0], runs[1], paired)
    for letter, result in (("A", before), ("B", after)):
        yield from _doubts(letter, result)


def _machines(before: Machine, after: Machine) -> Iterator[str]:
    for name in ("cpu", "cores", "logical_cores", "usable_cores", "system", "python"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            yield f"another machine ({name.replace('_', ' ')}): {one} in A, {other} in B"
    if abs(before.memory - after.memory) > _SAME_MEMORY * max(before.memory, after.memory):
        sizes = [f"{machine.memory / 1e9:.1f} GB" for machine in (before, after)]
        yield f"another machine (memory): {sizes[0]} in A, {sizes[1]} in B"


def _settings(
    before: BenchResult, after: BenchResult, variants: tuple[Variant, Variant]
) -> Iterator[str]:
    one, other = (
        compatibility.settings({**result.settings, **variant.settings})
        for result, variant in zip((before, after), variants, strict=True)
    )
    for key in sorted({*one, *other}):
        # Models are told of by the names of those that ran.
        if one.get(key) != other.get(key) and not key.startswith("models."):
            values = [str(side[key]) if key in side else "the default" for side in (one, other)]
            yield f"another setting ({key}): {values[0]} in A, {values[1]} in B"


def _questions(
    before: Mapping[Key, BenchTurn], after: Mapping[Key, BenchTurn], paired: bool
) -> Iterator[str]:
    shared = [key for key in before if key in after]
    alone = (len(before) - len(shared), len(after) - len(shared))
    if not paired:
        yield (
            f"other questions: only {len(shared)} are in both, so the turns are compared without "
            "pairs, and the questions' own differences are part of the noise"
        )
    elif any(alone):
        yield f"other questions: {alone[0]} only in A, {alone[1]} only in B; these are left out"
    clips = sum(
        abs(before[key].clip_seconds - after[key].clip_seconds) > _SAME_SECONDS for key in shared
    )
    if clips:
        yield f"other recordings of {clips} of the {len(shared)} questions"
    replies = sum(
        before[key].reply != after[key].reply
        for key in shared
        if before[key].reply and after[key].reply
    )
    if replies:
        yield f"other replies to {replies} of the {len(shared)} questions"


def _doubts(letter: str, result: BenchResult) -> Iterator[str]:
    machine = result.machine
    cores = max(1, machine.usable_cores)
    of = f"{cores} core" if cores == 1 else f"{cores} cores"
    if result.interrupted:
        yield f"{letter} was stopped before its end"
    if machine.load_before is not None and machine.load_before >= BUSY_BEFORE * cores:
        yield f"the machine was busy before {letter} began: load {machine.load_before} on {of}"
    if machine.load_after is not None and machine.load_after >= BUSY_AFTER * cores:
        yield f"the machine was busy during {letter}: load {machine.load_after} on {of}"
