"""Add the user's own models to the catalog: a file, a folder or a reference to the hub."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from edgevoice.catalog import Entry, File, append
from edgevoice.errors import ModelError, PullError, UsageError
from edgevoice.harmless import one_line
from edgevoice.models import hub, kinds
from edgevoice.models.assembly import Assembly, Unavailable
from edgevoice.models.disk import BLOCK_BYTES, link, need_space, sha256_of, size_text, writing
from edgevoice.models.kinds import ModelKind
from edgevoice.models.progress import Progress
from edgevoice.models.store import Store
from edgevoice.outside import Malformed, converted
from edgevoice.places import expanded

REFERENCE_REMEDY = "name a .gguf file, a Whisper folder, a Piper .onnx file, or OWNER/REPO/FILE"
MAX_SETTINGS_BYTES = 4 << 20
"""Maximum bytes of a model's settings file; real ones have a few thousand."""


def add(text: str, store: Store, progress: Progress, name: str = "") -> Entry:
    """Add a model to the user's own catalog and return its entry.

    `text` is a .gguf file, a Whisper folder, a Piper .onnx file, or a reference to one on the hub.
    Local files are linked into the store, or copied if linking is impossible. Files that the
    catalog knows become that model. Raises ModelError for a file of another kind, UsageError for a
    name that is taken, PullError if the hub does not answer.
    """
    if not text:
        raise UsageError("an empty name means no model", remedy=REFERENCE_REMEDY)
    path = expanded(text)
    if path.exists():
        # Not resolved: a link may have a name where its target is named by a hash.
        return _local(path.absolute(), store, progress, name)
    reference = hub.reference(text)
    if reference is None or text.startswith((".", "~", "/")):
        raise UsageError(
            f"{text} is neither an existing file nor a reference to a hub file",
            remedy=REFERENCE_REMEDY,
        )
    try:
        return _remote(reference, store, name)
    except Unavailable as reason:
        raise PullError(
            f"the hub could not be asked about {text}: {reason}",
            remedy="check the reference and the network, or add a local file",
        ) from None


def _local(path: Path, store: Store, progress: Progress, name: str) -> Entry:
    try:
        kind, named = _recognize(path)
        files = tuple(_hashed(each, file, progress) for file, each in named.items())
    except OSError as error:
        raise ModelError(
            f"the file cannot be read: {error.strerror}",
            where=str(error.filename or path),
            remedy="check its permissions",
        ) from None
    hashes = {file.sha256 for file in files}
    known = (e for e in store.catalog if {file.sha256 for file in e.files} <= hashes)
    entry = next(known, None)
    if entry is None:
        entry = _entry(
            kind, files, _name(name or _default_name(path, kind), store, given=bool(name))
        )
    else:
        status = "already present" if store.state(entry) == "present" else "added from this file"
        progress.say(f"{path.name} is the model {entry.name}, {status} under that name")
    by_hash = {file.sha256: each for file, each in zip(files, named.values(), strict=True)}
    with store.lock(progress.say):
        for file in entry.files:
            _link_or_copy(by_hash[file.sha256], entry, file, store, progress)
        if entry.name not in store.catalog:
            with writing(store.catalog.own_path.parent):
                append(store.catalog.own_path, entry)
    return entry


