"""The folder of recorded turns: two files a turn; the oldest turns are removed beyond a limit.

`turn-000007.wav` is the microphone's sound, `turn-000007.json` the turn. Both are complete or
absent, and readable only by the user.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from edgevoice import files
from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.errors import EdgevoiceError, UsageError
from edgevoice.places import expanded
from edgevoice.recordings.recorded_turn import RecordedTurn, encoded, read, upgraded
from edgevoice.wav import pcm_file

TURN_FILE = re.compile(r"turn-(\d{6,9})\.(json|wav)")
DRAFT_FILE = re.compile(r"\.(turn-\d{6,9})\.(json|wav)\.[a-z0-9_]+")
"""A file left by a program that was killed while writing a turn."""
RECORD_REMEDY = "record turns with `edgevoice run --record-turns DIR`"


class RecordingsFolder:
    """A folder of at most `turns` recorded turns and `megabytes` in all; 0 means no limit."""

    def __init__(self, path: Path, turns: int = 0, megabytes: int = 0) -> None:
        self.path = path
        self._max_turns = turns
        self._max_bytes = megabytes * 1_000_000

    def open(self) -> None:
        """Create the folder, readable only by the user, unless it exists. Raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def is_private(self) -> bool:
        """Whether only the user can read the folder; true if the system does not say."""
        with contextlib.suppress(OSError):
            return os.name == "nt" or not self.path.stat().st_mode & 0o077
        return True

    def put(self, turn: RecordedTurn, samples: Samples) -> Path:
        """Write a turn and float32 [n] at 16 kHz under the next number; returns its JSON file.

        Raises OSError, and then leaves no file.
        """
        self.open()
        with self._exclusive():
            wav = self._reserve_file()
            file = wav.with_suffix(".json")
            text = encoded(replace(turn, audio=wav.name))
            try:
                # The JSON file is written first, and renamed once the sound is written too.
                with files.replaced(file, [text.encode()], private=True):
                    files.replace_bytes(wav, [pcm_file(samples, CAPTURE_RATE)], private=True)
            except BaseException:
                for half in (wav, file):
                    with contextlib.suppress(OSError):
                        half.unlink(missing_ok=True)
                raise
            with contextlib.suppress(OSError):
                self._remove_oldest()
        return file

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Lock the folder against other sessions during the block, if locking is possible."""
        try:
            handle = os.open(self.path, os.O_RDONLY)
        except OSError:
            yield
            return
        try:
            files.lock(handle, wait=True)
            yield
        finally:
            os.close(handle)

    def recover(self) -> list[Path]:
        """Recover turns that killed sessions were writing; returns the recovered files.

        A complete turn gets its regular name; other files are set aside.
        """
        saved: list[Path] = []
        if not self.path.is_dir():
            return saved
        with self._exclusive(), contextlib.suppress(OSError):
            # JSON files first: with both files complete, none is set aside.
            for draft in sorted(self.path.glob(".turn-*")):
                if found := DRAFT_FILE.fullmatch(draft.name):
                    with contextlib.suppress(OSError):
                        saved += self._recover_draft(draft, found[1], found[2])
        return saved

    def migrate(self) -> int:
        """Write the turns of older versions in today's format; returns how many there were.

        One that cannot be read or written stays as it is.
        """
        count = 0
        if not self.path.is_dir():
            return count
        with self._exclusive():
            for file in self.turns().values():
                with contextlib.suppress(OSError, EdgevoiceError, msgspec.MsgspecError):
                    if (text := upgraded(file)) is not None:
                        files.replace(file, [text], private=True)
                        count += 1
        return count

    def _recover_draft(self, draft: Path, name: str, kind: str) -> list[Path]:
        wav = self.path / f"{name}.wav"
        sound = wav.exists() and wav.stat().st_size > 0
        if kind == "json" and sound and _is_whole(draft):
            return [draft.rename(self.path / f"{name}.json")]
        if not sound:
            wav.unlink(missing_ok=True)
        if draft.stat().st_size:
            return [files.set_aside(draft, f"{name}.{kind}")]
        draft.unlink()
        return []

    def _reserve_file(self) -> Path:
        """An empty file under the next number, which other sessions then skip."""
        number = max(self._sizes(), default=0)
        while True:
            number += 1
            path = self.path / f"turn-{number:06}.wav"
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                continue
            return path

    def _sizes(self) -> dict[int, int]:
        """The bytes of each turn, by number, oldest first."""
        sizes: dict[int, int] = {}
        for file in self.path.iterdir():
            if found := TURN_FILE.fullmatch(file.name):
                number = int(found[1])
                with contextlib.suppress(OSError):
                    sizes[number] = sizes.get(number, 0) + file.stat().st_size
        return dict(sorted(sizes.items()))

    def _remove_oldest(self) -> None:
        """Remove the oldest turns until the limits hold; the newest always stays."""
        sizes = self._sizes()
        count, total = len(sizes), sum(sizes.values())
        for number, size in list(sizes.items())[:-1]:
            too_many = 0 < self._max_turns < count
            if not too_many and not 0 < self._max_bytes < total:
                return
            for kind in ("json", "wav"):
                with contextlib.suppress(OSError):
                    (self.path / f"turn-{number:06}.{kind}").unlink(missing_ok=True)
            count, total = count - 1, total - size

    def turns(self) -> dict[int, Path]:
        """The JSON files of the turns, by number. Raises EdgevoiceError."""
        try:
            names = [(TURN_FILE.fullmatch(file.name), file) for file in self.path.iterdir()]
        except OSError as error:
            raise UsageError(
                f"the folder of recorded turns cannot be read: {error.strerror}",
                where=str(self.path),
                remedy=f"check the path, or {RECORD_REMEDY}",
            ) from None
        turns = {int(found[1]): file for found, file in names if found and found[2] == "json"}
        return dict(sorted(turns.items()))

    def find(self, which: str) -> Path:
        """The JSON file of `last` or of a number. Raises EdgevoiceError with the known numbers."""
        turns = self.turns()
        if not turns:
            raise UsageError("the folder has no turns", where=str(self.path), remedy=RECORD_REMEDY)
        number = max(turns) if which == "last" else int(which) if which.isdecimal() else 0
        if number not in turns:
            raise UsageError(
                f"there is no turn {which}",
                where=str(self.path),
                remedy=f"choose one of {len(turns)} turns from {min(turns)} to {max(turns)}: "
                f"edgevoice replay --list {self.path}",
            )
        return turns[number]


def _is_whole(file: Path) -> bool:
    with contextlib.suppress(EdgevoiceError):
        read(file)
        return True
    return False


def named(words: Sequence[str], default: str) -> Path:
    """The JSON file of the turn that `words` name. Raises EdgevoiceError if there is none.

    `words` are a file, `last` or a number (in the folder `default`), or a folder and one of these.
    """
    first = expanded(words[0]) if words else Path()
    if len(words) == 2:
        return RecordingsFolder(first).find(words[1])
    if len(words) != 1:
        raise UsageError(
            f"replay runs one turn at a time, not {len(words)}" if words else "no turn was named",
            remedy="edgevoice replay FILE, edgevoice replay DIR NUMBER, or edgevoice replay last",
        )
    if words[0] == "last" or words[0].isdecimal():
        if not default:
            raise UsageError(
                "no folder of recorded turns was named",
                remedy=f"edgevoice replay DIR {words[0]}, or set recordings.folder",
            )
        return RecordingsFolder(expanded(default)).find(words[0])
    if first.is_dir():
        raise UsageError(
            "a folder was named, but no turn",
            where=str(first),
            remedy=f"edgevoice replay {first} last, or a number from `edgevoice replay --list "
            f"{first}`",
        )
    file = first.with_suffix(".json")
    if not first.exists() and not file.exists():
        raise UsageError("no such turn", where=str(first), remedy="check the path")
    if not file.exists():
        raise UsageError(
            f"a recording without {file.name} beside it cannot be replayed",
            where=str(first),
            remedy="use other recordings as questions: `edgevoice bench run --corpus FOLDER`",
        )
    return file
