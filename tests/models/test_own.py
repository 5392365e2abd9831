"""Files of the user's own become models, if they are what they should be."""

from __future__ import annotations

import errno
import hashlib
import os
import struct
import sys
from pathlib import Path

import pytest

from edgevoice.errors import EdgevoiceError, ModelError, UsageError
from edgevoice.models import disk
from edgevoice.models.own import add
from tests.models.conftest import BRAIN, VOICE, VOICE_CONFIG, Told, World, gguf

links = pytest.mark.skipif(sys.platform == "win32", reason="links need a right on Windows")

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
        ("other.gguf", b"PK\3\4 this is a zip file", "does not start with GGUF"),
        ("empty.gguf", b"", "does not start with GGUF"),
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
    with pytest.raises(UsageError, match="brain exists already"):
        add(str(path), world.store(), Told())
    assert add(str(path), world.store(), Told(), "brain-2").name == "brain-2"
    path.write_bytes(gguf({"general.name": "Another"}))
    with pytest.raises(UsageError, match="is not a valid name"):
        add(str(path), world.store(), Told(), "../up")


@pytest.mark.parametrize("text", ["./gone.gguf", "~/gone.gguf", "/gone/gone.gguf", "gone.gguf"])
def test_a_file_that_is_not_there_is_said_so(world: World, text: str) -> None:
    """A path that does not exist is not taken for a place on the hub."""
    with pytest.raises(UsageError, match=r"gone\.gguf is neither"):
        add(text, world.store(), Told())


def test_adding_never_damages_a_model_that_is_there(world: World) -> None:
    """An error on the way leaves the other models as they were."""
    from tests.models.conftest import BRAIN_ENTRY

    world.put(BRAIN_ENTRY)
    with pytest.raises(EdgevoiceError):
        add(str(world.root / "nothing.gguf"), world.store(), Told())
    assert (world.folder / "brain" / "brain.gguf").read_bytes() == BRAIN


def hub_cache(root: Path, files: dict[str, bytes]) -> Path:
    """A snapshot in the cache of the Hugging Face libraries: links to blobs named by hash."""
    repo = root / "hub" / "models--someone--Toy-Model"
    snapshot = repo / "snapshots" / ("c" * 40)
    snapshot.mkdir(parents=True)
    (repo / "blobs").mkdir()
    for name, data in files.items():
        blob = repo / "blobs" / hashlib.sha256(data).hexdigest()
        blob.write_bytes(data)
        (snapshot / name).symlink_to(f"../../blobs/{blob.name}")
    return snapshot


@links
def test_a_link_in_a_hub_cache_is_added_under_its_own_name(world: World) -> None:
    """Its target is called by a hash; the link says what the model is called."""
    snapshot = hub_cache(world.root, {"toy.Q4.gguf": gguf()})
    entry = add(str(snapshot / "toy.Q4.gguf"), world.store(), Told())
    assert entry.name == "toy.Q4"
    assert world.store().require("toy.Q4").path.read_bytes() == gguf()


@links
def test_a_voice_and_a_recognizer_are_added_from_a_hub_cache(world: World) -> None:
    """All files that belong together are found by the names of their links."""
    files = {
        "xx.onnx": VOICE + b"!",
        "xx.onnx.json": VOICE_CONFIG,
        "model.bin": WHISPER,
        "config.json": b'{"lang_ids": []}',
        "tokenizer.json": b"{}",
    }
    snapshot = hub_cache(world.root, files)
    assert add(str(snapshot / "xx.onnx"), world.store(), Told()).role == "tts"
    recognizer = add(str(snapshot), world.store(), Told())
    assert (recognizer.role, recognizer.name) == ("stt", "Toy-Model")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        (f"sha256-{'a' * 64}", "Toy-toy-Q4_K_M"),
        (f"sha256:{'a' * 64}", "Toy-toy-Q4_K_M"),
        ("b" * 64, "Toy-toy-Q4_K_M"),
        ("TOY.GGUF", "TOY"),
        ("Toy.Gguf", "Toy"),
        ("model.bin", "model.bin"),
        ("no-ending", "no-ending"),
    ],
)
def test_a_language_model_is_known_by_its_content(world: World, file: str, name: str) -> None:
    """Blobs of Ollama and of the hub, capital endings and none: the first bytes say what it is."""
    path = world.root / file
    path.write_bytes(gguf())
    assert add(str(path), world.store(), Told()).name == name
    model = world.store().require(name)
    assert model.path.read_bytes() == gguf()
    assert model.path.suffix == ".gguf"


@links
def test_a_blob_that_the_catalog_knows_becomes_that_model(world: World) -> None:
    """An Ollama blob or a link to it is put in its place under the model's own name."""
    path = world.root / f"sha256-{hashlib.sha256(gguf()).hexdigest()}"
    path.write_bytes(gguf())
    first = add(str(path), world.store(), Told())
    link = world.root / "other name.bin"
    link.symlink_to(path)
    assert add(str(link), world.store(), Told()) == first


