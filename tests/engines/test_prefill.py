"""Prefill while they speak, on a real tiny model: which tokens are evaluated, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from edgevoice.engines import llama
from edgevoice.engines.batches import Costs
from edgevoice.engines.cores import Cores
from edgevoice.engines.llama import Llama
from edgevoice.errors import EngineError
from edgevoice.settings import SlmSettings
from edgevoice.stages import Message, Prefilled, Stopped, Token
from tests.engines.test_llama import after, ask, never

pytestmark = pytest.mark.models

SYSTEM = Message("system", "You answer in one short sentence.")
BEGINNING = "Which of the planets"
MORE = "Which of the planets is the largest"
WHOLE = "Which of the planets is the largest one?"
OTHER = "Which of the plants is the largest one?"


def user(text: str) -> Message:
    return Message("user", text)


class Counted:
    """A model, and every id it was made to evaluate, in order."""

    def __init__(self, model: Llama, monkeypatch: pytest.MonkeyPatch) -> None:
        self.model = model
        self.ids: list[int] = []
        evaluate = model._native.evaluate

        def counting(ids: Sequence[int]) -> None:
            self.ids += ids
            evaluate(ids)

        monkeypatch.setattr(model._native, "evaluate", counting)

    def during(self, work: Callable[[], object]) -> list[int]:
        """What is evaluated while `work` runs."""
        before = len(self.ids)
        work()
        return self.ids[before:]


@pytest.fixture(scope="module")
def loaded(model_path: Callable[[str], Path]) -> Iterator[Llama]:
    model = Llama(
        model_path("smollm2-135m"), SlmSettings(temperature=0.0, max_tokens=12, context=512)
    )
    yield model
    model.close()


@pytest.fixture
def counted(loaded: Llama, monkeypatch: pytest.MonkeyPatch) -> Counted:
    """The model with nothing of use in its cache."""
    list(loaded.reply([user("x")], after(2)))
    return Counted(loaded, monkeypatch)


def whole(model: Llama, text: str) -> list[int]:
    return model._prompt([SYSTEM, user(text)])


def test_the_words_so_far_go_in_and_nothing_that_closes_them(counted: Counted) -> None:
    """After priming a beginning, the cache is the whole question's prompt up to just there."""
    there = counted.model.prime([SYSTEM, user(BEGINNING)], never)
    assert counted.model._kv == whole(counted.model, WHOLE)[:there]
    longer = len(whole(counted.model, BEGINNING)) - len(whole(counted.model, ""))
    assert there - counted.model.prime([SYSTEM], never) == longer
    assert there == len(counted.model._kv), "priming what is there takes nothing away"


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


def begin(model: Llama, question: str) -> None:
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
    assert (items[1].id, *(t.id for t in reply if isinstance(t, Token))) == cold.ids


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
    ask(model, SYSTEM, user(MORE), cancelled=after(6))
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
    assert there == len(model._kv)
    new = counted.during(lambda: model.prime([SYSTEM, long], never))
    assert there + len(new) == len(model._kv) >= 200


def test_what_does_not_fit_the_context_is_not_begun(counted: Counted) -> None:
    """A prompt that is too long for the window leaves the cache alone; only a reply complains."""
    model = counted.model
    long = [SYSTEM, user("word " * 600)]
    assert counted.during(lambda: model.prime(long, never)) == []
    with pytest.raises(EngineError, match="512"):
        ask(model, *long)


def test_threads_follow_the_ledger_unless_they_are_fixed(
    model_path: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each evaluation asks anew how many cores are left, unless the number is fixed."""
    left = iter(range(1, 1000))
    monkeypatch.setattr("edgevoice.engines.llama.cores.left", lambda _: 1 + next(left) // 3 % 2)
    for settings, expected in (
        (SlmSettings(context=256, max_tokens=4), {1, 2}),
        (SlmSettings(context=256, max_tokens=4, threads=2), {2}),
    ):
        model = Llama(model_path("smollm2-135m"), settings)
        try:
            asked: set[int] = set()
            monkeypatch.setattr(model._native, "use_threads", asked.add)
            ask(model, user("Count to ten."))
            assert asked == expected
        finally:
            model.close()


@pytest.mark.parametrize(("token", "threads"), [(0.05, 1), (0.4, 2)])
def test_only_a_model_that_keeps_up_with_speech_leaves_the_recognizer_its_core(
    counted: Counted, monkeypatch: pytest.MonkeyPatch, token: float, threads: int
) -> None:
    """Between two readings, a model that is slow on one core takes the other one as well."""
    ledger = Cores(2, lambda: 0.0)
    ledger.reserve(1)
    monkeypatch.setattr(llama, "cores", ledger)
    costs = Costs(8)
    costs.note(1, 1, token)
    monkeypatch.setattr(counted.model, "_costs", costs)
    used: list[int] = []
    monkeypatch.setattr(counted.model._native, "use_threads", used.append)
    counted.model.prime([SYSTEM, user(BEGINNING)], never)
    assert set(used) == {threads}


def test_a_start_with_a_kept_prompt_evaluates_none_of_it(
    model_path: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second start reads the system prompt's cache from disk, and says just the same."""
    settings = SlmSettings(temperature=0.0, max_tokens=12, context=512)
    replies, evaluated = [], []
    for _ in range(2):
        model = Llama(model_path("smollm2-135m"), settings, tmp_path)
        try:
            counted = Counted(model, monkeypatch)
            primed: list[int] = []
            evaluated.append(
                counted.during(lambda: primed.append(model.prime([SYSTEM], never)))  # noqa: B023
            )
            assert primed == [len(model._kv)]
            replies.append(ask(model, SYSTEM, user(WHOLE)).ids)
        finally:
            model.close()
    assert len(evaluated[0]) > 10
    assert evaluated[1] == []
    assert replies[0] == replies[1]


def test_a_question_that_comes_before_any_priming_uses_the_kept_prompt(
    model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    """Whoever asks first thing after the start does not wait for the system prompt either."""
    settings = SlmSettings(temperature=0.0, max_tokens=4, context=512)
    reused = []
    for _ in range(2):
        model = Llama(model_path("smollm2-135m"), settings, tmp_path)
        try:
            reused.append(ask(model, SYSTEM, user(WHOLE)).prefilled[0].reused)
            list(model.reply([user("x")], after(2)))
            model.prime([SYSTEM], never)
        finally:
            model.close()
    assert reused[0] == 0
    assert reused[1] > 10


def test_a_kept_prompt_that_is_refused_is_computed_anew(
    model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    """Well-formed on disk but not this model's: the cache is empty and the answer right."""
    settings = SlmSettings(temperature=0.0, max_tokens=12, context=512)
    model = Llama(model_path("smollm2-135m"), settings, tmp_path)
    try:
        start = model._shared([SYSTEM])
        assert model._kept is not None
        model._kept.keep(start, b"not a state of llama.cpp" * 10)
        assert model.prime([SYSTEM], never) == len(start)
        right = ask(model, SYSTEM, user(WHOLE)).ids
    finally:
        model.close()
    fresh = Llama(model_path("smollm2-135m"), settings)
    try:
        assert ask(fresh, SYSTEM, user(WHOLE)).ids == right
    finally:
        fresh.close()


def test_nothing_is_written_unless_it_is_wanted(
    model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    """With slm.keep_state off the folder stays as it was."""
    model = Llama(model_path("smollm2-135m"), SlmSettings(context=512, keep_state=False), tmp_path)
    model.prime([SYSTEM], never)
    model.close()
    assert list(tmp_path.iterdir()) == []
