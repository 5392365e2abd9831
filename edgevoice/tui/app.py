"""The screen: applies events to a Scene and draws it, fifteen times a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar, Literal

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input

from edgevoice.bus import Subscriber
from edgevoice.errors import EdgevoiceError
from edgevoice.events import Event
from edgevoice.harmless import harmless, harmless_event
from edgevoice.places import expanded
from edgevoice.scene import Scene
from edgevoice.timings import TurnTimings
from edgevoice.tui.background_tasks import BackgroundTasks
from edgevoice.tui.commands import ChoiceKind, Commands
from edgevoice.tui.keys import KEYS
from edgevoice.tui.push_to_talk import PushToTalk
from edgevoice.tui.widgets.conversation import TINY, WIDE, Conversation
from edgevoice.tui.widgets.footer import Below, KeyLine
from edgevoice.tui.widgets.machine import MachinePanel
from edgevoice.tui.widgets.status import Banner, DownloadLine, Status
from edgevoice.tui.widgets.waterfall import LastTurns, Waterfall

DRAINS_PER_SECOND = 15
INTERRUPTED = 130
"""The return code after Ctrl-C: 128 + SIGINT, as usual."""
THEMES = {"dark": "nord", "light": "atom-one-light"}


class EdgevoiceApp(App[None]):
    """The conversation, its response times, and the keys to control it.

    `subscribe` is that of a Bus. `commands` is not used before the user presses a key, so the
    assistant may still be loading.
    """

    AUTO_FOCUS = None
    CSS_PATH = "screen.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (TINY, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall"), (32, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key.keys, key.action, key.label or key.title, show=bool(key.label),
                    key_display=key.shown)
            for key in KEYS
        ),
        Binding("ctrl+c", "break", "quit", show=False, priority=True),
    ]  # fmt: skip

    def __init__(
        self,
        commands: Commands,
        subscribe: Callable[[Subscriber], Callable[[], None]],
        theme: Literal["dark", "light"] = "dark",
        title: str = "edgevoice",
    ) -> None:
        super().__init__()
        self.title = title
        self.scene = Scene()
        self._commands = commands
        self._events: deque[Event] = deque()
        # Appending to a deque is atomic and never waits, as the bus requires.
        self._unsubscribe = subscribe(self._events.append)
        self._tasks = BackgroundTasks(self._show_error)
        self._selected: int | None = None
        self._push_to_talk = PushToTalk()
        self._status, self._banner = Status(), Banner()
        self._download = DownloadLine()
        self._conversation, self._below = Conversation(id="conversation"), Below()
        self._waterfall, self._last_turns = Waterfall(), LastTurns()
        self._panel, self._line = MachinePanel(id="panel"), MachinePanel(id="line")
        self.theme = THEMES[theme]

    def compose(self) -> ComposeResult:
        yield self._status
        yield self._banner
        yield self._download
        with Vertical(id="body"):
            with Vertical(id="main"):
                yield self._conversation
                yield self._below
            with Vertical(id="side"):
                yield self._waterfall
                yield self._last_turns
                yield self._panel
        yield Input(placeholder="type a question, Enter asks, esc closes", id="typed", compact=True)
        yield self._line
        yield KeyLine()

    def on_mount(self) -> None:
        self._conversation.border_title = Content(self.title).markup
        self._last_turns.border_title = "last turns"
        self._panel.border_title = "runs on"
        self.query_one("#typed", Input).cursor_blink = False
        self.set_interval(1 / DRAINS_PER_SECOND, self.drain)
        self.call_after_refresh(self.drain)

    def on_unmount(self) -> None:
        self._unsubscribe()

    def on_resize(self) -> None:
        self.call_after_refresh(self.drain)

    def drain(self) -> None:
        """Apply all new events and show what changed."""
        for _ in range(len(self._events)):
            event = harmless_event(self._events.popleft())
            self._push_to_talk.on_event(event)
            self.scene.apply(event)
        self._tasks.drain()
        self._talk(self._push_to_talk.tick(time.monotonic()))
        scene, turn = self.scene, self.turn
        self._status.show(scene, self._push_to_talk.on)
        self._banner.show(scene)
        self._download.show(scene)
        self._waterfall.show(scene, turn, alone=not self._last_turns.display)
        self._last_turns.show(scene, turn)
        self._panel.show(scene)
        self._line.show(scene)
        self._conversation.show(scene, self._selected)
        self._below.shown = self._conversation.new_below

    @property
    def turn(self) -> TurnTimings | None:
        """The turn in the waterfall: the selected turn, else the last audible one."""
        audible = self._audible()
        selected = (turn for turn in audible if turn.turn == self._selected)
        return next(selected, audible[-1] if audible else None)

    def _audible(self) -> list[TurnTimings]:
        timings, live = self.scene.timings, self.scene.live
        turns, current = timings.turns, timings.current
        if current and live and current.turn == live.turn and current.response_time is not None:
            turns.append(current)
        return turns

    def _do(self, command: Callable[[], None]) -> None:
        try:
            command()
        except EdgevoiceError as error:
            self._show_error(error)

    def _show_error(self, error: EdgevoiceError) -> None:
        text = f"{error.what} ({error.where})" if error.where else error.what
        self._notify(f"{text}\n{error.remedy}".rstrip(), title="failed", severity="error")

    def _notify(self, text: str, **how: Any) -> None:
        self.notify(harmless(text), markup=False, **how)

    def _check_listens(self) -> bool:
        if not self.scene.listens:
            self.notify("The models are still loading.", severity="warning")
        return self.scene.listens

    def action_talk(self) -> None:
        """Start an utterance; a second press, or releasing the key, ends it."""
        if self._push_to_talk.on or self._check_listens():
            self._talk(self._push_to_talk.press(time.monotonic()))

    def _talk(self, on: bool | None) -> None:
        if on is not None:
            self._do(partial(self._commands.talk, on))

    def action_ask(self) -> None:
        """Open the input line."""
        typed = self.query_one("#typed", Input)
        typed.add_class("-open")
        typed.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Ask the typed question, and close the input line.

        It stays open where questions are typed and replies are read.
        """
        if event.input.id != "typed" or (event.value.strip() and not self._check_listens()):
            return
        if question := event.value.strip():
            self._do(partial(self._commands.say, question))
            event.input.clear()
        if not question or self.scene.speaks:
            self._close_typed()

    def _close_typed(self) -> None:
        typed = self.query_one("#typed", Input)
        typed.clear()
        typed.remove_class("-open")
        self.set_focus(None)

    def action_stop(self) -> None:
        """Close the input line, or else stop the reply."""
        if self.query_one("#typed").has_class("-open"):
            self._close_typed()
        else:
            self._do(self._commands.interrupt)

    def action_mute(self) -> None:
        """Mute, or unmute."""
        self._do(partial(self._commands.mute, not self.scene.muted))

    def action_voice(self) -> None:
        """Speak the replies, or only show them."""
        self._do(partial(self._commands.speak, not self.scene.speaks))

    def action_new(self) -> None:
        """Begin a new conversation."""
        self._do(self._commands.new_conversation)

    def action_help(self) -> None:
        """Show every key."""
        from edgevoice.tui.screens.help import Help

        self.push_screen(Help())

    def action_devices(self) -> None:
        """Choose microphone and speaker."""
        self._choose("devices", ("input", "output"))

    def action_models(self) -> None:
        """Choose the models."""
        self._choose("models", ("slm", "stt", "tts"))

    def _choose(self, title: str, kinds: tuple[ChoiceKind, ...]) -> None:
        from edgevoice.tui.screens.choose import CHOICE_TITLES, Choose, SessionChoice

        used = {**self.scene.models, **self.scene.devices}
        screen = Choose(title, {kind: used.get(kind, "") for kind in kinds})

        def chosen(choice: SessionChoice | None) -> None:
            if choice:

                def change() -> Callable[[], object]:
                    self._commands.choose(*choice)
                    until = "kept in the settings" if choice.keep else "for this session"
                    text = f"{CHOICE_TITLES[choice.kind]}: {choice.value} ({until})"
                    return partial(self._notify, text)

                self._tasks.do(change)

        def list_choices() -> Callable[[], object]:
            try:
                lists = {kind: self._commands.choices(kind) for kind in kinds}
            except EdgevoiceError as error:
                return partial(fail, error)
            return partial(self.call_later, screen.offer, lists)

        def fail(error: EdgevoiceError) -> None:
            if self.screen is screen:
                screen.dismiss(None)
            self._show_error(error)

        self.push_screen(screen, chosen)
        self._tasks.do(list_choices)

    def action_theme(self) -> None:
        """Switch between light and dark."""
        self.theme = THEMES["light" if self.current_theme.dark else "dark"]

    def action_copy(self) -> None:
        """Copy the conversation to the terminal's clipboard."""
        text = harmless(self._commands.transcript())
        if text.strip():
            self.copy_to_clipboard(text)
            self.notify("The conversation is on the clipboard, if your terminal allows it.")
        else:
            self.notify("The conversation is still empty.", severity="warning")

    def action_save(self) -> None:
        """Save a transcript, or the session's events."""
        from edgevoice.tui.screens.save import Save

        def save(name: str | None) -> None:
            if name:

                def write() -> Callable[[], object]:
                    path = expanded(name)
                    self._commands.save(path)
                    return partial(self._notify, f"Saved to {path.absolute()}")

                self._tasks.do(write)

        self.push_screen(Save(time.strftime("%Y%m%d-%H%M%S")), save)

    def action_older(self) -> None:
        """Show the waterfall of the previous turn."""
        self._select(-1)

    def action_newer(self) -> None:
        """Show the waterfall of the next turn; after the last one, follow the newest turn."""
        self._select(+1)

    def _select(self, step: int) -> None:
        shown = self.turn
        if shown is None:
            return
        numbers = [turn.turn for turn in self._audible()]
        at = max(0, numbers.index(shown.turn) + step)
        self._selected = numbers[at] if at < len(numbers) - 1 else None
        self.drain()
        conversation = self._conversation
        if self._selected is None:
            conversation.scroll_end(animate=False)
        else:
            conversation.reveal(self._selected)

    def action_page(self, pages: int) -> None:
        """Scroll the conversation by `pages`; negative values scroll back."""
        page = max(1, self._conversation.size.height - 2)
        self._conversation.scroll_relative(y=pages * page, animate=False)

    def action_start(self) -> None:
        """Go to the first exchange."""
        self._conversation.scroll_home(animate=False)

    def action_end(self) -> None:
        """Go to the end of the conversation, and to the newest turn."""
        self._selected = None
        self._conversation.scroll_end(animate=False)

    async def action_quit(self) -> None:
        """End the session and the screen."""
        self._do(self._commands.close)
        self.exit()

    async def action_break(self) -> None:
        """Quit with the return code of Ctrl-C."""
        self._do(self._commands.close)
        self.exit(return_code=INTERRUPTED)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette: every key, and Textual's list of themes."""
        for key in KEYS:
            yield SystemCommand(
                key.title, f"{key.meaning} · {key.shown}", partial(self.run_action, key.action)
            )
        yield SystemCommand("Theme", "choose among all themes", self.action_change_theme)
