"""Prefill while they speak, on a real tiny model: which tokens are evaluated, and when."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from edgevoice.engines import llama
from edgevoice.engines.cpu_budget import CpuBudget
from edgevoice.engines.llama import Llama
from edgevoice.engines.model_session import ModelSession
from edgevoice.engines.prompt_cache import MAGIC, SUFFIX
from edgevoice.errors import EngineError
from edgevoice.protocols import ChatMessage, Prefilled, Stopped, Token
from edgevoice.settings import SlmSettings
from tests.engines.test_llama import after, ask, never
from tests.engines.watched import Watched, watched

pytestmark = pytest.mark.models

SYSTEM = ChatMessage("system", "You answer in one short sentence.")
EXAMPLE = (
    ChatMessage("user", "Is it windy?", example=True),
    ChatMessage("assistant", "I can't see that.", example=True),
)
BEGINNING = "Which of the planets"
MORE = "Which of the planets is the largest"
WHOLE = "Which of the planets is the largest one?"
OTHER = "Which of the plants is the largest one?"
SETTINGS = SlmSettings(temperature=0.0, max_tokens=12, context=512)


def user(text: str) -> ChatMessage:
    return ChatMessage("user", text)


class Counted(NamedTuple):
    """A model, and the llama.cpp under it."""

    model: ModelSession
    native: Watched

    def during(self, work: Callable[[], object]) -> list[int]:
        """The ids that are evaluated while `work` runs, in order."""
        before = len(self.native.evaluated)
        work()
        return [each for ids in self.native.evaluated[before:] for each in ids]


@pytest.fixture(scope="module")
def path(model_path: Callable[[str], Path]) -> Path:
    """The file of a tiny model."""
    return model_path("smollm2-135m")


@pytest.fixture(scope="module")
def loaded(path: Path) -> Iterator[Counted]:
    with watched(Llama, path, SETTINGS) as opened:
        yield Counted(*opened)


@pytest.fixture
def counted(loaded: Counted) -> Counted:
    """The model with nothing of use in its cache."""
    list(loaded.model.reply([user("x")], after(2)))
    return loaded


def whole(model: ModelSession, text: str) -> list[int]:
    return model.prompt([SYSTEM, user(text)])


def test_the_words_so_far_go_in_and_nothing_that_closes_them(counted: Counted) -> None:
    """After priming a beginning, the cache is the whole question's prompt up to just there."""
    there = counted.model.prime([SYSTEM, user(BEGINNING)], never)
    assert counted.native.held == whole(counted.model, WHOLE)[:there]
    longer = len(whole(counted.model, BEGINNING)) - len(whole(counted.model, ""))
    assert there - counted.model.prime([SYSTEM], never) == longer
    assert there == len(counted.native.held), "priming what is there takes nothing away"


def test_every_agreed_word_costs_only_itself(counted: Counted) -> None:
    """A question that grows is never evaluated from its beginning again."""
    model = counted.model
    there = model.prime([SYSTEM, user(BEGINNING)], never)
    new = counted.during(lambda: model.prime([SYSTEM, user(MORE)], never))
    assert new == whole(model, MORE)[there : there + len(new)]
    assert 0 < len(new) < 6
    rest = counted.during(lambda: ask(model, SYSTEM, user(WHOLE), cancelled=after(4)))
    assert rest[:2] == whole(model, WHOLE)[there + len(new) :][:2]


def test_a_changed_word_rolls_back_to_itself_and_no_further(counted: Counted) -> None:
    """Where two hearings differ in the fourth word, the first three stay."""
    model = counted.model
    model.prime([SYSTEM, user(MORE)], never)
    new = counted.during(lambda: model.prime([SYSTEM, user(OTHER)], never))
    one, other = whole(model, MORE), whole(model, OTHER)
    same = next(i for i in range(len(one)) if one[i] != other[i])
    assert new == other[same : same + len(new)]
    assert len(new) < 8


