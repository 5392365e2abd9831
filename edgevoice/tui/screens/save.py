"""Ask for the file name of a transcript or a trace."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

KINDS = (
    ("transcript.md", "A readable transcript of the conversation, as Markdown."),
    ("trace.jsonl", "Every event with its times, as JSON lines, for `edgevoice bench trace`."),
)
"""The end of the proposed name, and what is saved under such a name."""


class Save(ModalScreen["str | None"]):
    """Returns the typed name, or None. Its ending says what is saved; Tab changes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "close"),
        Binding("tab", "other", "other", priority=True),
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

    def __init__(self, time: str) -> None:
        super().__init__()
        self._prefix = f"edgevoice-{time}-"

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "save"
            box.border_subtitle = "Enter saves, Tab: transcript or trace, esc closes"
            yield Static(KINDS[0][1], id="what", markup=False)
            yield Input(self._prefix + KINDS[0][0], compact=True, select_on_focus=False)

    def on_mount(self) -> None:
        field = self.query_one(Input)
        field.cursor_blink = False
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what is saved under this name."""
        what = KINDS[0 if event.value.lower().endswith(".md") else 1][1]
        self.query_one("#what", Static).update(what)

    def action_other(self) -> None:
        """Propose a name for the other kind."""
        field = self.query_one(Input)
        field.value = self._prefix + KINDS[1 if field.value.endswith(".md") else 0][0]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the name, unless it is empty."""
        if event.value.strip():
            self.dismiss(event.value.strip())
