"""A release folder: what its documents say, and when no release is made."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT

SCRIPTS = ROOT / "scripts"
DOCUMENTS = ("sbom.cdx.json", "THIRD-PARTY-NOTICES", "INSTALL.txt", "SHA256SUMS")
APACHE = "Apache License, Version 2.0, the whole of it"


def wheel(folder: Path, name: str, tag: str, fields: str, **texts: str) -> Path:
    """A wheel in `folder` with this metadata, and licence texts by file name."""
    info = f"{name}-1.0.dist-info"
    head = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n"
    file = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{info}/METADATA", head + fields)
        for text_name, text in texts.items():
            archive.writestr(f"{info}/licenses/{text_name}", text)
        if "manylinux" in tag:
            purl = "pkg:deb/debian/libgomp1@12?from=file:///srv/build"
            part = {"type": "library", "name": "libgomp1", "version": "12", "purl": purl}
            parts = [{**part, "bom-ref": "x"}, {**part, "bom-ref": "y"}]
            archive.writestr(f"{info}/sboms/auditwheel.cdx.json", json.dumps({"components": parts}))
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A release in small: edgevoice, a compiled package, and the kinds of licence there are."""
    folder = tmp_path / "edgevoice-1.0"
    folder.mkdir()
    needs = "Requires-Dist: piper-tts>=1\nRequires-Dist: bare; extra == 'more'\n"
    wheel(
        folder,
        "edgevoice",
        "py3-none-any",
        f"License-Expression: MIT\n{needs}",
        LICENSE="our own text",
    )
    wheel(folder, "piper_tts", "py3-none-any", "License: GPL-3.0-or-later\n", COPYING="the GPL")
    tag = "py3-none-manylinux_2_17_x86_64.manylinux_2_35_x86_64"
    wheel(folder, "llama_cpp_python", tag, "License: MIT\n", LICENSE="MIT, llama.cpp")
    wheel(folder, "first", "cp311-cp311-any", "License-Expression: Apache-2.0\n", LICENSE=APACHE)
    wheel(folder, "second", "cp312-cp312-any", "License-Expression: Apache-2.0\n", LICENSE=APACHE)
    wheel(folder, "bare", "py3-none-any", "Classifier: License :: OSI Approved :: BSD License\n")
    (folder / "constraints.txt").write_text("edgevoice==1.0\n")
    document(folder)
    return folder


def document(folder: Path) -> None:
    """Write the folder's documents, as a release does."""
    subprocess.run(
        [sys.executable, str(SCRIPTS / "release_documents.py"), str(folder)],
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        check=True,
        timeout=60,
    )


def test_the_checksums_cover_every_other_file(folder: Path) -> None:
    """A changed or added file is noticed by `sha256sum --check`."""
    listed = dict(
        reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines()
    )
    here = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.name != "SHA256SUMS"
    }
    assert listed == here
    assert {"constraints.txt", "sbom.cdx.json", "bare-1.0-py3-none-any.whl"} <= set(listed)


