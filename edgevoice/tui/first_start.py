"""The questions of the first start: language, voice, whether the microphone is heard, and whether
the reference model is downloaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Protocol

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from edgevoice.errors import EdgevoiceError
from edgevoice.harmless import one_line
from edgevoice.tui.background_tasks import BackgroundTasks
from edgevoice.tui.widgets.status import meter

LEVEL_CELLS = 40
UPDATES_PER_SECOND = 10
STEPS = ("Language", "Voice", "Microphone", "Better answers")
HINTS = (
    "↑ ↓ choose, Enter: next",
    "↑ ↓ choose, space: listen, Enter: next",
    "Say something: the bar should move. Enter: next",
    "↑ ↓ choose, Enter: start",
)
LEAVE = "Esc takes the rest as it is, Ctrl-C leaves and changes nothing"

Choices = Sequence[tuple[str, str]]


class FirstStart(Protocol):
    """What the questions are about. The first choice of a list is the default.

    `listen`, `open_microphone` and `reference` may take long and are called from another thread.
    """

    status: str
    """What is being done at the moment, for example a download; may be empty."""
    level: float
    """The level of the microphone in dBFS, once it is open."""
    loudest: float
    """The highest level so far."""

    def languages(self) -> Choices:
        """The languages as (code, label)."""

    def voices(self, language: str) -> Choices:
        """The voices of a language as (name, label)."""

    def listen(self, language: str, voice: str) -> None:
        """Play a sample of a voice. Raises EdgevoiceError."""

    def open_microphone(self) -> str:
        """Open the microphone, and follow its level; returns its name. Raises EdgevoiceError."""

    def offers_reference(self, language: str) -> bool:
        """Whether to ask about the reference model, as far as that is known at once."""

    def reference(self) -> str:
        """What the reference model offers and costs; empty: do not ask."""


class FirstStartApp(App["dict[str, str] | None"]):
    """Returns the chosen settings by `section.key`, or None after Ctrl-C."""

    CSS = """
    Screen { align: center middle; }
    Vertical {
        width: 68; max-width: 96%; height: auto; max-height: 94%; padding: 1 2;
        background: $surface; border: round $primary; border-title-color: $text-primary;
    }
    OptionList {
        height: auto; max-height: 12; border: none; padding: 0; background: $surface;
        &:focus { border: none; background-tint: $surface 0%; }
    }
    #hint { margin-top: 1; color: $foreground-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", priority=True),
        Binding("space", "listen", priority=True),
        Binding("escape", "skip", priority=True),
        Binding("ctrl+c", "leave", priority=True),
    ]

    def __init__(self, first_start: FirstStart) -> None:
        super().__init__()
        self.theme = "nord"
        self._about = first_start
        self._tasks = BackgroundTasks(self._fail)
        self._step = 0
        self._choices: Choices = first_start.languages()
        self._language = self._choices[0][0]
        self._chosen: dict[str, str] = {"stt.language": self._language}
        self._microphone = ""
        self._problem = ""
        self._listening = False
        self._steps = len(STEPS) - (not first_start.offers_reference(self._language))

    def compose(self) -> ComposeResult:
        with Vertical():
            yield OptionList(compact=True)
            yield Static(id="state", markup=False)
            yield Static(id="hint", markup=False)

    def on_mount(self) -> None:
        self._show()
        self.set_interval(1 / UPDATES_PER_SECOND, self.update)

    def update(self) -> None:
        """Show the level, and what is being done or has failed."""
        self._tasks.drain()
        state = self.query_one("#state", Static)
        if self._step == len(STEPS) - 1:
            waits = "" if self._choices else "measuring this machine for some seconds …"
            state.update(one_line(self._problem) or waits)
        elif self._problem or self._listening or self._step < STEPS.index("Microphone"):
            state.update(one_line(self._problem or (self._about.status * self._listening)))
        elif self._microphone:
            lit = meter(self._about.level, LEVEL_CELLS)
            bar = Content.assemble(
                (f"{one_line(self._microphone)}\n", ""),
                ("━" * lit, "$text-success"),
                ("─" * (LEVEL_CELLS - lit), "$foreground-disabled"),
                f" {round(self._about.level):>4} dB",
            )
            state.update(bar)
        else:
            state.update("opening the microphone …")

    def _show(self) -> None:
        box, listed = self.query_one(Vertical), self.query_one(OptionList)
        box.border_title = f"{self._step + 1} of {self._steps} · {STEPS[self._step]}"
        listed.clear_options()
        listed.add_options([Option(Content(one_line(label))) for _, label in self._choices])
        listed.display = bool(self._choices)
        if self._choices:
            listed.highlighted = 0
            listed.focus()
        hint = HINTS[self._step]
        if self._step == self._steps - 1:
            hint = hint.replace("Enter: next", "Enter: start")
        self.query_one("#hint", Static).update(f"{hint}\n{LEAVE}")
        self.update()

    @property
    def _value(self) -> str:
        at = self.query_one(OptionList).highlighted
        return self._choices[at][0] if at is not None and self._choices else ""

    def action_next(self) -> None:
        """Take the selected choice, and ask the next question."""
        value, default = self._value, self._choices[0][0] if self._choices else ""
        self._problem = ""
        if self._step == 0:
            self._language = self._chosen["stt.language"] = value
            self._choices = self._about.voices(value)
            self._steps = len(STEPS) - (not self._about.offers_reference(value))
        elif self._step == 1:
            if value != default:
                self._chosen["models.tts"] = value
            self._choices = ()
            self._tasks.do(self._open_microphone)
        elif self._step == self._steps - 1:
            if value:
                self._chosen["models.reference"] = value
            self.exit(self._chosen)
            return
        else:
            self._tasks.do(self._offer_reference)
        self._step += 1
        self._show()

    def _open_microphone(self) -> Callable[[], object]:
        return partial(setattr, self, "_microphone", self._about.open_microphone())

    def _offer_reference(self) -> Callable[[], object]:
        return partial(self._offer, self._about.reference())

    def _offer(self, offer: str) -> None:
        if not offer:
            self.exit(self._chosen)
            return
        self._choices = (("yes", offer), ("no", "Not this model"))
        self._show()

    def action_listen(self) -> None:
        """Play a sample of the selected voice."""
        if self._step == 1 and self._value and not self._listening:
            language, voice = self._language, self._value
            self._problem, self._listening = "", True

            def listen() -> Callable[[], object]:
                self._about.listen(language, voice)
                return self._listened

            self._tasks.do(listen)

    def _listened(self) -> None:
        self._listening = False

    def _fail(self, error: EdgevoiceError) -> None:
        self._listening = False
        self._problem = f"{error.what}: {error.remedy}" if error.remedy else error.what

    def action_skip(self) -> None:
        """Take what is not asked yet as it is."""
        self.exit(self._chosen)

    def action_leave(self) -> None:
        """Leave without any choice."""
        self.exit(None)
