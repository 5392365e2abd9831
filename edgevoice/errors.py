"""Every error that a user can meet.

EdgevoiceError            what failed, where, and the remedy; exit code 1
├── UsageError            the command line or its input is invalid; exit code 2
├── ConfigError           a setting is unknown, of the wrong type or out of range; exit code 2
├── AudioFileError        a sound file is missing, damaged or unsupported
├── DeviceError           a microphone or speaker is missing, cannot be opened or was lost
│   ├── NoDeviceError     there is no microphone or no speaker at all
│   └── SpeakerAwayError  there was no speaker for so long that the reply was dropped
├── ModelError            a model is missing, altered, unsupported or too large for the memory
│   └── PullError         a download failed
├── SessionError          no session is running, or it rejects a command of another program
├── StorageError          the disk is full, or a folder cannot be written
└── EngineError           a stage failed: this ends the turn, not the program
"""

from __future__ import annotations

from functools import partial
from typing import Any


class EdgevoiceError(Exception):
    """What failed, where it failed, and the command or setting that fixes it.

    `what` is a sentence without a full stop; `remedy` is a sentence or command, or empty if the
    user can do nothing. `where` is a path, device, model or key; it may be empty if `what` names
    it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where, remedy)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled with its keyword arguments."""
        return partial(type(self), where=self.where, remedy=self.remedy), (self.what,)

    def __str__(self) -> str:
        """The message as a user reads it: one or two lines."""
        head = f"{self.what} ({self.where})" if self.where else self.what
        return f"{head}\n  fix: {self.remedy}" if self.remedy else head


class UsageError(EdgevoiceError):
    """The command line or its input is invalid."""

    exit_code = 2


class ConfigError(EdgevoiceError):
    """A setting is unknown, has the wrong type or is out of range."""

    exit_code = 2


class NoHomeError(EdgevoiceError):
    """The user has no home folder."""


class AudioFileError(EdgevoiceError):
    """A sound file is missing, damaged or unsupported."""


class DeviceError(EdgevoiceError):
    """A microphone or speaker is missing, cannot be opened or was lost."""


class NoDeviceError(DeviceError):
    """There is no microphone or no speaker at all, or devices cannot be listed."""


class SpeakerAwayError(DeviceError):
    """There was no speaker for so long that the reply was dropped; the program continues."""


class ModelError(EdgevoiceError):
    """A model is missing, altered, unsupported or too large for the memory."""


class PullError(ModelError):
    """A download failed; the next attempt continues where it stopped."""


class SessionError(EdgevoiceError):
    """No session is running, or it rejects a command of another program."""


class StorageError(EdgevoiceError):
    """The disk is full, or a folder cannot be written."""


class EngineError(EdgevoiceError):
    """A stage failed: this ends the turn, not the program."""
