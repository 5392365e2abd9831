"""The waterfall of a turn as text."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from edgevoice.events import SpeakerTempoChanged
from edgevoice.timings import SPANS, Span, TurnTimings
from edgevoice.waterfall import (
    HIDDEN,
    MEANING,
    SLIVER,
    WAIT,
    WORK,
    bars,
    render_waterfall,
    sentence,
    shares,
    sparkline,
)
from tests.sessions import conversation
from tests.test_scene import scene_of

lengths = st.lists(
    st.floats(min_value=0, max_value=3, allow_nan=False), min_size=len(SPANS), max_size=len(SPANS)
)


def turn_of(seconds: list[float], own: tuple[Span, ...] = ()) -> TurnTimings:
    at, spans = 1.0, []
    for name, length in zip(SPANS, seconds, strict=True):
        spans.append(Span(name, at, at + length))
        at += length
    return TurnTimings(turn=0, response_time=at - 1.0, spans=tuple(spans), bars=own)


@given(lengths)
def test_rounded_shares_add_up_to_the_rounded_response_time(seconds: list[float]) -> None:
    """The printed times add up to the printed total."""
    turn = turn_of(seconds)
    assert turn.response_time is not None
    assert sum(ms for _, ms in shares(turn)) == round(turn.response_time * 1000)


@given(lengths, st.integers(min_value=1, max_value=200))
def test_no_two_spans_share_a_cell(seconds: list[float], width: int) -> None:
    """Every row is as wide as the axis, and spans follow one another on it without overlap."""
    rows = bars(turn_of(seconds), width)
    assert {len(row.cells) for row in rows} == {width}
    for cell in range(width):
        assert sum(row.cells[cell] in (WORK, WAIT) for row in rows) <= 1


@given(lengths, st.integers(min_value=1, max_value=200))
def test_whatever_takes_a_millisecond_is_seen(seconds: list[float], width: int) -> None:
    """A span too short for a cell is still visible."""
    for row in bars(turn_of(seconds), width):
        assert (row.ms == 0) or any(c in (WORK, WAIT, SLIVER) for c in row.cells)


def test_work_hidden_behind_something_slower_is_drawn_thin() -> None:
    """Work in parallel with a slower stage is shown, and adds no time."""
    own = (Span("decode", 1.0, 1.5),)
    turn = turn_of([1.0, 0, 0, 0, 0, 0, 0], own)
    cells = {row.name: row.cells for row in bars(turn, 10)}
    assert cells["first clause"] == HIDDEN * 5 + " " * 5
    assert cells["pause"] == WAIT * 10


def test_a_waterfall_reads_without_colour() -> None:
    """The text has a row per span, the total, and the model's figures."""
    lines = render_waterfall(scene_of(conversation()).timings.turns[0], 60)
    assert lines == [
        "turn 1 · prompt 96 tokens, 84 reused · reply 10 at 33/s",
        "pause        ░░░░░░░░░░░                              250 ms",
        "recognize               █████                         110 ms",
        "prefill                      █████                    110 ms",
        "first clause                      ███████──────────   180 ms",
        "synthesize                               ███████───   150 ms",
        "confirm                                                 0 ms",
        "output                                          ░░░    70 ms",
        "total        └────────────────────────────────────┘   870 ms",
    ]


def test_a_wait_that_was_learned_is_told() -> None:
    """Adapted waits for silence are below the total."""
    plain = turn_of([0.25, 0, 0, 0, 0, 1.0, 0])
    pace = SpeakerTempoChanged(turn=0, factor=1.35, shortest_ms=270, longest_ms=2430)
    assert render_waterfall(replace(plain, pace=pace), 60) == [
        *render_waterfall(plain, 60),
        "patience ×1.35: 270 to 2430 ms of silence",
    ]
    as_before = SpeakerTempoChanged(turn=0, factor=1.0, shortest_ms=200, longest_ms=1800)
    assert render_waterfall(replace(plain, pace=as_before), 60) == render_waterfall(plain, 60)


def test_the_sentence_is_a_sum() -> None:
    """The line has the response time and its spans, without those of 0 ms."""
    assert sentence(scene_of(conversation()).timings.turns[0]) == (
        "response time 870 ms = pause 250 + recognize 110 + prefill 110 + first clause 180 "
        "+ synthesize 150 + output 70"
    )


def test_a_turn_that_was_never_heard_has_no_sentence() -> None:
    """Without an audible reply there is no response time."""
    assert sentence(TurnTimings(turn=0, response_time=None, spans=(), bars=())) == ""
    assert bars(TurnTimings(turn=0, response_time=None, spans=(), bars=()), 40) == []


def test_every_span_is_explained() -> None:
    """The help describes every span, in order."""
    assert tuple(MEANING) == SPANS


def test_a_sparkline_shows_the_last_values_from_zero() -> None:
    """Heights are proportions of the largest, and only the newest fit."""
    assert sparkline([9.0, 0.0, 0.5, 1.0], 3) == "▁▄█"
    assert sparkline([], 5) == ""
    assert sparkline([0.0, 0.0], 5) == "▁▁"
