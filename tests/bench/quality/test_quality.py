"""`bench quality`: everyday questions, judged by rules, and two set-ups compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from edgevoice.bench.quality.comparison import counted, table
from edgevoice.bench.quality.quality import QualityAnswer, QualityResult, questions
from edgevoice.engines import registry
from edgevoice.errors import UsageError
from edgevoice.models.store import Store
from edgevoice.protocols import ChatMessage
from edgevoice.testing.scripted import ScriptedLanguageModel
from edgevoice.testing.virtual import VirtualClock
from tests.command import edgevoice


def test_there_are_enough_questions_of_every_kind() -> None:
    """At least 120 in each half, none of them twice; eight or more of each category."""
    assert len({one.question for one in questions()}) == len(questions())
    for half in ("tuned", "aside"):
        names = [one.category for one in questions(half=half)]
        assert len(names) >= 120
        assert min(map(names.count, names)) >= 8


@pytest.mark.parametrize(
    ("question", "reply", "right"),
    [
        ("What is 12 times 12?", "12 times 12 is **144**.", True),
        ("What is 12 times 12?", "It is 1,144.", False),
        ("What is 72 divided by 8?", "72 divided by 8 is 9.5.", False),
        ("How many grams are in a kilogram?", "There are 1,000 grams in it.", True),
        ("Can my dog eat chocolate?", "No, chocolate is toxic to dogs.", True),
        ("Can my dog eat chocolate?", "Yes, in small amounts. It isn't toxic.", False),
        ("Can my dog eat chocolate?", "Dogs can have it, as it is safe for them.", False),
        ("Should I wear a helmet on a bicycle?", "Yes, never ride without one.", True),
        ("Should I wear a helmet on a bicycle?", "It is not needed.", False),
        ("Who made you?", "I was created by OpenAI.", False),
        ("Who made you?", "I don’t know.", True),
        ("What is my name?", "I don't know your name.", True),
        ("What is my name?", "Your name is Alex.", False),
        ("What is the weather like right now?", "Sorry, I can't see the weather.", True),
        ("What is the weather like right now?", "I can't see it, but it is sunny.", False),
        ("Set a timer for ten minutes.", "I can't set timers.", True),
        ("Set a timer for ten minutes.", "Your timer is set.", False),
        ("What time is it?", "It's 3:24 pm.", True),
        ("What time is it?", "It is 15:24.", True),
        ("What time is it?", "It's 12:00 pm.", False),
    ],
)
def test_replies_are_judged_by_words_and_numbers(question: str, reply: str, right: bool) -> None:
    """Whole words and whole numbers count, in any case and mark-up."""
    [rules] = [one for one in questions() if one.question == question]
    assert rules.is_right(reply) is right


def result(rights: Sequence[bool], first: int = 0, seed: int = 1) -> QualityResult:
    answers = [
        QualityAnswer(
            half="aside",
            category="facts",
            question=f"{n}?",
            seed=seed,
            reply="Yes.",
            right=right,
            seconds=0.1,
        )
        for n, right in enumerate(rights, first)
    ]
    return QualityResult(slm="scripted", system_prompt="", answers=tuple(answers))


def test_two_results_are_compared_question_by_question() -> None:
    """Questions that both got right, or both wrong, say nothing about the difference."""
    pytest.importorskip("scipy")
    before, after = result([True] * 10 + [False] * 10), result([True] * 9 + [False] + [True] * 10)
    everything = counted(after, before)[-1]
    assert (everything.before, everything.right) == (50, 95)
    assert (everything.gained, everything.lost) == (10, 1)
    assert everything.difference
    assert everything.difference.change == 45
    assert 10 < everything.difference.low < 45 < everything.difference.high < 80
    assert everything.difference.p == pytest.approx(2 * (1 + 11) / 2**11, rel=0.3)
    assert not everything.worse
    assert counted(before, after)[-1].worse
    assert "gained" in table(after, [everything])[0]


def test_the_replies_of_all_seeds_to_a_question_count_as_one() -> None:
    """A question that is asked three times must not make a difference look three times as sure."""
    pytest.importorskip("scipy")

    def three(*rights: bool) -> QualityResult:
        seeds = [result(rights, seed=seed).answers for seed in (1, 2)]
        wrong = result([False] * len(rights), seed=3).answers
        answers = tuple(answer for of in (*seeds, wrong) for answer in of)
        return QualityResult(slm="scripted", system_prompt="", answers=answers)

    [*_, everything] = counted(three(True, True, False), three(False, True, False))
    assert everything.questions == 3
    assert (everything.gained, everything.lost) == (1, 0)
    assert everything.difference
    assert everything.difference.change == pytest.approx(100 * 2 / 9)
    assert everything.difference.p == 1


def test_both_halves_of_the_questions_are_counted() -> None:
    """A gain on questions that prompts were tuned on says little."""
    tuned = result([True, True])
    tuned = replace(tuned, answers=tuple(replace(one, half="tuned") for one in tuned.answers))
    both = replace(tuned, answers=(*tuned.answers, *result([False], first=2).answers))
    shares = {one.name: one.right for one in counted(both)}
    assert shares["tuned"] == 100
    assert shares["set aside"] == 0
    assert "tuned" not in {one.name for one in counted(tuned)}


def test_results_without_a_common_question_are_not_compared() -> None:
    """Their counts would say nothing."""
    with pytest.raises(UsageError, match="share no question"):
        counted(result([True]), result([True], first=1))


@dataclass
class Answering:
    """What the scripted model says, {seed} being its seed, and how often it was loaded."""

    says: str = "I don't know."
    loads: int = 0


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """The language model is a scripted one."""
    of = Answering()

    def answer(_: Sequence[ChatMessage]) -> str:
        return of.says.format(seed=model.seed)

    def load(*_: object) -> ScriptedLanguageModel:
        of.loads += 1
        return model

    model = ScriptedLanguageModel(VirtualClock(), answer)
    entry = SimpleNamespace(role="slm", shape=False, format="gguf")
    monkeypatch.setattr(Store, "choose", lambda *_: SimpleNamespace(name="scripted", entry=entry))
    monkeypatch.setattr(registry, "engine", lambda _: SimpleNamespace(load=load))
    return of


def test_the_command_writes_every_reply(tmp_path: Path, answering: Answering) -> None:
    """And prints the counts by category."""
    file = tmp_path / "r.json"
    done = edgevoice("bench", "quality", "--only", "unknowable", "--json", file)
    assert done.returncode == 0, done.stderr
    written = json.loads(file.read_text())
    assert {one["reply"] for one in written["answers"]} == {"I don't know."}
    assert all(one["right"] for one in written["answers"])
    assert "unknowable" in done.stdout


def test_each_seed_asks_every_question(tmp_path: Path, answering: Answering) -> None:
    """With the temperature of the settings, as the likeliest token is the same each time. The
    model is loaded once."""
    answering.says = "{seed}"
    file = tmp_path / "r.json"
    options = ("--only", "identity", "--half", "aside", "--seeds", "3", "--json", file)
    assert edgevoice("bench", "quality", *options).returncode == 0
    answers = json.loads(file.read_text())["answers"]
    assert {one["seed"] for one in answers} == {1, 2, 3}
    assert all(one["reply"] == str(one["seed"]) for one in answers)
    assert len(answers) == 3 * len(questions("identity", "aside"))
    assert answering.loads == 1


def test_a_worse_set_up_exits_with_1(tmp_path: Path, answering: Answering) -> None:
    """So that CI notices; a better one exits with 0."""
    pytest.importorskip("scipy")
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    command = ("bench", "quality", "--only", "unknowable", "--json")
    assert edgevoice(*command, good).returncode == 0
    answering.says = "It is sunny."
    assert edgevoice(*command, bad, "--against", good).returncode == 1
    answering.says = "I don't know."
    assert edgevoice(*command, "-", "--against", bad).returncode == 0


def test_what_cannot_be_asked_or_compared_exits_with_2(
    tmp_path: Path, answering: Answering
) -> None:
    """A category that is not there, and a file that is no result, are named before asking."""
    none = edgevoice("bench", "quality", "--only", "poetry", "--json", "-")
    assert none.returncode == 2
    assert "facts" in none.stderr
    other = tmp_path / "other.json"
    other.write_text("{}")
    assert edgevoice("bench", "quality", "--against", other, "--json", "-").returncode == 2
