"""What kiosk.toml adds to the system prompt."""

from __future__ import annotations

from edgevoice.settings import KioskSettings


def with_rules(prompt: str, settings: KioskSettings) -> str:
    """`prompt`, with what to say in an emergency and what not to talk about."""
    rules = [prompt]
    if settings.emergency:
        rules.append(f"In an emergency, say: {settings.emergency}")
    if settings.forbidden:
        rules.append(f"Do not talk about {settings.forbidden}; say that you cannot help with that.")
    return " ".join(filter(None, rules))
