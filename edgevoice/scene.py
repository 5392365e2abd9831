"""What the screen and the plain lines show, as a pure fold over events.

Only `apply` changes a Scene. It is independent of terminals. Rows have a `revision` that grows with
each change, so that a reader redraws only changed rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Union

from edgevoice import events as ev
from edgevoice.exchange import Exchange
from edgevoice.timings import Timings, TurnTimings

AssistantState = Literal[
    "loading", "asleep", "listening", "hearing", "thinking", "speaking", "paused", "muted", "ended"
]

MAX_ROWS = 500
"""Maximum rows of conversation; a session may run for weeks."""


@dataclass(slots=True, eq=False)
class Remark:
    """A line between exchanges: a minor note, a notice to read, or a failure with its remedy."""

    kind: Literal["note", "notice", "failure"]
    text: str
    remedy: str = ""
    count: int = 1
    """How many times it was repeated in a row."""
    revision: int = 0


SceneRow = Union[Exchange, Remark]


@dataclass(slots=True)
class Loading:
    """An engine that loads since session time `since`, or has loaded in `seconds`; None while it
    loads."""

    model: str
    since: float
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """A lost device, and how to get it back."""

    name: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Download:
    """A model that is downloaded in the background, and how much of it is here, in bytes."""

    model: str
    done: int
    total: int

    @property
    def text(self) -> str:
        """For example: `downloading phi-3-mini: 43 % of 2.4 GB`."""
        percent = self.done * 100 // max(1, self.total)
        return f"downloading {self.model}: {percent} % of {self.total / 1e9:.1f} GB"


NOT_RECOGNIZED = "no words recognized"
DEVICE_WORDS = {"input": "microphone", "output": "speaker"}


class Scene:
    """Everything to be shown, folded from events. Not thread-safe."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._max_rows = max_rows
        self.rows: list[SceneRow] = []
        self.now = 0.0
        """Session time of the newest event; there is one each second."""
        self.revision = 0
        """Grows when a row is added, removed or changed."""
        self.timings = Timings()
        self.version = ""
        self.models: dict[str, str] = {}
        self.languages: tuple[str, ...] = ()
        self.loading: dict[str, Loading] = {}
        self.devices: dict[str, str] = {}
        self.lost: dict[str, Lost] = {}
        self.download: Download | None = None
        self.listens = False
        """Whether it listens; it may reply only once it is `ready`."""
        self.ready = False
        self.muted = False
        self.timers: tuple[ev.TimerShown, ...] = ()
        """Timers, alarms and reminders, the next one first."""
        self.speaks = True
        """Whether replies are spoken, not only shown."""
        self.awake = True
        """Whether it is activated, and answers speech."""
        self.word = ""
        """The wake word; empty without one."""
        self.ended: str | None = None
        """Why the session ended; None while it runs."""
        self.dbfs = -120.0
        self.speech = 0.0
        self.cpu: float | None = None
        self.rss: int | None = None
        self.underruns = 0
        self.overruns = 0
        self._resumed: dict[int, str] = {}
        self._dismissed: dict[int, str] = {}
        """By the turn of a reply: speech that did not interrupt it."""

    @property
    def live(self) -> Exchange | None:
        """The newest exchange that is not over."""
        for row in reversed(self.rows):
            if isinstance(row, Exchange) and row.phase != "over":
                return row
        return None

    @property
    def state(self) -> AssistantState:
        """What the assistant is doing now."""
        if self.ended is not None:
            return "ended"
        if not self.listens:
            return "loading"
        live = self.live
        if live is not None and live.phase != "over":
            return "paused" if self._is_paused(live) else live.phase
        return "muted" if self.muted else "listening" if self.awake else "asleep"

    def _is_paused(self, live: Exchange) -> bool:
        """Whether the reply of `live`, or the reply that it may interrupt, is paused."""
        reply = live if live.interrupts is None else self.exchange(live.interrupts)
        return reply is not None and reply.paused and reply.phase != "over"

    @property
    def pending(self) -> list[str]:
        """Roles whose engines are still loading."""
        return [role for role, loading in self.loading.items() if loading.seconds is None]

    def loaded_for(self, role: str) -> float:
        """The seconds for which an engine has been loading, or took to load."""
        loading = self.loading[role]
        return self.now - loading.since if loading.seconds is None else loading.seconds

    def asked_in(self, exchange: Exchange) -> str:
        """The language code of the question; empty with a single language."""
        return exchange.language if len(self.languages) > 1 else ""

    def exchange(self, turn: int) -> Exchange | None:
        """The exchange of this turn, if it is still in the conversation."""
        for row in reversed(self.rows):
            if isinstance(row, Exchange) and row.turn == turn:
                return row
        return None

    def timing(self, turn: int) -> TurnTimings | None:
        """The timings of an answered turn."""
        return next((t for t in reversed(self.timings.turns) if t.turn == turn), None)

    def apply(self, event: ev.Event) -> None:
        """Apply the next event; events must come in order."""
        self.now = max(self.now, event.t)
        self.timings.add(event)
        match event:
            case ev.TurnStarted():
                self._start(event)
            case ev.TurnCancelled():
                self._cancel(event)
            case ev.Level():
                self.dbfs, self.speech = event.dbfs, event.speech
            case ev.Resources():
                self.cpu, self.rss = event.cpu, event.rss
            case ev.Muted():
                self.muted = event.on
            case ev.SpeechOutput():
                self.speaks = event.on
            case ev.ActivationMode():
                self.word, self.awake = event.word, event.mode == "always"
            case ev.Activated() | ev.Deactivated():
                self.awake = isinstance(event, ev.Activated)
            case ev.Overrun():
                self.overruns += event.count
            case ev.Underrun():
                self.underruns += event.count
            case ev.StageFailed():
                self._remark("failure", f"{event.stage}: {event.what}", event.remedy)
            case ev.TimersChanged():
                self.timers = event.timers
            case ev.Notice():
                self._remark("notice", event.text)
            case ev.DownloadProgress():
                self.download = Download(event.model, event.done, event.total)
            case ev.DownloadEnded():
                self.download = None
                result = f"not downloaded: {event.problem}" if event.problem else "downloaded"
                later = "" if event.problem else ": the next conversation uses it"
                self._remark("notice", f"{event.model} is {result}{later}")
            case ev.ToolReturned():
                self._remark("note", f"{event.name}: {event.result}")
            case ev.HistoryTrimmed():
                self._remark(
                    "note",
                    f"the context was full: the oldest {event.messages} messages were removed",
                )
            case ev.PlaybackResumed():
                self._resume(event)
            case ev.ConversationCleared():
                self.rows.clear()
                self._remark("note", "new conversation")
            case (
                ev.SessionStarted()
                | ev.EngineLoading()
                | ev.EngineReady()
                | ev.Listening()
                | ev.Ready()
                | ev.SessionEnded()
                | ev.DeviceLost()
                | ev.DeviceRestored()
            ):
                self._update_session(event)
            case _:
                turn = getattr(event, "turn", None)
                exchange = None if turn is None else self.exchange(turn)
                if exchange is not None and exchange.apply(event):
                    self._touch(exchange)

    def _update_session(self, event: ev.Event) -> None:
        match event:
            case ev.SessionStarted():
                # A changed device or model starts another session in the same stream.
                self.listens = self.ready = self.muted = False
                self.speaks = True
                self.ended = None
                self.loading.clear()
                self.version = event.version
                self.models.update(event.models)
                self.languages = event.languages
                self.devices = {"input": event.input, "output": event.output}
            case ev.EngineLoading():
                self.loading[event.role] = Loading(event.model, event.t)
            case ev.EngineReady():
                self.loading[event.role] = Loading(event.model, event.t, event.seconds)
                self.models[event.role] = event.model
            case ev.Listening():
                self.listens = True
            case ev.Ready():
                self.listens = self.ready = True
            case ev.SessionEnded():
                self.ended = event.reason
                for row in self.rows:
                    if isinstance(row, Exchange) and row.phase != "over":
                        row.phase, row.ending = "over", "shutdown"
                        self._touch(row)
            case ev.DeviceLost():
                self.lost[event.kind] = Lost(event.name, event.remedy)
            case ev.DeviceRestored():
                self.devices[event.kind] = event.name
                lost = self.lost.pop(event.kind, None)
                what = "back" if lost and lost.name == event.name else "now"
                self._remark("note", f"the {DEVICE_WORDS[event.kind]} is {what}: {event.name}")
            case _:
                pass

    def _start(self, event: ev.TurnStarted) -> None:
        exchange = Exchange(event.turn, event.origin, event.interrupts)
        exchange.phase = "thinking" if event.origin == "text" else "hearing"
        if event.replaces is not None:
            # The text before the pause is shown until the longer text is known.
            if replaced := self.exchange(event.replaces):
                exchange.question = replaced.question
                self._drop(replaced)
            else:
                exchange.question = self._resumed.pop(event.replaces, "")
        self._resumed.clear()
        self._add(exchange)

    def _cancel(self, event: ev.TurnCancelled) -> None:
        exchange = self.exchange(event.turn)
        if exchange is None:
            return
        match event.reason:
            case "resumed":
                self._resumed[event.turn] = exchange.question
                self._drop(exchange)
                return
            case "no_speech" | "backchannel" if exchange.interrupts is not None:
                self._drop(exchange)
                what = f'"{event.detail}"' if event.reason == "backchannel" else NOT_RECOGNIZED
                self._dismissed = {exchange.interrupts: what}
                return
            case "stop_command":
                self._drop(exchange)
                self._remark("note", f'stop command: "{event.detail}"')
                return
            case "no_speech" | "backchannel":
                self._drop(exchange)
                self._remark("note", f"{NOT_RECOGNIZED}: {event.detail}".removesuffix(": "))
                return
            case "barge_in" | "interrupted":
                exchange.ending = "interrupted"
            case "failed" | "shutdown":
                exchange.ending = event.reason
        exchange.phase, exchange.detail = "over", event.detail
        exchange.quieter = exchange.paused = False
        self._touch(exchange)

    def _resume(self, event: ev.PlaybackResumed) -> None:
        exchange = self.exchange(event.turn)
        if exchange is not None and (exchange.quieter or exchange.paused):
            exchange.quieter = exchange.paused = False
            self._touch(exchange)
        what = self._dismissed.pop(event.turn, NOT_RECOGNIZED)
        if event.held:
            self._remark("note", f"continues: {what}")

    def _remark(self, kind: Literal["note", "notice", "failure"], text: str, fix: str = "") -> None:
        last = self.rows[-1] if self.rows else None
        if (
            isinstance(last, Remark)
            and last.kind == kind
            and (last.text, last.remedy) == (text, fix)
        ):
            last.count += 1
            self._touch(last)
        else:
            self._add(Remark(kind, text, fix))

    def _add(self, row: SceneRow) -> None:
        self.rows.append(row)
        if len(self.rows) > self._max_rows:
            del self.rows[: len(self.rows) - self._max_rows]
        self.revision += 1

    def _drop(self, row: SceneRow) -> None:
        self.rows.remove(row)
        self.revision += 1

    def _touch(self, row: SceneRow) -> None:
        row.revision += 1
        self.revision += 1
