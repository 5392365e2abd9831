"""Choose devices or models from lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from edgevoice.harmless import one_line
from edgevoice.tui.commands import ChoiceKind

CHOICE_TITLES: dict[ChoiceKind, str] = {
    "input": "Microphone",
    "output": "Speaker",
    "slm": "Language model",
    "stt": "Transcription",
    "tts": "Voice",
}


class SessionChoice(NamedTuple):
    """A chosen device or model; `keep`: for later sessions, too."""

    kind: ChoiceKind
    value: str
    keep: bool


class Choose(ModalScreen["SessionChoice | None"]):
    """Returns the choice, or None; the lists arrive later, through `offer`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "close"),
        Binding("k", "keep", "keep"),
        Binding("ctrl+c", "app.quit", "quit", priority=True),
    ]
    DEFAULT_CSS = """
    Choose { align: center middle; }
    Choose Vertical {
        width: 68; max-width: 96%; height: auto; max-height: 90%;
        padding: 1 2; background: $surface; border: round $primary;
        border-title-color: $text-primary; border-subtitle-color: $foreground-muted;
    }
    Choose OptionList {
        height: auto; max-height: 100%; border: none; padding: 0; background: $surface;
        &:focus { border: none; background-tint: $surface 0%; }
    }
    """

    def __init__(self, title: str, current: Mapping[ChoiceKind, str]) -> None:
        super().__init__()
        self._title = title
        self._current = current
        self._values: dict[str, tuple[ChoiceKind, str]] = {}
        self._keep = False

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            box.border_subtitle = "Enter: for this session, k: keep it, esc closes"
            yield Static("loading the list …", id="looking")

    async def offer(self, lists: Mapping[ChoiceKind, Sequence[tuple[str, str]]]) -> None:
        """Show the choices; `●` marks the one in use."""
        options: list[Option | None] = []
        for kind, choices in lists.items():
            if options:
                options.append(None)
            options.append(Option(Content.styled(CHOICE_TITLES[kind], "bold"), disabled=True))
            for n, (value, label) in enumerate(choices):
                value_shown, label = one_line(value), one_line(label)
                current = self._current.get(kind)
                # The label of a device begins with the name that is shown for it.
                used = current == value_shown or label.startswith(f"{current} (")
                self._values[f"{kind}-{n}"] = (kind, value)
                options.append(Option(Content(f"{'●' if used else '○'} {label}"), f"{kind}-{n}"))
            if not choices:
                options.append(Option("  none found", disabled=True))
        if not self.is_attached:
            return
        await self.query_one("#looking").remove()
        found = OptionList(*options, compact=True)
        await self.query_one(Vertical).mount(found)
        found.focus()
        found.action_first()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return the selected choice."""
        if event.option_id is not None:
            self.dismiss(SessionChoice(*self._values[event.option_id], self._keep))

    def action_keep(self) -> None:
        """Return the selected choice, for later sessions too."""
        self._keep = True
        for found in self.query(OptionList):
            found.action_select()
