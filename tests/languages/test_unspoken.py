"""Reasoning and calls of tools are neither spoken nor remembered as heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.agent.clauses import ClauseCutter
from edgevoice.languages import language_data
from edgevoice.languages.text_normalization import normalize
from edgevoice.languages.unspoken import without

REASONED = language_data("en").signs.reasoned
CALL = '{"name": "get_weather", "arguments": {"city": "Paris, {France}", "n": [1, 2]}}'


def said(reply: str) -> str:
    """What is spoken of a reply that arrives character by character."""
    cutter = ClauseCutter(0)
    clauses = [clause for char in reply for clause in cutter.push(char)] + cutter.flush()
    assert "".join(clause.text for clause in clauses) == reply
    return " ".join(clause.spoken for clause in clauses if clause.spoken)


@pytest.mark.parametrize(
    ("reply", "spoken"),
    [
        ("<think>a</think>b", "b"),
        ("a</think>b", "b"),
        ("<think>\nThe user asks. I see. It is so.\n</think>\n\nIt is Paris.", "It is Paris."),
        ("<thinking>one, two; three</thinking> Yes.", "Yes."),
        ("<reasoning>one</reasoning>No.", "No."),
        ("Wait. <think>hm</think> Yes.", "Wait. Yes."),
        ("<think>a</think>", REASONED),
        ("<think>This never ends. It goes on and on. " * 30, REASONED),
        (CALL, REASONED),
        (f"[{CALL}]", REASONED),
        (f"<tool_call>\n{CALL}\n</tool_call>", REASONED),
        (f"[TOOL_CALLS]{CALL}", REASONED),
        (f"Let me look. {CALL} It rains.", "Let me look. It rains."),
        (f"Let me look.\n{CALL}\nIt rains.", "Let me look. It rains."),
        ('She said "yes" [and "no"].', 'She said "yes" and "no".'),
        ("I think <b>so</b>.", "I think so."),
    ],
)
def test_only_what_is_meant_for_the_user_is_spoken(reply: str, spoken: str) -> None:
    """Where nothing is, one sentence says so."""
    assert said(reply) == spoken


@pytest.mark.parametrize(
    ("reply", "heard"),
    [
        ("<think>a</think>b", "b"),
        ("a</think>b", "b"),
        ("<think>a", ""),
        (f"Well. {CALL}", "Well. "),
        ("a < b and </b>", "a < b and </b>"),
    ],
)
def test_only_what_is_meant_for_the_user_is_remembered(reply: str, heard: str) -> None:
    """A question about its own words must not lead to words that nobody heard."""
    assert without(reply) == heard


@given(st.text(alphabet='<>/think{}[]"\\: ab.', max_size=60))
def test_any_mixture_of_marks_is_spoken_without_them(reply: str) -> None:
    """No text is lost, and no tag is left over."""
    said(reply)
    assert "</think>" not in normalize(reply)
