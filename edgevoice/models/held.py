"""Copies of a file that this machine holds already: in the models folder or with other tools.

Candidates are found by name or size; whether one is the file, only its hash decides.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from edgevoice.catalog import Entry, File
from edgevoice.models.packages import installed_copy
from edgevoice.models.store import Store


def copies(
    store: Store, entry: Entry, file: File, environ: Mapping[str, str] = os.environ
) -> Iterator[tuple[Path, bool]]:
    """Files that may be the one wanted, nearest first, and whether each is there to stay.

    What lies in the models folder or in an installed package may go with its owner, so only the
    stores of other tools are safe to point into.
    """
    target = store.file_path(entry, file)
    seen = set()
    for paths, lasting in (
        (in_folder(store, entry, file), False),
        (in_packages(entry, file), False),
        (in_stores(entry, file, environ), True),
    ):
        for path in paths:
            try:
                real = path.resolve()
                if real in seen or not real.is_file() or real.stat().st_size != file.size:
                    continue
                if target.exists() and target.samefile(real):
                    continue
            except OSError:
                continue  # A folder of another user, a broken link: not for us.
            seen.add(real)
            yield real, lasting


def in_folder(store: Store, entry: Entry, file: File) -> Iterator[Path]:
    """The same file under another model, or laid loose into the models folder by hand."""
    for other in store.catalog:
        for same in other.files:
            if same.sha256 == file.sha256 and other.name != entry.name:
                yield store.file_path(other, same)
    yield store.folder / file.name


def in_packages(entry: Entry, file: File) -> Iterator[Path]:
    """The file inside a package that is installed beside us."""
    for mirror in entry.mirrors_of(file):
        if path := installed_copy(mirror):
            yield path


def in_stores(entry: Entry, file: File, environ: Mapping[str, str]) -> Iterator[Path]:
    """The file in what Hugging Face's libraries, Ollama and LM Studio keep."""
    for cache in hugging_face(environ):
        # Large files are stored by their sha256, small ones by a git hash: those we find by path.
        yield from cache.glob(f"models--*/blobs/{file.sha256}")
        if entry.repo:
            repo = cache / f"models--{entry.repo.replace('/', '--')}"
            yield from repo.glob(f"snapshots/*/{glob.escape(file.path_in_repo)}")
    for models in ollama(environ):
        yield models / "blobs" / f"sha256-{file.sha256}"
    if file.name.endswith(".gguf"):
        for models in lm_studio():
            yield from models.glob("*/*/*.gguf")


def hugging_face(environ: Mapping[str, str]) -> list[Path]:
    """Where the Hugging Face libraries keep what they download."""
    if named := environ.get("HF_HUB_CACHE"):
        return [Path(os.path.expanduser(named))]
    caches = environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = environ.get("HF_HOME") or f"{caches}/huggingface"
    return [Path(os.path.expanduser(home)) / "hub"]


def ollama(environ: Mapping[str, str]) -> list[Path]:
    """Where Ollama keeps its models: the user's own, and those of its system service."""
    if named := environ.get("OLLAMA_MODELS"):
        return [Path(os.path.expanduser(named))]
    own = Path(os.path.expanduser("~/.ollama/models"))
    return [own, Path("/usr/share/ollama/.ollama/models"), Path("/var/lib/ollama/models")]


def lm_studio() -> list[Path]:
    """Where LM Studio keeps its models, now and in earlier versions."""
    folders = ("~/.lmstudio/models", "~/.cache/lm-studio/models")
    return [Path(os.path.expanduser(folder)) for folder in folders]
