"""Every error a user can meet.

EdgevoiceError            what failed, where, and the remedy; exit code 1
├── UsageError            the command line or its input makes no sense; exit code 2
├── ConfigError           a setting is unknown, of the wrong type or out of range; exit code 2
├── AudioFileError        a sound file is missing, broken or of another kind
├── DeviceError           a microphone or speaker is missing, refuses or disappears
│   ├── NoDeviceError     there is no microphone, or no speaker, at all
│   └── SpeakerAwayError  there was no speaker for so long that the reply is given up
├── ModelError            a model is missing, altered, of another kind or does not fit
│   └── PullError         a download could not be finished
├── SessionError          no session is running, or it cannot do what it is told from outside
├── StorageError          a folder is full or read-only
└── EngineError           a stage failed while working: it costs the turn, not the program
"""

from __future__ import annotations

from functools import partial
from typing import Any


class EdgevoiceError(Exception):
    """What failed, where it failed, and the command or setting that fixes it.

    `what` is one sentence without a final full stop; `remedy` is one sentence or command, or empty
    where nothing can be done. `where` is a path, device, model or key, and may be empty when
    `what` names it already.
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
    """The command line or what was piped in makes no sense."""

    exit_code = 2


class ConfigError(EdgevoiceError):
    """A setting is unknown, has the wrong type or is out of range."""

    exit_code = 2


class AudioFileError(EdgevoiceError):
    """A sound file is missing, broken or of a kind that cannot be read."""


class DeviceError(EdgevoiceError):
    """A microphone or speaker is missing, refuses the format or disappeared."""


class NoDeviceError(DeviceError):
    """There is no microphone, or no speaker, at all: none is listed, or nothing can list them."""


class SpeakerAwayError(DeviceError):
    """There was no speaker for so long that it costs the reply, not the program."""


class ModelError(EdgevoiceError):
    """A model is missing, altered, of another kind or does not fit in memory."""


class PullError(ModelError):
    """A download could not be finished; what was fetched is kept for the next try."""


class SessionError(EdgevoiceError):
    """No session is running, or it cannot do what it is told from outside."""


class StorageError(EdgevoiceError):
    """A folder is full or cannot be written."""


class EngineError(EdgevoiceError):
    """A stage failed while working: it costs the turn, not the program."""
