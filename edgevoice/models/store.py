"""The models folder: which models are present and undamaged, and which of them are used.

<folder>/<model>/<file>             a model's files
<folder>/<model>/.made/             files derived by an engine, to load or run faster
<folder>/<model>/.proved            size and time of each file when its hash was last right
<folder>/.partial/<sha256>/         a file during download
<folder>/.lock                      held while the folder is changed
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from edgevoice import files
from edgevoice.catalog import (
    NONE,
    ROLE_NAMES,
    STARTER,
    Catalog,
    Entry,
    File,
    data_folder,
    packaged_path,
)
from edgevoice.errors import ModelError
from edgevoice.events import Role
from edgevoice.models.disk import sha256_of, writing
from edgevoice.models.machine import total_memory
from edgevoice.outside import Malformed, from_json, read
from edgevoice.places import expanded
from edgevoice.settings import Config
from edgevoice.transcription.spoken_language import listed

ModelState = Literal["present", "absent", "partial", "damaged"]
CHECKED_FILE = ".proved"
DRAFT_SIZE = 0.5
"""Largest file of a draft model, as a share of the language model's."""
DERIVED_FOLDER = ".made"


@dataclass(frozen=True, slots=True)
class Installed:
    """A model whose files are all present.

    `path` is what its engine opens: the .gguf file, the Whisper folder, the voice's .onnx file
    (next to its .onnx.json) or the detector's .onnx file. A model with an address has no file
    there.
    """

    entry: Entry
    path: Path

    @property
    def name(self) -> str:
        """The model's name in the catalog."""
        return self.entry.name


def models_folder(config: Config) -> Path:
    """The models folder: models.folder, or models/ of a checkout, or the user's data folder."""
    if config.models.folder:
        return expanded(config.models.folder).absolute()
    beside = packaged_path().parent
    if beside.name == "models" and (beside.parent / "pyproject.toml").exists():
        return beside
    return data_folder() / "models"


