"""Correct and check the length in the header of a WAV file."""

from __future__ import annotations

import io
import mmap
import os
import re
import struct

UNKNOWN_LENGTH = 0xFFFFFFFF
"""The length in a WAV header that was written before the length was known."""
MAX_PLAUSIBLE_LENGTH = 0x7FFE0000
"""Lengths from here on are placeholders: recorders that write to a pipe give about 2 or 4 GiB."""


class _Copy(mmap.mmap):
    """A copy-on-write file; libsndfile may seek beyond its end."""

    def seek(self, pos: int, whence: int = os.SEEK_SET) -> None:
        at = pos + (0, self.tell(), len(self))[whence]
        super().seek(max(0, min(at, len(self))))


def with_length(source: io.BytesIO | str | bytes) -> io.BytesIO | mmap.mmap:
    """The file, with UNKNOWN_LENGTH if a killed recorder left the length 0."""
    if isinstance(source, io.BytesIO):
        file: io.BytesIO | mmap.mmap = io.BytesIO(source.getvalue())
    else:
        with open(source, "rb") as opened:
            file = _Copy(opened.fileno(), 0, access=mmap.ACCESS_COPY)
    if at := _unset_length(file):
        file.seek(at)
        file.write(struct.pack("<I", UNKNOWN_LENGTH))
    file.seek(0)
    return file


def _unset_length(file: io.BytesIO | mmap.mmap) -> int:
    """The offset of the sound's length if it is 0 although sound follows; otherwise 0."""
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
    """Whether these bytes are the header of a file's last chunk, with `rest` bytes after it."""
    if len(head) < 8:
        return False
    kind, size = struct.unpack("<4sI", head)
    return bool(kind.strip().isalnum()) and rest - 1 <= size <= rest


def missing_share(log: str) -> float:
    """The missing part of a file's sound as a share of the present part, by libsndfile's log."""
    found = re.search(r"data\s*: (\d+) \(should be (\d+)\)", log)
    if not found or int(found[1]) >= MAX_PLAUSIBLE_LENGTH:
        return 0.0
    promised, present = int(found[1]), int(found[2])
    return max(0.0, (promised - present) / present) if present else 0.0
