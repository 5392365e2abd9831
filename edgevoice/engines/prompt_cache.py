"""Cache on disk between starts: the KV state of a system prompt, and measured batch costs.

The cache is optional: missing, damaged or unwritable files are computed again.
"""

from __future__ import annotations

import glob
import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edgevoice.files import replace_bytes
from edgevoice.outside import Malformed, from_json, read
from edgevoice.places import user_folder

_log = logging.getLogger(__name__)

MAX_FILES = 8
MAX_BYTES = 300_000_000
SUFFIX = ".kv"
MAGIC = b"edgevoice kv 1\n"
DIGEST_BYTES = 32


def default_folder() -> Path:
    """The folder of stored states, in the user's cache folder."""
    return user_folder("cache") / "prompts"


def measured(folder: Path, path: Path) -> dict[int, dict[int, float]]:
    """Batch costs when the model at `path` last ran here: threads → size → seconds."""
    found = sorted(folder.glob(f"{glob.escape(path.stem)}-*.json"), key=lambda f: f.stat().st_mtime)
    return _read_costs(found[-1]) if found else {}


class PromptCache:
    """The files in `folder` for the model at `path` and the engine's `version`.

    A changed model file or another version finds nothing. `setup` is what else a state depends on.
    """

    def __init__(self, folder: Path, path: Path, version: str, *setup: object) -> None:
        self._folder = folder
        stat = path.stat()
        self._model = repr((path.name, stat.st_size, stat.st_mtime_ns, version, setup))
        self._costs = folder / f"{path.stem}-{_name(self._model)[:8]}.json"

    def state(self, ids: Sequence[int], variant: str = "") -> bytes | None:
        """The stored state of a KV cache with just these `ids`; None if missing or damaged.

        `variant` tells states apart that the same model and ids give, for example with adapters.
        """
        path = self._path(ids, variant)
        try:
            data = path.read_bytes()
            head, state = data[: len(MAGIC) + DIGEST_BYTES], data[len(MAGIC) + DIGEST_BYTES :]
            if head == MAGIC + hashlib.sha256(state).digest():
                os.utime(path)  # the least recently used is removed first
                return state
            _log.debug("%s is damaged", path)
            path.unlink()
        except OSError as error:
            _log.debug("no kept state: %s", error)
        return None

    def has(self, ids: Sequence[int], variant: str = "") -> bool:
        """Whether a state of just these `ids` is stored."""
        return self._path(ids, variant).exists()

    def keep(self, ids: Sequence[int], state: bytes, variant: str = "") -> None:
        """Store the state of a KV cache with just these `ids`, and remove the oldest others."""
        if len(state) > MAX_BYTES:
            return
        path = self._path(ids, variant)
        try:
            replace_bytes(path, [MAGIC, hashlib.sha256(state).digest(), state])
            _remove_oldest(self._folder, path)
        except OSError as error:
            _log.debug("the state is not kept: %s", error)

    def costs(self) -> dict[int, dict[int, float]]:
        """Batch costs when this model last ran here: threads → size → seconds."""
        return _read_costs(self._costs)

    def keep_costs(self, costs: dict[int, dict[int, float]]) -> None:
        """Store batch costs for the next start and for `edgevoice doctor`."""
        try:
            replace_bytes(self._costs, [msgspec.json.encode(costs)])
        except OSError as error:
            _log.debug("the costs are not kept: %s", error)

    def _path(self, ids: Sequence[int], variant: str) -> Path:
        return self._folder / (_name(f"{self._model}{variant} {list(ids)}") + SUFFIX)


PositiveInt = Annotated[int, Meta(ge=1, le=65_536)]
BatchSeconds = dict[
    PositiveInt,
    Annotated[dict[PositiveInt, Annotated[float, Meta(gt=0, le=3600)]], Meta(min_length=1)],
]
"""threads → size → seconds"""


def _read_costs(path: Path) -> dict[int, dict[int, float]]:
    try:
        return from_json(read(path), BatchSeconds, strict=False)
    except (OSError, Malformed) as error:
        _log.debug("no kept costs: %s", error)
        return {}


def _name(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _remove_oldest(folder: Path, newest: Path) -> None:
    """Remove the least recently used states beyond MAX_FILES and MAX_BYTES."""
    others = [path for path in folder.glob(f"*{SUFFIX}") if path != newest]
    others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    room = MAX_BYTES - newest.stat().st_size
    for number, path in enumerate(others, 1):
        room -= path.stat().st_size
        if number >= MAX_FILES or room < 0:
            path.unlink(missing_ok=True)
