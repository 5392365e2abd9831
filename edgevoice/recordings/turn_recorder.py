"""Record every spoken turn, with sound and text, while recording is on.

Frames and events are only queued where they occur; a thread of its own assigns and writes them. A
full or slow disk loses recordings, but never disturbs the conversation.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from edgevoice import events as ev
from edgevoice.audio import Frame
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.history import History
from edgevoice.protocols import AudioSource
from edgevoice.recordings.folder import RecordingsFolder
from edgevoice.recordings.turn_assembly import (
    CapturedFrame,
    EventWithHistory,
    Item,
    PipelineStarted,
    TurnAssembly,
)
from edgevoice.settings import Config

SourceFactory = Callable[[Callable[[], bool]], AudioSource]
"""Makes a source, given a function that returns whether the assistant is idle."""

BATCH_SIZE = 64
"""Items processed together without an urgent event: about 2 s of sound."""

MAX_BACKLOG = 20_000
"""Maximum items that wait for a slow disk: about ten minutes of sound, 40 MB."""

URGENT_EVENTS = (ev.SessionStarted, ev.TurnCompleted, ev.TurnCancelled, ev.SessionEnded)
"""Events after which a notice is due or a turn may be finished."""

LAST_WRITE_TIMEOUT = 10.0
"""Seconds that writing the last turn may take."""


class TurnRecorder:
    """Records from the bus and from every source passed to `tap`, during a `with` block."""

    def __init__(self, clock: Clock, bus: Bus, folder: RecordingsFolder) -> None:
        self.unreported = ""
        """A problem that occurred after the last session, and so was not shown as a notice."""
        self._clock = clock
        self._bus = bus
        self._folder = folder
        self._assembly = TurnAssembly()
        self._history: History | None = None
        self._queue: list[Item] = []
        self._urgent = self._dropped = self._closing = False
        self._announced = self._complained = self._running = False
        self._monitor = clock.monitor()

    def __enter__(self) -> TurnRecorder:
        self._unsubscribe = self._bus.subscribe(self._on_event)
        self._task = self._clock.spawn(self._run, "turn recorder")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._unsubscribe()
        with self._monitor:
            self._closing = True
            self._monitor.notify_all()
        self._task.join(LAST_WRITE_TIMEOUT)

    def tap(
        self, source: AudioSource | SourceFactory, config: Config, history: History
    ) -> AudioSource | SourceFactory:
        """`source` with recording, for a pipeline of `config` that continues `history`."""
        self._history = history
        self._put(PipelineStarted(config))
        if callable(source):
            make = source
            return lambda idle: _RecordedSource(make(idle), self._put)
        return _RecordedSource(source, self._put)

    def _on_event(self, event: ev.Event) -> None:
        match event:
            case ev.SessionStarted():
                self._running = True
            case ev.SessionEnded():
                self._running = False
            case ev.Level() | ev.Resources():
                return
            case _:
                pass
        # Copied now, because the conversation goes on before the turn is written.
        asks = isinstance(event, ev.PrefillStarted | ev.ReplyContinued | ev.TurnCancelled)
        messages = tuple(self._history.messages) if asks and self._history else None
        self._put(EventWithHistory(event, messages), urgent=isinstance(event, URGENT_EVENTS))

    @property
    def waiting(self) -> int:
        """The number of queued events and frames."""
        with self._monitor:
            return len(self._queue)

    def _put(self, item: Item, urgent: bool = False) -> None:
        with self._monitor:
            if len(self._queue) >= MAX_BACKLOG:
                self._queue = [item for item in self._queue if _must_keep(item)]
                self._dropped = True
            self._queue.append(item)
            self._urgent = self._urgent or urgent or len(self._queue) % BATCH_SIZE == 0
            if self._urgent:
                self._monitor.notify_all()

    def _run(self) -> None:
        while True:
            with self._monitor:
                self._monitor.wait_for(lambda: self._urgent or self._closing)
                items, self._queue = self._queue, []
                dropped, closing = self._dropped, self._closing
                self._urgent = self._dropped = False
            if dropped:
                self._assembly.reset()
                self._complain("the disk is too slow")
            for item in items:
                if isinstance(item, EventWithHistory) and isinstance(item.event, ev.SessionStarted):
                    self._announce()
                for turn, samples in self._assembly.push(item):
                    try:
                        self._folder.put(turn, samples)
                    except OSError as error:
                        self._complain(error.strerror or str(error))
            if closing and not items:
                return

    def _announce(self) -> None:
        """Show once that speech is recorded, and where."""
        if self._announced:
            return
        self._announced = True
        path = self._folder.path
        try:
            self._folder.open()
        except OSError as error:
            self._complain(error.strerror or str(error))
            return
        text = f"turns are recorded in {path}, with sound and text"
        if not self._folder.is_private():
            text += f"; other users can read this folder: chmod 700 {path}"
        self._bus.emit(ev.Notice(text=text))

    def _complain(self, why: str) -> None:
        if self._complained:
            return
        self._complained = True
        text = (
            f"a turn could not be recorded: {why} ({self._folder.path}); the conversation "
            "continues: free some space, or name another folder with --record-turns"
        )
        if self._running:
            self._bus.emit(ev.Notice(text=text))
        else:
            self.unreported = text


def _must_keep(item: Item) -> bool:
    """Whether later turns depend on the item."""
    return isinstance(item, PipelineStarted) or (
        isinstance(item, EventWithHistory) and not hasattr(item.event, "turn")
    )


class _RecordedSource:
    """An AudioSource that also queues every frame for recording."""

    def __init__(self, source: AudioSource, put: Callable[[Item], None]) -> None:
        self.name = source.name
        self._source = source
        self._put = put

    def read(self) -> Frame | None:
        frame = self._source.read()
        if frame is not None:
            self._put(CapturedFrame(frame, self._source.time_of(frame.index)))
        return frame

    def time_of(self, index: int) -> float:
        return self._source.time_of(index)

    def overruns(self) -> int:
        return self._source.overruns()

    def mute(self, on: bool) -> None:
        self._source.mute(on)

    def close(self) -> None:
        self._source.close()
