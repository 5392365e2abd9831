"""The help: every key, and the spans of the waterfall."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from edgevoice.tui.keys import KEYS
from edgevoice.waterfall import HIDDEN, MEANING, WAIT, WORK


class Help(ModalScreen[None]):
    """Closes with Escape, q or ?."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter,f1", "dismiss", "close"),
        Binding("ctrl+c", "app.quit", "quit", priority=True),
    ]
    DEFAULT_CSS = """
    Help { align: center middle; }
    Help VerticalScroll {
        width: 78; max-width: 96%; height: auto; max-height: 94%;
        padding: 1 2; background: $surface; border: round $primary;
        border-title-color: $text-primary; border-subtitle-color: $foreground-muted;
    }
    """

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = "help"
            box.border_subtitle = "esc closes, ↑ ↓ scroll"
            yield Static(_text())

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()


def _text() -> Content:
    lines = [Content.styled("Keys", "bold")]
    lines += [
        Content.assemble((f"  {key.shown:<9}", "bold $text-accent"), key.meaning) for key in KEYS
    ]
    lines.append(
        Content.assemble(("  Ctrl-P   ", "bold $text-accent"), "search all keys and the themes")
    )
    lines += [
        Content(),
        Content.styled("The waterfall: response time, from your last word to the reply", "bold"),
    ]
    for name, meaning in MEANING.items():
        lines.append(Content.assemble((f"  {name:<13}", "$text-accent"), meaning))
    lines.append(
        Content.assemble(
            "  ",
            (WORK, "$primary"),
            " work  ",
            (WAIT, "$foreground-muted"),
            " waiting  ",
            (HIDDEN, "$foreground-muted"),
            " work in parallel with something slower",
        )
    )
    lines += [
        Content(),
        Content.styled("The reply: text after ▸ has not been played yet.", "$foreground-muted"),
    ]
    return Content("\n").join(lines)
