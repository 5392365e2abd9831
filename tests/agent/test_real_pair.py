"""A real pair of models: one drafts, the other verifies, and its KV cache stays exact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edgevoice.agent.draft_first_agent import DraftFirstAgent
from edgevoice.engines.llama import Llama
from edgevoice.engines.model_session import ModelSession
from edgevoice.protocols import (
    AgentOutput,
    ChatMessage,
    Drafted,
    Prefilled,
    ReplyRevision,
    Token,
    Verified,
)
from edgevoice.settings import Config, SlmSettings
from edgevoice.testing.scripted import ScriptedLanguageModel
from edgevoice.testing.virtual import VirtualClock

pytestmark = pytest.mark.models

SYSTEM = ChatMessage("system", "You are a voice assistant. Answer in one short sentence.")
QUESTIONS = (
    "What is the capital of France?",
    "How many legs does a spider have?",
    "What colour is the sky?",
    "Is the number seven even?",
)
CONFIG = Config(slm=SlmSettings(temperature=0.0, max_tokens=24, context=1024, examples=False))


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def pair(model_path: Callable[[str], Path]) -> Iterator[tuple[Llama, Llama]]:
    """The weights of the draft model and of the reference model, which have other tokens."""
    small, large = (model_path(name) for name in ("smollm2-135m", "qwen2.5-coder-0.5b"))
    with closing(Llama(small, CONFIG.slm)) as draft, closing(Llama(large, CONFIG.slm)) as reference:
        yield draft, reference


def respond(agent: DraftFirstAgent, past: list[ChatMessage], out: int) -> tuple[str, Verified]:
    """The reply as it would be heard, if `out` characters of the draft were out when it was
    verified."""
    text = ""
    items: list[AgentOutput] = []
    for item in agent.respond(past, never, never):
        items.append(item)
        match item:
            case Drafted():
                item.lasts = item.seconds
            case Token():
                text += item.text
            case ReplyRevision():
                item.kept, item.correction = max(item.start, min(out, len(text))), "or rather,"
                text = text[: item.kept]
    assert sum(isinstance(item, Prefilled) for item in items) == 1
    (verified,) = (item for item in items if isinstance(item, Verified))
    return text, verified


class WrongDraft(ScriptedLanguageModel):
    """Begins every reply with the same nonsense."""

    def __init__(self) -> None:
        super().__init__(VirtualClock(), lambda _: "The whale sings of purple chairs.", 0.0, 0.0)


@pytest.mark.parametrize(("wrong", "out"), [(False, 0), (True, 0), (True, 12)])
def test_a_conversation_is_drafted_and_verified(
    pair: tuple[Llama, Llama], wrong: bool, out: int
) -> None:
    """The reference evaluates each of its tokens once, unless it was corrected in words."""
    small, reference = (weights.session() for weights in pair)
    draft = WrongDraft() if wrong else small
    agent = DraftFirstAgent(draft, reference, CONFIG, always=True)
    past = [SYSTEM]
    for question in QUESTIONS:
        past = [*past, ChatMessage("user", question)]
        agent.prepare(past, never)
        text, verified = respond(agent, past, out)
        assert verified.drafted == verified.verified + verified.replaced + verified.corrected
        assert (" — or rather, " in text) == bool(verified.corrected) == (out > 0)
        assert not wrong or verified.verified < 3
        plain, ended = _continued(reference, past, text, verified)
        if plain:
            assert ended, "all that was heard is in the cache"
        past = [*past, ChatMessage("assistant", text)]
    agent.close()
    small.close()


def _continued(
    reference: ModelSession, past: list[ChatMessage], text: str, verified: Verified
) -> tuple[bool, bool]:
    """Whether nothing was corrected, and whether the next question reuses the whole reply."""
    after = [*past, ChatMessage("assistant", text)]
    before = reference.count(past)
    begun = next(iter(reference.reply([*after, ChatMessage("user", "Why?")], never)))
    assert isinstance(begun, Prefilled)
    whole = reference.count(after) - 1
    return not verified.corrected, before < whole <= begun.reused + 1