class Store:
    """The models folder under one configuration."""

    def __init__(self, config: Config, catalog: Catalog | None = None) -> None:
        self.config = config
        self.catalog = catalog or Catalog.load()
        self.folder = models_folder(config)

    def file_path(self, entry: Entry, file: File) -> Path:
        """The path of one file of a model."""
        return self.folder / entry.name / file.name

    def partial(self, file: File) -> Path:
        """The folder in which a file is assembled before it is moved to its place."""
        return self.folder / ".partial" / file.sha256

    def partial_bytes(self, file: File) -> int:
        """Bytes of a file that an unfinished pull left."""
        try:
            return (self.partial(file) / "data").stat().st_size
        except OSError:
            return 0

    def path(self, entry: Entry) -> Path:
        """The path that the model's engine opens; it need not exist."""
        folder = self.folder / entry.name
        opened_as_a_folder = entry.format == "ctranslate2" or not entry.files
        return folder if opened_as_a_folder else folder / entry.main.name

    def fault(self, entry: Entry, file: File) -> str:
        """What is wrong with the file, judged by its size; empty if nothing."""
        try:
            size = self.file_path(entry, file).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return "missing"
        except OSError as error:
            return f"unreadable: {error.strerror}"
        if size < file.size:
            return f"truncated: {size:,} of {file.size:,} bytes"
        return "" if size == file.size else f"altered: {size:,} bytes instead of {file.size:,}"

    def state(self, entry: Entry) -> ModelState:
        """Whether the model is present, judged by its files' sizes."""
        faults = [self.fault(entry, file) for file in entry.files]
        if not any(faults):
            return "present"
        if all(fault == "missing" for fault in faults):
            return "absent"
        return "partial" if set(faults) <= {"", "missing"} else "damaged"

    def installed(self) -> list[Installed]:
        """All models whose files are present with the right size, in the catalog's order."""
        return [
            Installed(entry, self.path(entry))
            for entry in self.catalog
            if self.state(entry) == "present"
        ]

    def find(self, name: str) -> Installed | None:
        """The model called `name` if its files are present with the right size, otherwise None."""
        entry = self.catalog.get(name)
        return Installed(entry, self.path(entry)) if self.state(entry) == "present" else None

    def require(self, name: str) -> Installed:
        """The model called `name`, undamaged.

        A file that changed since its hash was last checked is hashed again. Raises ModelError with
        the file that is missing, truncated or altered, and the command that replaces it.
        """
        entry = self.catalog.get(name)
        if self.state(entry) == "absent":
            raise ModelError(f"the model {name} is not installed", remedy=entry.mend)
        proved = self._checked_files(entry)
        for file in entry.files:
            fault = self.fault(entry, file)
            path = self.file_path(entry, file)
            if not fault and proved.get(file.name) != _fingerprint(path):
                fault = self.prove(entry, file)
            if fault:
                raise damaged(entry, path, fault)
        return Installed(entry, self.path(entry))

    def prove(
        self, entry: Entry, file: File, on_progress: Callable[[int], None] | None = None
    ) -> str:
        """What is wrong with the file, judged by its hash; empty if nothing.

        `on_progress` gets the bytes read so far. The result is stored until the file changes, if
        the folder is writable.
        """
        if fault := self.fault(entry, file):
            return fault
        path = self.file_path(entry, file)
        try:
            fingerprint = _fingerprint(path)
            right = sha256_of(path, on_progress) == file.sha256
        except OSError as error:
            return f"unreadable: {error.strerror}"
        fingerprints = self._checked_files(entry)
        if right:
            fingerprints[file.name] = fingerprint
        else:
            fingerprints.pop(file.name, None)
        self._write_checked(entry, fingerprints)
        return "" if right else "altered: its sha256 is not the catalog's"

    def proved(self, entry: Entry, file: File) -> None:
        """Store that the file in its place has the right hash."""
        fingerprints = self._checked_files(entry)
        fingerprints[file.name] = _fingerprint(self.file_path(entry, file))
        self._write_checked(entry, fingerprints)

    def choose(self, role: Role, *, shapes: bool = False) -> Installed:
        """The model for `role`: the configured one, or the best present one.

        Best means the highest rank among those for the configured language. Raises ModelError if
        there is none, if it is damaged, if a language model has no chat template, or if it is a
        synthetic model and `shapes` is False.
        """
        if name := getattr(self.config.models, role):
            entry = self.catalog.get(name)
            if entry.role != role:
                raise ModelError(
                    f"{name} is a {_model_for(entry.role)}, not a {_model_for(role)}",
                    where=f"models.{role}",
                    remedy=f"edgevoice models list shows those for {role}",
                )
            if role == "slm" and not entry.chat_template:
                raise no_template(name)
            if entry.shape and not shapes:
                raise only_a_shape(name)
            return self.require(name)
        ranked = self.ranked(role)
        for entry in ranked:
            if self.state(entry) == "present":
                return self.require(entry.name)
        for entry in ranked:
            if self.state(entry) == "damaged":
                return self.require(entry.name)
        first = self.starter_of(role)
        raise ModelError(
            f"no {_model_for(role)} is installed",
            where=str(self.folder),
            remedy=f"edgevoice models pull {first}" if first else "edgevoice models list",
        )

    def draft_name(self, reference: Entry) -> str:
        """The model that opens the replies of `reference`, as slm.draft says; empty if none.

        "auto" is the smallest one that converses, if it is present and small enough.
        """
        named = self.config.slm.draft
        if named != "auto":
            return "" if named in ("off", reference.name) else named
        codes = listed(self.config.stt.language) or ("en",)
        for entry in reversed(self.ranked("slm")):
            small = entry.size <= reference.size * DRAFT_SIZE
            if small and all(map(entry.speaks, codes)) and self.state(entry) == "present":
                return entry.name
        return ""

    def draft_of(self, reference: Installed) -> Installed | None:
        """The model that opens the replies of `reference`; None without one.

        Raises ModelError if the one that is named is missing, damaged or cannot converse.
        """
        name = self.draft_name(reference.entry)
        if not name:
            return None
        models = msgspec.structs.replace(self.config.models, slm=name)
        config = msgspec.structs.replace(self.config, models=models)
        return Store(config, self.catalog).choose("slm")

    def optional(self, role: Role) -> Installed | None:
        """The model for an optional role; None if there is none.

        Raises ModelError if a configured model is missing or damaged.
        """
        named = getattr(self.config.models, role)
        if named == NONE or not (named or any(map(self._is_here, self.ranked(role)))):
            return None
        return self.choose(role)

    def _is_here(self, entry: Entry) -> bool:
        return self.state(entry) in ("present", "damaged")

    def ranked(self, role: Role) -> list[Entry]:
        """The models that `choose` may use for `role` if none is configured, best first."""
        codes = listed(self.config.stt.language)
        usable = [e for e in self.catalog.of(role) if e.rank > 0 and e.chat_template]
        if role == "stt" and not codes:
            usable = [e for e in usable if "multilingual" in e.languages or not e.languages]
        elif role in ("stt", "turn"):
            usable = [e for e in usable if all(map(e.speaks, codes))]
        # A voice or a language model for another language is better than silence, so it only ranks
        # lower, and so does what does not fit. A speech-to-text model for another one is useless.
        own = codes[0] if codes else "en"
        if role == "slm":
            codes, memory = codes or self._voiced(), total_memory()
            return sorted(
                usable, key=lambda e: (not all(map(e.speaks, codes)) or e.ram > memory, -e.rank)
            )
        return sorted(usable, key=lambda e: (role == "tts" and not e.speaks(own), -e.rank))

    def _voiced(self) -> tuple[str, ...]:
        """The languages of the present voices."""
        voices = [e for e in self.catalog.of("tts") if self.state(e) == "present"]
        return tuple({code.split("_")[0] for entry in voices for code in entry.languages})

    def starter_of(self, role: Role) -> str:
        """The model to suggest if none is present for `role`; empty if the catalog has none."""
        usable = [entry.name for entry in self.ranked(role)]
        return next((name for name in STARTER if name in usable), usable[0] if usable else "")

    def remove(self, name: str) -> int:
        """Delete the model's files, complete or partial; returns the bytes freed."""
        entry = self.catalog.get(name)
        folder = self.folder / entry.name
        freed = 0
        with writing(self.folder), self.lock():
            for file in entry.files:
                path = folder / file.name
                if path.is_file():
                    freed += path.stat().st_size if path.stat().st_nlink == 1 else 0
                path.unlink(missing_ok=True)
                shutil.rmtree(self.partial(file), ignore_errors=True)
            (folder / CHECKED_FILE).unlink(missing_ok=True)
            made = folder / DERIVED_FOLDER
            freed += sum(each.stat().st_size for each in made.rglob("*") if each.is_file())
            shutil.rmtree(made, ignore_errors=True)
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        return freed

    @contextmanager
    def lock(self, on_wait: Callable[[str], None] | None = None) -> Iterator[None]:
        """Lock the folder against other processes; `on_wait` gets a line about the present owner.

        Raises StorageError if the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock")
            owner = self.folder / ".lock-owner"
            try:
                lock.acquire(timeout=0)
            except Timeout:
                if on_wait:
                    on_wait(
                        f"another edgevoice ({_owner(owner)}) is changing {self.folder}: waiting"
                    )
                lock.acquire(poll_interval=0.1)
        try:
            with writing(self.folder):
                files.replace(owner, [f"process {os.getpid()}"])
            yield
        finally:
            owner.unlink(missing_ok=True)
            lock.release()

    def _checked_files(self, entry: Entry) -> dict[str, tuple[int, int]]:
        try:
            data = read(self.folder / entry.name / CHECKED_FILE)
            return from_json(data, dict[str, tuple[int, int]])
        except (OSError, Malformed):
            return {}

    def _write_checked(self, entry: Entry, fingerprints: dict[str, tuple[int, int]]) -> None:
        path = self.folder / entry.name / CHECKED_FILE
        try:
            files.replace_bytes(path, [msgspec.json.encode(fingerprints)])
        except OSError:
            pass  # in a read-only or full folder, the file is hashed again next time


def _fingerprint(path: Path) -> tuple[int, int]:
    """The file's size in bytes and its modification time in ns."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _model_for(role: Role) -> str:
    return ROLE_NAMES[role] if ROLE_NAMES[role].endswith("model") else f"{ROLE_NAMES[role]} model"


def _owner(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")[:40]
    except OSError:
        return "another process"


def damaged(entry: Entry, path: Path, fault: str) -> ModelError:
    """The error for a file of `entry` that does not match the catalog."""
    return ModelError(
        f"a file of the model {entry.name} is {fault}",
        where=str(path),
        remedy=entry.mend,
    )


def only_a_shape(name: str) -> ModelError:
    """The error for a conversation with a synthetic model."""
    return ModelError(
        f"{name} is a synthetic model: its weights are random, so it cannot answer",
        remedy=f"edgevoice bench run --slm {name} measures it; to talk, choose another model with "
        "--slm NAME",
    )


def no_template(name: str) -> ModelError:
    """The error for a conversation with a base model."""
    return ModelError(
        f"{name} is a base model: it has no chat template, so it cannot answer questions",
        remedy="choose an instruct or chat model; edgevoice models list shows them",
    )
