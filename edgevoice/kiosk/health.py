"""Whether a session works, as a pure fold over events: progress counts, not a running process."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgevoice import events as ev

FRAMES_TIMEOUT = 5.0
"""Seconds without a frame from the microphone."""
ZEROS_TIMEOUT = 30.0
"""Seconds of nothing but zeros from the microphone."""
ZERO_DBFS = -119.0
"""Level below which all samples are zero: a live microphone is never this quiet."""
VOICE = 0.5
"""Speech probability of somebody speaking."""
TURN_TIMEOUT = 30.0
"""Seconds without any progress of a turn that is under way."""
RESTART_TIMEOUT = 180.0
"""Seconds that loading may take after a restart of the pipeline."""
FAILED_TURNS = 3
"""Failures without an answer between them."""


@dataclass
class Health:
    """What a session has done last. Times are in seconds of the session's clock."""

    ready: bool = False
    lost: dict[str, str] = field(default_factory=dict)
    """The absent devices: "input" or "output" → name."""
    muted: bool = False
    closed: bool = False
    """Whether the microphone is off because of the hours."""
    failures: int = 0
    """Failures since the last answer."""
    _loading_since: float | None = None
    _level_at: float | None = None
    _sound_at: float | None = None
    _turns: dict[int, float] = field(default_factory=dict)
    """The turns under way, and when each made progress."""
    _failed: str = ""

    def add(self, event: ev.Event) -> None:
        """Take the next event."""
        match event:
            case ev.SessionStarted():
                self.restarted(event.t)
            case ev.Listening():
                self._level_at = self._sound_at = event.t
            case ev.Ready():
                self.ready, self._loading_since = True, None
            case ev.SessionEnded():
                self.restarted(event.t)
            case ev.Level():
                self._level_at = event.t
                if event.dbfs > ZERO_DBFS or self._may_be_silent:
                    self._sound_at = event.t
                if event.speech >= VOICE:  # a long question is progress, too
                    self._turns = dict.fromkeys(self._turns, event.t)
            case ev.Muted():
                self.muted = event.on
            case ev.DeviceLost():
                self.lost[event.kind] = event.name
            case ev.DeviceRestored():
                self.lost.pop(event.kind, None)
                self._level_at = self._sound_at = event.t
            case ev.StageFailed():
                self.failures += 1
                self._failed = event.stage
            case ev.TurnStarted():
                self._turns[event.turn] = event.t
            case ev.TurnCompleted() | ev.TurnCancelled():
                self._turns.pop(event.turn, None)
                if isinstance(event, ev.TurnCompleted) and event.heard:
                    self.failures = 0
            case _:
                turn = getattr(event, "turn", None)
                if turn in self._turns:
                    self._turns[turn] = event.t

    @property
    def _may_be_silent(self) -> bool:
        return self.muted or self.closed or "input" in self.lost

    def restarted(self, now: float) -> None:
        """The pipeline is built again."""
        self.ready, self.failures = False, 0
        self._loading_since = now
        self._level_at = self._sound_at = None
        self._turns.clear()
        self.lost.clear()

    def problem(self, now: float) -> str:
        """What is wrong, for the log; empty if the session works or waits for something to do."""
        if self._loading_since is not None and now - self._loading_since > RESTART_TIMEOUT:
            return f"loading has not ended in {RESTART_TIMEOUT:.0f} s"
        stuck = [turn for turn, at in self._turns.items() if now - at > TURN_TIMEOUT]
        if stuck and "output" not in self.lost:
            return f"turn {stuck[0]} has made no progress for {TURN_TIMEOUT:.0f} s"
        if self.failures >= FAILED_TURNS:
            return f"{self.failures} failures without an answer, the last in {self._failed}"
        if self._level_at is None or self._sound_at is None or "input" in self.lost:
            return ""
        if now - self._level_at > FRAMES_TIMEOUT:
            return f"no sound has come from the microphone for {FRAMES_TIMEOUT:.0f} s"
        if now - self._sound_at > ZEROS_TIMEOUT:
            return f"the microphone has delivered only zeros for {ZEROS_TIMEOUT:.0f} s"
        return ""
