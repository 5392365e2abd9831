"""Making shapes: into the models folder and the user's catalog, and never into a conversation."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from edgevoice.catalog import Catalog, Entry, Mirror
from edgevoice.cli import Context
from edgevoice.cli.models import models
from edgevoice.cli.shape import shape as command
from edgevoice.errors import EdgevoiceError, ModelError, PullError, StorageError, UsageError
from edgevoice.models import kinds, packages, shapes
from edgevoice.models.progress import NoProgress
from edgevoice.models.pull import fetch, pull
from edgevoice.models.shape_layout import weights_size
from edgevoice.models.shape_table import ARCHITECTURES
from edgevoice.models.shape_vocabulary import VOCABULARIES, vocabulary_file
from tests.models.conftest import BRAIN_ENTRY, ENTRIES, Told, World, file_of
from tests.models.small_shapes import small, vocabulary

TINY = small("phi-3-mini")


@pytest.fixture
def tokenizer(world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny vocabulary in the place of those that would be fetched."""
    path = vocabulary(world.root / "tiny.gguf")
    monkeypatch.setattr(shapes, "vocabulary_file", lambda *_: path)
    return path


@pytest.fixture
def made(world: World, tokenizer: Path) -> Path:
    """A shape in the folder; its file."""
    entry = shapes.make(TINY, world.store(), NoProgress())
    return world.store().path(entry)


def remains(world: World) -> list[str]:
    """What is in the models folder, but for its lock."""
    found = (path for path in world.folder.rglob("*") if path.is_file())
    return sorted(path.name for path in found if path.name != ".lock")


def test_a_shape_that_was_made_is_there_as_any_model_is(world: World, made: Path) -> None:
    """A new store finds it by its name, proved, with everything that labels it a shape."""
    installed = world.store().require("shape-phi-3-mini")
    entry = installed.entry
    assert installed.path == made
    assert made.stat().st_size == entry.size > weights_size(TINY)
    assert entry.shape
    assert entry.rank == 0
    assert entry.title.startswith("Shape of ")
    assert "random" in entry.description
    assert "random" in entry.licence
    assert entry.context == 512
    assert not world.store().prove(entry, entry.main)


def test_a_second_call_makes_nothing(world: World, made: Path) -> None:
    """What is here and sound is left as it is."""
    before = made.stat().st_mtime_ns
    told = Told()
    shapes.make(TINY, world.store(), told)
    assert told.lines == ["shape-phi-3-mini: already present"]
    assert made.stat().st_mtime_ns == before
    assert world.own.read_text().count("[[model]]") == 1


@pytest.mark.parametrize("damage", ["truncated", "altered", "missing"])
def test_a_damaged_shape_is_made_anew(world: World, made: Path, damage: str) -> None:
    """The store says what is wrong and names the command; the command mends it."""
    whole = made.read_bytes()
    if damage == "missing":
        made.unlink()
    else:
        made.write_bytes(whole[:-1000] + (b"x" * 1000 if damage == "altered" else b""))
    with pytest.raises(ModelError) as caught:
        world.store().require("shape-phi-3-mini")
    assert caught.value.remedy == "edgevoice bench shape phi-3-mini"
    shapes.make(TINY, world.store(), NoProgress())
    assert made.read_bytes() == whole
    assert world.own.read_text().count("[[model]]") == 1
    world.store().require("shape-phi-3-mini")


def test_a_shape_made_by_another_user_is_taken_over(world: World, made: Path) -> None:
    """A shared folder holds the file, another catalog its entry: it is read once, not rewritten."""
    world.own.unlink()
    before = made.stat().st_mtime_ns
    told = Told()
    shapes.make(TINY, world.store(), told)
    assert "checking" in told.begun[0][0]
    assert made.stat().st_mtime_ns == before
    world.store().require("shape-phi-3-mini")


