"""Whether the reference model is offered on a machine, and which model runs by default there."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from edgevoice.catalog import REFERENCE
from edgevoice.fit import reference
from edgevoice.fit.reference import is_missing, obstacle, slowness
from edgevoice.fit.starter import Speed
from edgevoice.models import disk, store
from edgevoice.models.progress import NoProgress
from edgevoice.models.store import Store
from edgevoice.settings import Config, Models, SttSettings
from tests.fit.world import GB, store_with


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 8 GB of memory and 20 GB of disk, which may ask the hub."""
    monkeypatch.setattr(reference, "total_memory", lambda: 8 * GB)
    monkeypatch.setattr(store, "total_memory", lambda: 8 * GB)
    monkeypatch.setattr(disk, "free_space", lambda folder: 20 * GB)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)


def test_it_suits_a_machine_with_room(tmp_path: Path) -> None:
    """Memory, disk and language are enough."""
    assert obstacle(store_with(tmp_path), ["en"]) == ""


@pytest.mark.parametrize(
    ("where", "name", "size", "why"),
    [(reference, "total_memory", 4 * GB, "memory"), (disk, "free_space", 3 * GB, "on the disk")],
)
def test_a_machine_without_room_is_not_offered_it(
    where: object, name: str, size: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is a sentence."""
    monkeypatch.setattr(where, name, lambda *_: size)
    assert why in obstacle(store_with(tmp_path), ["en"])


def test_a_language_that_it_does_not_speak_is_the_reason(tmp_path: Path) -> None:
    """It speaks English only."""
    assert obstacle(store_with(tmp_path), ["en", "de"]) == "it does not speak de"


def test_what_is_on_the_disk_already_needs_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unfinished download only needs room for its rest."""
    models = store_with(tmp_path)
    (file,) = models.catalog.get(REFERENCE).files
    part = models.partial(file) / "data"
    part.parent.mkdir(parents=True)
    with part.open("wb") as data:
        data.truncate(2 * GB)
    monkeypatch.setattr(disk, "free_space", lambda folder: 2 * GB)
    assert obstacle(models, ["en"]) == ""


@pytest.mark.parametrize(("token", "slow"), [(0.01, False), (0.2, True)])
def test_a_slow_machine_is_not_offered_it(
    token: float, slow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time is scaled from what was measured of the starter's larger model."""
    monkeypatch.setattr(reference, "speed_here", lambda progress: Speed(2, GB, 0.1, token))
    assert ("to each reply" in slowness(NoProgress())) == slow


def test_a_machine_that_cannot_be_measured_is_not_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory and disk decide then."""
    monkeypatch.setattr(reference, "speed_here", lambda progress: None)
    assert slowness(NoProgress()) == ""


def test_it_is_missing_unless_installed_named_or_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing is offered or downloaded."""
    models = store_with(tmp_path)
    assert is_missing(models)
    named = replace(models.config, models=replace(models.config.models, slm="qwen2.5-0.5b"))
    assert not is_missing(Store(named))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert not is_missing(models)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    assert not is_missing(store_with(tmp_path, REFERENCE))


@pytest.mark.parametrize(
    ("language", "memory", "runs"),
    [
        ("en", 8 * GB, REFERENCE),
        ("de", 8 * GB, "qwen2.5-1.5b"),
        ("en,de", 8 * GB, "qwen2.5-1.5b"),
        ("en", 4 * GB, "qwen2.5-1.5b"),
    ],
)
def test_the_model_that_fits_and_speaks_the_languages_runs(
    language: str, memory: int, runs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reference is the default only there."""
    monkeypatch.setattr(store, "total_memory", lambda: memory)
    folder = store_with(tmp_path, REFERENCE, "qwen2.5-1.5b").folder
    config = Config(models=Models(folder=str(folder)), stt=SttSettings(language=language))
    models = Store(config)
    present = [e.name for e in models.ranked("slm") if models.state(e) == "present"]
    assert present[0] == runs
