"""The wake gate: passes frames while the assistant is activated, and reports changes."""

from __future__ import annotations

from collections.abc import Callable

from edgevoice import events as ev
from edgevoice.audio import FRAME_SAMPLES, Frame
from edgevoice.context import StageContext
from edgevoice.protocols import WakeDetector
from edgevoice.turn_taking.activation import Activation

LAG = 4 * FRAME_SAMPLES
"""Most samples from the end of a wake word to its detection: "Hey Jarvis" is detected 30 to 130 ms
after its end."""

WAKE_FRAMES = 40
"""Longest wake word in frames, 1.3 s: a slow "Hey Jarvis" lasts 1.0 s."""


class WakeGate:
    """Follows the frames of one source; runs in capture's thread."""

    def __init__(self, context: StageContext, wake: Callable[[], WakeDetector | None]) -> None:
        config = context.config
        self._mode = config.activation.mode
        self._close_between = config.activation.close_between
        self._activation = Activation(config.activation, config.wake)
        self._turns = context.floor.turns
        self._bus = context.bus
        self._play_earcon = context.play_earcon
        self._load = wake
        self._wake: WakeDetector | None = None
        self._dirty = False

    def load(self) -> None:
        """Load the wake word detector, if there is one. Raises ModelError."""
        if self._mode == "wake":
            self._wake = self._load()

    def called(self, frame: Frame) -> int | None:
        """Stream index at the end of a wake word that is detected with this frame, else None."""
        if self._wake is None:
            return None
        self._dirty = True
        if not self._wake.detected(frame.samples):
            return None
        end = frame.index + FRAME_SAMPLES
        self._activation.called(end)
        at = frame.index - LAG + FRAME_SAMPLES
        self._bus.emit(ev.Activated(by="wake_word"))
        return max(0, at)

    def passes(self, frame: Frame, *, held: bool, hearing: bool) -> bool:
        """Whether this frame passes; to be called after `called`."""
        before = self._activation.awake
        open_ = self._activation.step(
            frame.index, held=held, hearing=hearing, answering=self._turns.answering
        )
        if self._activation.awake and not before:
            self._bus.emit(ev.Activated(by="key"))
            self._play_earcon("woke")
        elif before and not self._activation.awake:
            self._bus.emit(ev.Deactivated())
            self._play_earcon("slept")
        elif self._activation.came_alone(frame.index):
            self._play_earcon("called")
        return open_

    def reset(self) -> None:
        """Deactivate and reset the detector: the microphone is muted, or was unavailable."""
        before = self._activation.awake
        self._activation.sleep()
        if before and not self._activation.awake:
            self._bus.emit(ev.Deactivated())
        if self._wake is not None and self._dirty:
            self._wake.reset()
            self._dirty = False

    @property
    def microphone(self) -> bool:
        """Whether the microphone must be open now."""
        return self._activation.awake or not (self._mode == "push" and self._close_between)
