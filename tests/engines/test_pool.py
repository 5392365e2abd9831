"""Engines are loaded once, lent to sessions, and freed by the pool."""

from __future__ import annotations

import threading

import pytest
from msgspec.structs import replace

from edgevoice.engines.pool import EnginePool
from edgevoice.errors import ModelError
from edgevoice.events import Role
from edgevoice.settings import Config, SlmSettings
from tests.processes import PATIENCE


class Weights:
    """Loaded weights that notes what becomes of it."""

    def __init__(self) -> None:
        self.sessions = 0
        self.freed = False

    def session(self) -> object:
        self.sessions += 1
        return object()

    def close(self) -> None:
        self.freed = True


class Shelf:
    """A pool, and everything that was loaded for it."""

    def __init__(self, hold: bool = False) -> None:
        self.pool = EnginePool(hold)
        self.loaded: list[Weights] = []

    def load(self) -> Weights:
        self.loaded.append(Weights())
        return self.loaded[-1]


def test_sessions_share_what_is_loaded_and_each_has_its_own_conversation() -> None:
    """Two sessions of a language model load it once; each gets another object."""
    shelf = Shelf()
    one, other = (shelf.pool.lend("slm", "a", Config(), shelf.load) for _ in range(2))
    assert one.engine is not other.engine
    assert [weights.sessions for weights in shelf.loaded] == [2]


def test_what_keeps_the_state_of_a_session_is_loaded_for_each() -> None:
    """A speech detector remembers the last frames."""
    shelf = Shelf()
    one, other = (shelf.pool.lend("vad", "a", Config(), shelf.load) for _ in range(2))
    assert one.engine is not other.engine


def test_the_next_session_does_not_load_it_again() -> None:
    """A change of the microphone replaces the session, not the models."""
    shelf = Shelf()
    for role in ("stt", "slm", "tts"):
        for _ in range(2):
            shelf.pool.lend(role, "a", Config(), shelf.load).give_back()
    assert len(shelf.loaded) == 3
    assert not any(weights.freed for weights in shelf.loaded)


def test_another_model_of_the_same_role_takes_the_place_of_one_that_is_not_used() -> None:
    """It is freed before the other is loaded, so that both need not fit in memory."""
    shelf = Shelf()
    shelf.pool.lend("stt", "ear", Config(), shelf.load)
    shelf.pool.lend("slm", "small", Config(), shelf.load).give_back()
    small = shelf.loaded[-1]

    def load() -> Weights:
        assert small.freed
        return shelf.load()

    shelf.pool.lend("slm", "large", Config(), load)
    assert [weights.freed for weights in shelf.loaded] == [False, True, False]


def test_nothing_is_freed_that_a_session_uses() -> None:
    """Neither by another model nor by closing the pool."""
    shelf = Shelf()
    used = shelf.pool.lend("slm", "small", Config(), shelf.load)
    shelf.pool.lend("slm", "large", Config(), shelf.load).give_back()
    shelf.pool.close()
    assert [weights.freed for weights in shelf.loaded] == [False, True]
    used.give_back()
    shelf.pool.close()
    assert shelf.loaded[0].freed


def test_a_pool_that_holds_frees_only_when_it_is_closed() -> None:
    """Variants of a bench take turns, and none is loaded twice."""
    shelf = Shelf(hold=True)
    for model in ("small", "large", "small"):
        shelf.pool.lend("slm", model, Config(), shelf.load).give_back()
    assert [weights.freed for weights in shelf.loaded] == [False, False]
    shelf.pool.close()
    assert [weights.freed for weights in shelf.loaded] == [True, True]


@pytest.mark.parametrize(
    ("changes", "loads"), [({"context": 512}, 2), ({"system_prompt": "Be brief."}, 1)]
)
def test_only_settings_of_the_engine_itself_need_another_one(
    changes: dict[str, object], loads: int
) -> None:
    """What only the pipeline reads is no reason to load a model twice."""
    shelf = Shelf()
    shelf.pool.lend("slm", "a", Config(), shelf.load)
    shelf.pool.lend("slm", "a", Config(slm=replace(SlmSettings(), **changes)), shelf.load)
    assert len(shelf.loaded) == loads


def test_who_asks_while_it_is_loaded_waits_for_it() -> None:
    """Two sessions that start at once load one model."""
    shelf = Shelf()
    begun, may_end = threading.Event(), threading.Event()

    def slowly() -> Weights:
        begun.set()
        assert may_end.wait(PATIENCE)
        return shelf.load()

    threads = [
        threading.Thread(target=shelf.pool.lend, args=("slm", "a", Config(), slowly))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert begun.wait(PATIENCE)
    may_end.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert [weights.sessions for weights in shelf.loaded] == [2]


def test_a_model_that_could_not_be_loaded_can_be_tried_again() -> None:
    """The error reaches the session, and leaves nothing behind."""
    shelf = Shelf()

    def fail() -> Weights:
        raise ModelError("it is damaged")

    role: Role = "slm"
    with pytest.raises(ModelError):
        shelf.pool.lend(role, "a", Config(), fail)
    shelf.pool.lend(role, "a", Config(), shelf.load)
    assert len(shelf.loaded) == 1
