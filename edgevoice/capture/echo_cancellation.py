"""A microphone that does not hear the speaker beside it.

While something plays, and for as long as a room may echo, what the speaker played goes with each
frame to a canceller; otherwise frames pass as they are. Frames keep their numbers and so their
times: the canceller's lag is made up for by handing each frame on one frame later while it works.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

import numpy as np

from edgevoice import events as ev
from edgevoice.audio import EAR_RATE, FRAME_SAMPLES, Frame, Samples, dbfs
from edgevoice.capture.echo_path import Echo, EchoPath
from edgevoice.capture.reference import Reference
from edgevoice.capture.silence import SilenceMonitor
from edgevoice.context import SessionContext
from edgevoice.errors import EdgevoiceError
from edgevoice.protocols import AudioSink, AudioSource, EchoCanceller

LEAD = 0.04
"""Seconds by which the reference goes ahead of the microphone: devices tell their times no better
than that, and an echo before its reference cannot be cancelled."""

SOONEST, LATEST = 0.005, 0.35
"""Seconds after its reference between which an echo must come; otherwise the lead is changed."""

TAIL = 1.0
"""Seconds after the last sound played in which an echo may still be heard: a long delay and a
long room."""

FRAME_SECONDS = FRAME_SAMPLES / EAR_RATE

FAINT = -28.0
"""dB of what is played up to which the canceller may not find an echo, in a room with a sound of
its own, and takes out all that is heard with it."""

OVER = 15.0
"""dB above the loudest that such an echo can be, from which it does not matter, and a frame is
handed on as it was heard."""

FADE = 160
"""Samples in which it goes from one to the other: 10 ms."""

DELAY_CHANGE = 0.01
LEVEL_CHANGE = 6.0
"""Seconds and dB by which an echo must have changed to be reported again."""

NOTHING: Samples = np.zeros(0, dtype=np.float32)


class EchoCancelledSource:
    """An AudioSource: `source` without the sound of `sink`.

    `load` makes the canceller; that happens in a thread of its own, and until it is there frames
    pass as they are. Without it the echo is only measured.
    """

    def __init__(
        self,
        context: SessionContext,
        source: AudioSource,
        sink: AudioSink,
        load: Callable[[], EchoCanceller] | None,
    ) -> None:
        settings = context.config.echo
        self.name = source.name
        self._source = source
        self._bus = context.bus
        self._cancels = settings.cancel != "off"
        self._measures = self._cancels or settings.self_speech
        self._always = settings.noise_suppression or settings.gain_control
        self._as_needed = settings.cancel == "auto"
        self._reference = Reference(sink)
        self._lead = LEAD
        self._path = EchoPath()
        self._silence = SilenceMonitor()
        self._reported: Echo | None = None
        self._unheard_reported = False
        self._next = 0
        self._sounded = float("-inf")
        """Session time at which the speaker was last known to sound."""
        self._playing = False
        self._canceller: EchoCanceller | None = None
        self._cancelling = False
        self._heard = self._played = self._clean = NOTHING
        self._stale = 0
        """Samples still to come out of the canceller that are of an earlier stretch."""
        self._waiting: deque[tuple[Frame, bool]] = deque()
        """Frames that the canceller has, at least in part, and that were not yet handed on, with
        whether they will be as they were heard."""
        self._untouched = False
        """Whether the last frame was handed on as it was heard."""
        self._ready: deque[Frame] = deque()

        if load is not None:
            context.clock.spawn(partial(self._load, load), "echo")

    def _load(self, load: Callable[[], EchoCanceller]) -> None:
        try:
            self._canceller = load()
        except EdgevoiceError as error:
            self._give_up(error)

    def read(self) -> Frame | None:
        while not self._ready:
            frame = self._source.read()
            if frame is None:
                self._pass_on()
                break
            self._take(frame)
        return self._ready.popleft() if self._ready else None

    def time_of(self, index: int) -> float:
        return self._source.time_of(index)

    def overruns(self) -> int:
        return self._source.overruns()

    def mute(self, on: bool) -> None:
        self._source.mute(on)

    def close(self) -> None:
        self._source.close()

    def _take(self, frame: Frame) -> None:
        if frame.index != self._next and self._next:
            # Another device, or one that was away: what was known is of another room.
            self._pass_on()
            self._path.forget()
            self._silence = SilenceMonitor()
            if self._canceller is not None:
                self._canceller.restart()
            self._reference.restart()
        self._next = frame.index + FRAME_SAMPLES
        self._silence.push(frame.samples, FRAME_SECONDS)
        time = self._source.time_of(frame.index)
        echoes = self._measures and self._may_echo(time + self._lead)
        played = np.zeros(FRAME_SAMPLES, dtype=np.float32)
        if echoes:
            played = self._reference.take(time + self._lead, FRAME_SAMPLES)
            if self._path.push(played, frame.samples, self._silence.level):
                self._measured()
        # Where nothing comes back, as with headphones, what is heard stays as it is.
        needed = echoes and self._cancels and not (self._as_needed and self._path.unheard)
        if self._canceller is None or not (needed or self._always):
            self._pass_on(frame)
            return
        try:
            self._cancel(frame, played, self._canceller)
        except EdgevoiceError as error:
            self._give_up(error)
            self._pass_on()

    def _may_echo(self, time: float) -> bool:
        """Whether what is heard at the session time `time`, or its lead later, may be an echo."""
        if not self._reference.silent(time, FRAME_SECONDS):
            self._sounded = time
        playing = time - self._sounded < TAIL
        if playing and not self._playing:
            self._reference.restart()
        self._playing = playing
        return playing

    def _cancel(self, frame: Frame, played: Samples, canceller: EchoCanceller) -> None:
        if not self._cancelling:
            self._cancelling, self._untouched = True, False
            self._stale = canceller.lag
            self._expect(canceller)
        self._waiting.append((frame, self._is_far_above(frame)))
        self._heard = np.concatenate([self._heard, frame.samples])
        self._played = np.concatenate([self._played, played])
        step = canceller.step
        done = len(self._heard) // step * step
        made = [
            canceller.cancel(self._heard[at : at + step], self._played[at : at + step])
            for at in range(0, done, step)
        ]
        self._heard, self._played = self._heard[done:], self._played[done:]
        clean = np.concatenate([self._clean, *made])
        stale = min(self._stale, len(clean))
        self._stale -= stale
        self._clean = clean[stale:]
        while len(self._clean) >= FRAME_SAMPLES:
            clean, self._clean = self._clean[:FRAME_SAMPLES], self._clean[FRAME_SAMPLES:]
            self._ready.append(self._chosen(clean, *self._waiting.popleft()))

    def _is_far_above(self, frame: Frame) -> bool:
        """Whether a faint echo does not matter in it."""
        echo = self._path.echo
        if echo is None or echo.level > FAINT:
            return False
        return dbfs(frame.samples) > self._path.loudest + OVER

    def _chosen(self, clean: Samples, frame: Frame, untouched: bool) -> Frame:
        """What was heard, or what was left of it."""
        before, self._untouched = self._untouched, untouched
        if not (before or untouched):
            return Frame(clean, frame.index)
        share = np.full(FRAME_SAMPLES, untouched, dtype=np.float32)
        share[:FADE] = np.linspace(before, untouched, FADE)
        return Frame(clean + share * (frame.samples - clean), frame.index)

    def _pass_on(self, *frames: Frame) -> None:
        """Hand on frames as they are, behind those that the canceller has not finished."""
        self._cancelling = False
        self._ready.extend((*(waiting for waiting, _ in self._waiting), *frames))
        self._waiting.clear()
        self._heard = self._played = self._clean = NOTHING

    def _measured(self) -> None:
        """Take in what the path is now known to be."""
        found = self._path.echo
        if found is not None and not SOONEST <= found.delay <= LATEST:
            # Where the reference then goes is another path to the one that measures it.
            self._lead += LEAD - found.delay
            self._path.forget()
            self._reference.restart()
            if self._canceller is not None:
                self._expect(self._canceller)
            return
        if found is not None:
            if self._path.settled:
                self._report(Echo(found.delay - self._lead, found.level))
        elif self._path.unheard and (self._reported is not None or not self._unheard_reported):
            self._reported, self._unheard_reported = None, True
            self._bus.emit(ev.EchoMeasured(delay=None, level=None))

    def _report(self, echo: Echo) -> None:
        reported = self._reported
        if (
            reported is None
            or abs(echo.delay - reported.delay) > DELAY_CHANGE
            or abs(echo.level - reported.level) > LEVEL_CHANGE
        ):
            self._reported = echo
            self._bus.emit(ev.EchoMeasured(delay=round(echo.delay, 4), level=round(echo.level, 1)))

    def _expect(self, canceller: EchoCanceller) -> None:
        delay = self._path.echo.delay if self._path.echo else LEAD
        canceller.expect(delay)

    def _give_up(self, error: EdgevoiceError) -> None:
        self._cancels = self._always = False
        self._bus.emit(ev.Notice(text=f"{error.what}; it may hear itself: {error.remedy}"))
