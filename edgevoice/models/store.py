"""The models folder: which models are there, sound, and which of them are to run.

<folder>/<model>/<file>             a model's files
<folder>/<model>/.made/             what an engine has made of them, to load or run sooner
<folder>/<model>/.proved            size and time of each file when its hash was last right
<folder>/.partial/<sha256>/         a file on its way
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
from edgevoice.catalog import NONE, ROLES, Catalog, Entry, File, Role, data_folder, packaged_path
from edgevoice.errors import ModelError
from edgevoice.models.disk import sha256_of, writing
from edgevoice.outside import Malformed, from_json, read
from edgevoice.places import expanded
from edgevoice.settings import Config
from edgevoice.transcription.spoken_language import listed

State = Literal["present", "absent", "partial", "damaged"]
_STAMP = ".proved"
_MADE = ".made"


@dataclass(frozen=True, slots=True)
class Installed:
    """A model whose files are all there.

    `path` is what its engine opens: the .gguf file, the Whisper folder, the voice's .onnx file
    (its .onnx.json lies beside it) or the detector's .onnx file.
    """

    entry: Entry
    path: Path

    @property
    def name(self) -> str:
        """The model's name in the catalog."""
        return self.entry.name


def models_folder(config: Config) -> Path:
    """Where weights live: the setting, else models/ of a checkout, else the user's data folder."""
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
        """Where one file of a model belongs."""
        return self.folder / entry.name / file.name

    def partial(self, file: File) -> Path:
        """The folder in which a file is put together before it is moved to its place."""
        return self.folder / ".partial" / file.sha256

    def path(self, entry: Entry) -> Path:
        """What the model's engine is to open, there or not."""
        folder = self.folder / entry.name
        return folder if entry.format == "ctranslate2" else folder / entry.main.name

    def fault(self, entry: Entry, file: File) -> str:
        """What a look at the file's size finds wrong with it; empty if nothing."""
        try:
            size = self.file_path(entry, file).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return "missing"
        except OSError as error:
            return f"unreadable: {error.strerror}"
        if size < file.size:
            return f"truncated: {size:,} of {file.size:,} bytes"
        return "" if size == file.size else f"altered: {size:,} bytes instead of {file.size:,}"

    def state(self, entry: Entry) -> State:
        """Whether the model is there, judged by its files' sizes."""
        faults = [self.fault(entry, file) for file in entry.files]
        if not any(faults):
            return "present"
        if all(fault == "missing" for fault in faults):
            return "absent"
        return "partial" if set(faults) <= {"", "missing"} else "damaged"

    def installed(self) -> list[Installed]:
        """Every model whose files are all there with their right size, in the catalog's order."""
        return [
            Installed(entry, self.path(entry))
            for entry in self.catalog
            if self.state(entry) == "present"
        ]

    def find(self, name: str) -> Installed | None:
        """The model called `name` if its files are all there with their right size."""
        entry = self.catalog.get(name)
        return Installed(entry, self.path(entry)) if self.state(entry) == "present" else None

    def require(self, name: str) -> Installed:
        """The model called `name`, sound.

        A file that changed since its hash was last checked is hashed again. Raises ModelError
        naming the file that is missing, truncated or altered, and the command that mends it.
        """
        entry = self.catalog.get(name)
        if self.state(entry) == "absent":
            raise ModelError(f"the model {name} is not here", remedy=entry.mend)
        proved = self._stamp(entry)
        for file in entry.files:
            fault = self.fault(entry, file)
            path = self.file_path(entry, file)
            if not fault and proved.get(file.name) != _mark(path):
                fault = self.prove(entry, file)
            if fault:
                raise damaged(entry, path, fault)
        return Installed(entry, self.path(entry))

    def prove(self, entry: Entry, file: File, seen: Callable[[int], None] | None = None) -> str:
        """What is wrong with the file when it is read whole and hashed; empty if nothing.

        `seen` is told how many bytes are read. The result is remembered, where the folder can be
        written, until the file changes.
        """
        if fault := self.fault(entry, file):
            return fault
        path = self.file_path(entry, file)
        try:
            mark = _mark(path)
            right = sha256_of(path, seen) == file.sha256
        except OSError as error:
            return f"unreadable: {error.strerror}"
        marks = self._stamp(entry)
        if right:
            marks[file.name] = mark
        else:
            marks.pop(file.name, None)
        self._remember(entry, marks)
        return "" if right else "altered: its sha256 is not the catalog's"

    def proved(self, entry: Entry, file: File) -> None:
        """Remember that the file now in place has been hashed and is right."""
        marks = self._stamp(entry)
        marks[file.name] = _mark(self.file_path(entry, file))
        self._remember(entry, marks)

    def choose(self, role: Role, *, shapes: bool = False) -> Installed:
        """The model to run for `role`: the configured one, else the best that is present.

        Best is the one of highest rank among those for the configured language. Raises ModelError
        if there is none, if it is damaged, if a language model has no chat template, or if it is a
        shape and `shapes` are not asked for: only who knows what it is to say can use one.
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
            f"there is no {_model_for(role)} here",
            where=str(self.folder),
            remedy=f"edgevoice models pull {first}" if first else "edgevoice models list",
        )

    def optional(self, role: Role) -> Installed | None:
        """The model to run for a role that may stay empty; None where it does.

        Raises ModelError if one is named and is not there, or if it is damaged.
        """
        named = getattr(self.config.models, role)
        if named == NONE or not (named or any(map(self._is_here, self.ranked(role)))):
            return None
        return self.choose(role)

    def _is_here(self, entry: Entry) -> bool:
        return self.state(entry) in ("present", "damaged")

    def ranked(self, role: Role) -> list[Entry]:
        """The models that may be chosen for `role` without being named, best first."""
        codes = listed(self.config.stt.language)
        able = [e for e in self.catalog.of(role) if e.rank > 0 and e.chat_template]
        if role == "stt" and not codes:
            able = [e for e in able if "multilingual" in e.languages or not e.languages]
        elif role in ("stt", "turn"):
            able = [e for e in able if all(map(e.speaks, codes))]
        # A voice for another language than the user's is better than silence, so it only ranks
        # lower; a recognizer for another language writes nonsense.
        own = codes[0] if codes else "en"
        return sorted(able, key=lambda e: (role == "tts" and not e.speaks(own), -e.rank))

    def starter_of(self, role: Role) -> str:
        """The model to name when none is there for `role`; empty if the catalog has none."""
        from edgevoice.models.pull import STARTER

        able = [entry.name for entry in self.ranked(role)]
        return next((name for name in STARTER if name in able), able[0] if able else "")

    def remove(self, name: str) -> int:
        """Delete the model's files and what was begun of them; returns the bytes freed."""
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
            (folder / _STAMP).unlink(missing_ok=True)
            made = folder / _MADE
            freed += sum(each.stat().st_size for each in made.rglob("*") if each.is_file())
            shutil.rmtree(made, ignore_errors=True)
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        return freed

    @contextmanager
    def lock(self, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
        """Hold the folder against other processes; `waiting` is told who holds it, if one does.

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
                if waiting:
                    waiting(
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

    def _stamp(self, entry: Entry) -> dict[str, tuple[int, int]]:
        try:
            data = read(self.folder / entry.name / _STAMP)
            return from_json(data, dict[str, tuple[int, int]])
        except (OSError, Malformed):
            return {}

    def _remember(self, entry: Entry, marks: dict[str, tuple[int, int]]) -> None:
        path = self.folder / entry.name / _STAMP
        try:
            files.replace_bytes(path, [msgspec.json.encode(marks)])
        except OSError:
            pass  # A read-only or full folder only means that the file is hashed again next time.


def _mark(path: Path) -> tuple[int, int]:
    """What changes whenever the file does: its size in bytes and time of change in ns."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _model_for(role: Role) -> str:
    return ROLES[role] if ROLES[role].endswith("model") else f"{ROLES[role]} model"


def _owner(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")[:40]
    except OSError:
        return "another process"


def damaged(entry: Entry, path: Path, fault: str) -> ModelError:
    """The error for a file of `entry` that is not what the catalog says."""
    return ModelError(
        f"a file of the model {entry.name} is {fault}",
        where=str(path),
        remedy=entry.mend,
    )


def only_a_shape(name: str) -> ModelError:
    """The error for a shape asked to converse."""
    return ModelError(
        f"{name} is a shape: its weights are random, so it can be measured and cannot answer",
        remedy=f"edgevoice bench run --slm {name} measures it; to talk, choose another model with "
        "--slm NAME",
    )


def no_template(name: str) -> ModelError:
    """The error for a base model asked to converse."""
    return ModelError(
        f"{name} has no chat template: it is a base model, which continues text "
        "and cannot converse",
        remedy="choose an instruct or chat model; edgevoice models list shows them",
    )
