"""The lines at the bottom: the keys, and a reply that is out of sight."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from edgevoice.tui.keys import KEYS, KeyBinding

KEY_LINES = 2
"""Lines that the keys may take; where they need more, the last ones are only in the help."""
TALL_SCREEN = 20
"""Rows of the screen from which there is room for KEY_LINES."""


class KeyLine(Widget):
    """The keys with labels, wrapped between them. A click on a label presses its key."""

    DEFAULT_CSS = """
    KeyLine { height: auto; padding: 0 1; color: $foreground-muted;
              link-color: $foreground-muted; link-style: none; }
    """

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return Content.from_markup("\n".join(map(_markup, self._lines(self.content_size.width))))

    def _lines(self, width: int) -> list[list[KeyBinding]]:
        return wrapped(width, KEY_LINES if self.app.size.height >= TALL_SCREEN else 1)


def wrapped(width: int, most: int) -> list[list[KeyBinding]]:
    """The keys of the footer in at most `most` lines of `width` cells; the last ones are left
    out."""
    lines: list[list[KeyBinding]] = [[]]
    for key in KEYS:
        if key.label and sum(map(_cells, lines[-1])) + _cells(key) > width + 1:
            lines.append([])
        if key.label:
            lines[-1].append(key)
    return lines[:most]


def _cells(key: KeyBinding) -> int:
    """Its width, with a space after it."""
    return len(key.shown) + len(key.label) + 2


def _markup(line: list[KeyBinding]) -> str:
    # A link has one style, so that only the label is one.
    return " ".join(
        f"[bold $text-primary]{key.shown}[/] [@click=app.{key.action}]{key.label}[/]"
        for key in line
    )


class Below(Widget):
    """Says that there is a new reply below what is visible; hidden otherwise."""

    DEFAULT_CSS = """
    Below { height: 1; padding: 0 1; background: $panel; color: $text-accent; display: none; }
    """

    shown: reactive[bool] = reactive(False)

    def watch_shown(self, shown: bool) -> None:
        self.display = shown

    def render(self) -> str:
        return "↓ new reply below: End shows it"
