"""A synthetic model: true dimensions, random weights and a fixed reply.

Every token of the prompt and of the reply is evaluated in full and sampled from the real number of
logits. Only the sampled token is replaced by the next token of the text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from edgevoice.engines.llama import Llama
from edgevoice.engines.llama_native import NativeContext, Sampler
from edgevoice.engines.model_session import ModelSession
from edgevoice.engines.prompt_cache import default_folder
from edgevoice.engines.registry import Engine
from edgevoice.errors import EngineError
from edgevoice.protocols import Cancelled, ChatMessage, Prefilled, Stopped, Token

DEFAULT_REPLY = "Yes, I can tell you about that. It takes a moment, and then we go on."
"""The reply if no other is given."""
ACCEPTED = 0.96
"""Share of a draft's tokens that a reference model accepts, each after the ones before it, of 0.5 B
and 1.5 B (drafts-2026-11)."""


class SyntheticSession(ModelSession):
    """A LanguageModel with the cost of a model of its dimensions; it replies with `reply_text`.

    `reply_text` is read when a reply begins; empty means DEFAULT_REPLY. A continued reply gets the
    missing rest of the text.
    """

    reply_text: str = ""

    def __init__(self, model: Llama) -> None:
        super().__init__(model)
        self._random = random.Random(1)

    def reply(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> Iterator[Prefilled | Token | Stopped]:
        """Evaluate the new part of the prompt, then yield the text token by token.

        Raises EngineError as Llama does, and for a text that the tokenizer cannot reproduce.
        """
        text = self.reply_text or DEFAULT_REPLY
        if messages and messages[-1].role == "assistant":
            begun = messages[-1].text
            same = text.startswith(begun)
            # A draft has words of its own; as many of the reply count as said.
            text = text[len(begun) :] if same else _after(text, len(begun.split()))
        self._script = iter(self._spelled(text))
        yield from super().reply(messages, cancelled)

    def probabilities(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> list[tuple[str, float]]:
        """As of a ModelSession, in work. Each token is then accepted by a seeded random number."""
        found = super().probabilities(messages, cancelled)
        return [(text, float(self._random.random() < ACCEPTED)) for text, _ in found]

    def _choose(self, native: NativeContext, sampler: Sampler) -> int:
        super()._choose(native, sampler)
        return next(self._script, self.model.native.eos)

    def _spelled(self, text: str) -> list[int]:
        """The ids whose pieces are exactly `text`."""
        # Many tokenizers put a space before the first word of a text.
        native = self.model.native
        line = native.tokenize("\n")
        after = native.tokenize("\n" + text)[len(line) :]
        for ids in (native.tokenize(text), after):
            if b"".join(map(native.piece, ids)) == text.encode():
                return ids
        raise EngineError(
            f"the tokenizer of this synthetic model cannot represent {text!r}",
            remedy="use a reply of ordinary words",
        )


def _after(text: str, words: int) -> str:
    """The text without its first words; with the space before the next one."""
    found = list(re.finditer(r"\s+\S", text))
    return text[found[words - 1].start() :] if 0 < words <= len(found) else ""


class SyntheticModel(Llama):
    """ModelWeights of a synthetic model."""

    sessions = SyntheticSession


ENGINE = Engine(
    "slm",
    ("synthetic",),
    lambda model, config: SyntheticModel(model.path, config.slm, default_folder()),
)