def test_a_shape_is_never_chosen_without_being_named(world: World, made: Path) -> None:
    """Alone in the folder it is no language model; beside another one it stands back."""
    with pytest.raises(ModelError, match="no language model is installed"):
        world.store().choose("slm")
    world.put(BRAIN_ENTRY)
    assert world.store().choose("slm").name == "brain"
    assert world.store().choose("slm", shapes=True).name == "brain"


def test_a_shape_that_is_named_cannot_converse_but_can_be_measured(
    world: World, made: Path
) -> None:
    """Who wants an answer is told why there is none and where shapes are for; the bench gets it."""
    store = world.store(slm="shape-phi-3-mini")
    with pytest.raises(ModelError) as caught:
        store.choose("slm")
    assert "cannot answer" in caught.value.what
    assert "edgevoice bench" in caught.value.remedy
    assert store.choose("slm", shapes=True).path == made


def test_a_shape_is_not_pulled(world: World, made: Path) -> None:
    """There is no place to fetch random weights from."""
    made.unlink()
    with pytest.raises(ModelError) as caught:
        pull(["shape-phi-3-mini"], world.store(), NoProgress())
    assert caught.value.remedy == "edgevoice bench shape phi-3-mini"


def test_a_shape_that_was_never_made_is_named_with_the_command(world: World) -> None:
    """Asked for by name before it exists, the way to it is told."""
    with pytest.raises(ModelError) as caught:
        world.store(slm="shape-phi-3-mini").choose("slm", shapes=True)
    assert "edgevoice bench shape phi-3-mini" in caught.value.remedy


def test_the_file_of_a_shape_cannot_pass_for_a_model(made: Path) -> None:
    """Carried elsewhere and added under another name, its header still gives it away."""
    with made.open("rb") as source, pytest.raises(ModelError, match="random"):
        kinds.gguf(source.read, made.stat().st_size, "my-model.gguf")


