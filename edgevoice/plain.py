"""The conversation as plain lines, for pipes and screen readers: everything the screen tells.

`PlainPrinter` is subscribed to the bus and calls `write` once a line, newline included. A pipe may
stall, and the bus must not: `LineWriter` takes the lines away to a thread of its own.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TextIO

from edgevoice import events as ev
from edgevoice.exchange import Exchange
from edgevoice.harmless import one_line
from edgevoice.scene import DEVICE_WORDS, Remark, Scene
from edgevoice.waterfall import render_waterfall, sentence

_TAIL_WORDS = 4


class PlainPrinter:
    """Turns events into lines of text without control characters.

    With `waterfall` every turn's timings are drawn as bars of `width` characters too.
    """

    def __init__(
        self, write: Callable[[str], None], *, waterfall: bool = False, width: int = 80
    ) -> None:
        self._write = write
        self._waterfall = waterfall
        self._width = width
        self._scene = Scene()
        self._due: list[tuple[float, int, int]] = []
        """Clauses given to the speaker but not audible yet: time, turn, clause."""
        self._asked: int | None = None
        """The turn whose question was written last."""
        self._broke: int | None = None
        """The turn whose interruption was written last."""
        self._mode = "always"

    def __call__(self, event: ev.Event) -> None:
        """Take one event and write the lines it makes, if any."""
        self._speak(event.t)
        before = self._last_remark()
        self._scene.apply(event)
        match event:
            case ev.SessionStarted():
                self._line(f"edgevoice {event.version}, loading …")
            case ev.EngineLoading():
                self._line(f"loading {event.role}: {event.model}")
            case ev.EngineReady():
                self._line(f"loaded {event.role}: {event.model} in {event.seconds:.1f} s")
            case ev.Listening():
                self._line("listening, while the rest is loaded")
            case ev.Ready():
                self._ready()
            case ev.SessionEnded():
                self._line(f"ended: {event.reason.replace('_', ' ')}")
            case ev.Muted():
                self._line("microphone muted" if event.on else "microphone on")
            case ev.ActivationMode():
                self._mode = event.mode
            case ev.Activated():
                self._line("awake" if event.by == "wake_word" else "listening to you")
            case ev.Deactivated():
                self._line(self._asleep())
            case ev.DeviceLost():
                self._line(f"! {DEVICE_WORDS[event.kind]} lost: {event.name}")
                self._fix(event.remedy)
            case ev.Underrun():
                self._line(f"! the speaker ran dry {_times(event.count)}")
            case ev.Overrun():
                self._line(f"! microphone samples were lost {_times(event.count)}")
            case _:
                self._turn(event)
        remark = self._last_remark()
        if remark is not None and remark != before:
            self._remark(remark[0])

    def _turn(self, event: ev.Event) -> None:
        match event:
            case ev.TurnCommitted() | ev.FinalTranscript():
                exchange = self._scene.exchange(event.turn)
                # Whichever comes last: an uncommitted question may yet become a longer one.
                if exchange and exchange.committed and exchange.final:
                    self._question(exchange)
            case ev.PlaybackStarted():
                self._due.append((event.at, event.turn, event.clause))
                self._speak(event.t)
            case ev.PlaybackPaused():
                self._line("(paused: listening to you)")
            case ev.TurnCancelled():
                self._due = [due for due in self._due if due[1] != event.turn]
                exchange = self._scene.exchange(event.turn)
                if exchange and exchange.ending == "interrupted":
                    self._interrupted(exchange)
                elif event.reason == "failed":
                    self._line(f"(no answer: {event.detail})" if event.detail else "(no answer)")
            case ev.TurnCompleted():
                if event.interrupted:
                    self._due = [due for due in self._due if due[1] != event.turn]
                self._speak(float("inf"))
                exchange = self._scene.exchange(event.turn)
                if exchange and exchange.ending == "interrupted":
                    self._interrupted(exchange)
                self._timings(event.turn)
            case _:
                pass

    def _question(self, exchange: Exchange) -> None:
        if self._asked != exchange.turn and exchange.question:
            self._asked = exchange.turn
            language = self._scene.asked_in(exchange)
            who = f"you ({language})" if language else "you"
            self._line(f"{who}: {exchange.question}")

    def _ready(self) -> None:
        scene = self._scene
        models = ", ".join(f"{role} {name}" for role, name in scene.models.items())
        self._line(f"ready: {models}" if models else "ready")
        for kind, words in DEVICE_WORDS.items():
            if name := scene.devices.get(kind):
                self._line(f"{words}: {name}")
        if self._mode != "always":
            self._line(self._asleep())

    def _asleep(self) -> str:
        if self._mode == "push":
            return "not listening: `edgevoice ptt` begins and ends what you say"
        return f'asleep: say "{self._scene.word}"'

    def _speak(self, now: float) -> None:
        """Write the clauses that have become audible by `now`."""
        while self._due and self._due[0][0] <= now:
            _, turn, clause = self._due.pop(0)
            exchange = self._scene.exchange(turn)
            if exchange and (text := exchange.clauses.get(clause, "").strip()):
                self._line(f"edgevoice: {text}")

    def _interrupted(self, exchange: Exchange) -> None:
        if self._broke == exchange.turn:
            return
        self._broke = exchange.turn
        words = exchange.heard.split()[-_TAIL_WORDS:]
        self._line(f'(interrupted after "{" ".join(words)}")' if words else "(interrupted)")

    def _timings(self, turn: int) -> None:
        timing = self._scene.timing(turn)
        if timing is None or timing.gap is None:
            return
        self._line(sentence(timing))
        if self._waterfall:
            for line in render_waterfall(timing, self._width):
                self._line(line)

    def _last_remark(self) -> tuple[Remark, int] | None:
        last = self._scene.rows[-1] if self._scene.rows else None
        return (last, last.count) if isinstance(last, Remark) else None

    def _remark(self, remark: Remark) -> None:
        match remark.kind:
            case "note":
                self._line(f"({remark.text})")
            case "notice":
                self._line(f"note: {remark.text}")
            case "failure":
                self._line(f"! failed: {remark.text}")
                self._fix(remark.remedy)

    def _fix(self, remedy: str) -> None:
        if remedy:
            self._line(f"  fix: {remedy}")

    def _line(self, text: str) -> None:
        self._write(one_line(text.rstrip()) + "\n")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


class LineWriter:
    """Writes and flushes each line to `stream` on its own thread; used as a context manager.

    When the reader of the stream has gone, or the disk behind it is full, `on_broken` is called
    once, lines are dropped, and `failure` says why.
    """

    def __init__(self, stream: TextIO, on_broken: Callable[[], None] = lambda: None) -> None:
        self._stream = stream
        self._on_broken = on_broken
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)

    def __call__(self, line: str) -> None:
        """Queue `line`, which ends in a newline; never waits."""
        self._lines.put(line)

    def __enter__(self) -> LineWriter:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Wait until everything queued is written, but not for a reader that has stalled."""
        self._lines.put(None)
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        broken = False
        while (line := self._lines.get()) is not None:
            if broken:
                continue
            try:
                self._stream.write(line)
                self._stream.flush()
            except (OSError, ValueError) as error:
                broken = True
                self.failure = error if isinstance(error, OSError) else None
                self._on_broken()
