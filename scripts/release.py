"""Make a folder that installs edgevoice without git, make or a compiler: dist/edgevoice-VERSION/.

    make release                          for the Python of .venv
    make release ARGS="--python 3.12 …"   for these Pythons

The folder contains wheels of edgevoice, of a portable llama-cpp-python and of all packages in
lock/run.txt, with constraints.txt and the documents of release_documents.py. llama.cpp is compiled
for every processor: it has several variants of its CPU code, and chooses one at run time.

build/release/ keeps the compiled wheel, so that a second run takes a minute.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from compile_options import COMPILED, INCLUDED, OPTIONS, WITHOUT_IMAGES
from progress import Steps
from system_packages import has_compiler, instructions

try:
    from packaging.markers import Marker
    from packaging.version import Version
    from release_documents import write
except ImportError as error:
    raise SystemExit(f"{error.name} is missing here: `make release` installs it first") from None

ROOT = Path(__file__).resolve().parent.parent
WORK = (ROOT / "build" / "release").resolve()
LOG = WORK / "release.log"
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
NEWEST_GLIBC = 28
"""Newest glibc (2.28) that downloaded wheels may need. The compiled wheel may need a newer one."""
EPOCH = 315532800
"""The year 1980: the date of all files in the compiled wheel, so that it stays the same."""
TOOLS = ("auditwheel", "hatchling", "scikit_build_core")
COMMANDS = ("git", "patchelf", "cmake", "ninja")

PORTABLE = (
    "-DGGML_NATIVE=OFF",
    "-DGGML_BACKEND_DL=ON",
    "-DGGML_CPU_ALL_VARIANTS=ON",
    # Wheels have no links: a library would be included three times, once for each of its names.
    "-DCMAKE_PLATFORM_NO_VERSIONED_SONAME=ON",
    # The binding looks here; by default the variants go to bin/, beside all packages.
    "-DCMAKE_INSTALL_BINDIR:STRING=llama_cpp/lib",
    "-DCMAKE_INSTALL_LIBDIR:STRING=llama_cpp/lib",
    "-DCMAKE_INSTALL_RPATH=$ORIGIN",
)
WHEEL_OPTIONS = (
    "wheel.exclude=include;llama_cpp/lib/cmake;llama_cpp/lib/pkgconfig",
    "wheel.license-files=LICENSE.md;vendor/llama.cpp/LICENSE;vendor/llama.cpp/licenses/*",
)


class Pin:
    """A requirement of a lock; `text` is its unchanged lines, with hashes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.name, self.version = re.match(r"([\w.-]+)==([^\s;\\]+)", text).groups()


def pins(lock: Path) -> list[Pin]:
    """The requirements of a lock file, in order."""
    text = lock.read_text("utf-8")
    return [Pin(found) for found in re.findall(r"^\S+==(?:.*\\\n)*.*\n", text, re.MULTILINE)]


class ReleaseError(Exception):
    """No release can be made; the message gives the reason and the fix."""