def _recognize(path: Path) -> tuple[ModelKind, dict[str, Path]]:
    """The kind of the model at `path`, by its content, and its files by name. Raises ModelError."""
    where = str(path)
    if path.is_dir():
        names = sorted(each.name for each in path.iterdir() if each.is_file())
        used = [n for n in names if n in kinds.WHISPER_FILES or n.startswith("vocabulary.")]
        usable = [n for n in names if n.lower().endswith((".gguf", ".onnx"))]
        config = path / "config.json"
        model = path / "model.bin"
        if usable and not model.exists():
            one = len(usable) == 1
            raise ModelError(
                "this folder is not a Whisper model; other models are added by their file",
                where=where,
                remedy=f"name {'the file' if one else 'one of the files'} in it: "
                + ", ".join(str(path / each) if one else each for each in usable[:8]),
            )
        kind = kinds.whisper(
            names,
            _settings(config) if config.exists() else b"",
            _head(model) if model.exists() else b"",
            model.stat().st_size if model.exists() else 0,
            where,
        )
        return kind, {name: path / name for name in used}
    head, ending = _head(path), path.suffix.lower()
    if head[:4] == b"GGUF" or ending == ".gguf":
        with path.open("rb") as source:
            kind = kinds.gguf(source.read, path.stat().st_size, where)
        return kind, {_file_name(path.name, ".gguf"): path}
    wanted = f"{path.name}.json"
    beside = (each for each in path.parent.iterdir() if each.name.lower() == wanted.lower())
    settings = next(beside, None)
    if ending == ".onnx" or settings:
        if not settings:
            raise ModelError(
                f"a voice needs {wanted} beside it", where=where, remedy="download both files"
            )
        kind = kinds.voice(_settings(settings), head, path.stat().st_size, where)
        name = _file_name(path.name, ".onnx")
        return kind, {name: path, f"{name}.json": settings}
    raise ModelError(
        "this is neither a .gguf file, a Whisper folder nor a Piper .onnx file",
        where=where,
        remedy="edgevoice models add --help lists what can be added",
    )


def _default_name(path: Path, kind: ModelKind) -> str:
    """The default name of the model at `path`: its file's, unless a cache named it by a hash."""
    folder = re.fullmatch(r"models--.*--(.+)", path.parent.parent.name)
    if path.is_dir() and folder:
        return folder[1]
    return kind.title if re.fullmatch(r"(sha256[-:])?[0-9a-f]{40,64}", path.name) else path.name


def _remote(reference: hub.HubReference, store: Store, name: str) -> Entry:
    repository = hub.repository(reference.repo, reference.revision)
    by_path = {file.path: file for file in repository.files}
    full_reference = f"{reference.repo}/{reference.path}".rstrip("/")
    at = (repository.repo, repository.revision)

    def read_small_file(path: str) -> bytes:
        return hub.read_small(*at, by_path[path]) if path in by_path else b""

    ending = Path(reference.path).suffix.lower()
    if ending == ".gguf" and reference.path in by_path:
        with hub.reading(*at, reference.path) as read:
            kind = kinds.gguf(read, by_path[reference.path].size, full_reference, complete=False)
        paths = [reference.path]
    elif ending == ".onnx" and reference.path in by_path:
        config = f"{reference.path}.json"
        kind = kinds.voice(
            read_small_file(config), b"", by_path[reference.path].size, full_reference
        )
        paths = [reference.path, config]
    else:
        below = f"{reference.path}/" if reference.path else ""
        names = [p.removeprefix(below) for p in by_path if p.startswith(below)]
        if "model.bin" not in names:
            raise _no_such_file(reference, list(by_path))
        size = by_path[f"{below}model.bin"].size
        kind = kinds.whisper(
            names, read_small_file(f"{below}config.json"), b"", size, full_reference
        )
        wanted = [n for n in names if n in kinds.WHISPER_FILES or n.startswith("vocabulary.")]
        paths = [below + each for each in wanted]
    files = tuple(_hub_file(by_path[path], read_small_file) for path in paths)
    last = reference.path.rsplit("/", 1)[-1] or reference.repo.rsplit("/", 1)[-1]
    entry = _entry(kind, files, _name(name or last, store, given=bool(name)), repository)
    with store.lock(), writing(store.catalog.own_path.parent):
        append(store.catalog.own_path, entry)
    return entry


def _no_such_file(reference: hub.HubReference, paths: list[str]) -> UsageError:
    usable = [path for path in paths if path.lower().endswith((".gguf", ".onnx"))]
    return UsageError(
        f"{reference.repo} has no {reference.path or 'Whisper model at its top'}",
        remedy="name one of its files: " + ", ".join(usable[:8])
        if usable
        else "it has neither GGUF files nor Piper voices",
    )


def _hub_file(file: hub.HubFile, read_small_file: Callable[[str], bytes]) -> File:
    """The catalog's line for a hub file; a small file is downloaded to compute its hash."""
    import hashlib

    sha256 = file.sha256 or hashlib.sha256(read_small_file(file.path)).hexdigest()
    name = file.path.rsplit("/", 1)[-1]
    ending = re.search(r"\.(gguf|onnx)$", name, re.IGNORECASE)
    name = _file_name(name, ending[0].lower()) if ending else _safe(name)
    return File(name, file.size, sha256, file.path if file.path != name else "")


