"""The devices that may use the assistant: each has a token, of which only a hash is stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from edgevoice import files
from edgevoice.encoding import json_bytes
from edgevoice.errors import StorageError, UsageError
from edgevoice.outside import Malformed, from_json, read

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Letters and digits of a pairing code: none looks like another one."""

CODE_LENGTH = 8

MAX_DEVICES = 100

DAY = 86_400


class PairedDevice(Struct, frozen=True):
    """A paired device. `paired` and `seen` are in seconds since 1970."""

    id: str
    name: str
    token_sha256: str
    paired: int
    seen: int = 0


class PairedDevices:
    """The paired devices in a file that only the owner can read. Thread-safe.

    Other processes may change the file: it is read again when it has changed. Methods that write
    wait for the disk; the others do not wait for those.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: tuple[int, list[PairedDevice]] = (-1, [])

    def all(self) -> list[PairedDevice]:
        """The devices, oldest first. Raises StorageError."""
        return list(self._read())

    def pair(self, name: str) -> tuple[PairedDevice, str]:
        """A new device, and its token. Raises StorageError."""
        token = secrets.token_urlsafe(32)
        plain = " ".join("".join(c for c in name if c.isprintable()).split())[:60]
        with self._lock:
            devices = self._read()
            if len(devices) >= MAX_DEVICES:
                raise StorageError(
                    f"there are {MAX_DEVICES} paired devices already",
                    remedy="edgevoice serve devices --revoke NAME",
                )
            number = max((int(d.id) for d in devices if d.id.isdigit()), default=0) + 1
            device = PairedDevice(str(number), plain or "device", _hash(token), int(time.time()))
            self._write([*devices, device])
        return device, token

    def of_token(self, token: str) -> PairedDevice | None:
        """The device with this token."""
        hashed = _hash(token)
        found = None
        # All are compared, so that the time tells nothing.
        for device in self._read():
            if hmac.compare_digest(device.token_sha256, hashed):
                found = device
        return found

    def note_seen(self, device: PairedDevice) -> None:
        """Note once a day that the device is connected. Raises StorageError."""
        now = int(time.time())
        if now - device.seen < DAY:
            return
        with self._lock:
            devices = [replace(d, seen=now) if d.id == device.id else d for d in self._read()]
            self._write(devices)

    def revoke(self, name: str) -> list[PairedDevice]:
        """Remove the devices with this id or name; returns them. Raises UsageError if none has it,
        and StorageError."""
        with self._lock:
            devices = self._read()
            gone = [d for d in devices if name == d.id] or [d for d in devices if name == d.name]
            if not gone:
                raise UsageError(
                    f"no paired device is called {name!r}", remedy="edgevoice serve devices"
                )
            self._write([d for d in devices if d not in gone])
            return gone

    def _read(self) -> list[PairedDevice]:
        known, devices = self._known
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != known:
                devices = from_json(read(self._path), list[PairedDevice])
                self._known = changed, devices
        except FileNotFoundError:
            return []
        except (Malformed, OSError) as error:
            raise StorageError(
                f"the list of paired devices cannot be read: {error}",
                where=str(self._path),
                remedy="remove the file, and pair the devices again",
            ) from None
        return devices

    def _write(self, devices: list[PairedDevice]) -> None:
        try:
            files.replace_bytes(self._path, [json_bytes(devices)], private=True)
        except OSError as error:
            raise StorageError(
                f"the list of paired devices cannot be written: {error.strerror}",
                where=str(self._path),
                remedy="free some space, and check who owns the folder",
            ) from None


class PairingCode:
    """A code that pairs one device; then there is a new one. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._code = _new_code()

    @property
    def code(self) -> str:
        """The code that is valid now."""
        return self._code

    def use(self, tried: str) -> bool:
        """Whether the code is right; it is used up then."""
        plain = "".join(tried.upper().split()).replace("-", "")
        with self._lock:
            right = hmac.compare_digest(plain.encode("utf-8", "replace"), self._code.encode())
            if right:
                self._code = _new_code()
            return right


def _new_code() -> str:
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))


def _hash(token: str) -> str:
    # A token has 256 random bits: a slow hash would protect nothing more.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
