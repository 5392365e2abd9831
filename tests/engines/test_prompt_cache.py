"""What is kept on disk between two starts, and what becomes of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edgevoice.engines import prompt_cache
from edgevoice.engines.prompt_cache import SUFFIX, PromptCache

IDS = [1, 2, 3]
STATE = bytes(range(256)) * 40


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "prompts"


def states(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def keep_at(seconds: int, store: PromptCache, folder: Path, number: int) -> None:
    """Keep the state of `number` as if it were that time, in seconds since 1970."""
    before = states(folder)
    store.keep([number], STATE)
    (new,) = set(states(folder)).difference(before)
    os.utime(new, (seconds, seconds))


def test_a_state_comes_back_byte_for_byte(folder: Path, model: Path) -> None:
    """The next start finds what this one kept, under the same ids only."""
    PromptCache(folder, model, "1").keep(IDS, STATE)
    again = PromptCache(folder, model, "1")
    assert again.has(IDS)
    assert again.state(IDS) == STATE
    assert again.state([1, 2]) is None


def test_another_model_version_or_setup_finds_nothing(folder: Path, model: Path) -> None:
    """What a state depends on is part of its name; a changed model file is another model."""
    PromptCache(folder, model, "1", 4096).keep(IDS, STATE)
    assert PromptCache(folder, model, "2", 4096).state(IDS) is None
    assert PromptCache(folder, model, "1", 2048).state(IDS) is None
    os.utime(model, ns=(1, 1))
    assert PromptCache(folder, model, "1", 4096).state(IDS) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:500] + b"\x00" + data[501:],
        lambda data: b"",
        lambda data: b"GGUF" + data,
    ],
)
def test_a_damaged_state_is_thrown_away(
    folder: Path, model: Path, damage: Callable[[bytes], bytes]
) -> None:
    """Cut short, grown, changed in one byte, emptied or foreign: it is computed anew."""
    store = PromptCache(folder, model, "1")
    store.keep(IDS, STATE)
    (path,) = states(folder)
    path.write_bytes(damage(path.read_bytes()))
    assert store.state(IDS) is None
    assert not store.has(IDS)


def test_the_states_used_longest_ago_make_room(
    folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are never more than so many, and reading one makes it the newest."""
    monkeypatch.setattr(prompt_cache, "MAX_FILES", 3)
    store = PromptCache(folder, model, "1")
    for number in range(3):
        keep_at(1000 + number, store, folder, number)
    assert store.state([0]) == STATE
    store.keep([3], STATE)
    assert [number for number in range(4) if store.has([number])] == [0, 2, 3]


def test_states_never_take_more_than_so_many_bytes(
    folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large ones push out more, and one larger than everything is not kept at all."""
    store = PromptCache(folder, model, "1")
    store.keep([0], STATE)
    size = states(folder)[0].stat().st_size
    monkeypatch.setattr(prompt_cache, "MAX_BYTES", 2 * size + 10)
    for number in range(1, 4):
        keep_at(1000 + number, store, folder, number)
        assert sum(path.stat().st_size for path in states(folder)) <= 2 * size + 10
    store.keep([4], STATE * 3)
    assert not store.has([4])
    assert len(states(folder)) == 2


def test_a_folder_that_cannot_be_written_is_no_trouble(tmp_path: Path, model: Path) -> None:
    """A file where the folder should be: nothing is kept, and nothing fails."""
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    store = PromptCache(blocked / "prompts", model, "1")
    store.keep(IDS, STATE)
    store.keep_costs({2: {1: 0.1}})
    assert store.state(IDS) is None
    assert store.costs() == {}


def test_measured_costs_are_kept_with_the_model(folder: Path, model: Path) -> None:
    """What batches cost is known at the next start; rubbish in its place is as nothing."""
    costs = {1: {1: 0.1, 4: 0.21}, 2: {1: 0.06}}
    PromptCache(folder, model, "1").keep_costs(costs)
    assert PromptCache(folder, model, "1").costs() == costs
    assert PromptCache(folder, model, "2").costs() == {}
    (file,) = folder.glob("model-*.json")
    file.write_text('{"2": [')
    assert PromptCache(folder, model, "1").costs() == {}
