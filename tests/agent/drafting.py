"""A session whose replies are drafted by one scripted model and verified by another."""

from __future__ import annotations

from collections.abc import Callable

from edgevoice.devices.simulated import SimulatedSink
from edgevoice.settings import Config, TtsSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedLanguageModel
from tests.agent.seam import RATE, Recorder, WordVoice


class DraftRehearsal(Rehearsal):
    """`opening` is what the draft model would answer, `answer` what the reference model would.

    `slow` is how many times longer the reference model takes than the draft model.
    """

    def __init__(
        self, opening: str, answer: str, slow: float = 4.0, config: Config | None = None
    ) -> None:
        super().__init__(config=config or Config(tts=TtsSettings(shorten_silence=False)))
        self.small = self.draft = ScriptedLanguageModel(
            self.clock, lambda _: opening, token=0.02, prefill=0.01
        )
        self.large = self.slm = ScriptedLanguageModel(
            self.clock, lambda _: answer, token=0.02 * slow, prefill=0.01 * slow
        )
        self.voice = self.synthesizer = WordVoice(self.clock)
        self.recorder = Recorder()
        self.sink = SimulatedSink(self.clock, RATE, "virtual speaker", self.recorder)

    @property
    def played(self) -> str:
        """The words that left the speaker."""
        return " ".join(self.voice.heard(self.recorder.samples))

    def rehearse(self, act: Callable[[Rehearsal], None] | None = None) -> DraftRehearsal:
        """Ask one question, and run the session; `act` prepares it further."""
        self.hear((0.5, "which animal is the fastest", 1.5))
        if act is not None:
            act(self)
        self.run()
        return self


def plain(text: str) -> str:
    """The words of a text, as `played` has them."""
    return " ".join(word.strip(".,;—") for word in text.split() if word.strip(".,;—"))