def test_models_list_and_remove_know_shapes(
    world: World, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table shows it as what it is, not as what would run; removing it forgets it."""
    load = Catalog.load
    monkeypatch.setattr(Catalog, "load", lambda: load(world.packaged, world.own))
    monkeypatch.setenv("EDGEVOICE_MODELS_FOLDER", str(world.folder))
    listed = call(models, "list").output
    row = next(line for line in listed.splitlines() if "shape-phi-3-mini" in line)
    assert "✓" in row
    assert "*" not in row
    assert "Shape of" in row
    assert "freed" in call(models, "remove", "shape-phi-3-mini").output
    assert not made.exists()
    assert "shape-" not in call(models, "list").output


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("phi3-mini", "did you mean phi-3-mini?"), ("xyzzy", "edgevoice bench shape --list")],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, remedy: str) -> None:
    """A slip of the hand is answered with the right name, nonsense with the list."""
    with pytest.raises(UsageError) as caught:
        shapes.known(name)
    assert caught.value.remedy == remedy


def test_a_shape_is_known_by_both_its_names() -> None:
    """As the model it is of, and as it is called among the models."""
    assert shapes.known("shape-mistral-7b") is shapes.known("mistral-7b")


def test_room_is_looked_for_before_anything_is_written(
    world: World, tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk without room for the whole file is told before, and nothing is begun."""
    usage = type("Usage", (), {"free": weights_size(TINY)})
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(StorageError, match="needed on the disk"):
        shapes.make(TINY, world.store(), NoProgress())
    assert remains(world) == []


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (OSError(28, "No space left on device"), StorageError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_shape_broken_off_leaves_nothing(
    world: World, tokenizer: Path, end: BaseException, told: type[BaseException]
) -> None:
    """A disk that fills up meanwhile, or Ctrl-C: no file, no entry, and the next try succeeds."""

    class Ending(NoProgress):
        def reach(self, done: int) -> None:
            if done > 300_000:
                raise end

    with pytest.raises(told):
        shapes.make(TINY, world.store(), Ending())
    assert remains(world) == []
    assert not world.own.exists()
    shapes.make(TINY, world.store(), NoProgress())
    world.store().require("shape-phi-3-mini")


def call(group: object, *words: str) -> Result:
    return CliRunner().invoke(group, words, obj=Context(None, ()))  # type: ignore[arg-type]


def test_the_list_shows_every_shape_with_its_cost() -> None:
    """Name, size on disk, memory, dimensions and the tokenizer's licence, before one is made."""
    output = call(command, "--list").output
    for model in ARCHITECTURES.values():
        row = next(line for line in output.splitlines() if f" {model.name} " in line)
        assert f"{model.width}/{model.feed_forward}" in row
        assert model.tokenizer.licence in output
    assert "2.4 GB" in output
    assert "random" in output


def test_the_command_wants_a_name_it_knows(world: World) -> None:
    """Nothing is made without a name, and nothing of several if one of them is wrong."""
    assert isinstance(call(command).exception, UsageError)
    error = call(command, "phi-3-mini", "nonsense").exception
    assert isinstance(error, EdgevoiceError)
    assert "nonsense" in error.what
    assert remains(world) == []


def test_tokenizers_come_from_the_source_of_a_package_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One archive gives the vocabularies of all shapes; the next shape finds them here."""
    contents = {file.name: bytes([number]) * 5000 for number, file in enumerate(VOCABULARIES.files)}
    files = tuple(file_of(name, data) for name, data in contents.items())
    source(world.wheels, {mirror.member: contents[mirror.file] for mirror in VOCABULARIES.mirrors})
    fetched = []

    def client(part: object, backend: str, work: Path) -> list[str]:
        fetched.append(part)
        return ["cp", str(world.wheels / ARCHIVE), "out"]

    monkeypatch.setattr(packages, "pip_source", client)
    fitting = msgspec.structs.replace(VOCABULARIES, files=files)
    monkeypatch.setattr("edgevoice.models.shape_vocabulary.VOCABULARIES", fitting)
    for model in ARCHITECTURES.values():
        path = vocabulary_file(model, world.store(), NoProgress())
        assert path.read_bytes() == contents[model.tokenizer.file]
    assert len(fetched) == 1


ARCHIVE = "llama_cpp_python-0.3.36.tar.gz"


def source(folder: Path, members: dict[str, bytes]) -> None:
    """A source distribution whose build would fail, were it ever begun."""
    project = (
        b'[build-system]\nrequires = ["nowhere-to-be-had"]\n'
        b'build-backend = "scikit_build_core.build"\n'
    )
    members = {
        "llama_cpp_python-0.3.36/pyproject.toml": project,
        "llama_cpp_python-0.3.36/PKG-INFO": b"Metadata-Version: 2.1\nName: llama_cpp_python\n"
        b"Version: 0.3.36\n",
        **members,
    }
    with tarfile.open(folder / ARCHIVE, "w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def test_pip_fetches_a_source_and_builds_nothing_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real client saves the archive although its build tools cannot be had."""
    member = "llama_cpp_python-0.3.36/data/words.gguf"
    source(world.wheels, {member: b"words" * 1000})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(world.wheels))
    file = file_of("words.gguf", b"words" * 1000)
    entry = Entry(
        name="words",
        role="slm",
        format="gguf",
        title="Words",
        files=(file,),
        mirrors=(
            Mirror(
                file.name,
                "pip",
                "llama-cpp-python",
                "0.3.36",
                member,
                backend="scikit_build_core.build",
            ),
        ),
    )
    fetch(entry, world.store(entries=ENTRIES), NoProgress())
    assert (world.folder / "words" / "words.gguf").read_bytes() == b"words" * 1000
    assert remains(world) == [".proved", "words.gguf"]


def test_a_tokenizer_that_cannot_be_had_is_told_with_its_source(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the package index there is no shape, and the message says what was asked."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(PullError, match="llama-cpp-python 0"):
        vocabulary_file(ARCHITECTURES["phi-3-mini"], world.store(), NoProgress())