def test_what_the_catalog_knows_is_said_to_keep_its_name(world: World) -> None:
    """Another name for the same bytes makes no second model, and that is told."""
    path = world.root / "toy.gguf"
    path.write_bytes(gguf())
    told = Told()
    assert add(str(path), world.store(), told).name == "toy"
    assert told.lines == []
    assert add(str(path), world.store(), told, "another").name == "toy"
    assert told.lines == ["toy.gguf is the model toy, already present under that name"]
    world.store().remove("toy")
    add(str(path), world.store(), told, "another")
    (line,) = told.lines[1:]
    assert line == "toy.gguf is the model toy, added from this file under that name"
    assert "another" not in world.store().catalog


@pytest.mark.parametrize("beside", ["VOICE.ONNX.json", "VOICE.ONNX.JSON", "voice.onnx.json"])
def test_a_voice_may_have_capital_endings(world: World, beside: str) -> None:
    """The voice and its settings are found, and stored under the endings that engines want."""
    (world.root / "VOICE.ONNX").write_bytes(VOICE + b"!")
    (world.root / beside).write_bytes(VOICE_CONFIG)
    entry = add(str(world.root / "VOICE.ONNX"), world.store(), Told(), "capital")
    assert [file.name for file in entry.files] == ["VOICE.onnx", "VOICE.onnx.json"]
    assert world.store().require("capital").path.exists()


@pytest.mark.parametrize("name", ["sha256-" + "c" * 64, "PHOTO.JPG", "x.ONNX"])
def test_a_blob_of_another_kind_is_refused(world: World, name: str) -> None:
    """Its name says nothing, and its content nothing that can be used."""
    (world.root / name).write_bytes(b"\xff\xd8\xff\xe0 a picture")
    with pytest.raises(ModelError):
        add(str(world.root / name), world.store(), Told())


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are always text here")
def test_a_name_that_is_not_utf8_can_be_added(world: World) -> None:
    """The catalog gets a name that can be written."""
    path = world.root / os.fsdecode(b"t\xf6y.gguf")
    path.write_bytes(gguf({"general.name": ""}))
    entry = add(str(path), world.store(), Told())
    assert entry.name == "t-y"
    assert "t\ufffdy.gguf" in world.store().catalog.get("t-y").title


@links
@pytest.mark.parametrize("name", ["toy.gguf", "voice.onnx", "other"])
def test_a_pipe_or_a_device_is_no_model(world: World, name: str) -> None:
    """It is refused at once and not waited for, by whatever name it goes."""
    path = world.root / name
    os.mkfifo(path)
    device = world.root / f"device-{name}"
    device.symlink_to("/dev/zero")
    for each in (path, device):
        with pytest.raises(ModelError, match="not a file") as raised:
            add(str(each), world.store(), Told())
        assert raised.value.where == str(each)
        assert raised.value.remedy
        assert raised.value.exit_code == 1


@links
@pytest.mark.parametrize("name", ["config.json", "model.bin", "xx.onnx.json"])
def test_a_device_among_the_files_of_a_model_is_named(world: World, name: str) -> None:
    """A link to /dev/zero has no end, so nothing is read of it."""
    folder = whisper_folder(world.root / "w")
    (folder / "xx.onnx").write_bytes(VOICE)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to("/dev/zero")
    with pytest.raises(ModelError, match="not a file") as raised:
        add(str(folder / "xx.onnx" if "onnx" in name else folder), world.store(), Told())
    assert raised.value.where == str(folder / name)


@pytest.mark.parametrize("name", ["config.json", "xx.onnx.json"])
def test_settings_without_end_are_not_read(world: World, name: str) -> None:
    """A file far larger than any settings is named, and not loaded whole."""
    folder = whisper_folder(world.root / "w")
    (folder / "xx.onnx").write_bytes(VOICE)
    with (folder / name).open("wb") as file:
        file.truncate(8 << 20)
    with pytest.raises(ModelError, match="too large for the settings") as raised:
        add(str(folder / "xx.onnx" if "onnx" in name else folder), world.store(), Told())
    assert raised.value.where == str(folder / name)


def test_an_empty_name_is_not_the_current_folder(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that was never set adds nothing, even where a model could be added."""
    monkeypatch.chdir(whisper_folder(world.root / "w"))
    with pytest.raises(UsageError, match="empty") as raised:
        add("", world.store(), Told())
    assert "name a .gguf file" in raised.value.remedy


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["toy.Q4.gguf", "config.json"], "name the file in it: {}/toy.Q4.gguf"),
        (["Voice.ONNX", "README.md"], "name the file in it: {}/Voice.ONNX"),
        (["b.gguf", "a.gguf"], "name one of the files in it: a.gguf, b.gguf"),
    ],
)
def test_a_folder_that_holds_models_names_them(world: World, names: list[str], says: str) -> None:
    """What to add from a snapshot of the hub is told, whole where there is only one."""
    folder = world.root / "snapshot"
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(gguf())
    with pytest.raises(ModelError, match="not a Whisper model") as raised:
        add(str(folder), world.store(), Told())
    assert raised.value.remedy.replace(os.sep, "/") == says.format(folder.as_posix())
