"""The few things the screen may ask of the assistant."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

Kind = Literal["input", "output", "slm", "stt", "tts"]


class Commands(Protocol):
    """What the keys do; all may raise EdgevoiceError, which is shown.

    `transcript`, `interrupt`, `mute`, `say`, `talk`, `new_conversation` and `close` return at once.
    `choices`, `choose` and `save_trace` may take seconds and are called from a worker thread.
    """

    def interrupt(self) -> None:
        """Fall silent and give up the answer under way."""

    def mute(self, on: bool) -> None:
        """Stop or start listening to the microphone."""

    def say(self, text: str) -> None:
        """Ask a typed question."""

    def talk(self, on: bool) -> None:
        """Push-to-talk: start an utterance whatever the detector says, or end it at once."""

    def new_conversation(self) -> None:
        """Forget everything said before."""

    def close(self) -> None:
        """End the session."""

    def transcript(self) -> str:
        """The conversation as text; empty when nothing was said."""

    def save_trace(self, path: Path) -> None:
        """Write the session's events so far to `path`, as JSON lines."""

    def choices(self, kind: Kind) -> list[tuple[str, str]]:
        """What can be chosen: value and label of each."""

    def choose(self, kind: Kind, value: str) -> None:
        """Use this device or model from now on."""
