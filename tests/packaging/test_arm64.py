"""A phone's processor, emulated: the locked packages load, and llama.cpp answers.

Needs qemu-user-static, proot, mmdebstrap and g++-aarch64-linux-gnu from Debian, and the indexes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT

QEMU, COMPILER = "qemu-aarch64-static", "aarch64-linux-gnu-g++"
TOOLS = (QEMU, COMPILER, "proot", "mmdebstrap")
PLATFORMS = (
    "manylinux_2_28",
    "manylinux_2_27",
    "manylinux_2_26",
    "manylinux_2_17",
    "manylinux2014",
)
LOADED = (
    "numpy", "msgspec", "psutil", "ctranslate2", "onnxruntime", "av", "tokenizers", "piper", "soxr",
    "faster_whisper",
)  # fmt: skip
PATIENCE = 3600.0

pytestmark = [
    pytest.mark.long,
    pytest.mark.network,
    pytest.mark.skipif(
        not all(map(shutil.which, TOOLS)), reason=f"one of {', '.join(TOOLS)} is not installed"
    ),
]


def run(*words: str | Path, folder: Path) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def locked(compiled: bool) -> str:
    """The blocks of the lock: those with wheels, or what is compiled."""
    blocks = re.split(r"\n(?=[a-z])", (ROOT / "lock" / "run.txt").read_text("utf-8"))
    return "\n".join(
        block
        for block in blocks
        if block[:1].islower() and block.startswith("llama-cpp-python") is compiled
    )


def pip(*words: str | Path, folder: Path) -> None:
    run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", *words, folder=folder)


def test_the_locked_packages_load_on_a_phones_processor(tmp_path: Path) -> None:
    """Each wheel of the lock exists for it, and each compiled one loads."""
    requirements = tmp_path / "locked.txt"
    requirements.write_text(locked(compiled=False) + "\n")
    platforms = [f"--platform={name}_aarch64" for name in PLATFORMS]
    abis = ["--abi=cp311", "--abi=abi3", "--abi=none"]
    python = ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp"]
    pip(
        "--require-hashes",
        "-r",
        requirements,
        "-d",
        "wheels",
        *platforms,
        *abis,
        *python,
        folder=tmp_path,
    )
    include = "--include=python3,libgomp1,libstdc++6"
    run(
        "mmdebstrap",
        "--variant=extract",
        "--architectures=arm64",
        include,
        "bookworm",
        "phone",
        folder=tmp_path,
    )
    packages = tmp_path / "phone" / "opt" / "packages"
    for wheel in (tmp_path / "wheels").glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
    code = (
        f"import platform, sys; sys.path.insert(0, '/opt/packages'); "
        f"[__import__(name) for name in {LOADED}]; print(platform.machine())"
    )
    phone = ["proot", "-q", QEMU, "-r", "phone", "-b", "/proc", "-b", "/dev", "-w", "/"]
    assert run(*phone, "/usr/bin/python3.11", "-c", code, folder=tmp_path).split()[-1] == "aarch64"


@pytest.mark.models
def test_llama_cpp_answers_on_a_phones_processor(
    model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    """Compiled for it from the locked source, it writes a few tokens."""
    requirements = tmp_path / "locked.txt"
    requirements.write_text(locked(compiled=True) + "\n")
    pip(
        "--require-hashes",
        "-r",
        requirements,
        "-d",
        ".",
        "--no-binary=:all:",
        "--no-build-isolation",
        folder=tmp_path,
    )
    [source] = tmp_path.glob("llama_cpp_python-*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    llama = next(tmp_path.glob("llama_cpp_python-*/vendor/llama.cpp"))
    options = [
        "BUILD_SHARED_LIBS=OFF", "GGML_NATIVE=OFF", "GGML_OPENMP=OFF",
        "GGML_CPU_ARM_ARCH=armv8.2-a+dotprod", "LLAMA_BUILD_TESTS=OFF", "LLAMA_BUILD_TOOLS=OFF",
        "LLAMA_BUILD_EXAMPLES=OFF", "LLAMA_BUILD_SERVER=OFF", "CMAKE_BUILD_TYPE=Release",
        "CMAKE_SYSTEM_NAME=Linux", "CMAKE_SYSTEM_PROCESSOR=aarch64",
        f"CMAKE_C_COMPILER={COMPILER.replace('g++', 'gcc')}", f"CMAKE_CXX_COMPILER={COMPILER}",
        f"CMAKE_PROJECT_llama.cpp_INCLUDE={ROOT / 'scripts' / 'llama_cpp.cmake'}",
    ]  # fmt: skip
    run(
        "cmake", "-S", llama, "-B", "build", *(f"-D{option}" for option in options), folder=tmp_path
    )
    run("cmake", "--build", "build", "--target", "llama", "-j2", folder=tmp_path)
    libraries = sorted((tmp_path / "build").rglob("lib*.a"))
    includes = [f"-I{llama / 'include'}", f"-I{llama / 'ggml' / 'include'}"]
    example = llama / "examples" / "simple" / "simple.cpp"
    linked = ["-Wl,--start-group", *libraries, "-Wl,--end-group", "-lpthread", "-ldl"]
    run(
        COMPILER,
        "-O2",
        "-std=c++17",
        "-static",
        *includes,
        example,
        *linked,
        "-o",
        "simple",
        folder=tmp_path,
    )
    model = model_path("smollm2-135m")
    written = run(QEMU, "./simple", "-m", model, "-n", "4", "Two plus two is", folder=tmp_path)
    assert len(written.split("Two plus two is")[-1].strip()) > 0
