"""A shape at work: a model of true dimensions and random weights that is told what to say.

Every token of the prompt and of the reply is evaluated in full, and the sampler picks one from the
real number of logits each time; only what it picked is replaced by the next token of the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgevoice.engines.llama import Llama
from edgevoice.errors import EngineError
from edgevoice.protocols import Cancelled, ChatMessage, Prefilled, Stopped, Token

PLAIN_REPLY = "Yes, I can tell you about that. It takes a moment, and then we go on."
"""Said where no other reply is given."""


class SyntheticModel(Llama):
    """A LanguageModel that costs what a model of its dimensions costs and says `reply_text`.

    `reply_text` is read when a reply begins; empty means a plain sentence. Of a reply that is gone
    on with, it says what is missing of the text.
    """

    reply_text: str = ""

    def reply(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> Iterator[Prefilled | Token | Stopped]:
        """Evaluate what is new of the prompt, then say the text token by token and end the turn.

        Raises EngineError as Llama does, and for a text that the tokenizer cannot give back.
        """
        text = self.reply_text or PLAIN_REPLY
        if messages and messages[-1].role == "assistant":
            text = text.removeprefix(messages[-1].text)
        self._script = iter(self._spelled(text))
        yield from super().reply(messages, cancelled)

    def _choose(self) -> int:
        super()._choose()
        return next(self._script, self._native.eos)

    def _spelled(self, text: str) -> list[int]:
        """The ids whose pieces are exactly `text`."""
        # Many tokenizers put a space before the first word of whatever they are given.
        line = self._native.tokenize("\n")
        after = self._native.tokenize("\n" + text)[len(line) :]
        for ids in (self._native.tokenize(text), after):
            if b"".join(map(self._native.piece, ids)) == text.encode():
                return ids
        raise EngineError(
            f"the tokenizer of this shape cannot say {text!r}",
            remedy="give it a reply of ordinary words",
        )
