"""`edgevoice models`, as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from edgevoice.catalog import Catalog
from edgevoice.cli import Context
from edgevoice.cli.models import models
from edgevoice.errors import EdgevoiceError, ModelError
from edgevoice.models import pull as pulling
from tests.hostile import COMMANDS, EVIL
from tests.models.conftest import (
    BRAIN_ENTRY,
    EARS_ENTRY,
    ENTRIES,
    GATE,
    GATE_ENTRY,
    World,
    gguf,
    write_catalog,
)


@pytest.fixture
def packaged(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The small world in the place of the real catalog and the user's folders."""
    from edgevoice import catalog
    from edgevoice.models import store

    monkeypatch.setattr(catalog, "packaged_path", lambda: world.packaged)
    monkeypatch.setattr(catalog, "data_folder", lambda: world.own.parent)
    monkeypatch.setattr(store, "data_folder", lambda: world.own.parent)
    monkeypatch.setenv("EDGEVOICE_MODELS_FOLDER", str(world.folder))
    monkeypatch.setenv("EDGEVOICE_CONFIG", str(world.root / "config.toml"))
    (world.root / "config.toml").write_text("")
    return world


def call(*arguments: str) -> Result:
    """The command's result; an EdgevoiceError is what main() would print."""
    return CliRunner().invoke(models, arguments, obj=Context(None, ()))


def failed(*arguments: str) -> EdgevoiceError:
    error = call(*arguments).exception
    assert isinstance(error, EdgevoiceError)
    return error


def test_list_tells_what_is_here_and_what_would_run(packaged: World) -> None:
    """Each model in one row, with the ✓ and * that a user looks for, and the folder."""
    packaged.put(BRAIN_ENTRY)
    result = call("list")
    assert result.exit_code == 0
    rows = {line.split()[2]: line for line in result.output.splitlines() if " slm " in line}
    assert "✓*" in rows["brain"]
    assert str(packaged.folder) in result.output
    ears = next(line for line in result.output.splitlines() if " ears " in line)
    assert "✓" not in ears


def test_what_a_model_calls_itself_is_text(packaged: World) -> None:
    """A title does not command the terminal, and brackets in it are no markup."""
    entry = msgspec.structs.replace(EARS_ENTRY, title=f"[bold]Ears[/bold] {EVIL}", licence=EVIL)
    write_catalog(packaged.packaged, (entry,))
    output = call("list").output
    assert "[bold]Ears[/bold]" in output
    assert "evil" in output
    assert not COMMANDS.search(output)


