"""A synthetic model that is made for a measurement, and removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from edgevoice.catalog import discard
from edgevoice.errors import EngineError
from edgevoice.fit import choosing
from edgevoice.fit.candidates import ModelSet, model_sets
from edgevoice.fit.choosing import InProcesses
from edgevoice.fit.trial import Trial
from edgevoice.models import shapes
from edgevoice.models.progress import NoProgress
from edgevoice.models.store import Store
from tests.fit.world import USUAL, Told, answers, store_with
from tests.models.small_shapes import small, vocabulary

TINY = small("phi-3-mini")


class Elsewhere:
    """In place of another process: looks whether the model is here, and answers or fails."""

    seen: ClassVar[list[bool]] = []
    fails = False

    def __init__(self, trial: Trial) -> None:
        self.made: Any = None
        self._config = trial.config

    def run(self, progress: object) -> None:
        store = Store(self._config)
        self.seen.append(store.find(self._config.models.slm) is not None)
        if self.fails:
            raise EngineError("the models do not answer")
        self.made = answers(0.5)


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelSet:
    """A set whose language model is not here, and has a tiny synthetic one."""
    path = vocabulary(tmp_path / "tiny.gguf")
    monkeypatch.setattr(shapes, "vocabulary_file", lambda *_: path)
    monkeypatch.setattr(choosing, "Worker", Elsewhere)
    monkeypatch.setattr(Elsewhere, "seen", [])
    store = store_with(tmp_path / "models", *USUAL)
    found = model_sets(store, {"slm": ["phi-3-mini"]}, synthetic=True)[0][0]
    return replace(found, slm=replace(found.slm, architecture=TINY))


def installed(one: ModelSet) -> ModelSet:
    """The same with the model itself, of which nothing has to be made."""
    return replace(one, slm=replace(one.slm, here=True))


@pytest.mark.parametrize("fails", [False, True])
def test_it_is_there_while_it_is_measured_and_gone_afterwards(
    fails: bool, one: ModelSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the measurement fails; the catalog no longer knows it."""
    monkeypatch.setattr(Elsewhere, "fails", fails)
    config = store_with(tmp_path / "models").config
    measure = InProcesses(config, [], 1.0)
    told = Told()
    assert measure.expected(one) > measure.expected(installed(one))
    if fails:
        with pytest.raises(EngineError):
            measure(one, told)
    else:
        assert measure(one, told).times == (0.5,)
        assert told.work == pytest.approx(measure.expected(one) - measure.expected(installed(one)))
    assert Elsewhere.seen == [True]
    assert TINY.model not in Store(config).catalog
    assert not (tmp_path / "models" / TINY.model).exists()


def test_one_that_was_here_before_stays(one: ModelSet, tmp_path: Path) -> None:
    """The user made it."""
    store = store_with(tmp_path / "models")
    shapes.make(TINY, store, NoProgress())
    InProcesses(store.config, [], 1.0)(one, Told())
    again = Store(store.config)
    assert again.find(TINY.model)
    discard(again.catalog.own_path, TINY.model)
