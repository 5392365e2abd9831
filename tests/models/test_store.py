"""Which models are there, which are sound, and which of them run."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice.catalog import Entry, packaged_path
from edgevoice.errors import ModelError, StorageError
from edgevoice.models.store import Store, models_folder
from edgevoice.settings import Config, Models, SlmSettings, SttSettings
from tests.models.conftest import (
    BRAIN_ENTRY,
    EARS_ENTRY,
    ENTRIES,
    GATE_ENTRY,
    VOICE_ENTRY,
    World,
    file_of,
)


def variant(entry: Entry, name: str, **changes: object) -> Entry:
    import msgspec

    return msgspec.structs.replace(entry, name=name, **changes)


def test_weights_live_beside_the_catalog_of_a_checkout() -> None:
    """In a clone the models folder is the clone's own, unless a setting names another."""
    assert models_folder(Config()) == packaged_path().parent
    named = Config(models=Models(folder="/somewhere/else"))
    assert models_folder(named) == Path("/somewhere/else").absolute()


def test_weights_of_an_installed_program_live_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a checkout around it, the program writes nothing beside itself."""
    from edgevoice.models import store as module

    monkeypatch.setattr(module, "packaged_path", lambda: tmp_path / "edgevoice" / "catalog.toml")
    monkeypatch.setattr(module, "data_folder", lambda: tmp_path / "data")
    assert models_folder(Config()) == tmp_path / "data" / "models"


def test_a_model_is_there_when_all_its_files_have_their_size(world: World) -> None:
    """`installed` lists whole models only, each with the path its engine opens."""
    store = world.store()
    world.put(BRAIN_ENTRY, EARS_ENTRY, VOICE_ENTRY)
    (world.folder / "voice" / "v.onnx.json").unlink()
    paths = {model.name: model.path for model in store.installed()}
    assert paths == {
        "brain": world.folder / "brain" / "brain.gguf",
        "ears": world.folder / "ears",
    }
    assert store.find("voice") is None
    assert store.state(VOICE_ENTRY) == "partial"


def test_a_missing_model_is_answered_with_the_command_that_fetches_it(world: World) -> None:
    """The remedy is the pull of that very model."""
    with pytest.raises(ModelError) as raised:
        world.store().require("brain")
    assert raised.value.remedy == "edgevoice models pull brain"


@pytest.mark.parametrize("damage", ["truncated", "altered", "missing"])
def test_a_damaged_file_is_named(world: World, damage: str) -> None:
    """The error names the file, what is wrong with it, and the pull that replaces it."""
    world.put(VOICE_ENTRY)
    path = world.folder / "voice" / "v.onnx"
    data = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(data[:-1])
    elif damage == "altered":
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    else:
        path.unlink()
    with pytest.raises(ModelError) as raised:
        world.store().require("voice")
    assert str(path) in str(raised.value)
    assert damage in str(raised.value)
    assert raised.value.remedy == "edgevoice models pull voice"


def test_a_proved_file_is_not_hashed_again_until_it_changes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Use after use costs no reading of gigabytes; a change of the file is seen all the same."""
    from edgevoice.models import store as module

    hashed: list[Path] = []
    real = module.sha256_of
    monkeypatch.setattr(
        module, "sha256_of", lambda path, seen=None: (hashed.append(path), real(path, seen))[1]
    )
    world.put(BRAIN_ENTRY)
    world.store().require("brain")
    world.store().require("brain")
    assert len(hashed) == 1
    path = world.folder / "brain" / "brain.gguf"
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(ModelError, match="altered"):
        world.store().require("brain")


def test_the_configured_model_runs(world: World) -> None:
    """A name in the configuration beats every rank."""
    weak = variant(BRAIN_ENTRY, "weak", rank=0)
    world.put(BRAIN_ENTRY)
    world.folder.joinpath("brain").rename(world.folder / "weak")
    world.put(BRAIN_ENTRY)
    store = world.store(entries=(*ENTRIES, weak), slm="weak")
    assert store.choose("slm").name == "weak"


def test_the_best_model_present_runs_if_none_is_named(world: World) -> None:
    """Rank decides among those that are here; one of rank 0 is never chosen on its own accord."""
    best = variant(BRAIN_ENTRY, "best", rank=100)
    weak = variant(BRAIN_ENTRY, "weak", rank=0)
    entries = (weak, *ENTRIES, best)
    world.put(weak)
    (world.folder / "weak" / "brain.gguf").write_bytes(b"")
    with pytest.raises(ModelError, match="no language model"):
        world.store(entries=entries).choose("slm")
    world.put(BRAIN_ENTRY)
    assert world.store(entries=entries).choose("slm").name == "brain"
    (world.folder / "brain").rename(world.folder / "best")
    world.put(BRAIN_ENTRY)
    assert world.store(entries=entries).choose("slm").name == "best"


def test_a_base_model_is_refused_with_the_reason(world: World) -> None:
    """Without a chat template a model cannot converse, even if it is named."""
    base = variant(BRAIN_ENTRY, "base", chat_template=False)
    store = world.store(entries=(*ENTRIES, base), slm="base")
    with pytest.raises(ModelError, match="no chat template"):
        store.choose("slm")


def test_a_model_of_another_role_is_refused(world: World) -> None:
    """A voice cannot be the language model; the setting at fault is named."""
    with pytest.raises(ModelError, match=r"voice is a voice model.*models\.slm"):
        world.store(slm="voice").choose("slm")