def _entry(
    kind: ModelKind, files: tuple[File, ...], name: str, source: hub.HubRepository | None = None
) -> Entry:
    entry = Entry(
        name=name,
        role=kind.role,
        format=kind.format,
        title=one_line(kind.title),
        files=files,
        languages=kind.languages or (source.languages if source else ()),
        ram=kind.ram,
        licence=kind.licence or (source.licence if source else ""),
        repo=source.repo if source else "",
        revision=source.revision if source else "",
        context=kind.context,
    )
    try:
        # Check before writing: the catalog rejects invalid entries when it is read.
        return converted(msgspec.to_builtins(entry), Entry)
    except Malformed as reason:
        raise ModelError(
            f"the catalog cannot hold this model: {reason}",
            where=f"{entry.repo}/{entry.main.path_in_repo}" if entry.repo else entry.main.name,
            remedy="add the file under another name, from this machine",
        ) from None


def _name(text: str, store: Store, *, given: bool) -> str:
    """A name for the catalog from `text`. Raises UsageError if it is taken or invalid."""
    stem = re.sub(r"\.(gguf|onnx)$", "", text, flags=re.IGNORECASE)
    name = _safe(stem).strip("-._+")[:80]
    if not name or (given and name != text):
        raise UsageError(
            f"{text} is not a valid name for a model",
            remedy="--name NAME, with letters, digits, dots and dashes",
        )
    if name in store.catalog:
        raise UsageError(f"a model called {name} exists already", remedy="--name ANOTHER-NAME")
    return name


def _safe(text: str) -> str:
    """The text with characters that the catalog does not allow in names replaced by dashes."""
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", text).lstrip("-.+")


def _file_name(name: str, ending: str) -> str:
    """A file name for the catalog from `name`, with the ending that the engine expects."""
    stem = name[: -len(ending)] if name.lower().endswith(ending) else name
    return f"{_safe(stem)[:140] or 'model'}{ending}"


def _hashed(path: Path, name: str, progress: Progress) -> File:
    size = path.stat().st_size
    if not size:
        raise ModelError("the file is empty", where=str(path), remedy="download the file again")
    progress.begin(f"reading {path.name}", size)
    try:
        return File(name, size, sha256_of(path, progress.reach))
    finally:
        progress.end()


def _link_or_copy(path: Path, entry: Entry, file: File, store: Store, progress: Progress) -> None:
    target = store.file_path(entry, file)
    if target.exists() and target.samefile(path):
        store.proved(entry, file)
        return
    with writing(store.folder):
        linked = link(path, target, symbolic=False)
    if linked:
        store.proved(entry, file)
        return
    need_space(store.folder, file.size)
    progress.begin(f"{entry.name}: copying {file.name}", file.size)
    try:
        with Assembly(store, entry, file, progress) as assembly, path.open("rb") as source:
            assembly.back_to(0)
            while block := source.read(BLOCK_BYTES):
                assembly.add(block)
            assembly.finish()
    except Unavailable as reason:
        raise ModelError(
            f"the file changed while it was copied: {reason}",
            where=str(path),
            remedy="add it again",
        ) from None
    finally:
        progress.end()


def _head(path: Path) -> bytes:
    _need_file(path)
    with path.open("rb") as source:
        return source.read(64)


def _settings(path: Path) -> bytes:
    """The content of a model's settings file. Raises ModelError if it is too large."""
    _need_file(path)
    with path.open("rb") as source:
        data = source.read(MAX_SETTINGS_BYTES + 1)
    if len(data) > MAX_SETTINGS_BYTES:
        raise ModelError(
            f"too large for the settings of a model: more than {size_text(MAX_SETTINGS_BYTES)}",
            where=str(path),
            remedy="download the file again",
        )
    return data


def _need_file(path: Path) -> None:
    """Raise ModelError for a pipe or a device, which may never end; links are followed."""
    if not path.is_file():
        raise ModelError(
            "not a file",
            where=str(path),
            remedy="name a file on the disk; save the content of a pipe to a file first",
        )
