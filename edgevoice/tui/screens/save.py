"""Ask for the file name of a trace."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class Save(ModalScreen["str | None"]):
    """Returns the typed name, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "close"),
        Binding("ctrl+c", "app.quit", "quit", priority=True),
    ]
    DEFAULT_CSS = """
    Save { align: center middle; }
    Save Vertical {
        width: 68; max-width: 96%; height: auto; padding: 1 2; background: $surface;
        border: round $primary; border-title-color: $text-primary;
        border-subtitle-color: $foreground-muted;
    }
    Save Input { margin-top: 1; background: $panel; }
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "save trace"
            box.border_subtitle = "Enter saves, esc closes"
            yield Static("Save this session's events, with the text of the conversation, to:")
            yield Input(self._name, compact=True, select_on_focus=False)

    def on_mount(self) -> None:
        field = self.query_one(Input)
        field.cursor_blink = False
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the name, unless it is empty."""
        if event.value.strip():
            self.dismiss(event.value.strip())