def test_the_date_and_time_leave_everything_before_the_question_evaluated(
    counted: Counted,
) -> None:
    """They cost only themselves, before the first word; a minute later the conversation stays."""
    model, before = counted.model, [SYSTEM, *EXAMPLE]
    for clock in ("3:24", "3:25"):
        question = ChatMessage("user", WHOLE, lead=f"[Wednesday, October 14, {clock} pm]")
        there = model.prime(before, never)
        assert counted.native.held[:there] == model.prompt([*before, question])[:there]
        begun = [*before, ChatMessage("user", "", lead=question.lead)]
        line = counted.during(lambda: model.prime(begun, never))  # noqa: B023
        assert line == model.prompt([*before, question])[there : there + len(line)]
        assert len(line) > 5
        reply = ask(model, *before, question)
        assert reply.prefilled[0].reused == there + len(line)
        before += [question, ChatMessage("assistant", reply.text)]


def test_fewer_words_than_before_evaluate_nothing(counted: Counted) -> None:
    """What the cache holds beyond what is primed may come true again, so it stays."""
    model = counted.model
    model.prime([SYSTEM, user(MORE)], never)
    assert counted.during(lambda: model.prime([SYSTEM, user(BEGINNING)], never)) == []
    assert counted.during(lambda: model.prime([SYSTEM, user(MORE)], never)) == []


def test_spaces_after_the_last_word_change_nothing(counted: Counted) -> None:
    """A beginning is its words, however it is cut off."""
    model = counted.model
    model.prime([SYSTEM, user(BEGINNING)], never)
    assert counted.during(lambda: model.prime([SYSTEM, user(BEGINNING + "  ")], never)) == []


def begin(model: ModelSession, question: str) -> None:
    """Begin a reply, and abandon it before its first token."""
    next(model.reply([SYSTEM, user(question)], never))


def test_a_reply_begun_again_starts_without_evaluating_anything(counted: Counted) -> None:
    """The newest logits are the prompt's own, so the first token is only chosen."""
    model = counted.model
    cold = ask(model, SYSTEM, user(WHOLE))
    list(model.reply([user("x")], after(2)))
    begin(model, WHOLE)
    count = model.count([SYSTEM, user(WHOLE)])
    items: list[Prefilled | Token | Stopped] = []
    reply = model.reply([SYSTEM, user(WHOLE)], never)
    assert counted.during(lambda: items.extend([next(reply), next(reply)])) == []
    assert items[0] == Prefilled(count, count)
    assert isinstance(items[1], Token)
    assert (items[1].text, *(t.text for t in reply if isinstance(t, Token))) == cold.tokens


def test_after_a_whole_reply_the_same_question_costs_one_token(counted: Counted) -> None:
    """Where the logits are another position's the last token is evaluated again, and only that."""
    model = counted.model
    ask(model, SYSTEM, user(WHOLE))
    assert counted.during(lambda: begin(model, WHOLE)) == whole(model, WHOLE)[-1:]


def test_priming_before_a_reply_is_begun_again_does_no_harm(counted: Counted) -> None:
    """A late agreed word that is in the cached prompt already leaves the logits alone."""
    model = counted.model
    begin(model, WHOLE)
    model.prime([SYSTEM, user(MORE)], never)
    assert counted.during(lambda: begin(model, WHOLE)) == []


def test_an_abandoned_reply_leaves_the_question_in_the_cache(counted: Counted) -> None:
    """They paused and went on: of the longer question only the new words are evaluated."""
    model = counted.model
    begun = itertools.islice(model.reply([SYSTEM, user(MORE)], never), 4)
    assert list(map(type, begun)) == [Prefilled, Token, Token, Token]
    del begun
    new = counted.during(lambda: begin(model, WHOLE))
    prompt, short = whole(model, WHOLE), whole(model, MORE)
    same = next(i for i in range(len(short)) if short[i] != prompt[i])
    assert new == prompt[same:]


def test_cancelling_while_they_speak_keeps_what_was_done(counted: Counted) -> None:
    """Priming ends soon after nobody wants it, says how far it came, and can go on from there."""
    model = counted.model
    long = user("word " * 200)
    there = model.prime([SYSTEM, long], after(2))
    assert 0 < there < 200
    assert there == len(counted.native.held)
    new = counted.during(lambda: model.prime([SYSTEM, long], never))
    assert there + len(new) == len(counted.native.held) >= 200


def test_what_does_not_fit_the_context_is_not_begun(counted: Counted) -> None:
    """A prompt that is too long for the window leaves the cache alone; only a reply complains."""
    model = counted.model
    long = [SYSTEM, user("word " * 600)]
    assert counted.during(lambda: model.prime(long, never)) == []
    with pytest.raises(EngineError, match="512"):
        ask(model, *long)


