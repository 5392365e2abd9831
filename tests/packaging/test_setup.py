"""Set-up: which Python it takes, when it has nothing to do, what it says when it cannot go on."""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ROOT / "scripts"

WORKS = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
BROKEN_SHIM = "#!/bin/sh\necho 'version not installed' >&2\nexit 127\n"
TOO_OLD = '#!/bin/sh\ncase "$2" in *print*) echo "Python 3.9 is";; *) exit 1;; esac\n'


def command(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)


def find_python(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """scripts/find-python where `path` holds every command there is."""
    command(path, "cat", f'#!/bin/sh\nexec {shutil.which("cat")} "$@"\n')
    return subprocess.run(
        ["/bin/sh", str(SCRIPTS / "find-python"), *words],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """The set-up script as a module, working on a project in `tmp_path`."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    for name in ("setup", "compile_options", "progress", "system_packages"):
        sys.modules.pop(name, None)
    import setup as module

    assert Path(module.__file__ or "").parent == SCRIPTS
    shutil.copytree(ROOT / "lock", tmp_path / "lock")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    places = {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "LOG": tmp_path / ".venv/setup.log",
        "STATE": tmp_path / ".venv/edgevoice-setup.json",
        "BIN": tmp_path / ".venv/bin",
        "PYTHON": tmp_path / ".venv/bin/python",
    }
    for name, place in places.items():
        monkeypatch.setattr(module, name, place)
    yield module
    for name in ("setup", "compile_options", "progress", "system_packages"):
        sys.modules.pop(name, None)


def test_a_shim_that_exists_but_fails_is_passed_over(tmp_path: Path) -> None:
    """Version managers leave commands for Pythons that are not installed."""
    command(tmp_path / "bin", "python3.13", BROKEN_SHIM)
    command(tmp_path / "bin", "python3.12", WORKS)
    done = find_python(tmp_path / "bin")
    assert (done.returncode, done.stdout.strip()) == (0, sys.executable)


def test_without_a_fitting_python_it_says_what_is_here_and_how_to_get_one(tmp_path: Path) -> None:
    """A system's Python that is too old is named, with the command for each system."""
    command(tmp_path / "bin", "python3", TOO_OLD)
    done = find_python(tmp_path / "bin")
    assert done.returncode == 1
    assert "Python 3.9 is here" in done.stderr
    for system in ("Debian, Ubuntu", "Fedora", "Arch", "macOS"):
        assert system in done.stderr


def test_a_python_that_was_named_is_taken_and_no_other(tmp_path: Path) -> None:
    """make PYTHON=… means that one, even where a better one is at hand."""
    command(tmp_path / "bin", "python3.13", WORKS)
    command(tmp_path / "bin", "mine", TOO_OLD)
    assert find_python(tmp_path / "bin", "mine").returncode == 1
    command(tmp_path / "bin", "mine", WORKS)
    assert find_python(tmp_path / "bin", "mine").returncode == 0
    command(tmp_path / "my bin", "python3", WORKS)
    assert find_python(tmp_path / "bin", str(tmp_path / "my bin/python3")).returncode == 0


def test_a_changed_lock_or_project_is_a_reason_to_install_again(setup: ModuleType) -> None:
    """The mark that a finished set-up leaves holds for exactly what it installed."""
    before = {goal: setup.key(goal) for goal in ("run", "dev")}
    assert {goal: setup.key(goal) for goal in ("run", "dev")} == before
    with (setup.ROOT / "lock/dev.txt").open("a") as file:
        file.write("# changed\n")
    assert setup.key("run") == before["run"]
    assert setup.key("dev") != before["dev"]
    with (setup.ROOT / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    assert setup.key("run") != before["run"]


def installed(setup: ModuleType) -> None:
    """What a finished set-up leaves, as far as it is looked at."""
    setup.BIN.mkdir(parents=True)
    setup.PYTHON.touch()
    (setup.BIN / "edgevoice").touch()


def test_a_folder_that_was_moved_is_set_up_again(setup: ModuleType) -> None:
    """The commands in .venv hold its path, so a mark made elsewhere does not count."""
    installed(setup)
    setup.write_state("", {"run": setup.key("run")})
    assert setup.fresh("run")
    setup.STATE.write_text(setup.STATE.read_text().replace(str(setup.ROOT), "/somewhere/else"))
    assert not setup.fresh("run")
    assert not setup.venv_works(setup.read_state())


def test_other_options_for_the_compiler_are_a_reason_to_install_again(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CMAKE_ARGS counts when it is given, and what was compiled with it stays without it."""
    installed(setup)
    setup.write_state("-DGGML_CUDA=on", {"run": setup.key("run")})
    monkeypatch.delenv("CMAKE_ARGS", raising=False)
    assert setup.fresh("run")
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_CUDA=off")
    assert not setup.fresh("run")


def provide(setup: ModuleType, monkeypatch: pytest.MonkeyPatch, **present: bool) -> tuple[str, str]:
    """What set-up says is vital and missing, and its other lines, where apt may not be used."""
    import system_packages

    for need in ("venv", "compiler", "portaudio", "pulseaudio"):
        monkeypatch.setattr(system_packages, f"has_{need}", partial(present.get, need, True))
    monkeypatch.setattr(system_packages, "apt_install", lambda needs, log, say: False)
    lines: list[str] = []
    vital = system_packages.provide("dev", True, io.StringIO(), lines.append)
    return vital, "\n".join(lines)


def test_without_a_compiler_it_stops_at_once_with_the_command_for_every_system(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """You learn it before anything is installed, and not from a page of CMake."""
    vital, _ = provide(setup, monkeypatch, compiler=False)
    for words in ("apt-get install g++", "dnf install gcc-c++", "pacman -S gcc", "xcode-select"):
        assert words in vital


def test_without_portaudio_it_says_the_commands_and_goes_on(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without a sound library can still be set up, for files and for the demo."""
    vital, lines = provide(setup, monkeypatch, portaudio=False)
    assert vital == ""
    for words in ("apt-get install libportaudio2", "dnf install", "pacman -S", "brew install"):
        assert words in lines


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("OSError: [Errno 28] No space left on device", "free some space"),
        ("c++: fatal error: Killed signal terminated program cc1plus", "PARALLEL_LEVEL=1"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "hash"),
        ("ERROR: No matching distribution found for numpy==99", "none for this system"),
        ("CMake Error: no compiler was found", "no compiler was found"),
    ],
)
def test_a_failed_command_is_told_by_its_remedy_or_its_own_error(
    setup: ModuleType, line: str, remedy: str
) -> None:
    """The last lines of pip, CMake or the compiler are read for a known reason."""
    assert remedy in setup.reason(["something before\n", f"{line}\n"])


def test_what_takes_long_says_how_far_it_is_and_how_long_it_will_take(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a log, a long step adds a line now and then; a short one none."""
    import progress

    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    steps = progress.Steps(2)
    steps.begin("compiling")
    now = 105.0
    steps.advance(0.1)
    now = 130.0
    steps.advance(0.25)
    now = 220.0
    steps.done("compiled")
    assert capsys.readouterr().err.splitlines() == [
        "[1/2] compiling:",
        "      25%, about 2 min left",
        "      compiled (2 min)",
    ]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What set-up works on, as in a checkout."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("scripts", "lock"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def setting_up(project: Path, index: str) -> subprocess.Popen[str]:
    """Set-up on its way, with `index` as the only place to get packages from."""
    only = {"PIP_INDEX_URL": index, "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "CMAKE_ARGS"))}
    return subprocess.Popen(
        [sys.executable, "scripts/setup.py", "run"],
        cwd=project,
        env={**kept, **only},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_an_index_that_cannot_be_reached_is_one_message_with_the_log(project: Path) -> None:
    """Set-up on a machine without a network: what failed, why, and where to read on."""
    with setting_up(project, "http://127.0.0.1:9/") as process:
        said = process.communicate(timeout=600)[1]
    assert process.returncode == 1
    assert "installing the build tools failed: the package index could not be reached" in said
    assert "Traceback" not in said
    assert "127.0.0.1" in (project / ".venv/setup.log").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_stops_at_once_and_says_that_it_goes_on_later(
    project: Path, number: signal.Signals, code: int
) -> None:
    """Ctrl-C or SIGTERM while pip waits for an index that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as index:
        index.settimeout(600)
        with setting_up(project, f"http://127.0.0.1:{index.getsockname()[1]}/") as process:
            waiting, _ = index.accept()
            process.send_signal(number)
            said = process.communicate(timeout=600)[1]
            waiting.close()
    assert process.returncode == code
    assert "the same command continues from there" in said
    assert "Traceback" not in said
