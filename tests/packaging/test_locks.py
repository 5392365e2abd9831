"""The lock files: complete, hashed, without addresses, and installable wherever we say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = sorted((ROOT / "lock").glob("*.txt"))
SYSTEMS = {
    "Linux x86-64": "x86_64-manylinux_2_28",
    "Linux aarch64": "aarch64-manylinux_2_28",
    "macOS arm64": "aarch64-apple-darwin",
    "Windows": "x86_64-pc-windows-msvc",
}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
OLDEST_MACOS = "14.0"
NEWER = ("pymicro-wakeword", "pymicro-features")
"""The extra `wake` and what it needs, which have builds for newer systems only."""
SOURCE_ONLY = "llama-cpp-python"
"""Comes as source alone and is compiled during set-up."""

Resolution = tuple[str, set[str]]
"""What the resolver complained of, else the names it found."""


def blocks(lock: Path) -> list[str]:
    """The requirements of a lock, each with its hashes."""
    lines = lock.read_text("utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("#"))
    return re.split(r"\n(?=\S)", text.strip())


def names(lock: Path) -> set[str]:
    return {block.split("==")[0] for block in blocks(lock)}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_exact_and_hashed(lock: Path) -> None:
    """Nothing in a lock can be something else tomorrow."""
    for block in blocks(lock):
        assert re.match(r"[\w.-]+==[\w.]+ ", block), block
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_lock_says_where_to_download_from(lock: Path) -> None:
    """Which index or mirror is used is the business of whoever installs."""
    found = re.findall(r"\w+://\S*|^\s*-\S.*|\s@\s.*", lock.read_text("utf-8"), re.MULTILINE)
    assert [line for line in found if "--hash=sha256:" not in line] == []


def test_the_locks_hold_everything_that_the_project_asks_for() -> None:
    """A requirement added or changed in pyproject.toml without `make lock` is noticed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = {"run": project["project"]["dependencies"], **project["dependency-groups"]}
    for group, wanted in groups.items():
        locked: dict[str, list[Version]] = {}
        for block in blocks(ROOT / "lock" / f"{group}.txt"):
            pin = Requirement(re.split(r"[\\\n]", block)[0])
            version = next(iter(pin.specifier)).version
            locked.setdefault(canonicalize_name(pin.name), []).append(Version(version))
        for requirement in map(Requirement, wanted):
            versions = locked.get(canonicalize_name(requirement.name), [])
            assert versions, f"{requirement} is not in lock/{group}.txt: make lock"
            assert all(map(requirement.specifier.contains, versions)), (
                f"lock/{group}.txt has {versions} for {requirement}: make lock"
            )


def test_the_locks_agree_with_each_other() -> None:
    """A package in two locks is there in the same versions, or set-up would undo its own work."""
    pins: dict[str, dict[str, set[str]]] = {}
    for lock in LOCKS:
        for block in blocks(lock):
            name, version = re.match(r"([\w.-]+)==(\S+)", block).groups()  # type: ignore[union-attr]
            pins.setdefault(name, {}).setdefault(lock.name, set()).add(version)
    for name, by_lock in pins.items():
        assert len({frozenset(versions) for versions in by_lock.values()}) == 1, (name, by_lock)


@pytest.fixture(scope="module")
def resolved(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Future[Resolution]]:
    """Every system with every Python at once: each mostly waits for the package index."""
    folder = tmp_path_factory.mktemp("resolved")
    pairs = [(system, python) for system in SYSTEMS for python in PYTHONS]
    with ThreadPoolExecutor(max_workers=8) as pool:
        return {pair: pool.submit(resolve, *pair, folder) for pair in pairs}


def resolve(system: str, python: str, folder: Path) -> Resolution:
    """Ask for what the locks name, as ready-made wheels for another system than this one."""
    output = folder / f"{system} {python}.txt"
    asked = folder / f"{system} {python}.in"
    wanted = [block for lock in LOCKS for block in blocks(lock) if not block.startswith(NEWER)]
    asked.write_text("\n".join(wanted), "utf-8")
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"),
        *("--python-platform", SYSTEMS[system], "--python-version", python),
        *("--only-binary", ":all:", "--no-binary", SOURCE_ONLY),
        *(str(asked), "--output-file", str(output)),
    ]
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_"))}
    environ["MACOSX_DEPLOYMENT_TARGET"] = OLDEST_MACOS
    # What a lock names never changes, so an answer that was cached once is as good as a new one.
    for options in (["--offline"], []):
        done = subprocess.run(
            [*command, *options], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=600
        )
        if done.returncode == 0:
            break
    else:
        return done.stderr, set()
    return "", set(re.findall(r"^([\w.-]+)==", output.read_text("utf-8"), re.MULTILINE))


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_locked_versions_install_without_building(
    resolved: dict[tuple[str, str], Future[Resolution]], system: str, python: str
) -> None:
    """On each system and Python, every locked package has a ready-made wheel there (all but
    llama-cpp-python, which is always compiled), and what each depends on is in the locks too."""
    error, found = resolved[system, python].result()
    if re.search(r"error sending request|dns error|timed out", error):
        pytest.fail(
            "the package index could not be reached; without a network run\n"
            f"  make test ARGS='-m \"not network\"'\n{error}",
            pytrace=False,
        )
    assert error == ""
    assert {SOURCE_ONLY, "sounddevice", "pytest", "hatchling"} <= found
    assert found <= set().union(*map(names, LOCKS))
