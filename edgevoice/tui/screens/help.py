"""Every key, and what the rows of the waterfall mean."""

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
        Content.assemble(("  Ctrl-P   ", "bold $text-accent"), "the same as a list to search")
    )
    lines += [
        Content(),
        Content.styled("The waterfall: from your last word to the first sound", "bold"),
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
            " work hidden behind something slower",
        )
    )
    lines += [
        Content(),
        Content.styled("The reply: what follows ▸ has not been spoken yet.", "$foreground-muted"),
    ]
    return Content("\n").join(lines)
