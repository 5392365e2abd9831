"""Draft-first replies: a small model opens the reply, a larger one verifies it and goes on.

The draft model's words are passed on at once. Meanwhile the reference model evaluates the question
and the draft in one batch, and reads how likely it finds each word. From the first word that it
would hardly have said, the reply is its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Generator, Iterator, Sequence

from edgevoice.agent.language_model_agent import LanguageModelAgent
from edgevoice.protocols import (
    AgentOutput,
    Cancelled,
    ChatMessage,
    Committed,
    Drafted,
    PairedModel,
    Prefilled,
    ReplyRevision,
    Stopped,
    Token,
    Verified,
)
from edgevoice.settings import Config
from edgevoice.words import count

TRUST = {"cautious": 0.15, "normal": 0.05, "swift": 0.02}
"""Least probability in [0, 1] of a word in the reference model, by setting (drafts-2026-11)."""
ALOUD = 0.2
"""Share of that probability below which a word that is out is corrected in words."""
DRAFT_TIME = 0.75
"""The draft is used if it opens the reply in at most this share of the reference model's time."""
TAIL, OPENING = 8, 4
"""Tokens of a question that are evaluated after its last word, and of a first clause."""
CLAUSE = 8
"""Tokens until the reference model has written a further clause."""
LEAST_WORDS, MOST_WORDS = 3, 7
"""Words of an opening: it ends at the first mark after the least, or after the most."""
LIMIT = 24
"""Words after which the draft is verified, however long that takes."""
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)]*\s+|[。！？]\s*|[।؟]\s+")
_MARKS = ",;:.!?…—，、；：。！？।؟،"


class DraftFirstAgent(LanguageModelAgent):
    """Answers with two language models, which it frees. Raises ModelError as LanguageModelAgent.

    `always`: the draft is used even where it is not measured to gain time.
    """

    def __init__(
        self,
        draft: PairedModel,
        reference: PairedModel,
        config: Config,
        always: bool = False,
    ) -> None:
        self._draft = draft
        self._reference = reference
        self._always = always
        self._trust = TRUST[config.slm.draft_trust]
        self._draft_room = draft.context // 2
        try:
            super().__init__(reference, config)
        except BaseException:
            draft.close()
            raise

    def respond(
        self, conversation: Sequence[ChatMessage], cancelled: Cancelled, committed: Committed
    ) -> Iterator[AgentOutput]:
        conversation = self._with_examples(conversation)
        goes_on = conversation[-1].role == "assistant"
        if goes_on or not self._gains() or self._draft.count(conversation) > self._draft_room:
            yield from self._reference.reply(conversation, cancelled)
            return
        text = yield from self._opening(conversation, cancelled)
        if text:
            text = yield from self._verified(conversation, text, cancelled)
        if cancelled():
            yield Stopped("cancelled")
            return
        begun = text.rstrip()
        said = [*conversation, ChatMessage("assistant", begun)] if begun else conversation
        yield from _spaced(self._reference.reply(said, cancelled), text[len(begun) :])

    def prepare(self, conversation: Sequence[ChatMessage], cancelled: Cancelled) -> int:
        # The draft model comes first: it is cheap, and needed first.
        if self._gains() is not False:
            self._draft.prime(self._with_examples(conversation), cancelled)
        return super().prepare(conversation, cancelled)

    def close(self) -> None:
        self._draft.close()
        super().close()

    def _gains(self) -> bool | None:
        """Whether a draft saves time, as measured so far; None if that is unknown."""
        if self._always:
            return True
        draft, reference = (
            model.seconds(TAIL, OPENING) for model in (self._draft, self._reference)
        )
        return draft <= DRAFT_TIME * reference if draft and reference else None

    def _opening(
        self, conversation: Sequence[ChatMessage], cancelled: Cancelled
    ) -> Generator[AgentOutput, None, str]:
        """Write with the draft model until its words last as long as the verification takes."""
        text, clause, tokens = "", 0, 0
        for item in self._draft.reply(conversation, cancelled):
            if isinstance(item, Stopped):
                break
            if isinstance(item, Token):
                if _is_complete(text[clause:], item.text):
                    clause = len(text)
                    if (yield from self._may_verify(text, tokens)):
                        return text
                text += item.text
                tokens += 1
            yield item
        if text and not cancelled():
            yield Drafted(self._time(tokens))
        return text

    def _may_verify(self, text: str, tokens: int) -> Generator[AgentOutput, None, bool]:
        seconds = self._time(tokens)
        drafted = Drafted(seconds)
        yield drafted
        return drafted.lasts >= seconds or count(text) >= LIMIT

    def _time(self, tokens: int) -> float:
        """Expected seconds until the reference model has verified them and gone on."""
        return self._reference.seconds(TAIL + tokens, CLAUSE)

    def _verified(
        self, conversation: Sequence[ChatMessage], text: str, cancelled: Cancelled
    ) -> Generator[AgentOutput, None, str]:
        """Take back what the reference model would hardly have said.

        Returns the text that it goes on from. If wrong words are out, that is the beginning of
        their sentence, which is said anew.
        """
        said = [*conversation, ChatMessage("assistant", text)]
        found = self._reference.probabilities(said, cancelled)
        if cancelled():
            return text
        start = trusted(text, found, self._trust)
        words, kept = count(text), count(text[:start])
        if not _has_words(text[start:]):
            yield Verified(words, words)
            return text
        revision = ReplyRevision(start)
        yield revision
        wrong = trusted(text, found, self._trust * ALOUD) < len(text[: revision.kept].rstrip())
        out = count(text[start : revision.kept])
        kept, corrected = (kept, out) if wrong else (kept + out, 0)
        yield Verified(words, kept, words - kept - corrected, corrected)
        text = text[: revision.kept]
        if not corrected:
            return text
        yield Token(f"{'' if text[-1].isspace() else ' '}— {revision.correction}".rstrip() + " ")
        sentences = [end.end() for end in _SENTENCE_END.finditer(text[:start])]
        return text[: max(sentences, default=0)]


def _spaced(reply: Iterator[AgentOutput], space: str) -> Iterator[AgentOutput]:
    """A continuation without the space that it begins with, if that is there already."""
    for item in reply:
        if isinstance(item, Prefilled):
            continue
        if space and isinstance(item, Token) and item.text:
            item, space = Token(item.text.lstrip()), ""
        yield item


def trusted(text: str, found: Sequence[tuple[str, float]], least: float) -> int:
    """The number of characters of `text` before the first word with a token below `least`.

    `found`: the tokens of the text in order, and their probabilities.
    """
    spelled = ""
    for token, probability in found:
        at = min(len(spelled.lstrip()), len(text))
        if probability < least and _has_words(token):
            while at and not _is_boundary(text[:at], text[at:]):
                at -= 1
            return len(text[:at].rstrip())
        spelled += token
    return len(text)


def _is_complete(clause: str, following: str) -> bool:
    """Whether an opening may end after `clause`, before `following`."""
    if not clause.strip() or not _is_boundary(clause, following):
        return False
    words = count(clause)
    return words >= MOST_WORDS or (words >= LEAST_WORDS and clause.rstrip()[-1] in _MARKS)


def _is_boundary(before: str, after: str) -> bool:
    """Whether a word begins with `after`; every wide character is a word."""
    if not before or not after:
        return True
    return after[0].isspace() or unicodedata.east_asian_width(before[-1]) in "WF"


def _has_words(text: str) -> bool:
    return any(char.isalnum() for char in text)