def test_threads_follow_the_ledger_unless_they_are_fixed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each evaluation asks anew how many cores are left, unless the number is fixed."""
    left = iter(range(1, 1000))
    monkeypatch.setattr(
        "edgevoice.engines.cpu_budget.cores.left", lambda _: 1 + next(left) // 3 % 2
    )
    for settings, expected in (
        (SlmSettings(context=256, max_tokens=4), {1, 2}),
        (SlmSettings(context=256, max_tokens=4, threads=2), {2}),
    ):
        with watched(Llama, path, settings) as (model, native):
            ask(model, user("Count to ten."))
        assert set(native.threads) == expected


@pytest.mark.parametrize(("token", "threads"), [(0.05, 1), (0.4, 2)])
def test_only_a_model_that_keeps_up_with_speech_leaves_the_recognizer_its_core(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: float, threads: int
) -> None:
    """Between two readings, a model that is slow on one core takes the other one as well.

    What a token costs is known from the start before.
    """
    ledger = CpuBudget(2, lambda: 0.0)
    ledger.reserve(1)
    monkeypatch.setattr(llama, "cores", ledger)
    with watched(Llama, path, SETTINGS, tmp_path) as (model, _):
        list(model.reply([user("x")], after(2)))
    (costs,) = tmp_path.glob("*.json")
    costs.write_text(json.dumps({1: {1: token}}))
    with watched(Llama, path, SETTINGS, tmp_path) as (model, native):
        model.prime([SYSTEM, user(BEGINNING)], never)
    assert set(native.threads) == {threads}


@pytest.mark.parametrize("opening", [[SYSTEM], [SYSTEM, *EXAMPLE]])
def test_a_start_with_a_kept_prompt_evaluates_none_of_it(
    opening: list[ChatMessage], path: Path, tmp_path: Path
) -> None:
    """The second start reads the system prompt and the examples from disk, and says the same."""
    replies, primed, evaluated = [], [], []
    for _ in range(2):
        with watched(Llama, path, SETTINGS, tmp_path) as (model, native):
            native.evaluated.clear()
            primed.append(model.prime(opening, never))
            evaluated.append(sum(map(len, native.evaluated)))
            replies.append(ask(model, *opening, user(WHOLE)).tokens)
    assert primed[0] == primed[1] > 10
    assert evaluated == [primed[0], 0]
    assert replies[0] == replies[1]


def test_a_question_that_comes_before_any_priming_uses_the_kept_prompt(
    path: Path, tmp_path: Path
) -> None:
    """Whoever asks first thing after the start does not wait for the system prompt either."""
    settings = SlmSettings(temperature=0.0, max_tokens=4, context=512)
    reused = []
    for _ in range(2):
        with watched(Llama, path, settings, tmp_path) as (model, _):
            reused.append(ask(model, SYSTEM, user(WHOLE)).prefilled[0].reused)
            list(model.reply([user("x")], after(2)))
            model.prime([SYSTEM], never)
    assert reused[0] == 0
    assert reused[1] > 10


def test_a_kept_prompt_that_is_refused_is_computed_anew(path: Path, tmp_path: Path) -> None:
    """Well-formed on disk but not this model's: the cache is empty and the answer right."""
    with watched(Llama, path, SETTINGS, tmp_path) as (model, _):
        there = model.prime([SYSTEM], never)
        right = ask(model, SYSTEM, user(WHOLE)).tokens
    (state,) = tmp_path.glob(f"*{SUFFIX}")
    foreign = b"not a state of llama.cpp" * 10
    state.write_bytes(MAGIC + hashlib.sha256(foreign).digest() + foreign)
    with watched(Llama, path, SETTINGS, tmp_path) as (model, native):
        native.evaluated.clear()
        assert model.prime([SYSTEM], never) == there == sum(map(len, native.evaluated))
        assert ask(model, SYSTEM, user(WHOLE)).tokens == right


def test_nothing_is_written_unless_it_is_wanted(path: Path, tmp_path: Path) -> None:
    """With slm.prompt_cache off the folder stays as it was."""
    settings = SlmSettings(context=512, prompt_cache=False)
    with watched(Llama, path, settings, tmp_path) as (model, _):
        model.prime([SYSTEM], never)
    assert list(tmp_path.iterdir()) == []
