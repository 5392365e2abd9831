"""Keeps every spoken turn, sound and words, for as long as it is switched on.

What is heard and what happens is only put aside where it comes from; a thread of its own sorts it
and writes. A disk that is full or slow costs recordings, never a conversation.
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

Listening = Callable[[Callable[[], bool]], AudioSource]
"""Makes a source, given how to ask whether the assistant is idle."""

BUNCH = 64
"""Items that are sorted at once where nothing is urgent: about two seconds of sound."""

BACKLOG = 20_000
"""Items that may wait for a slow disk, about ten minutes of sound: 40 MB."""

URGENT = (ev.SessionStarted, ev.TurnCompleted, ev.TurnCancelled, ev.SessionEnded)
"""Events with which there is something to be told or written."""

FAREWELL = 10.0
"""Seconds that the last turn may take to be written."""


class TurnRecorder:
    """Listens to the bus and to every source it is given, as long as the block lasts."""

    def __init__(self, clock: Clock, bus: Bus, folder: RecordingsFolder) -> None:
        self.untold = ""
        """What went wrong when there was no session any more to tell it in."""
        self._clock = clock
        self._bus = bus
        self._folder = folder
        self._keeping = TurnAssembly()
        self._history: History | None = None
        self._coming: list[Item] = []
        self._urgent = self._missed = self._over = False
        self._announced = self._complained = self._running = False
        self._monitor = clock.monitor()

    def __enter__(self) -> TurnRecorder:
        self._ignore = self._bus.subscribe(self._note)
        self._task = self._clock.spawn(self._run, "keeper")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ignore()
        with self._monitor:
            self._over = True
            self._monitor.notify_all()
        self._task.join(FAREWELL)

    def listen(
        self, source: AudioSource | Listening, config: Config, history: History
    ) -> AudioSource | Listening:
        """`source`, overheard; for a pipeline of `config` that continues `history`."""
        self._history = history
        self._put(PipelineStarted(config))
        if callable(source):
            make = source
            return lambda idle: _Overheard(make(idle), self._put)
        return _Overheard(source, self._put)

    def _note(self, event: ev.Event) -> None:
        match event:
            case ev.SessionStarted():
                self._running = True
            case ev.SessionEnded():
                self._running = False
            case ev.Level() | ev.Resources():
                return
            case _:
                pass
        # Copied now: when the turn is written the conversation has gone on.
        asks = isinstance(event, ev.PrefillStarted | ev.ReplyContinued | ev.TurnCancelled)
        messages = tuple(self._history.messages) if asks and self._history else None
        self._put(EventWithHistory(event, messages), urgent=isinstance(event, URGENT))

    @property
    def waiting(self) -> int:
        """How many events and frames wait to be taken up."""
        with self._monitor:
            return len(self._coming)

    def _put(self, item: Item, urgent: bool = False) -> None:
        with self._monitor:
            if len(self._coming) >= BACKLOG:
                self._coming = [item for item in self._coming if _lasts(item)]
                self._missed = True
            self._coming.append(item)
            self._urgent = self._urgent or urgent or len(self._coming) % BUNCH == 0
            if self._urgent:
                self._monitor.notify_all()

    def _run(self) -> None:
        while True:
            with self._monitor:
                self._monitor.wait_for(lambda: self._urgent or self._over)
                items, self._coming = self._coming, []
                missed, over = self._missed, self._over
                self._urgent = self._missed = False
            if missed:
                self._keeping.forget()
                self._complain("the disk is too slow")
            for item in items:
                if isinstance(item, EventWithHistory) and isinstance(item.event, ev.SessionStarted):
                    self._announce()
                for turn, samples in self._keeping.take(item):
                    try:
                        self._folder.put(turn, samples)
                    except OSError as error:
                        self._complain(error.strerror or str(error))
            if over and not items:
                return

    def _announce(self) -> None:
        """Tell once that what is said is kept, and where."""
        if self._announced:
            return
        self._announced = True
        path = self._folder.path
        try:
            self._folder.open()
        except OSError as error:
            self._complain(error.strerror or str(error))
            return
        told = f"what you say is kept in {path}, sound and words"
        if not self._folder.is_private():
            told += f"; others can look into that folder: chmod 700 {path}"
        self._bus.emit(ev.Notice(text=told))

    def _complain(self, why: str) -> None:
        if self._complained:
            return
        self._complained = True
        text = (
            f"a turn could not be kept: {why} ({self._folder.path}); the conversation "
            "goes on, and the next turns are kept once there is room: free some space, or name "
            "another folder with --record-turns"
        )
        if self._running:
            self._bus.emit(ev.Notice(text=text))
        else:
            self.untold = text


def _lasts(item: Item) -> bool:
    """Whether later turns cannot be understood without it."""
    return isinstance(item, PipelineStarted) or (
        isinstance(item, EventWithHistory) and not hasattr(item.event, "turn")
    )


class _Overheard:
    """An AudioSource that hands on every frame it gives."""

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
