"""Wrong openings are corrected before their clause ends: real verification, at measured costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice.clock import Clock
from edgevoice.engines.llama import Llama
from edgevoice.engines.model_session import ModelSession
from edgevoice.models.store import Store
from edgevoice.protocols import Cancelled, ChatMessage, Prefilled, Stopped, Token
from edgevoice.settings import Config, SlmSettings, TtsSettings
from tests.agent.drafting import DraftRehearsal

pytestmark = [pytest.mark.models, pytest.mark.slow, pytest.mark.long]

SECONDS = ((1, 4, 8, 12, 16, 64), (0.04, 0.12, 0.278, 0.3, 0.3, 1.2))
"""Tokens, and the seconds that 1.5 B takes for them at once (drafts-2026-11)."""
LEAST_CORRECTED = 0.8
PROMPT = "You are a voice assistant. Answer in one short, plain sentence."

WRONG = {
    "What is the capital of France?": "The capital of France is Berlin.",
    "What is the capital of Italy?": "The capital of Italy is Madrid.",
    "What is the capital of Japan?": "The capital of Japan is Beijing.",
    "What is the capital of Germany?": "The capital of Germany is Vienna.",
    "What is the capital of Spain?": "The capital of Spain is Lisbon.",
    "Which land animal is the fastest?": "The fastest land animal is the whale.",
    "Which animal is the largest?": "The largest animal is the mouse.",
    "How many legs does a spider have?": "A spider has four legs.",
    "How many legs does a dog have?": "A dog has nine legs.",
    "How many days are in a week?": "There are nine days in a week.",
    "How many months are in a year?": "There are twenty months in a year.",
    "How many minutes are in an hour?": "There are ninety minutes in an hour.",
    "How many hours are in a day?": "There are thirty hours in a day.",
    "What colour is the sky on a clear day?": "The sky is green on a clear day.",
    "What colour is grass?": "Grass is purple in most places.",
    "What colour is snow?": "Snow is black and very warm.",
    "What colour is a ripe banana?": "A ripe banana is blue.",
    "What is two plus two?": "Two plus two equals nine.",
    "What is ten minus three?": "Ten minus three equals fifty.",
    "What is three times three?": "Three times three equals seventy.",
    "Who wrote Romeo and Juliet?": "Romeo and Juliet was written by Einstein.",
    "Who painted the Mona Lisa?": "The Mona Lisa was painted by Shakespeare.",
    "Which planet is closest to the sun?": "The planet closest to the sun is Neptune.",
    "Which planet is the largest?": "The largest planet is Mercury.",
    "At what temperature does water freeze?": "Water freezes at ninety degrees Celsius.",
    "At what temperature does water boil?": "Water boils at five degrees Celsius.",
    "What do bees make?": "Bees make cement and glass.",
    "What do cows give us?": "Cows give us petrol and paper.",
    "What is the opposite of hot?": "The opposite of hot is boiling.",
    "What is the opposite of up?": "The opposite of up is banana.",
    "Which ocean is the largest?": "The largest ocean is the Sahara.",
    "Which mountain is the highest?": "The highest mountain is the Nile.",
    "Which river flows through London?": "The river through London is the Amazon.",
    "What language is spoken in Brazil?": "The language spoken in Brazil is Finnish.",
    "What language is spoken in Japan?": "The language spoken in Japan is Spanish.",
    "What is ice made of?": "Ice is made of frozen iron.",
    "Where does the sun rise?": "The sun rises in the kitchen.",
    "What is the first month of the year?": "The first month of the year is August.",
    "What is the last day of the week?": "The last day of the week is Christmas.",
    "Is the earth flat?": "Yes, the earth is flat and square.",
}
"""A question, and a false clause that the draft model says."""


class Timed:
    """A model whose work takes measured times on a virtual clock, however busy this machine is."""

    def __init__(self, model: ModelSession, clock: Clock) -> None:
        self.context = model.context
        self._model = model
        self._clock = clock

    def prime(self, messages: Sequence[ChatMessage], cancelled: Cancelled) -> int:
        return self._model.prime(messages, cancelled)

    def reply(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> Iterator[Prefilled | Token | Stopped]:
        for item in self._model.reply(messages, cancelled):
            if isinstance(item, Prefilled):
                self._clock.sleep(self.seconds(item.tokens - item.reused, 0))
            elif isinstance(item, Token):
                self._clock.sleep(self.seconds(0, 1))
            yield item

    def probabilities(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> list[tuple[str, float]]:
        found = self._model.probabilities(messages, cancelled)
        self._clock.sleep(self.seconds(8 + len(found), 0))
        return found

    def seconds(self, prompt: int, reply: int) -> float:
        return float(np.interp(prompt, *SECONDS)) * (prompt > 0) + reply * SECONDS[1][0]

    def count(self, messages: Sequence[ChatMessage]) -> int:
        return self._model.count(messages)

    def close(self) -> None:
        return None


@pytest.fixture(scope="module")
def weights() -> Iterator[Llama]:
    installed = Store(Config()).find("qwen2.5-coder-1.5b")
    if installed is None:
        pytest.skip("needs edgevoice models pull qwen2.5-coder-1.5b")
    settings = SlmSettings(temperature=0.0, max_tokens=12, context=1024)
    with closing(Llama(installed.path, settings)) as model:
        yield model


def test_wrong_openings_are_corrected_before_their_clause_ends(weights: Llama) -> None:
    """At least four of five: the wrong word is replaced, or the clause is broken off after it."""
    session = weights.session()
    corrected = []
    for question, wrong in WRONG.items():
        config = Config(
            slm=SlmSettings(system_prompt=PROMPT, context=1024),
            tts=TtsSettings(shorten_silence=False),
        )
        show = DraftRehearsal(wrong, "", config=config)
        show.slm = Timed(session, show.clock)
        show.hear((0.5, question, 1.8))
        show.run()
        starts = [revised.start for revised in show.all(ev.ReplyRevised)]
        corrected.append(bool(starts) and starts[0] < len(wrong))
    assert len(corrected) == 40
    assert sum(corrected) >= LEAST_CORRECTED * len(corrected)
