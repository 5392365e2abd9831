"""Make .venv with everything edgevoice needs, in exact versions with hashes. Needs only Python.

    python3 scripts/setup.py run     what it takes to run
    python3 scripts/setup.py dev     and to test
    … --check                        only tell by the exit code whether there is nothing to do

Does nothing, quickly, when nothing changed since. Everything is logged to .venv/setup.log.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from pins import Pin, pins
from progress import Steps, spell
from system_packages import COMPILER, NULL_SINKS, PORTAUDIO, VENV, SystemPackage, install

ROOT = Path(__file__).resolve().parent.parent
VENV_FOLDER = ROOT / ".venv"
LOG = VENV_FOLDER / "setup.log"
STATE = VENV_FOLDER / "edgevoice-setup.json"
BIN = VENV_FOLDER / ("Scripts" if sys.platform == "win32" else "bin")
PYTHON = BIN / ("python.exe" if sys.platform == "win32" else "python")
LOCKS = {"run": ("build", "run"), "dev": ("build", "run", "dev")}
COMPILED = "llama-cpp-python"
COMPILE_CORE_SECONDS = 600
"""What compiling it costs on one ordinary core; said before it begins, then measured."""

PIP_SAYS = re.compile(
    r"(?:Collecting |Requirement already satisfied: |Processing \S*/)([\w.-]+?)(?:[=<> ]|-\d|\n)"
)
"""What pip prints as it turns to a package: from the index, there already, from a local folder."""

REMEDIES = (
    (r"No space left on device|Errno 28", "the disk is full: make room"),
    (r"cc1plus.*Killed|Killed signal|out of memory|virtual memory exhausted",
     "too little memory for the compiler: try CMAKE_BUILD_PARALLEL_LEVEL=1"),
    (r"DO NOT MATCH THE HASHES", "what came is not what the lock names: look at the package index"),
    (r"NewConnectionError|Connection(Error| refused| reset| broken)|Temporary failure in name|"
     r"Name or service not known|[Tt]imed out|nodename nor servname|ProxyError|SSLError|"
     r"from versions: none",
     "the package index could not be reached: check the network"),
    (r"No matching distribution", "the package index has none for this system: see the log"),
    (r"Permission denied|Errno 13", f"no permission: check who owns {VENV_FOLDER}"),
)  # fmt: skip


class SetupError(Exception):
    """Set-up cannot go on; the message says why and what to do."""


class Setup:
    """One run of set-up for `goal`: run or dev."""

    def __init__(self, goal: str) -> None:
        self.goal = goal
        self.pins = [pin for name in LOCKS[goal] for pin in pins(ROOT / "lock" / f"{name}.txt")]
        self.steps = Steps(6)
        self.tail: list[str] = []

    def run(self) -> None:
        """Do every step; each leaves things so that running again goes on from there."""
        state = read_state()
        compile_needed = self._compile_needed(state)
        hint = ""
        if compile_needed:
            seconds = COMPILE_CORE_SECONDS / (os.cpu_count() or 1)
            hint = f"; compiling {COMPILED} takes about {spell(max(60, seconds))} of it, this once"
        print(f"Setting up edgevoice in .venv{hint}", file=sys.stderr, flush=True)
        with tempfile.TemporaryFile("w+", encoding="utf-8") as early:
            self.log: IO[str] = early
            self._system_packages(compile_needed)
            self._venv(state)
            early.seek(0)
            with LOG.open("w", encoding="utf-8") as self.log:
                self.log.write(early.read())
                self._packages()
                self._compile(state)
                self._edgevoice()
        goals = [self.goal, "run"] if self.goal == "dev" else [self.goal]
        flags = os.environ.get("CMAKE_ARGS") or state.get("cmake_args", "")
        keep = state.get("goals", {}) if VENV_FOLDER.exists() else {}
        new = {
            "root": str(ROOT),
            "cmake_args": flags,
            "goals": {**keep, **{goal: key(goal) for goal in goals}},
        }
        STATE.write_text(json.dumps(new, indent=1), "utf-8")

    def _compile_needed(self, state: dict) -> bool:
        if os.environ.get("CMAKE_ARGS") not in (None, state.get("cmake_args")):
            return True
        version = next(pin.version for pin in self.pins if pin.name == COMPILED)
        pattern = f"llama_cpp_python-{version}.dist-info"
        return not any(VENV_FOLDER.glob(f"[Ll]ib*/**/{pattern}"))

    def _system_packages(self, compile_needed: bool) -> None:
        self.steps.begin("system packages")
        needed = [VENV, PORTAUDIO]
        needed += [COMPILER] if compile_needed else []
        needed += [NULL_SINKS] if self.goal == "dev" else []
        missing = [package for package in needed if not package.present()]
        if missing and install(missing, self.log, self.steps.note):
            missing = []
        for package in missing:
            if package in (VENV, COMPILER):
                raise SetupError(f"{package.what}, is missing. Install it with\n{told(package)}")
            self.steps.note(f"not found: {package.what}. Going on without; to have it:")
            for line in package.instructions().splitlines():
                self.steps.note(line)
        self.steps.done("something is missing" if missing else "there")

    def _venv(self, state: dict) -> None:
        self.steps.begin("virtual environment")
        how = "there"
        if not venv_works(state):
            how = f"made with Python {platform.python_version()}"
            command = [sys.executable, "-m", "venv", "--clear", str(VENV_FOLDER)]
            self._call(command, self._ignore, "making .venv")
            state.clear()
        self.steps.done(how)

    def _packages(self) -> None:
        self.steps.begin("pip")
        pip = [pin for pin in self.pins if pin.name == "pip"]
        self._pip_install(pip, "installing pip")
        self.steps.done(pip[0].version)
        self.steps.begin("packages")
        rest = [pin for pin in self.pins if pin.name not in ("pip", COMPILED)]
        names = {pin.name for pin in rest}
        seen: set[str] = set()

        def progress(line: str) -> None:
            if found := PIP_SAYS.match(line):
                seen.add(found[1].lower().replace("_", "-"))
                self.steps.advance(0.9 * min(1.0, len(seen) / len(names)), found[1])
            elif line.startswith("Installing collected packages"):
                self.steps.advance(0.92, "unpacking")

        self._pip_install(rest, "installing packages", progress)
        self.steps.done(f"{len(seen)} in their locked versions")

    def _compile(self, state: dict) -> None:
        self.steps.begin(COMPILED)
        pin = [pin for pin in self.pins if pin.name == COMPILED]
        how = "there"

        def progress(line: str) -> None:
            nonlocal how
            if found := re.match(r"\s*\[(\d+)/(\d+)\]", line):
                how = "compiled"
                self.steps.advance(int(found[1]) / int(found[2]), "compiling")
            elif re.match(r"\s*Successfully installed", line) and how == "there":
                how = "installed (from pip's cache)"

        # The image and sound input of llama.cpp is a quarter of the work and of no use to us.
        own = os.environ.get("CMAKE_ARGS", "")
        environ = {"CMAKE_ARGS": f"-DLLAVA_BUILD=OFF {own}".strip()}
        options = ["--no-build-isolation", "--verbose"]
        if own and own != state.get("cmake_args"):
            options += ["--no-cache-dir", "--force-reinstall"]
        self._pip_install(pin, f"compiling {COMPILED}", progress, options, environ)
        self.steps.done(how)

    def _edgevoice(self) -> None:
        self.steps.begin("edgevoice")
        options = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
        command = [*pip_install(), *options]
        self._call(command, self._ignore, "installing edgevoice")
        self._call([str(PYTHON), "-m", "pip", "check"], self._ignore, "checking what is installed")
        self.steps.done("ready")

    def _pip_install(
        self,
        wanted: list[Pin],
        what: str,
        progress: Callable[[str], None] | None = None,
        options: list[str] | None = None,
        environ: dict[str, str] | None = None,
    ) -> None:
        # A mark left from a finished run must not vouch for one that is cut short.
        STATE.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "wanted.txt")
            file.write_text("".join(dict.fromkeys(pin.text for pin in wanted)), "utf-8")
            locked = ["--require-hashes", "--no-deps", "--requirement", str(file)]
            command = [*pip_install(), *(options or ()), *locked]
            self._call(command, progress or self._ignore, what, environ)

    def _ignore(self, line: str) -> None:
        pass

    def _call(
        self,
        command: list[str],
        on_line: Callable[[str], None],
        what: str,
        environ: dict[str, str] | None = None,
    ) -> None:
        """Run `command`, log all it says and hand every line to `on_line`."""
        self.log.write(f"\n$ {' '.join(command)}\n")
        inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        quiet = {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        quiet |= {"PIP_ROOT_USER_ACTION": "ignore", "PIP_PROGRESS_BAR": "off", "NO_COLOR": "1"}
        # The build of llama-cpp-python finds cmake and ninja in .venv.
        path = {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env={**inherited, **quiet, **path, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout
            self.tail = []
            try:
                for line in process.stdout:
                    self.log.write(line)
                    self.tail = [*self.tail[-400:], line]
                    on_line(line)
            except BaseException:
                process.terminate()
                raise
            finally:
                self.log.flush()
        if process.returncode:
            raise SetupError(f"{what} failed: {self._reason()}")

    def _reason(self) -> str:
        text = "".join(self.tail)
        for pattern, remedy in REMEDIES:
            if re.search(pattern, text):
                return remedy
        errors = [
            line.strip() for line in self.tail if re.match(r"\s*(ERROR|\w*Error|.*error):? ", line)
        ]
        exact = [line for line in errors if re.match(r"\w+Error: ", line)]
        last = text.strip().splitlines()[-1:]
        return (exact[-1:] or errors[:1] or last or ["it said nothing"])[0]


def pip_install() -> list[str]:
    return [str(PYTHON), "-m", "pip", "install"]


def told(package: SystemPackage) -> str:
    return package.instructions() + "\nand run the same command again."


def key(goal: str) -> str:
    """Changes whenever what `goal` installs may have changed."""
    digest = hashlib.sha256("{}.{}".format(*sys.version_info).encode())
    files = [ROOT / "pyproject.toml", *(ROOT / "lock" / f"{name}.txt" for name in LOCKS[goal])]
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def read_state() -> dict:
    """What the last finished set-up wrote down; empty if there is none."""
    try:
        return json.loads(STATE.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def venv_works(state: dict) -> bool:
    """Whether .venv is ours: in this folder (scripts in it hold its path), of this Python."""
    config = VENV_FOLDER / "pyvenv.cfg"
    if not PYTHON.exists() or not config.exists():
        return False
    if state.get("root", str(ROOT)) != str(ROOT):
        return False
    # Started without its site-packages, which a set-up cut short may have left broken.
    probe = [str(PYTHON), "-I", "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    said = subprocess.run(probe, capture_output=True, text=True).stdout.strip()
    has_pip = any(VENV_FOLDER.glob("[Ll]ib*/**/site-packages/pip/__main__.py"))
    return said == "{}.{}".format(*sys.version_info) and has_pip


def fresh(goal: str) -> bool:
    """Whether there is nothing to do."""
    state = read_state()
    flags = os.environ.get("CMAKE_ARGS")
    return (
        state.get("root") == str(ROOT)
        and state.get("goals", {}).get(goal) == key(goal)
        and flags in (None, state.get("cmake_args"))
        and PYTHON.exists()
        and any(BIN.glob("edgevoice*"))
    )


def main() -> int:
    given = [word for word in sys.argv[1:] if word != "--check"]
    goal = given[0] if given else "run"
    if goal not in LOCKS:
        print(f"setup.py takes one of: {', '.join(LOCKS)}", file=sys.stderr)
        return 2
    if fresh(goal):
        return 0
    if "--check" in sys.argv:
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    setup = Setup(goal)
    log = f"  log: {LOG.relative_to(ROOT)}\n"
    try:
        setup.run()
    except SetupError as error:
        setup.steps.stop()
        print(f"\nSet-up stopped: {error}", file=sys.stderr)
        print(f"{log}  then: run the same command again; it goes on from there", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        setup.steps.stop()
        print("\nSet-up was interrupted; the same command goes on from there.", file=sys.stderr)
        return 130
    except OSError as error:
        setup.steps.stop()
        print(f"\nSet-up stopped: {error}\n{log}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
