"""A scripted agent, and a voice whose words can be told apart in what was played."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from edgevoice.audio import Audio, Mark, Samples
from edgevoice.clock import Clock
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.protocols import Agent, AgentOutput, Cancelled, ChatMessage, Committed
from edgevoice.settings import Config, TtsSettings
from edgevoice.synthesis.alignment import word_spans
from edgevoice.testing.rehearsal import Rehearsal

RATE = 16_000
CHAR = 0.06
"""Seconds that a character is spoken."""
STEP = 1 / 128
"""Difference in amplitude between two words."""

Script = Callable[[Cancelled, Committed], Iterator[AgentOutput]]


class ScriptedAgent(Agent):
    """Replies with a script, and notes what it was asked."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.conversations: list[Sequence[ChatMessage]] = []
        self.closed = False

    def respond(
        self, conversation: Sequence[ChatMessage], cancelled: Cancelled, committed: Committed
    ) -> Iterator[AgentOutput]:
        self.conversations.append(conversation)
        return self._script(cancelled, committed)

    def close(self) -> None:
        self.closed = True


class WordVoice:
    """Speaks each word as a level of its own, in `rtf` of its length; a piece is `piece` seconds.

    `marks`: it says where the words are.
    """

    rate = RATE

    def __init__(
        self, clock: Clock, marks: bool = True, rtf: float = 0.1, piece: float = 60.0
    ) -> None:
        self._clock = clock
        self._marks = marks
        self._rtf = rtf
        self._piece = int(piece * RATE)
        self._words: list[str] = []

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        samples = np.zeros(int(len(text) * CHAR * RATE), dtype=np.float32)
        marks = []
        for begin, end in word_spans(text):
            word = text[begin:end].strip(".,;—")
            if word not in self._words:
                self._words.append(word)
            start, stop = int(begin * CHAR * RATE), int(end * CHAR * RATE)
            samples[start:stop] = (8 + self._words.index(word)) * STEP
            marks.append(Mark(begin, end, start, stop))
        for first in range(0, len(samples), self._piece):
            part = samples[first : first + self._piece]
            self._clock.sleep(self._rtf * len(part) / RATE)
            if cancelled():
                return
            audio = Audio(part, RATE, len(samples) - first - len(part))
            mine = [mark for mark in marks if first <= mark.start < first + len(part)]
            yield audio.marked(mine, -first) if self._marks else audio

    def heard(self, played: Samples) -> list[str]:
        """The words in what was played, float32 [n] at 16 kHz; a fragment of one counts."""
        codes = np.rint(played / STEP).astype(int) - 8
        runs = np.split(codes, np.flatnonzero(np.diff(codes)) + 1)
        # What fades in or out passes through other levels in less than two milliseconds each.
        long = [run[0] for run in runs if len(run) > RATE // 500]
        return [self._words[code] for code in long if 0 <= code < len(self._words)]


class Recorder:
    """Keeps what a simulated speaker plays."""

    def __init__(self) -> None:
        self._parts: list[Samples] = []

    def write(self, samples: Samples) -> None:
        self._parts.append(samples)

    def close(self) -> None:
        return None

    @property
    def samples(self) -> Samples:
        """float32 [n] at 16 kHz."""
        return np.concatenate(self._parts)


class AgentRehearsal(Rehearsal):
    """A session with a scripted agent, whose words are read off the speaker's recording."""

    def __init__(self, script: Script, config: Config | None = None) -> None:
        super().__init__(config=config or Config(tts=TtsSettings(shorten_silence=False)))
        self.scripted = self.agent = ScriptedAgent(script)
        self.voice = WordVoice(self.clock)
        self.recorder = Recorder()
        self.sink = SimulatedSink(self.clock, RATE, "virtual speaker", self.recorder)

    def load_language_model(self) -> None:  # type: ignore[override]
        raise AssertionError("no language model is needed")

    @property
    def played(self) -> str:
        """The words that left the speaker."""
        return " ".join(self.voice.heard(self.recorder.samples))

    def rehearse(self) -> AgentRehearsal:
        """Run the session with the voice."""
        self.synthesizer = self.voice
        self.run()
        return self