def test_the_recognizer_understands_the_configured_language(world: World) -> None:
    """An English-only recognizer is not chosen for German, nor where the language is open."""
    english = variant(EARS_ENTRY, "english", languages=("en",), rank=90)
    world.put(EARS_ENTRY)
    (world.folder / "ears").rename(world.folder / "english")
    world.put(EARS_ENTRY)
    for language, name in (("en", "english"), ("de", "ears"), ("auto", "ears")):
        store = world.store(entries=(*ENTRIES, english))
        store.config = Config(models=store.config.models, stt=SttSettings(language=language))
        assert store.choose("stt").name == name


def test_the_voice_speaks_the_configured_language_if_one_does(world: World) -> None:
    """A German voice speaks to a German user; any voice is better than none."""
    german = variant(VOICE_ENTRY, "german", languages=("de_DE",), rank=10)
    world.put(VOICE_ENTRY)
    (world.folder / "voice").rename(world.folder / "german")
    world.put(VOICE_ENTRY)
    for language, name in (("en", "voice"), ("de", "german"), ("fr", "voice")):
        store = world.store(entries=(*ENTRIES, german))
        store.config = Config(models=store.config.models, stt=SttSettings(language=language))
        assert store.choose("tts").name == name


def test_a_shared_hash_under_two_names_is_two_models(world: World) -> None:
    """The folder of one model is never read for another."""
    twin = variant(GATE_ENTRY, "twin", files=(file_of("gate.onnx", b"another gate"),))
    world.put(GATE_ENTRY)
    store = world.store(entries=(*ENTRIES, twin))
    assert store.find("gate") is not None
    assert store.find("twin") is None


def test_removing_a_model_leaves_the_others(world: World) -> None:
    """Its files go, with what was begun and what was made of them; nothing else does."""
    world.put(BRAIN_ENTRY, GATE_ENTRY)
    store = world.store()
    begun = store.partial(BRAIN_ENTRY.files[0])
    begun.mkdir(parents=True)
    (begun / "data").write_bytes(b"half")
    made = world.folder / "brain" / ".made" / "brain"
    made.mkdir(parents=True)
    (made / "part.onnx").write_bytes(b"made of it")
    store.require("brain")
    assert store.remove("brain") == BRAIN_ENTRY.size + len(b"made of it")
    assert store.state(BRAIN_ENTRY) == "absent"
    assert not (world.folder / "brain").exists()
    assert not begun.exists()
    assert store.find("gate") is not None


def test_a_folder_that_cannot_be_is_named(world: World) -> None:
    """A file in the place of the models folder is a StorageError with the setting to change."""
    world.folder.write_text("in the way")
    with (
        pytest.raises(StorageError, match=r"not a folder") as raised,
        world.store().lock(),
    ):
        pass
    assert "models.folder" in raised.value.remedy


def test_present_models_run_from_a_folder_that_cannot_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only pulling needs to write: remembering a proof is optional."""
    from edgevoice.models import store as module

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    world.put(BRAIN_ENTRY)
    monkeypatch.setattr(module.files, "replace_bytes", refuse)
    assert world.store().require("brain").path.is_file()


def test_the_real_catalog_prefers_the_reference_model(tmp_path: Path) -> None:
    """phi-3-mini first, then the 1.5 B and 0.5 B ones; SmolLM2 and the base model never."""
    store = Store(Config(models=Models(folder=str(tmp_path))))
    names = [entry.name for entry in store.ranked("slm")]
    assert names[0] == "phi-3-mini"
    assert names.index("qwen2.5-coder-1.5b") < names.index("qwen2.5-coder-0.5b")
    assert not {"smollm2-135m", "gemma-3-270m"} & set(names)
    assert store.ranked("stt")[0].name == "whisper-base"
    assert store.ranked("tts")[0].name == "en_US-joe-medium"
    assert store.ranked("vad")[0].name == "silero-vad"


@pytest.mark.parametrize(
    ("draft", "slm", "expected"),
    [
        ("auto", "medium", ""),
        ("auto", "large", "small"),
        ("auto", "small", ""),
        ("off", "large", ""),
        ("medium", "large", "medium"),
        ("large", "large", ""),
    ],
)
def test_the_smallest_model_that_converses_drafts(
    world: World, draft: str, slm: str, expected: str
) -> None:
    """It is at most half as large as the language model; another one drafts if it is named."""
    sizes = {"large": (100, 30), "medium": (60, 20), "small": (40, 10), "tiny": (10, 0)}
    entries = tuple(
        variant(
            BRAIN_ENTRY, name, rank=rank, mirrors=(), files=(file_of(f"{name}.gguf", bytes(size)),)
        )
        for name, (size, rank) in sizes.items()
    )
    for entry in entries:
        (world.folder / entry.name).mkdir(parents=True)
        (world.folder / entry.name / entry.main.name).write_bytes(bytes(entry.size))
    config = Config(models=Models(folder=str(world.folder)), slm=SlmSettings(draft=draft))
    store = Store(config, world.store(entries=entries).catalog)
    reference = store.find(slm or "medium")
    assert reference is not None
    assert store.draft_name(reference.entry) == expected
    drafting = store.draft_of(reference)
    assert (drafting.name if drafting else "") == expected