def test_the_sbom_names_every_package_with_licence_files_and_needs(folder: Path) -> None:
    """A scanner finds each package by its purl, what its wheel's hash is, and what needs it."""
    bom = json.loads((folder / "sbom.cdx.json").read_text())
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert bom["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    assert bom["metadata"]["component"]["purl"] == "pkg:pypi/edgevoice@1.0"
    found = {component["name"]: component for component in bom["components"]}
    assert set(found) == {"piper-tts", "llama-cpp-python", "first", "second", "bare"}
    assert found["first"]["licenses"] == [{"expression": "Apache-2.0"}]
    assert found["piper-tts"]["licenses"] == [{"license": {"name": "GPL-3.0-or-later"}}]
    assert found["bare"]["licenses"] == [{"license": {"name": "BSD License"}}]
    (file,) = found["bare"]["components"]
    data = (folder / file["name"]).read_bytes()
    assert file["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}]
    (file,) = found["llama-cpp-python"]["components"]
    purl = "pkg:deb/debian/libgomp1@12"
    libgomp = {"type": "library", "name": "libgomp1", "version": "12", "purl": purl}
    assert file["components"] == [libgomp], "what was copied into a wheel is named, too"
    needs = {each["ref"]: each["dependsOn"] for each in bom["dependencies"]}
    assert needs["pkg:pypi/edgevoice@1.0"] == ["pkg:pypi/piper-tts@1.0"], "extras are not installed"


def test_the_notices_begin_with_what_the_gpl_asks(folder: Path) -> None:
    """Before you pass the folder on, you read that piper-tts makes the GPL hold for all of it."""
    text = (folder / "THIRD-PARTY-NOTICES").read_text()
    head = text[: text.index("bare 1.0")]
    assert "piper-tts, which is GPL-3.0-or-later" in head
    assert "source" in head


def test_the_notices_hold_each_licence_text_once_and_say_where_there_is_none(
    folder: Path,
) -> None:
    """Every package of others is listed with its licence and text; ours is not among them."""
    text = (folder / "THIRD-PARTY-NOTICES").read_text()
    assert text.count(APACHE) == 1
    numbers = re.findall(r"^(\w+) 1\.0\n    licence: Apache-2\.0\n    text:    (.*)$", text, re.M)
    assert [name for name, _ in numbers] == ["first", "second"]
    assert numbers[0][1] == numbers[1][1]
    assert "the GPL" in text
    assert "MIT, llama.cpp" in text
    assert re.search(
        r"bare 1\.0\n    licence: BSD License\n    text:    its wheel holds none", text
    )
    assert "our own text" not in text


def test_the_instructions_name_files_and_systems_that_are_there(folder: Path) -> None:
    """The commands work as they stand, and say for which system and Pythons."""
    text = (folder / "INSTALL.txt").read_text()
    named = re.findall(r"[\w.-]+\.(?:whl|txt)|SHA256SUMS", text)
    assert named
    for name in named:
        assert (folder / name).exists(), name
    assert "manylinux_2_35_x86_64" in text
    assert "manylinux_2_17" not in text
    assert "With Python 3.11, 3.12 " in text


def test_the_same_wheels_give_the_same_documents_wherever_they_lie(
    folder: Path, tmp_path: Path
) -> None:
    """Nothing in them comes from the clock or the machine: no folder and no address."""
    other = tmp_path / "elsewhere" / "edgevoice-1.0"
    shutil.copytree(folder, other)
    for name in DOCUMENTS:
        (other / name).unlink()
    document(other)
    for name in DOCUMENTS:
        text = (folder / name).read_text()
        assert (other / name).read_text() == text, name
        assert str(tmp_path) not in text
        assert "://" not in text, name


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A committed project with what a release begins with."""
    checkout = tmp_path / "checkout"
    for name in ("scripts", "lock", "edgevoice/__init__.py", ".gitignore"):
        target = checkout / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target)
        else:
            shutil.copy(ROOT / name, target)
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b.c", "-C", str(checkout)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "All"]):
        subprocess.run([*git, *words], check=True, timeout=30)
    return checkout


def release(checkout: Path, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    """`make release` there, with the commands that `path` has."""
    return subprocess.run(
        [sys.executable, "-B", str(checkout / "scripts" / "release.py")],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )


def refused(done: subprocess.CompletedProcess[str], checkout: Path, *words: str) -> None:
    """It ended with 1 and said why, and nothing was made."""
    assert done.returncode == 1, done.stderr
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout / "dist").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="releases are made on Linux")
def test_a_changed_tree_is_not_released(checkout: Path) -> None:
    """What is released can be found again by its commit."""
    (checkout / "lock" / "run.txt").write_text("")
    (checkout / "scripts" / "new.py").write_text("")
    refused(release(checkout), checkout, "lock/run.txt", "scripts/new.py", "Commit or stash")


@pytest.mark.skipif(sys.platform != "linux", reason="releases are made on Linux")
def test_a_missing_compiler_is_named_with_the_command_that_installs_it(
    checkout: Path, tmp_path: Path
) -> None:
    """Before anything is fetched, it says what is missing and how to get it."""
    bare = tmp_path / "bin"
    bare.mkdir()
    (bare / "git").symlink_to(str(shutil.which("git")))
    refused(release(checkout, str(bare)), checkout, "compiler", "sudo apt-get install g++")


@pytest.mark.skipif(sys.platform != "linux", reason="releases are made on Linux")
def test_missing_git_is_named(checkout: Path, tmp_path: Path) -> None:
    """A release belongs to a commit, so it needs git."""
    refused(release(checkout, str(tmp_path / "empty")), checkout, "git")


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """scripts/release.py, to ask its functions."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    names = ("release", "release_documents", "compile_options", "progress", "system_packages")
    for name in names:
        sys.modules.pop(name, None)
    import release as module

    assert Path(module.__file__ or "").parent == SCRIPTS
    yield module
    for name in names:
        sys.modules.pop(name, None)


def test_a_wheel_that_names_a_folder_of_this_machine_is_found(
    module: ModuleType, tmp_path: Path
) -> None:
    """A path that the compiler wrote into a library does not leave the machine."""
    clean = wheel(tmp_path, "clean", "py3-none-any", "", LICENSE="see ./LICENSE")
    assert module.machine_paths(clean) == ""
    built = wheel(tmp_path, "built", "py3-none-any", "", notes=f"\0{ROOT}/build/file.cpp\0")
    assert module.machine_paths(built) == "built-1.0.dist-info/licenses/notes"


def test_each_python_gets_the_versions_that_the_lock_has_for_it(module: ModuleType) -> None:
    """Markers are weighed for the Python that is meant, not for the one that makes the release."""
    pins = module.pins(ROOT / "lock" / "run.txt")
    for python in module.PYTHONS:
        names = [pin.name for pin in pins if module.applies(pin, python)]
        assert len(names) == len(set(names)), python
        assert {"numpy", "av", "llama-cpp-python"} <= set(names)
        assert ("tomli" in names) == (python == "3.10")


@pytest.mark.long
@pytest.mark.network
@pytest.mark.models
@pytest.mark.skipif(sys.platform != "linux", reason="releases are made on Linux")
def test_a_release_installs_and_answers_without_a_compiler_and_without_an_index(
    tmp_path: Path, model_path: Callable[[str], Path]
) -> None:
    """The committed state, released, installed from the folder alone with no command on the PATH:
    it runs, holds nothing of this machine, and its llama.cpp answers."""
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(checkout)], check=True, timeout=120)
    # What is compiled is kept, here as by `make release`: the first time takes long.
    compiled = ROOT / "build" / "release"
    compiled.mkdir(parents=True, exist_ok=True)
    (checkout / "build").mkdir()
    (checkout / "build" / "release").symlink_to(compiled)
    done = subprocess.run(
        [sys.executable, "-B", str(checkout / "scripts" / "release.py")],
        capture_output=True,
        text=True,
        timeout=7200,
    )
    assert done.returncode == 0, done.stderr
    folder = checkout / done.stdout.strip()
    check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    subprocess.run(check, cwd=folder, check=True, timeout=120)
    (llama,) = folder.glob("llama_cpp_python-*.whl")
    with zipfile.ZipFile(llama) as archive:
        variants = [name for name in archive.namelist() if "/libggml-cpu-" in name]
    assert len(variants) > 1

    new = tmp_path / "new"
    venv.create(new, with_pip=True)
    bare = {"PATH": str(tmp_path / "nothing"), "HOME": str(tmp_path), "PIP_NO_INDEX": "1"}
    bare["PIP_CONFIG_FILE"] = os.devnull
    bare["EDGEVOICE_MODELS_FOLDER"] = str(model_path("qwen2.5-coder-0.5b").parents[1])
    (ours,) = folder.glob("edgevoice-*.whl")
    options = ["--find-links=.", "--constraint=constraints.txt", "--only-binary=:all:"]

    def run(*words: str | Path) -> str:
        done = subprocess.run(
            list(words), cwd=folder, env=bare, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(new / "bin" / "python", "-m", "pip", "install", *options, f"./{ours.name}")
    run(new / "bin" / "python", "-m", "pip", "check")
    edgevoice = new / "bin" / "edgevoice"
    assert ours.name.split("-")[1] in run(edgevoice, "--version")
    ask = ("--set", "slm.temperature=0", "ask", "--slm", "qwen2.5-coder-0.5b")
    assert "Rome" in run(edgevoice, *ask, "What is the capital of Italy?")
