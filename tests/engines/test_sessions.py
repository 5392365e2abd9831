"""Several conversations on one language model: apart from each other, and within a budget."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edgevoice.engines.llama import Llama
from edgevoice.engines.model_session import ModelSession
from edgevoice.protocols import ChatMessage, Token
from edgevoice.settings import SlmSettings
from tests.engines.test_llama import SYSTEM, after, ask, never

pytestmark = pytest.mark.models

BUDGET = 24
"""Megabytes: room for two KV caches of 512 tokens, 11.8 MB each."""


def question(number: int) -> ChatMessage:
    return ChatMessage("user", f"What is {number} and {number}?")


@pytest.fixture(scope="module")
def weights(model_path: Callable[[str], Path]) -> Iterator[Llama]:
    settings = SlmSettings(temperature=0.0, max_tokens=8, context=512, kv_budget_mb=BUDGET)
    with closing(Llama(model_path("smollm2-135m"), settings)) as model:
        yield model


@pytest.fixture
def sessions(weights: Llama) -> Iterator[list[ModelSession]]:
    """Eight of them."""
    made = [weights.session() for _ in range(8)]
    yield made
    for session in made:
        session.close()


def test_eight_sessions_stay_within_the_budget_and_each_has_its_own_conversation(
    weights: Llama, sessions: list[ModelSession]
) -> None:
    """Two caches serve them all, and each is answered as if it were alone."""
    alone = [ask(sessions[0], SYSTEM, question(n)).text for n in range(8)]
    together = [ask(session, SYSTEM, question(n)).text for n, session in enumerate(sessions)]
    assert together == alone
    assert len(weights.caches) == 2


def test_idle_sessions_take_no_processor_time(sessions: list[ModelSession]) -> None:
    """Nothing runs and nothing spins once everyone is answered."""
    for number, session in enumerate(sessions):
        ask(session, SYSTEM, question(number))
    threads, spent = threading.active_count(), time.process_time()
    time.sleep(1.0)
    assert time.process_time() - spent < 0.3
    assert threading.active_count() == threads


def test_an_evicted_session_is_primed_anew_and_goes_on(sessions: list[ModelSession]) -> None:
    """What the others took away is evaluated again, and the conversation is the same."""
    first, *others = sessions
    said = ask(first, SYSTEM, question(1))
    past = [SYSTEM, question(1), said.message]
    expected = ask(first, *past, question(2)).text
    for number, session in enumerate(others):
        ask(session, SYSTEM, question(number))
    there = first.prime(past, never)
    again = ask(first, *past, question(2))
    assert again.prefilled[0].reused == there > 10
    assert again.text == expected


def test_a_reply_that_is_evicted_in_its_middle_is_not_broken_off(
    sessions: list[ModelSession],
) -> None:
    """More conversations than caches are slow, and none is wrong."""
    whole = [ask(session, SYSTEM, question(n)).text for n, session in enumerate(sessions[:3])]
    running = [s.reply([SYSTEM, question(n)], never) for n, s in enumerate(sessions[:3])]
    said = ["", "", ""]
    going = set(range(3))
    while going:
        for number in sorted(going):
            item = next(running[number], None)
            if isinstance(item, Token):
                said[number] += item.text
            elif item is None:
                going.remove(number)
    assert said == whole


def test_a_session_that_ends_leaves_its_cache_to_the_next(
    weights: Llama, sessions: list[ModelSession]
) -> None:
    """It leaves nothing of its conversation there."""
    ask(sessions[0], SYSTEM, question(1))
    sessions[0].close()
    assert ask(weights.session(), SYSTEM, question(1)).prefilled[0].reused == 0


def test_each_token_of_a_given_reply_has_its_probability(sessions: list[ModelSession]) -> None:
    """What the model says itself is likeliest at each token; the first wrong word is not."""
    session = sessions[0]
    said = ask(session, SYSTEM, question(1))
    found = session.probabilities([SYSTEM, question(1), said.message], never)
    assert "".join(text for text, _ in found) == said.text
    assert len(found) == len(said.tokens)
    assert all(0 < probability <= 1 for _, probability in found)
    words = said.text.split(" ")
    wrong = ChatMessage("assistant", " ".join([*words[:2], "whale", *words[3:]]))
    doubted = session.probabilities([SYSTEM, question(1), wrong], never)
    place = next(n for n, (text, _) in enumerate(doubted) if text != found[n][0])
    assert doubted[place][1] < found[place][1]
    assert [p for _, p in doubted[:place]] == pytest.approx([p for _, p in found[:place]], 0.05)
    again = ask(session, SYSTEM, question(1))
    assert again.text == said.text, "the cache is sound afterwards"
    assert session.probabilities([SYSTEM, question(1), wrong], after(0)) == []
