"""A model's own tokens, kept as far as they spell what was heard."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edgevoice.engines.verbatim import spelled

TEXTS = st.text("aé🙂 ,", max_size=12)


def cut(text: str, places: list[int]) -> dict[int, bytes]:
    """The bytes of `text` as tokens, numbered from 0, cut anywhere."""
    data = text.encode()
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return {n: data[a:b] for n, (a, b) in enumerate(pairwise(ends))}


@given(TEXTS, TEXTS, st.lists(st.integers(0, 60), max_size=8))
def test_tokens_are_taken_up_to_the_cut(heard: str, rest: str, places: list[int]) -> None:
    """Whatever the tokens, those taken spell a beginning of what was heard, or all of it where
    nothing else was written."""
    pieces = cut(heard + rest, places)
    taken, chars = spelled(tuple(pieces), heard, pieces.__getitem__)
    assert taken == tuple(pieces)[: len(taken)]
    assert b"".join(pieces[n] for n in taken).decode() == heard[:chars]
    if not rest:
        assert len(taken) == len(pieces)


def test_a_character_that_was_cut_is_not_half_kept() -> None:
    """A token that ends inside of a character is left out unless the next one is kept."""
    pieces = {0: b"a", 1: "🙂".encode()[:2], 2: "🙂".encode()[2:]}
    assert spelled((0, 1, 2), "a🙂", pieces.__getitem__) == ((0, 1, 2), 2)
    assert spelled((0, 1), "a🙂", pieces.__getitem__) == ((0,), 1)


def test_the_ids_of_another_model_are_not_taken() -> None:
    """They spell other words, or are no bytes that any text has."""
    assert spelled((0,), "word", {0: b"worse"}.__getitem__) == ((), 0)
    assert spelled((0,), "word", {0: b"\xff"}.__getitem__) == ((), 0)