class Release:
    """A release folder for the checked-out commit."""

    def __init__(self, pythons: list[str]) -> None:
        self.pythons = pythons
        self.version = re.search(
            r'^__version__ = "(.+)"', (ROOT / "edgevoice/__init__.py").read_text("utf-8"), re.M
        )[1]  # type: ignore[index]
        self.folder = ROOT / "dist" / f"edgevoice-{self.version}"
        self.pins = pins(ROOT / "lock" / "run.txt")
        self.steps = Steps(5)

    def run(self) -> None:
        """Make the folder; it appears only once all of its wheels are ready."""
        check_tools()
        self.when = commit_date()
        WORK.mkdir(parents=True, exist_ok=True)
        LOG.write_text("", "utf-8")
        wheels = WORK / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        wheels.mkdir()
        self._edgevoice(wheels)
        self._llama_cpp(wheels)
        self._others(wheels)
        self._documents(wheels)
        self.steps.begin("checking for paths of this machine")
        for wheel in (*wheels.glob("edgevoice-*.whl"), *wheels.glob("llama_cpp_python-*.whl")):
            if found := machine_paths(wheel):
                raise ReleaseError(f"{wheel.name} names a path of this machine, in {found}")
        self.steps.done("none")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.parent.mkdir(exist_ok=True)
        shutil.move(wheels, self.folder)

    def _edgevoice(self, wheels: Path) -> None:
        self.steps.begin("edgevoice")
        code = f"import hatchling.build; hatchling.build.build_wheel({str(wheels)!r})"
        self._call([sys.executable, "-c", code], "building edgevoice")
        self.steps.done(self.version)

    def _llama_cpp(self, wheels: Path) -> None:
        self.steps.begin(COMPILED)
        (pin,) = [pin for pin in self.pins if pin.name == COMPILED]
        recipe = f"{pin.text}{(WITHOUT_IMAGES, *PORTABLE)}{WHEEL_OPTIONS}{platform.libc_ver()}"
        digest = hashlib.sha256(f"{recipe}{INCLUDED.read_text('utf-8')}".encode()).hexdigest()[:12]
        ready = WORK / digest
        origin = "cached"
        if not any(ready.glob("*.whl")):
            origin = "compiled"
            raw = self._compile(pin, digest)
            # Names the supported systems in the wheel's file name, and includes libgomp.
            repair = ["auditwheel", "repair", "--strip", "--wheel-dir", str(WORK / "repaired")]
            shutil.rmtree(WORK / "repaired", ignore_errors=True)
            environ = {"SOURCE_DATE_EPOCH": str(EPOCH)}
            self._call([sys.executable, "-m", *repair, str(raw)], f"repairing {raw.name}", environ)
            (WORK / "repaired").rename(ready)
        (wheel,) = ready.glob("*.whl")
        shutil.copy2(wheel, wheels)
        self.steps.done(f"{pin.version}, {origin}")

    def _compile(self, pin: Pin, digest: str) -> Path:
        """Compile the wheel, and reuse the work of an interrupted run with the same recipe."""
        stamp = WORK / "cmake" / "recipe"
        if not stamp.exists() or stamp.read_text("utf-8") != digest:
            shutil.rmtree(stamp.parent, ignore_errors=True)
            stamp.parent.mkdir()
            stamp.write_text(digest, "utf-8")
        source = self._source(pin)
        shutil.rmtree(WORK / "built", ignore_errors=True)
        settings = [f"--config-settings={text}" for text in WHEEL_OPTIONS]
        settings.append(f"--config-settings=build-dir={WORK / 'cmake'}")
        # The compiler puts file names into error messages; they must be relative.
        flags = shlex.quote(f"-ffile-prefix-map={WORK}=.")
        portable = (*OPTIONS, *PORTABLE)
        environ = {"CMAKE_ARGS": shlex.join(portable), "CFLAGS": flags, "CXXFLAGS": flags}
        environ["SOURCE_DATE_EPOCH"] = str(EPOCH)
        # llama.cpp asks git for its commit, and would get that of edgevoice.
        environ["GIT_CEILING_DIRECTORIES"] = str(WORK)
        build = ["--verbose", "--no-deps", "--no-build-isolation", "--no-cache-dir", *settings]
        command = [*pip("wheel"), *build, "--wheel-dir", str(WORK / "built"), str(source)]
        self._call(command, f"compiling {COMPILED}", environ, counted=True)
        (wheel,) = (WORK / "built").glob("*.whl")
        return wheel

    def _source(self, pin: Pin) -> Path:
        """The unpacked source; downloaded if needed."""
        source = WORK / f"{COMPILED.replace('-', '_')}-{pin.version}"
        if not source.exists():
            options = ["--no-deps", "--no-build-isolation", "--no-binary", ":all:"]
            command = [*pip("download"), *options, "--dest", str(WORK), *self._requirements([pin])]
            self._call(command, f"downloading {COMPILED}")
            with (
                tarfile.open(f"{source}.tar.gz") as archive,
                tempfile.TemporaryDirectory(dir=WORK) as folder,
            ):
                archive.extractall(folder, filter="data")
                Path(folder, source.name).rename(source)
        return source

    def _others(self, wheels: Path) -> None:
        self.steps.begin("the other wheels")
        for python in self.pythons:
            needed = [p for p in self.pins if p.name != COMPILED and applies(p, python)]
            options = ["--no-deps", "--only-binary", ":all:", "--python-version", python]
            options += [f"--platform={tag}" for tag in platforms()]
            command = [
                *pip("download"),
                *options,
                "--dest",
                str(wheels),
                *self._requirements(needed),
            ]
            self._call(command, f"downloading the wheels for Python {python}")
        self.steps.done(f"for Python {', '.join(self.pythons)}")

    def _documents(self, wheels: Path) -> None:
        self.steps.begin("documents")
        lines = [f"edgevoice=={self.version}\n"]
        lines += [re.split(r"\s*\\\n", pin.text)[0] + "\n" for pin in self.pins]
        (wheels / "constraints.txt").write_text("".join(lines), "utf-8")
        write(wheels, self.when)
        self.steps.done()

    def _requirements(self, needed: list[Pin]) -> list[str]:
        """Options for pip that select exactly these packages, with hashes."""
        file = WORK / "requirements.txt"
        # Markers are evaluated for the target Python; pip would evaluate them for its own.
        texts = [re.sub(r" ; [^\\\n]*", " ", pin.text, count=1) for pin in needed]
        file.write_text("".join(texts), "utf-8")
        return ["--require-hashes", "--requirement", str(file)]

    def _call(
        self,
        command: list[str],
        what: str,
        environ: dict[str, str] | None = None,
        counted: bool = False,
    ) -> None:
        """Run `command` with its output in the log; `counted` shows ninja's progress [n/all]."""
        inherited = {k: v for k, v in os.environ.items() if k not in ("CMAKE_ARGS", "PYTHONPATH")}
        inherited["PATH"] = tools_path()
        own = {"SOURCE_DATE_EPOCH": str(self.when), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        last = ""
        with (
            LOG.open("a", encoding="utf-8") as log,
            subprocess.Popen(
                command,
                cwd=ROOT,
                env={**inherited, **own, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            ) as process,
        ):
            assert process.stdout
            for line in process.stdout:
                log.write(line)
                last = line.strip() or last
                if counted and (found := re.match(r"\s*\[(\d+)/(\d+)\]", line)):
                    self.steps.advance(int(found[1]) / int(found[2]), "compiling")
        if process.returncode:
            raise ReleaseError(f"{what} failed: {last}\n  log: {LOG}")


def pip(command: str) -> list[str]:
    return [sys.executable, "-m", "pip", command]


def tools_path() -> str:
    """PATH, with the tools that set-up installed beside this Python first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def check_tools() -> None:
    """Raise ReleaseError unless all tools for a release are installed."""
    if sys.platform != "linux":
        raise ReleaseError(f"a release is made on Linux; this is {platform.system()}")
    for name in TOOLS:
        if importlib.util.find_spec(name) is None:
            raise ReleaseError(f"{name} is missing here; `make release` installs it first")
    for name in COMMANDS:
        if shutil.which(name, path=tools_path()) is None:
            raise ReleaseError(f"the command {name} is missing; `make setup`, or your system's")
    if not has_compiler():
        raise ReleaseError(instructions("compiler"))


def commit_date() -> int:
    """The time of the checked-out commit. Raises ReleaseError if files were changed."""
    changed = git("status", "--porcelain")
    if changed:
        files = ", ".join(line[3:] for line in changed.splitlines()[:3])
        raise ReleaseError(f"these files are not committed: {files}. Commit or stash them")
    return int(git("log", "-1", "--format=%ct"))


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise ReleaseError(f"git {words[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip("\n")


def applies(pin: Pin, python: str) -> bool:
    """Whether the lock requires it on this system with that Python."""
    marker = re.match(r"[^\\\n]*?;([^\\\n]*)", pin.text)
    environ = {"python_version": python, "python_full_version": f"{python}.0"}
    return marker is None or Marker(marker[1]).evaluate(environ)


def platforms() -> list[str]:
    """The platform tags of wheels to download, the newest system first."""
    old = ["manylinux2014", "manylinux2010", "manylinux1"]
    tags = [f"manylinux_2_{minor}" for minor in range(NEWEST_GLIBC, 4, -1)] + old
    return [f"{tag}_{platform.machine()}" for tag in tags]


def machine_paths(wheel: Path) -> str:
    """The first file in the wheel that contains a path of this machine; empty if none does."""
    private = [str(folder).encode() for folder in {ROOT, Path.home(), Path(sys.prefix)}]
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if any(path + b"/" in data for path in private):
                return name
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description="Make a folder that installs without a compiler.")
    own = "{}.{}".format(*sys.version_info)
    parser.add_argument(
        "--python",
        action="append",
        choices=PYTHONS,
        metavar="3.N",
        help=f"a Python to include wheels for, one of {', '.join(PYTHONS)}; repeatable "
        f"[default: {own}]",
    )
    pythons = sorted(set(parser.parse_args().python or [own]), key=Version)
    release = Release(pythons)
    try:
        release.run()
    except (ReleaseError, OSError) as error:
        release.steps.stop()
        print(f"\nNo release was made: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        release.steps.stop()
        print("\nInterrupted; what was compiled is kept.", file=sys.stderr)
        return 130
    print(release.folder.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
