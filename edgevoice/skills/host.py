"""What skills may change in a session."""

from __future__ import annotations

from typing import Protocol


class Host(Protocol):
    """A session, as skills see it. All may be called from any thread, and return at once."""

    volume: float
    """Loudness of the replies, from 0 to 1."""
    speed: float
    """Speaking rate, as a factor of the setting."""

    def mute(self, on: bool) -> None:
        """Mute or unmute the microphone."""

    def start_over(self) -> None:
        """Forget the conversation; the reply under way is still played."""

    def stop_ringing(self) -> bool:
        """Stop a timer that rings; false if none does."""

    def languages(self) -> tuple[str, ...]:
        """The languages that are understood and spoken."""
