"""The conversation as plain lines, for pipes and screen readers, with all that the screen shows.

`PlainPrinter` subscribes to the bus and calls `write` for each line, newline included. A pipe may
stall, but the bus must not wait, so `LineWriter` writes in a thread of its own.
"""

from __future__ import annotations

import datetime
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
SENTENCE_ENDS = ".!?:…。！？"


class PlainPrinter:
    """Turns events into lines of text without control characters.

    With `waterfall`, the timings of every turn are also drawn, `width` characters wide.
    """

    def __init__(
        self, write: Callable[[str], None], *, waterfall: bool = False, width: int = 80
    ) -> None:
        self._write = write
        self._waterfall = waterfall
        self._width = width
        self._scene = Scene()
        self._pending: list[tuple[float, int, int]] = []
        """Clauses that were sent to the speaker but are not yet audible: time, turn, clause."""
        self._last_question: int | None = None
        """The turn whose question was written last."""
        self._last_interrupted: int | None = None
        """The turn whose interruption was written last."""
        self._mode = "always"
        self._tenth = -1
        """Of a download, the tenth that was written last."""
        self._sentence = ""
        """The beginning of a sentence that is only read; a spoken one is written by the clause."""

    def __call__(self, event: ev.Event) -> None:
        """Write the lines of an event, if any."""
        self._write_audible(event.t)
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
                self._line("listening, while the other models load")
            case ev.Ready():
                self._ready()
            case ev.SessionEnded():
                self._line(f"ended: {event.reason.replace('_', ' ')}")
            case ev.Muted():
                self._line("microphone muted" if event.on else "microphone on")
            case ev.SpeechOutput():
                self._line("replies are spoken" if event.on else "replies are only shown")
            case ev.ActivationMode():
                self._mode = event.mode
            case ev.TimersChanged():
                self._timers(event)
            case ev.Activated():
                self._line("awake" if event.by == "wake_word" else "listening to you")
            case ev.Deactivated():
                self._line(self._asleep())
            case ev.DeviceLost():
                self._line(f"! {DEVICE_WORDS[event.kind]} lost: {event.name}")
                self._fix(event.remedy)
            case ev.Underrun():
                self._line(f"! underrun: the speaker had no sound to play {_times(event.count)}")
            case ev.DownloadProgress():
                self._download()
            case ev.Overrun():
                self._line(f"! overrun: microphone samples were lost {_times(event.count)}")
            case _:
                self._turn(event)
        remark = self._last_remark()
        if remark is not None and remark != before:
            self._remark(remark[0])

    def _timers(self, event: ev.TimersChanged) -> None:
        names = [timer_line(timer) for timer in event.timers]
        self._line(f"timers: {'; '.join(names)}" if names else "timers: none")

    def _download(self) -> None:
        """A line for the beginning of a download and for each tenth of it."""
        if (download := self._scene.download) is None:
            return
        tenth = download.done * 10 // max(1, download.total)
        if tenth != self._tenth:
            self._tenth = tenth
            self._line(download.text)

    def _turn(self, event: ev.Event) -> None:
        match event:
            case ev.TurnCommitted() | ev.FinalTranscript():
                exchange = self._scene.exchange(event.turn)
                # After both events: an uncommitted question may still become longer.
                if exchange and exchange.committed and exchange.final:
                    self._question(exchange)
            case ev.PlaybackStarted():
                self._pending.append((event.at, event.turn, event.clause))
                self._write_audible(event.t)
            case ev.PlaybackPaused():
                self._line("(paused: listening to you)")
            case ev.TurnCancelled():
                self._drop_pending(event.turn)
                self._write_sentence()
                exchange = self._scene.exchange(event.turn)
                if exchange and exchange.ending == "interrupted":
                    self._interrupted(exchange)
                elif event.reason == "failed":
                    self._line(f"(no reply: {event.detail})" if event.detail else "(no reply)")
            case ev.TurnCompleted():
                if event.interrupted:
                    self._drop_pending(event.turn)
                self._write_audible(float("inf"))
                self._write_sentence()
                exchange = self._scene.exchange(event.turn)
                if exchange and exchange.ending == "interrupted":
                    self._interrupted(exchange)
                self._timings(event.turn)
            case _:
                pass

    def _question(self, exchange: Exchange) -> None:
        if self._last_question != exchange.turn and exchange.question:
            self._last_question = exchange.turn
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
            return "not listening: `edgevoice ptt` starts and stops listening"
        return f'asleep: say "{self._scene.word}"'

    def _drop_pending(self, turn: int) -> None:
        self._pending = [each for each in self._pending if each[1] != turn]

    def _write_audible(self, now: float) -> None:
        """Write the clauses that have become audible by `now`."""
        while self._pending and self._pending[0][0] <= now:
            _, turn, clause = self._pending.pop(0)
            exchange = self._scene.exchange(turn)
            if exchange and (text := exchange.clauses.get(clause, "").strip()):
                self._sentence = f"{self._sentence} {text}".lstrip()
                if self._scene.speaks or text[-1] in SENTENCE_ENDS:
                    self._write_sentence()

    def _write_sentence(self) -> None:
        if self._sentence:
            self._line(f"edgevoice: {self._sentence}")
            self._sentence = ""

    def _interrupted(self, exchange: Exchange) -> None:
        if self._last_interrupted == exchange.turn:
            return
        self._last_interrupted = exchange.turn
        words = exchange.heard.split()[-_TAIL_WORDS:]
        self._line(f'(interrupted after "{" ".join(words)}")' if words else "(interrupted)")

    def _timings(self, turn: int) -> None:
        timing = self._scene.timing(turn)
        if timing is None or timing.response_time is None:
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


def timer_line(timer: ev.TimerShown) -> str:
    """A timer in a few words, with the local time at which it rings."""
    what = f"{timer.kind} {timer.name}".strip() if timer.kind != "timer" else timer.name
    if timer.rings:
        return f"{what} rings"
    if timer.left is not None:
        return f"{what} is paused"
    return f"{what} at {datetime.datetime.fromtimestamp(timer.due):%H:%M:%S}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


class LineWriter:
    """Writes and flushes lines to `stream` in a thread of its own, during a `with` block.

    If the stream's reader is gone or the disk is full, `on_broken` is called once, further lines
    are dropped, and `failure` holds the error.
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
        """Wait until all lines are written, at most 2 s for a reader that has stalled."""
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