def test_what_suits_this_machine_best_is_listed_first(
    packaged: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit into the memory is last of its role, and is told as such."""
    from edgevoice.models import machine

    monkeypatch.setattr(machine, "total_memory", lambda: 2_000_000_000)
    large = msgspec.structs.replace(BRAIN_ENTRY, name="large", rank=90, ram=3_000_000_000)
    better = msgspec.structs.replace(BRAIN_ENTRY, name="better", rank=70)
    write_catalog(packaged.packaged, (large, BRAIN_ENTRY, better))
    rows = [line for line in call("list").output.splitlines() if " slm " in line]
    assert [row.split()[1] for row in rows] == ["better", "brain", "large"]
    assert "too large for this machine" in rows[2]


def test_prune_deletes_only_what_nothing_uses(packaged: World) -> None:
    """The second best model and an unfinished download go once the user agrees; a model that the
    configuration names, and the user's own, stay."""
    worse = msgspec.structs.replace(BRAIN_ENTRY, name="worse", rank=1)
    named = msgspec.structs.replace(GATE_ENTRY, name="named", rank=1)
    write_catalog(packaged.packaged, (*ENTRIES, worse, named))
    own = msgspec.structs.replace(BRAIN_ENTRY, name="own", rank=2, mirrors=())
    packaged.own.parent.mkdir()
    write_catalog(packaged.own, (own,))
    (packaged.root / "config.toml").write_text('[models]\nvad = "named"\n')
    for entry in (BRAIN_ENTRY, worse, named, own):
        packaged.put(entry)
    unfinished = packaged.folder / ".partial" / "1234"
    unfinished.mkdir(parents=True)
    assert CliRunner().invoke(models, ["prune"], obj=Context(None, ()), input="n").exit_code == 0
    assert (packaged.folder / "worse").is_dir()
    assert "worse" in call("prune", "--yes").output
    left = {path.name for path in packaged.folder.iterdir() if not path.name.startswith(".")}
    assert left == {"brain", "named", "own"}
    assert not unfinished.exists()
    assert "Nothing to delete" in call("prune").output


def test_why_tells_what_a_model_needs_and_how_to_get_it(packaged: World) -> None:
    """Its memory, its licence, which model runs instead, and the command that installs it."""
    packaged.put(BRAIN_ENTRY)
    write_catalog(
        packaged.packaged,
        (*ENTRIES, msgspec.structs.replace(BRAIN_ENTRY, name="other", rank=1, licence="MIT")),
    )
    told = call("why", "other").output
    for words in ("no: brain does", "models pull other", "MIT", "memory"):
        assert words in told


def test_list_as_json_is_complete(packaged: World) -> None:
    """A program reads the same, with sizes in bytes."""
    packaged.put(BRAIN_ENTRY)
    rows = {row["name"]: row for row in json.loads(call("list", "--json").output)}
    assert set(rows) == {"brain", "ears", "voice", "gate"}
    assert rows["brain"]["state"] == "present"
    assert rows["brain"]["runs"] is True
    assert rows["brain"]["size"] == BRAIN_ENTRY.size
    assert rows["ears"]["state"] == "absent"


def test_pull_prints_where_the_model_is(packaged: World) -> None:
    """The path is on stdout for scripts; progress is not."""
    result = call("pull", "gate")
    assert result.stdout == f"gate\t{packaged.folder / 'gate' / 'gate.onnx'}\n"


def test_pull_without_a_name_fetches_the_starter_set(
    packaged: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing for a first conversation, and nothing when it is there."""
    monkeypatch.setattr(pulling, "starter", lambda cores, memory: ["brain", "ears", "gate"])
    from tests.models.conftest import VOICE_ENTRY

    packaged.put(VOICE_ENTRY)
    assert {line.split("\t")[0] for line in call("pull").stdout.splitlines()} == {
        "brain",
        "ears",
        "gate",
    }
    assert "already" in call("pull").stdout


def test_verify_reads_every_file(packaged: World) -> None:
    """Sound models are ok; an altered one is named, and the exit is not zero."""
    packaged.put(GATE_ENTRY, EARS_ENTRY)
    assert call("verify").output.splitlines() == ["ears\tok", "gate\tok"]
    (packaged.folder / "gate" / "gate.onnx").write_bytes(b"x" * len(GATE))
    result = call("verify")
    assert "gate\tgate.onnx is altered" in result.output
    error = failed("verify")
    assert isinstance(error, ModelError)
    assert error.remedy == "edgevoice models pull gate"


def test_verify_sees_a_change_that_keeps_size_and_time(packaged: World) -> None:
    """The marks that spare the hashing at use are not believed here."""
    import os

    packaged.put(GATE_ENTRY)
    call("verify")
    path = packaged.folder / "gate" / "gate.onnx"
    before = path.stat()
    path.write_bytes(b"x" * len(GATE))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "altered" in call("verify").output


def test_an_added_model_is_listed_and_can_be_removed_with_its_entry(packaged: World) -> None:
    """From the user's file to the catalog and back; the user's file stays."""
    mine = packaged.root / "mine.gguf"
    mine.write_bytes(gguf())
    result = call("add", str(mine))
    assert result.stdout.startswith("mine\t")
    assert Path(call("path", "mine").stdout.strip()).read_bytes() == gguf()
    assert call("remove", "mine").exit_code == 0
    assert "mine" not in Catalog.load(packaged.packaged, packaged.own)
    assert mine.exists()


def test_path_names_the_folder_or_the_model(packaged: World) -> None:
    """Without a name the folder, with one the model; a missing one is an error."""
    assert call("path").stdout == f"{packaged.folder}\n"
    assert failed("path", "gate").remedy == "edgevoice models pull gate"


def test_remove_frees_the_space(packaged: World) -> None:
    """It says how much, and the model is gone."""
    packaged.put(BRAIN_ENTRY)
    assert call("remove", "brain").stdout == "brain\tremoved, 300 KB freed\n"
    assert not (packaged.folder / "brain").exists()
