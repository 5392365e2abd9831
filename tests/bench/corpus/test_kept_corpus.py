"""A conversation that was kept is a corpus: each question after what had been said before it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from edgevoice.bench.corpus.corpus import listed, recorded, with_history
from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.protocols import ChatMessage
from edgevoice.recordings.recorded_turn import encoded, read
from edgevoice.settings import Config
from edgevoice.testing.scripted import LoudnessDetector
from tests.kept import Kept, file_of


def test_kept_turns_are_a_corpus_with_their_history(kept: Kept) -> None:
    """In their order, each after what was said before it; nobody's transcript is taken for one."""
    rows, _ = listed(kept.folder.path, pytest.fail)
    rows, left_out = with_history(rows, pytest.fail)
    questions, _ = recorded(rows, LoudnessDetector(), pytest.fail)
    assert not left_out
    assert [question.said for question in questions] == ["what time is it", "and in Paris"]
    assert questions[0].history == ()
    assert questions[1].history == (
        ChatMessage("user", "what time is it"),
        ChatMessage("assistant", "I was told 2 things."),
    )
    assert questions[1].speech_end == read(file_of(kept, 2)).speech_end
    assert questions[1].reply == "I was told 4 things."
    assert not questions[1].known


def test_the_conversation_is_carried_on_as_recorded_or_as_replayed(kept: Kept) -> None:
    """As recorded each question begins anew; as replayed only where the recording did."""
    rows, _ = with_history(listed(kept.folder.path, pytest.fail)[0], pytest.fail)
    first, second = recorded(rows, LoudnessDetector(), pytest.fail)[0]
    plan = BenchPlan(command="run", config=Config(), questions=[first, second], source="")
    assert [plan.begins(question) for question in plan.questions] == [True, True]
    carried = BenchPlan(
        command="run", config=Config(), questions=[first, second], source="", conversation=True
    )
    assert [carried.begins(question) for question in carried.questions] == [True, False]
    rest = BenchPlan(
        command="run", config=Config(), questions=[second], source="", conversation=True
    )
    assert rest.begins(second)


def test_what_a_person_wrote_down_comes_before_what_was_heard(kept: Kept) -> None:
    """A manifest beside the turns has words scored; the history stays the recorded one."""
    folder = kept.folder.path
    (folder / "manifest.tsv").write_text(
        "file\ttranscript\nturn-000002.wav\tand in Rome\n", encoding="utf-8"
    )
    rows, _ = with_history(listed(folder, pytest.fail)[0], pytest.fail)
    (question,) = recorded(rows, LoudnessDetector(), pytest.fail)[0]
    assert (question.said, question.known) == ("and in Rome", True)
    assert question.history is not None
    assert len(question.history) == 2


def test_turns_that_cannot_be_asked_are_named_and_the_others_are(kept: Kept) -> None:
    """A damaged one, a newer one, a cough; notes of somebody else's are none of ours."""
    folder = kept.folder.path
    turn, sound = read(file_of(kept, 1)), file_of(kept, 1).with_suffix(".wav").read_bytes()
    for name, text in (
        ("turn-000003", "{"),
        ("turn-000004", encoded(replace(turn, version=99))),
        ("turn-000005", encoded(replace(turn, heard="", ending="no_speech"))),
        ("mine", '{"notes": "a cough"}'),
        ("also-mine", "no JSON at all"),
    ):
        (folder / f"{name}.wav").write_bytes(sound)
        (folder / f"{name}.json").write_text(text)
    told: list[str] = []
    rows, left_out = with_history(listed(folder, told.append)[0], told.append)
    assert left_out == ["turn-000003.wav", "turn-000004.wav", "turn-000005.wav"]
    assert [row.file.stem for row in rows] == ["also-mine", "mine", "turn-000001", "turn-000002"]
    assert ["damaged" in told[0], "newer" in told[1], "no words" in told[2]] == [True] * 3
