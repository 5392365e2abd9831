"""Which starter language model a machine gets: what is measured, kept and asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from edgevoice.engines.cpu_budget import cores
from edgevoice.fit import starter
from edgevoice.fit.starter import Speed, is_slow
from edgevoice.models import machine
from edgevoice.models.machine import total_memory
from edgevoice.models.progress import NoProgress
from edgevoice.models.pull import ensure_starter
from edgevoice.models.store import Store
from tests.fit.world import store_with

HERE = Speed(cores.all, total_memory(), 0.2, 0.04)
SLOW = replace(HERE, tail=1.0)


@pytest.fixture
def measurements(monkeypatch: pytest.MonkeyPatch) -> list[Speed]:
    """What is measured next, the last one first, on a quiet machine."""
    left: list[Speed] = []
    monkeypatch.setattr(starter, "measured", lambda path: left.pop())
    monkeypatch.setattr(starter, "used_elsewhere", lambda: 0.0)
    return left


def test_the_machine_is_measured_once(measurements: list[Speed], tmp_path: Path) -> None:
    """The figure is kept."""
    measurements.append(SLOW)
    assert is_slow(NoProgress(), tmp_path / "speed.json")
    assert is_slow(NoProgress(), tmp_path / "speed.json")
    assert not measurements


@pytest.mark.parametrize(
    "kept", [b"", b"{}", b"not JSON", b'{"cores":64,"memory":1,"tail":9,"token":9}']
)
def test_a_damaged_figure_or_that_of_another_machine_is_dropped(
    kept: bytes, measurements: list[Speed], tmp_path: Path
) -> None:
    """It is measured anew."""
    path = tmp_path / "speed.json"
    path.write_bytes(kept)
    measurements.append(HERE)
    assert not is_slow(NoProgress(), path)
    assert starter.read(path) == HERE


def test_a_figure_of_a_busy_machine_is_used_and_not_kept(
    measurements: list[Speed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next time it may be quiet."""
    spent = iter((0.0, 1e6))
    monkeypatch.setattr(starter, "used_elsewhere", lambda: next(spent))
    measurements.append(SLOW)
    assert is_slow(NoProgress(), tmp_path / "speed.json")
    assert not (tmp_path / "speed.json").exists()


def test_what_cannot_be_measured_is_not_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cores and memory decide then, as for everyone."""

    def full(path: Path) -> Speed:
        raise OSError("the disk is full")

    monkeypatch.setattr(starter, "measured", full)
    assert not is_slow(NoProgress(), tmp_path / "speed.json")


@pytest.mark.slow
def test_a_slice_of_the_model_is_run_and_removed(tmp_path: Path) -> None:
    """Both figures are of the whole model, and several tokens at once take longer than one."""
    made = starter.measured(tmp_path / "cache" / "speed.gguf")
    assert 0 < made.token < made.tail
    assert not list((tmp_path / "cache").iterdir())


OTHERS = ("whisper-base", "en_US-joe-medium", "silero-vad", "smart-turn-v3.2")


@pytest.fixture
def pulled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is pulled on a large machine; nothing really is."""
    names: list[str] = []
    monkeypatch.setattr(
        "edgevoice.models.pull.pull", lambda wanted, store, progress: names.extend(wanted)
    )
    monkeypatch.setattr(machine, "cores", lambda: 4)
    monkeypatch.setattr(machine, "total_memory", lambda: 16 * 10**9)
    return names


def test_a_slow_machine_begins_with_the_smaller_model(tmp_path: Path, pulled: list[str]) -> None:
    """A model that is named in the settings, or here, is left alone and nothing is measured."""
    store = store_with(tmp_path, *OTHERS)
    ensure_starter(store, NoProgress(), is_slow=lambda progress: True)
    assert pulled == ["qwen2.5-0.5b"]
    pulled.clear()
    ensure_starter(store, NoProgress(), is_slow=lambda progress: False)
    assert pulled[0] == "qwen2.5-1.5b"
    pulled.clear()
    store = store_with(tmp_path, "qwen2.5-coder-1.5b")
    ensure_starter(store, NoProgress(), is_slow=lambda progress: pytest.fail("it was measured"))
    assert not pulled


def test_the_smaller_starter_model_comes_along_to_open_the_replies_of_the_larger(
    tmp_path: Path, pulled: list[str]
) -> None:
    """On the first run, or when the whole set is asked for; only where drafts are switched on."""

    def drafting(store: Store) -> Store:
        return Store(replace(store.config, slm=replace(store.config.slm, draft="auto")))

    ensure_starter(drafting(store_with(tmp_path / "new", *OTHERS)), NoProgress())
    assert pulled == ["qwen2.5-1.5b", "qwen2.5-0.5b"]
    store = store_with(tmp_path / "older", *OTHERS, "qwen2.5-coder-1.5b")
    assert ensure_starter(drafting(store), NoProgress()) == []
    assert ensure_starter(drafting(store), NoProgress(), whole=True) == ["qwen2.5-0.5b"]
    assert ensure_starter(store, NoProgress(), whole=True) == []
