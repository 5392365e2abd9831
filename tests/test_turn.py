"""Verdicts are given once and never taken back."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import edgevoice
from edgevoice.clock import SystemClock
from edgevoice.turn import Turn

PACKAGE = Path(edgevoice.__file__).parent


def turn() -> Turn:
    return Turn(0, "speech", SystemClock().monitor())


def test_a_turn_is_committed_once() -> None:
    """The second commitment changes nothing and says so."""
    t = turn()
    assert t.commit()
    assert not t.commit()
    assert t.committed


def test_a_cancelled_turn_can_never_be_committed() -> None:
    """What was taken back stays unheard."""
    t = turn()
    assert t.cancel("resumed")
    assert not t.commit()
    assert not t.committed


def test_a_turn_is_cancelled_once_and_keeps_its_first_reason() -> None:
    """A barge-in is not overwritten by the shutdown that follows it."""
    t = turn()
    t.commit()
    assert t.cancel("barge_in")
    assert not t.cancel("shutdown")
    assert t.reason == "barge_in"


def test_a_settled_turn_cannot_be_cancelled() -> None:
    """What is over is over."""
    t = turn()
    t.commit()
    assert t.settle()
    assert not t.settle()
    assert not t.cancel("interrupted")
    assert not t.live


@given(st.lists(st.sampled_from(["commit", "cancel", "settle"]), max_size=8))
def test_no_order_of_verdicts_revives_a_turn(calls: list[str]) -> None:
    """Once not live, never live again; once committed or cancelled, always so."""
    t = turn()
    seen = []
    for call in calls:
        getattr(t, call)(*(["failed"] if call == "cancel" else []))
        seen.append((t.live, t.committed, t.cancelled))
    for (live, committed, cancelled), after in pairwise(seen):
        assert live or not after[0]
        assert not committed or after[1]
        assert not cancelled or after[2]


WRITERS = {
    "speech": ("capture/", "turn_taking/premature_end.py"),
    "transcription": ("transcription/", "turn_taking/barge_in.py"),
    "reply": ("agent/",),
    "synthesis": ("synthesis/",),
    "playback": ("playback/",),
}
"""Who writes each record; the modules of turn_taking run in that stage's threads."""


def _flat(nodes: Iterable[ast.expr]) -> Iterator[ast.expr]:
    for node in nodes:
        yield from node.elts if isinstance(node, ast.Tuple) else [node]


def _written(file: Path) -> set[str]:
    """The records of a turn whose attributes a module assigns, directly or by another name."""
    names: dict[str, str] = {}
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(node, ast.Assign | ast.AugAssign):
            continue
        targets = list(_flat(node.targets if isinstance(node, ast.Assign) else [node.target]))
        for target, value in zip(targets, _flat([node.value]), strict=False):
            if isinstance(target, ast.Name) and isinstance(value, ast.Attribute):
                names[target.id] = value.attr
        for target in targets:
            owner = target.value if isinstance(target, ast.Attribute) else None
            if isinstance(owner, ast.Attribute):
                found.add(owner.attr)
            elif isinstance(owner, ast.Name) and owner.id in names:
                found.add(names[owner.id])
    return found & set(WRITERS)


def test_each_record_of_a_turn_has_one_writer() -> None:
    """What capture learns is written by capture only, and so on: no stage corrects another."""
    folders = ("agent", "capture", "playback", "synthesis", "transcription", "turn_taking")
    seen = set()
    for file in (file for folder in folders for file in (PACKAGE / folder).glob("*.py")):
        place = file.relative_to(PACKAGE).as_posix()
        for record in _written(file):
            seen.add(record)
            assert place.startswith(WRITERS[record]), f"{place} writes turn.{record}"
    assert seen == set(WRITERS)
