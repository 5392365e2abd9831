"""Which sets of models can be measured, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice.catalog import Catalog, File
from edgevoice.errors import ModelError, UsageError
from edgevoice.fit.candidates import Named, model_sets
from edgevoice.models.shape_table import ARCHITECTURES
from edgevoice.models.shapes import entry_of
from edgevoice.models.store import Store
from tests.fit.world import USUAL, install, names, sets_of, store_with


def test_every_set_that_is_here_comes_the_most_capable_first(tmp_path: Path) -> None:
    """The larger language model first, and with each one the larger recognizer."""
    sets = sets_of(tmp_path, *USUAL, "whisper-tiny.en")
    assert names(sets) == [
        ("qwen2.5-coder-1.5b", "whisper-base"),
        ("qwen2.5-coder-1.5b", "whisper-tiny.en"),
        ("qwen2.5-coder-0.5b", "whisper-base"),
        ("qwen2.5-coder-0.5b", "whisper-tiny.en"),
    ]
    assert all(one.slm.run_as == one.slm.name for one in sets)
    assert not any(one.missing for one in sets)


def test_only_named_models_are_measured(tmp_path: Path) -> None:
    """Also one that is never chosen by itself."""
    named: Named = {"slm": ["smollm2-135m"], "stt": ["whisper-base"]}
    sets = sets_of(tmp_path, *USUAL, "smollm2-135m", "whisper-tiny.en", named=named)
    assert names(sets) == [("smollm2-135m", "whisper-base")]


def with_synthetic(folder: Path, *made: str) -> Store:
    """The usual models, and synthetic ones."""
    store = store_with(folder, *USUAL)
    shapes = [
        entry_of(ARCHITECTURES[name], File(f"shape-{name}.gguf", 1000, "0" * 64)) for name in made
    ]
    store = Store(store.config, Catalog(tuple(store.catalog), tuple(shapes), folder / "own.toml"))
    install(store, *(entry.name for entry in shapes))
    return store


def test_a_synthetic_model_stands_in_for_one_that_is_not_here(tmp_path: Path) -> None:
    """What is written and downloaded is the real one; a second model of its dimensions is none."""
    sets, _ = model_sets(with_synthetic(tmp_path, "phi-3-mini"), {})
    assert [name for name, _ in names(sets)] == ["phi-3-mini", *USUAL[:2]]
    phi = sets[0]
    assert (phi.slm.name, phi.slm.run_as) == ("phi-3-mini", "shape-phi-3-mini")
    assert phi.missing == ("phi-3-mini",)
    assert phi.fetch == phi.slm.disk > 0


def test_synthetic_models_are_made_only_if_asked_for(tmp_path: Path) -> None:
    """They take gigabytes; without them a model that is not here is no candidate."""
    store = with_synthetic(tmp_path)
    assert [name for name, _ in names(model_sets(store, {})[0])] == list(USUAL[:2])
    made, _ = model_sets(store, {}, synthetic=True)
    assert [name for name, _ in names(made)] == ["mistral-7b", "phi-3-mini", *USUAL[:2]]


def test_a_named_model_that_is_not_here_is_told_with_its_remedy(tmp_path: Path) -> None:
    """Beside others it is a remark, alone an error."""
    store = store_with(tmp_path, *USUAL)
    both: Named = {"slm": ["mistral-7b", "qwen2.5-coder-0.5b"]}
    sets, problems = model_sets(store, both)
    assert [name for name, _ in names(sets)] == ["qwen2.5-coder-0.5b"]
    assert [(each.about, each.fix) for each in problems] == [
        ("mistral-7b", "edgevoice fit --synthetic, or edgevoice models pull mistral-7b")
    ]
    with pytest.raises(ModelError, match="not here") as caught:
        model_sets(store, {"slm": ["phi-3-mini"]})
    assert caught.value.remedy == "edgevoice fit --synthetic, or edgevoice models pull phi-3-mini"


def test_without_a_model_for_a_role_the_one_to_download_is_named(tmp_path: Path) -> None:
    """Nothing can be measured without a recognizer."""
    with pytest.raises(ModelError, match="speech to text is installed") as caught:
        sets_of(tmp_path, "qwen2.5-coder-0.5b", "en_US-joe-medium")
    assert caught.value.remedy == "edgevoice models pull whisper-base"


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"slm": ["gpt"]}, "no model is called gpt"),
        ({"stt": ["phi-3-mini"]}, "phi-3-mini is a model for slm, not for stt"),
    ],
)
def test_an_unknown_name_is_refused(named: Named, told: str, tmp_path: Path) -> None:
    """So is one of another role."""
    with pytest.raises(UsageError, match=told):
        sets_of(tmp_path, *USUAL, named=named)
