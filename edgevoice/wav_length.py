"""The length that the header of a WAV file gives, and what is true where it is wrong."""

from __future__ import annotations

import io
import mmap
import os
import re
import struct

STREAMED = 0xFFFFFFFF
"""The length a WAV header gives when it was written before its sound was known."""
IMPLAUSIBLE = 0x7FFE0000
"""Recorders that write to a pipe give 2 or 4 GiB, less up to 128 KiB. No recording is that long."""


class _Copy(mmap.mmap):
    """A file of which only what is changed is in memory; libsndfile may look behind its end."""

    def seek(self, pos: int, whence: int = os.SEEK_SET) -> None:
        at = pos + (0, self.tell(), len(self))[whence]
        super().seek(max(0, min(at, len(self))))


def with_length(source: io.BytesIO | str | bytes) -> io.BytesIO | mmap.mmap:
    """The file, with the length of a stream where a recorder that was killed has left none."""
    if isinstance(source, io.BytesIO):
        file: io.BytesIO | mmap.mmap = io.BytesIO(source.getvalue())
    else:
        with open(source, "rb") as opened:
            file = _Copy(opened.fileno(), 0, access=mmap.ACCESS_COPY)
    if at := _unset_length(file):
        file.seek(at)
        file.write(struct.pack("<I", STREAMED))
    file.seek(0)
    return file


def _unset_length(file: io.BytesIO | mmap.mmap) -> int:
    """Where the length of a WAV file's sound stands, if it is 0 and sound follows; else 0."""
    file.seek(0, io.SEEK_END)
    end = file.tell()
    file.seek(0)
    at = 12 if file.read(4) == b"RIFF" else end
    while at + 8 < end:
        file.seek(at)
        kind, size = struct.unpack("<4sI", file.read(8))
        if kind == b"data":
            return at + 4 if size == 0 and not _is_chunk(file.read(8), end - at - 16) else 0
        at += 8 + size + size % 2
    return 0


def _is_chunk(head: bytes, rest: int) -> bool:
    """Whether the last chunk of a file begins with these bytes, and `rest` of it follow."""
    if len(head) < 8:
        return False
    kind, size = struct.unpack("<4sI", head)
    return bool(kind.strip().isalnum()) and rest - 1 <= size <= rest


def missing_share(log: str) -> float:
    """How much of its sound a file lacks, as a share of what it holds, by libsndfile's log."""
    found = re.search(r"data\s*: (\d+) \(should be (\d+)\)", log)
    if not found or int(found[1]) >= IMPLAUSIBLE:
        return 0.0
    promised, there = int(found[1]), int(found[2])
    return max(0.0, (promised - there) / there) if there else 0.0
