"""Conversations on virtual time that are kept, for tests of what was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from edgevoice import events as ev
from edgevoice.context import Resume
from edgevoice.history import History
from edgevoice.protocols import ChatMessage
from edgevoice.recordings.folder import RecordingsFolder
from edgevoice.recordings.recorded_turn import RecordedTurn, read
from edgevoice.recordings.turn_recorder import TurnRecorder
from edgevoice.settings import Config
from edgevoice.testing.rehearsal import Rehearsal

STARTED = ev.SessionStarted(
    version="0.1.0",
    schema=ev.SCHEMA,
    wall="2026-01-01T12:00:00+00:00",
    platform="Linux x86_64 Python 3.12.1",
    models={"vad": "silero-vad", "stt": "whisper-base", "slm": "phi-3-mini", "tts": "a-voice"},
    input="virtual microphone",
    output="virtual speaker",
)
"""What `build` tells of the models that a session runs with."""


class Kept:
    """A rehearsal whose turns are recorded in `folder`."""

    def __init__(
        self,
        folder: Path,
        answer: Callable[[Sequence[ChatMessage]], str] | str = "All right.",
        config: Config | None = None,
        turns: int = 0,
        megabytes: int = 0,
    ) -> None:
        self.show = Rehearsal(answer, config)
        self.folder = RecordingsFolder(folder, turns, megabytes)

    def run(self) -> list[RecordedTurn]:
        """Play it all, and return what was kept."""
        show = self.show
        history = History(show.config.slm.system_prompt)
        with TurnRecorder(show.clock, show.bus, self.folder) as self.keeper:
            plain = show.assemble
            source = show.source
            show.source = lambda idle: self.keeper.tap(source, show.config, history)(idle)  # type: ignore[operator]

            def assemble(_: Resume | None = None) -> object:
                made = plain(Resume(history))
                show.bus.emit(STARTED)
                return made

            show.assemble = assemble  # type: ignore[method-assign, assignment]
            show.run()
        return self.turns()

    def turns(self) -> list[RecordedTurn]:
        """The recorded turns, oldest first."""
        return [read(file) for file in self.folder.turns().values()]

    @property
    def notices(self) -> list[str]:
        """The texts of all notices."""
        return [event.text for event in self.show.all(ev.Notice)]


def counted(messages: Sequence[ChatMessage]) -> str:
    """An answer that tells how much the model remembers."""
    return f"I was told {len(messages)} things."


def file_of(kept: Kept, number: int) -> Path:
    """The JSON file of a recorded turn."""
    return kept.folder.find(str(number))
