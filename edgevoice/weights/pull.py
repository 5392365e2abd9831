"""Bring models into the store, from the nearest source that gives the right bytes.

The order: the models folder itself, copies that other tools hold on this machine, Hugging Face,
the catalog's package mirrors. Whatever the source, a file is used only if its hash is the catalog's.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from edgevoice.catalog import ROLES, Entry, File, Role
from edgevoice.errors import PullError
from edgevoice.weights import held, hub, machine
from edgevoice.weights.assembly import Assembly, Unavailable
from edgevoice.weights.disk import BLOCK, link, need_space, sha256_of, writing
from edgevoice.weights.packages import Packages
from edgevoice.weights.progress import Progress
from edgevoice.weights.store import Installed, Store

STARTER = ("qwen2.5-coder-1.5b", "whisper-base", "en_US-joe-medium", "silero-vad")
SMALL_SLM = "qwen2.5-coder-0.5b"

Source = tuple[str, Callable[[Assembly], None]]


def starter(cores: int, memory: int) -> list[str]:
    """The models to begin with on a machine with so many cores and bytes of memory.

    The 1.5 B language model takes about 1.6 GB and two cores to answer within a second; with one
    core, or under 6 GB where a desktop needs most of it, the 0.5 B one stands in.
    """
    small = cores < 2 or memory < 6_000_000_000
    return [SMALL_SLM if small else STARTER[0], *STARTER[1:]]


def ensure_starter(store: Store, progress: Progress) -> list[str]:
    """Pull what is missing for a first conversation; returns the names of what was pulled.

    A role for which a usable model is present is left alone; one for which the configuration
    names a model gets that one.
    """
    suited = starter(machine.cores(), machine.total_memory())
    wanted = [name for role in ROLES if (name := _missing(store, role, suited))]
    if wanted:
        pull(wanted, store, progress)
    return wanted


def _missing(store: Store, role: Role, suited: Sequence[str]) -> str:
    if name := getattr(store.config.models, role):
        return "" if store.state(store.catalog.get(name)) == "present" else name
    ranked = store.ranked(role)
    if any(store.state(entry) == "present" for entry in ranked):
        return ""
    able = [entry.name for entry in ranked]
    # For a language that the starter's voice does not speak, the best voice that does.
    mine = [e.name for e in ranked if e.speaks(store.config.stt.language)] or able
    return next((name for name in suited if name in mine), mine[0] if mine else "")


def pull(names: Sequence[str], store: Store, progress: Progress) -> list[Installed]:
    """Bring the models called `names` into the store, mending files that are wrong.

    Raises ModelError for an unknown name, PullError if no source could give a file, StorageError
    if the folder is full or cannot be written. What was fetched until then, or until the process
    is killed, is kept: the next pull goes on from there.
    """
    entries = [store.catalog.get(name) for name in dict.fromkeys(names)]
    with store.lock(progress.say):
        for entry in entries:
            _pull(entry, store, progress)
        with writing(store.folder):
            _sweep(store)
    return [store.require(entry.name) for entry in entries]


def _pull(entry: Entry, store: Store, progress: Progress) -> None:
    missing = [file for file in entry.files if not _good(entry, file, store, progress)]
    if not missing:
        progress.say(f"{entry.name}: already here")
        return
    missing = [file for file in missing if not _linked(entry, file, store, progress)]
    if not missing:
        return
    begun = sum(_length(store.partial(file) / "data") for file in missing)
    need_space(store.folder, sum(file.size for file in missing) - begun)
    for number, file in enumerate(missing):
        _fetch(entry, file, missing[number + 1 :], store, progress)
    shutil.rmtree(store.folder / ".partial" / "packages", ignore_errors=True)


def _good(entry: Entry, file: File, store: Store, progress: Progress) -> bool:
    """Whether the file is in its place and right, by its hash."""
    if store.fault(entry, file):
        return False
    progress.begin(f"{entry.name}: checking {file.name}", file.size)
    try:
        return not store.prove(entry, file, progress.reach)
    finally:
        progress.end()


def _linked(entry: Entry, file: File, store: Store, progress: Progress) -> bool:
    """Whether a copy on this machine could be linked into place."""
    # What lies in the models folder or in a package may be removed with its owner: only a hard
    # link is safe there. The stores of other tools are meant to stay.
    for paths, symbolic in (
        (held.in_folder(store, entry, file), False),
        (held.with_other_tools(entry, file), True),
    ):
        for path in held.sized(paths, file):
            progress.begin(f"{entry.name}: checking {path}", file.size)
            try:
                if sha256_of(path, progress.reach) != file.sha256:
                    continue
            except OSError:
                continue
            finally:
                progress.end()
            target = store.file_path(entry, file)
            if path == target:
                continue
            with writing(store.folder):
                if not link(path, target, symbolic=symbolic and _lasting(path)):
                    _copy(path, entry, file, store, progress)
            store.proved(entry, file)
            progress.say(f"{entry.name}: {file.name} is here already: {path}")
            return True
    return False


def _lasting(path: Path) -> bool:
    return "site-packages" not in path.parts


def _copy(path: Path, entry: Entry, file: File, store: Store, progress: Progress) -> None:
    """Copy a file that cannot be linked, through the same proof as one that is fetched."""
    need_space(store.folder, file.size)
    with Assembly(store, entry, file, progress) as assembly, path.open("rb") as source:
        assembly.back_to(0)
        while block := source.read(BLOCK):
            assembly.add(block)
        assembly.finish()


def _fetch(
    entry: Entry, file: File, later: Sequence[File], store: Store, progress: Progress
) -> None:
    """Ask the sources in their order until one has given the file."""
    reasons = []
    for name, source in _sources(entry, file, later, store):
        begun = _length(store.partial(file) / "data")
        progress.begin(f"{entry.name}: {file.name} from {name}", file.size, begun)
        try:
            reason = _try(source, entry, file, store, progress)
        finally:
            progress.end()
        if not reason:
            return
        reasons.append(f"{name}: {reason}")
        progress.say(f"{entry.name}: {reasons[-1]}")
    raise PullError(
        f"no source could give {file.name} of {entry.name}"
        + "".join(f"\n  - {reason}" for reason in reasons),
        remedy=f"check the network, then edgevoice models pull {entry.name}: "
        "it goes on where it stopped",
    )


def _try(
    source: Callable[[Assembly], None], entry: Entry, file: File, store: Store, progress: Progress
) -> str:
    """One source's attempt; returns why it failed, or nothing."""
    resumed = True
    while resumed:
        with Assembly(store, entry, file, progress) as assembly:
            resumed = assembly.resumed > 0
            try:
                # A pull may have been killed between the last byte and the proof.
                if assembly.at < file.size:
                    source(assembly)
                assembly.finish()
                return ""
            except Unavailable as failure:
                reason = str(failure)
                # The fault may lie in what an earlier try left behind: once more from nothing.
                if assembly.at:
                    return reason
    return reason


def _sources(
    entry: Entry, file: File, later: Sequence[File], store: Store
) -> Iterator[Source]:
    if entry.repo:
        yield (
            "Hugging Face",
            partial(hub.fetch, entry.repo, entry.revision or "main", file.path_in_repo),
        )
    needed = {
        part.requirement
        for other in later
        for mirror in entry.mirrors_of(other)
        for part in mirror.numbered()
    }
    packages = Packages(store.folder / ".partial" / "packages", needed.__contains__)
    for mirror in entry.mirrors_of(file):
        name = f"{mirror.client} packages" if mirror.parts > 1 else f"a {mirror.client} package"
        yield name, partial(packages.fetch, mirror)


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _sweep(store: Store) -> None:
    """Remove the partial folder once nothing is on its way."""
    begun = store.folder / ".partial"
    if begun.is_dir() and not any(begun.iterdir()):
        begun.rmdir()
