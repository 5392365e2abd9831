"""The commands that the screen sends to the session."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

ChoiceKind = Literal["input", "output", "slm", "stt", "tts"]


class Commands(Protocol):
    """The commands behind the keys. All may raise EdgevoiceError, which the screen shows.

    `choices`, `choose` and `save` may take seconds and are called from a worker thread. The others
    return at once.
    """

    def interrupt(self) -> None:
        """Stop the reply at once."""

    def mute(self, on: bool) -> None:
        """Stop or start listening to the microphone."""

    def speak(self, on: bool) -> None:
        """Speak the replies, or only show them."""

    def say(self, text: str) -> None:
        """Ask a typed question."""

    def talk(self, on: bool) -> None:
        """Push-to-talk: start an utterance regardless of speech detection, or end it at once."""

    def new_conversation(self) -> None:
        """Clear the conversation's history."""

    def close(self) -> None:
        """End the session."""

    def transcript(self) -> str:
        """The conversation as text; may be empty."""

    def save(self, path: Path) -> None:
        """Write the transcript to `path` if it ends in .md, else the events as JSON lines."""

    def choices(self, kind: ChoiceKind) -> list[tuple[str, str]]:
        """The available choices as (value, label)."""

    def choose(self, kind: ChoiceKind, value: str, keep: bool) -> None:
        """Use this device or model for this session; with `keep` also in later ones."""
