"""Echo cancellation: a microphone without the sound of the speaker.

During playback, and while the room may still echo, each frame goes to a canceller together with
the played audio; otherwise frames pass unchanged. Frames keep their numbers and times: while the
canceller works, each frame is returned one frame later, which covers the canceller's delay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

import numpy as np

from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Frame, Samples, dbfs
from edgevoice.capture.echo_path import Echo, EchoPath
from edgevoice.capture.reference import Reference
from edgevoice.capture.silence import SilenceMonitor
from edgevoice.context import SessionContext
from edgevoice.errors import EdgevoiceError
from edgevoice.player import Player
from edgevoice.protocols import AudioSource, EchoCanceller

REFERENCE_LEAD = 0.04
"""Seconds by which the reference is ahead of the microphone: the devices' times are no better than
that, and an echo before its reference cannot be cancelled."""

SOONEST, LATEST = 0.005, 0.35
"""Range of the echo's delay after its reference, in seconds; outside it the lead is changed."""

TAIL = 1.0
"""Seconds after the last played sound in which an echo may still arrive."""

FRAME_SECONDS = FRAME_SAMPLES / CAPTURE_RATE

FAINT_ECHO_DB = -28.0
"""Level of an echo, in dB relative to the played audio, up to which the canceller may not find it
in a noisy room, and removes everything instead."""

OVER = 15.0
"""dB above the loudest such echo from which a frame passes unchanged."""

CROSSFADE_SAMPLES = 160
"""Samples of the cross-fade between both: 10 ms."""

DELAY_CHANGE = 0.01
LEVEL_CHANGE = 6.0
"""Least change of the echo, in seconds and dB, that is reported."""

NOTHING: Samples = np.zeros(0, dtype=np.float32)


class EchoCancelledSource:
    """An AudioSource: `source` without the sound of `sink`.

    `load` creates the canceller in its own thread; until then frames pass unchanged. Without
    `load` the echo is only measured.
    """

    def __init__(
        self,
        context: SessionContext,
        source: AudioSource,
        sink: Player,
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
        self._lead = REFERENCE_LEAD
        self._path = EchoPath()
        self._silence = SilenceMonitor()
        self._reported: Echo | None = None
        self._unheard_reported = False
        self._next = 0
        self._sounded = float("-inf")
        """Session time at which the speaker last played sound."""
        self._playing = False
        self._canceller: EchoCanceller | None = None
        self._cancelling = False
        self._heard = self._played = self._clean = NOTHING
        self._stale = 0
        """Samples still in the canceller that belong to an earlier stretch."""
        self._waiting: deque[tuple[Frame, bool]] = deque()
        """Frames in the canceller that are not returned yet, each with whether it passes
        unchanged."""
        self._untouched = False
        """Whether the last frame passed unchanged."""
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
            # Another device, or one that was unavailable: the echo path may differ.
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
        # Without an echo, for example with headphones, frames pass unchanged.
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
        """Whether the microphone may pick up an echo at session time `time`."""
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
        """Whether the frame is so loud that a faint echo does not matter in it."""
        echo = self._path.echo
        if echo is None or echo.level > FAINT_ECHO_DB:
            return False
        return dbfs(frame.samples) > self._path.loudest + OVER

    def _chosen(self, clean: Samples, frame: Frame, untouched: bool) -> Frame:
        """The captured frame or the cleaned one, with a cross-fade between them."""
        before, self._untouched = self._untouched, untouched
        if not (before or untouched):
            return Frame(clean, frame.index)
        share = np.full(FRAME_SAMPLES, untouched, dtype=np.float32)
        share[:CROSSFADE_SAMPLES] = np.linspace(before, untouched, CROSSFADE_SAMPLES)
        return Frame(clean + share * (frame.samples - clean), frame.index)

    def _pass_on(self, *frames: Frame) -> None:
        """Return frames unchanged, after those still in the canceller."""
        self._cancelling = False
        self._ready.extend((*(waiting for waiting, _ in self._waiting), *frames))
        self._waiting.clear()
        self._heard = self._played = self._clean = NOTHING

    def _measured(self) -> None:
        """Apply the newest measurement of the echo path."""
        found = self._path.echo
        if found is not None and not SOONEST <= found.delay <= LATEST:
            # With another lead, the measured path is another one.
            self._lead += REFERENCE_LEAD - found.delay
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
        delay = self._path.echo.delay if self._path.echo else REFERENCE_LEAD
        canceller.expect(delay)

    def _give_up(self, error: EdgevoiceError) -> None:
        self._cancels = self._always = False
        told = f"{error.what}; the assistant may hear its own voice: {error.remedy}"
        self._bus.emit(ev.Notice(text=told))
