"""Find copies of a model file on this machine: in the models folder or in other tools' stores.

Candidates are found by name or size; the caller checks their hash.
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
    """Candidates for `file`, nearest first, each with whether it is permanent.

    Files in the models folder or in an installed package may be removed with their owner. So only
    the stores of other tools are permanent enough for a symbolic link.
    """
    target = store.file_path(entry, file)
    seen = set()
    for paths, permanent in (
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
                continue  # for example a folder of another user, or a broken link
            seen.add(real)
            yield real, permanent


def in_folder(store: Store, entry: Entry, file: File) -> Iterator[Path]:
    """The same file of another model, or a file put directly into the models folder."""
    for other in store.catalog:
        for same in other.files:
            if same.sha256 == file.sha256 and other.name != entry.name:
                yield store.file_path(other, same)
    yield store.folder / file.name


def in_packages(entry: Entry, file: File) -> Iterator[Path]:
    """The file inside an installed Python package."""
    for mirror in entry.mirrors_of(file):
        if path := installed_copy(mirror):
            yield path


def in_stores(entry: Entry, file: File, environ: Mapping[str, str]) -> Iterator[Path]:
    """The file in the stores of Hugging Face's libraries, Ollama and LM Studio."""
    for cache in hugging_face(environ):
        # Large files are stored by sha256. Small files are stored by a git hash: use their path.
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
    """The cache folders of the Hugging Face libraries."""
    if named := environ.get("HF_HUB_CACHE"):
        return [Path(os.path.expanduser(named))]
    caches = environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = environ.get("HF_HOME") or f"{caches}/huggingface"
    return [Path(os.path.expanduser(home)) / "hub"]


def ollama(environ: Mapping[str, str]) -> list[Path]:
    """The model folders of Ollama: the user's, and those of its system service."""
    if named := environ.get("OLLAMA_MODELS"):
        return [Path(os.path.expanduser(named))]
    own = Path(os.path.expanduser("~/.ollama/models"))
    return [own, Path("/usr/share/ollama/.ollama/models"), Path("/var/lib/ollama/models")]


def lm_studio() -> list[Path]:
    """The model folders of LM Studio, in current and earlier versions."""
    folders = ("~/.lmstudio/models", "~/.cache/lm-studio/models")
    return [Path(os.path.expanduser(folder)) for folder in folders]
