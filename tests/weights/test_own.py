"""Files of the user's own become models, if they are what they should be."""

from __future__ import annotations

import errno
import struct
from pathlib import Path

import pytest

from edgevoice.errors import EdgevoiceError, ModelError, UsageError
from edgevoice.weights import disk
from edgevoice.weights.own import add
from tests.weights.conftest import BRAIN, VOICE, VOICE_CONFIG, Told, World, gguf

WHISPER = struct.pack("<IH", 6, 12) + b"WhisperSpec\0" + bytes(200)


def whisper_folder(folder: Path) -> Path:
    folder.mkdir()
    (folder / "model.bin").write_bytes(WHISPER)
    (folder / "config.json").write_text('{"lang_ids": ' + str(list(range(99))) + "}")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "notes.txt").write_text("not part of it")
    return folder


def test_a_gguf_file_becomes_a_language_model(world: World) -> None:
    """It is in the catalog with what its header says, in the store, and sound."""
    path = world.root / "My Model (new).Q4.gguf"
    path.write_bytes(gguf())
    entry = add(str(path), world.store(), Told())
    assert entry.name == "My-Model-new-.Q4"
    assert (entry.role, entry.context, entry.title) == ("slm", 2048, "Toy (toy Q4_K_M)")
    store = world.store()
    assert store.require(entry.name).path.samefile(path)
    assert store.choose("slm").name == entry.name


def test_a_file_on_another_disk_is_copied(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it cannot be linked, the store gets a copy of its own."""

    def other_disk(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(disk.os, "link", other_disk)
    path = world.root / "toy.gguf"
    path.write_bytes(gguf())
    add(str(path), world.store(), Told())
    path.unlink()
    assert world.store().require("toy").path.read_bytes() == gguf()


def test_a_whisper_folder_becomes_a_recognizer(world: World) -> None:
    """Its own files are taken, others are not; its languages are told by its configuration."""
    entry = add(str(whisper_folder(world.root / "my-whisper")), world.store(), Told())
    assert (entry.role, entry.languages) == ("stt", ("multilingual",))
    model = world.store().require("my-whisper")
    assert {path.name for path in model.path.iterdir()} == {
        ".proved",
        "model.bin",
        "config.json",
        "tokenizer.json",
    }


def test_a_piper_voice_becomes_a_voice(world: World) -> None:
    """The two files are taken together."""
    path = world.root / "xx.onnx"
    path.write_bytes(VOICE + b"!")
    (world.root / "xx.onnx.json").write_bytes(VOICE_CONFIG)
    assert add(str(path), world.store(), Told()).role == "tts"
    assert (world.store().require("xx").path.parent / "xx.onnx.json").exists()


def test_a_file_the_catalog_knows_becomes_that_model(world: World) -> None:
    """A download made by hand is put in its place under its own name, not beside it."""
    folder = world.root / "downloads"
    folder.mkdir()
    (folder / "xx.onnx").write_bytes(VOICE)
    (folder / "xx.onnx.json").write_bytes(VOICE_CONFIG)
    assert add(str(folder / "xx.onnx"), world.store(), Told()).name == "voice"
    assert world.store().require("voice").path.name == "v.onnx"
    assert not world.own.exists()


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("base.gguf", gguf(template=None), "no chat template"),
        ("cut.gguf", gguf()[:-1], "truncated"),
        ("head.gguf", gguf()[:100], "truncated within its header"),
        ("vocab.gguf", gguf(tensors=0, weights=0), "no weights"),
        ("split.gguf", gguf({"split.count": 3}), "one of several parts"),
        ("other.gguf", b"PK\3\4 this is a zip file", "does not begin as a GGUF"),
        ("empty.gguf", b"", "does not begin as a GGUF"),
        ("voice.onnx", VOICE, "needs voice.onnx.json"),
        ("song.mp3", b"ID3", "neither a .gguf file"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_the_reason(
    world: World, name: str, data: bytes, says: str
) -> None:
    """One clear error that names the file; neither store nor catalog changes."""
    path = world.root / name
    path.write_bytes(data)
    with pytest.raises(ModelError) as raised:
        add(str(path), world.store(), Told())
    assert says in str(raised.value)
    assert name in str(raised.value)
    assert raised.value.remedy
    assert not world.own.exists()
    assert not world.folder.exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: (f / "config.json").unlink(), "not a Whisper model"),
        (lambda f: (f / "tokenizer.json").unlink(), "neither tokenizer.json"),
        (lambda f: (f / "model.bin").write_bytes(b"BertSpec"), "not a Whisper model"),
        (lambda f: (f / "config.json").write_bytes(b"\xff{"), "not a JSON file"),
    ],
)
def test_a_folder_that_is_no_whisper_model_is_refused(
    world: World, change: object, says: str
) -> None:
    """What is missing or wrong in it is named."""
    folder = whisper_folder(world.root / "w")
    assert callable(change)
    change(folder)
    with pytest.raises(ModelError, match=says):
        add(str(folder), world.store(), Told())


@pytest.mark.parametrize("config", [b"{}", b"[]", b"not json", b'{"audio": {}}'])
def test_a_voice_with_a_wrong_configuration_is_refused(world: World, config: bytes) -> None:
    """A .onnx.json that is none of Piper's is named."""
    (world.root / "xx.onnx").write_bytes(VOICE)
    (world.root / "xx.onnx.json").write_bytes(config)
    with pytest.raises(ModelError, match=r"xx\.onnx\.json"):
        add(str(world.root / "xx.onnx"), world.store(), Told())


def test_a_taken_name_is_refused_and_another_may_be_given(world: World) -> None:
    """Two models cannot share a name; --name gives the second another."""
    path = world.root / "brain.gguf"
    path.write_bytes(gguf())
    with pytest.raises(UsageError, match="brain is there already"):
        add(str(path), world.store(), Told())
    assert add(str(path), world.store(), Told(), "brain-2").name == "brain-2"
    path.write_bytes(gguf({"general.name": "Another"}))
    with pytest.raises(UsageError, match="makes no name"):
        add(str(path), world.store(), Told(), "../up")


@pytest.mark.parametrize("text", ["./gone.gguf", "~/gone.gguf", "/gone/gone.gguf", "gone.gguf"])
def test_a_file_that_is_not_there_is_said_so(world: World, text: str) -> None:
    """A path that does not exist is not taken for a place on the hub."""
    with pytest.raises(UsageError, match=r"there is no .*gone\.gguf"):
        add(text, world.store(), Told())


def test_adding_never_damages_a_model_that_is_there(world: World) -> None:
    """An error on the way leaves the other models as they were."""
    from tests.weights.conftest import BRAIN_ENTRY

    world.put(BRAIN_ENTRY)
    with pytest.raises(EdgevoiceError):
        add(str(world.root / "nothing.gguf"), world.store(), Told())
    assert (world.folder / "brain" / "brain.gguf").read_bytes() == BRAIN
