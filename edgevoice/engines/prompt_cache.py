"""What is kept on disk between two starts: the KV state of a system prompt, and what batches cost.

Nothing here is needed: what is missing, damaged, foreign or cannot be written is computed anew.
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

MOST_FILES = 8
MOST_BYTES = 300_000_000
SUFFIX = ".kv"
MARK = b"edgevoice kv 1\n"
DIGEST = 32


def default_folder() -> Path:
    """Where states lie: in the user's cache folder."""
    return user_folder("cache") / "prompts"


def measured(folder: Path, path: Path) -> dict[int, dict[int, float]]:
    """What batches cost when the model at `path` last ran here: threads → size → seconds."""
    found = sorted(folder.glob(f"{glob.escape(path.stem)}-*.json"), key=lambda f: f.stat().st_mtime)
    return _read_costs(found[-1]) if found else {}


class PromptCache:
    """What is kept in `folder` for the model at `path`, as `version` of the engine understands it.

    A model file that was changed, or another version of the engine, finds nothing. `setup` is
    whatever else a state depends on.
    """

    def __init__(self, folder: Path, path: Path, version: str, *setup: object) -> None:
        self._folder = folder
        stat = path.stat()
        self._model = repr((path.name, stat.st_size, stat.st_mtime_ns, version, setup))
        self._costs = folder / f"{path.stem}-{_name(self._model)[:8]}.json"

    def state(self, ids: Sequence[int]) -> bytes | None:
        """The state that was kept of a cache with just these `ids`, if it is there and whole."""
        path = self._path(ids)
        try:
            data = path.read_bytes()
            head, state = data[: len(MARK) + DIGEST], data[len(MARK) + DIGEST :]
            if head == MARK + hashlib.sha256(state).digest():
                os.utime(path)  # used last, removed last
                return state
            _log.debug("%s is damaged", path)
            path.unlink()
        except OSError as error:
            _log.debug("no kept state: %s", error)
        return None

    def has(self, ids: Sequence[int]) -> bool:
        """Whether there is a state of just these `ids`."""
        return self._path(ids).exists()

    def keep(self, ids: Sequence[int], state: bytes) -> None:
        """Write the state of a cache with just these `ids`; the oldest others make room."""
        if len(state) > MOST_BYTES:
            return
        path = self._path(ids)
        try:
            replace_bytes(path, [MARK, hashlib.sha256(state).digest(), state])
            _make_room(self._folder, path)
        except OSError as error:
            _log.debug("the state is not kept: %s", error)

    def costs(self) -> dict[int, dict[int, float]]:
        """What batches cost when this model last ran here: threads → size → seconds."""
        return _read_costs(self._costs)

    def keep_costs(self, costs: dict[int, dict[int, float]]) -> None:
        """Write what batches cost, for the next start and for the doctor."""
        try:
            replace_bytes(self._costs, [msgspec.json.encode(costs)])
        except OSError as error:
            _log.debug("the costs are not kept: %s", error)

    def _path(self, ids: Sequence[int]) -> Path:
        return self._folder / (_name(f"{self._model} {list(ids)}") + SUFFIX)


Whole = Annotated[int, Meta(ge=1, le=65_536)]
Measured = dict[
    Whole, Annotated[dict[Whole, Annotated[float, Meta(gt=0, le=3600)]], Meta(min_length=1)]
]
"""threads → size → seconds"""


def _read_costs(path: Path) -> dict[int, dict[int, float]]:
    try:
        return from_json(read(path), Measured, strict=False)
    except (OSError, Malformed) as error:
        _log.debug("no kept costs: %s", error)
        return {}


def _name(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _make_room(folder: Path, newest: Path) -> None:
    """Remove the states used longest ago, until there are few enough and they are small enough."""
    others = [path for path in folder.glob(f"*{SUFFIX}") if path != newest]
    others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    room = MOST_BYTES - newest.stat().st_size
    for number, path in enumerate(others, 1):
        room -= path.stat().st_size
        if number >= MOST_FILES or room < 0:
            path.unlink(missing_ok=True)
