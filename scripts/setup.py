"""Make .venv with everything edgevoice needs, in exact versions with hashes. Needs only Python.

    python3 scripts/setup.py run     to run edgevoice
    python3 scripts/setup.py dev     to test it, too
    … --check                        only exit with 1 if there is anything to do

Does nothing if nothing has changed since the last set-up. .venv/setup.log has all output.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from compile_options import COMPILED, OPTIONS
from progress import Steps, spell

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOG = VENV / "setup.log"
STATE = VENV / "edgevoice-setup.json"
BIN = VENV / ("Scripts" if sys.platform == "win32" else "bin")
PYTHON = BIN / ("python.exe" if sys.platform == "win32" else "python")
LOCKS = {"run": ["build", "run"], "dev": ["build", "run", "dev"]}
COMPILE_CORE_SECONDS = 210
"""An estimate to print before the compile starts; the time left is measured once it runs."""

PACKAGE = re.compile(
    r"(?:Collecting |Requirement already satisfied: |Processing \S*/)([\w.-]+?)(?:[=<> ]|-\d|\n)"
)
"""pip's line about a package, with its name: from the index, installed, or from a local folder."""

REMEDIES = (
    (r"No space left on device|Errno 28", "the disk is full: free some space"),
    (r"cc1plus.*Killed|Killed signal|out of memory|virtual memory exhausted",
     "too little memory for the compiler: try CMAKE_BUILD_PARALLEL_LEVEL=1"),
    (r"DO NOT MATCH THE HASHES",
     "a download does not match the hash in the lock: check the package index"),
    (r"NewConnectionError|Connection(Error| refused| reset| broken)|Temporary failure in name|"
     r"Name or service not known|[Tt]imed out|nodename nor servname|ProxyError|SSLError|"
     r"from versions: none",
     "the package index could not be reached: check the network"),
    (r"No matching distribution", "the package index has none for this system: see the log"),
    (r"Permission denied|Errno 13", f"no permission: check who owns {VENV}"),
)  # fmt: skip


class SetupError(Exception):
    """Set-up cannot continue; the message gives the reason and the fix."""


def interrupt(number: int, frame: object) -> None:
    """Let SIGTERM end set-up like Ctrl-C."""
    raise KeyboardInterrupt(number)


def set_up(goal: str, steps: Steps) -> None:
    """Run every step for `goal`; after an interruption, the next call continues there."""
    from system_packages import provide

    state = read_state()
    flags = os.environ.get("CMAKE_ARGS", state.get("cmake_args", ""))
    compiled = any(VENV.glob("[Ll]ib*/**/site-packages/llama_cpp_python-*.dist-info"))
    new_flags = compiled and flags != state.get("cmake_args", flags)
    hint = ""
    if new_flags or not compiled:
        seconds = max(60, COMPILE_CORE_SECONDS / (os.cpu_count() or 1))
        hint = f"; compiling {COMPILED} takes about {spell(seconds)}, unless pip kept it"
    print(f"Setting up edgevoice in .venv{hint}", file=sys.stderr, flush=True)

    with tempfile.TemporaryFile("w+", encoding="utf-8") as early:
        steps.begin("system packages")
        missing = provide(goal, bool(hint), early, steps.note)
        if missing:
            raise SetupError(f"{missing}\nand run the same command again.")
        steps.done()
        steps.begin("virtual environment")
        if not venv_works(state):
            call([sys.executable, "-m", "venv", "--clear", str(VENV)], early, "making .venv")
            state = {}
        steps.done("Python {}.{}.{}".format(*sys.version_info))
        early.seek(0)
        text = early.read()

    # Until the end nothing counts as installed, even after an earlier set-up.
    write_state(state.get("cmake_args", "") if compiled else flags, {})
    with LOG.open("w", encoding="utf-8") as log:
        log.write(text)
        steps.begin("build tools")
        call(pip("--require-hashes", "-r", "lock/build.txt"), log, "installing the build tools")
        steps.done()
        install_packages(goal, flags, new_flags, log, steps)
        write_state(flags, {})
        steps.begin("edgevoice")
        own = ("--no-deps", "--no-build-isolation", "--editable", ".")
        call(pip(*own), log, "installing edgevoice")
        call([str(PYTHON), "-m", "pip", "check"], log, "checking the installed packages")
        steps.done("ready")

    goals = {**state.get("goals", {}), "run": key("run"), goal: key(goal)}
    write_state(flags, goals)


def install_packages(goal: str, flags: str, new_flags: bool, log: IO[str], steps: Steps) -> None:
    """Install the packages in the locks of `goal`, and compile llama-cpp-python."""
    locks = [f"lock/{name}.txt" for name in LOCKS[goal][1:]]
    total = sum((ROOT / lock).read_text("utf-8").count("==") for lock in locks)
    seen: set[str] = set()

    def progress(line: str) -> None:
        if found := PACKAGE.match(line):
            seen.add(found[1].lower().replace("_", "-"))
            steps.advance(0.15 * min(1.0, len(seen) / total), found[1])
        elif found := re.match(r"\s*\[(\d+)/(\d+)\]", line):
            share = int(found[1]) / int(found[2])
            steps.advance(0.15 + 0.8 * share, f"compiling {COMPILED}")
        elif line.startswith("Installing collected packages"):
            steps.advance(0.97, "unpacking")

    steps.begin("packages")
    environ = {"CMAKE_ARGS": " ".join((*OPTIONS, flags)).strip()}
    if flags:
        # pip's cache does not distinguish builds with different options.
        environ["PIP_NO_CACHE_DIR"] = "1"
    if new_flags:
        remove = [str(PYTHON), "-m", "pip", "uninstall", "-y", COMPILED]
        call(remove, log, f"removing the earlier {COMPILED}")
    options = ["--verbose", "--no-build-isolation", "--no-deps", "--require-hashes"]
    requirements = [word for lock in locks for word in ("-r", lock)]
    call(pip(*options, *requirements), log, "installing packages", progress, environ)
    steps.done(f"{len(seen)} in their locked versions")


def pip(*words: str) -> list[str]:
    return [str(PYTHON), "-m", "pip", "install", *words]


def call(
    command: list[str],
    log: IO[str],
    what: str,
    on_line: Callable[[str], None] = lambda line: None,
    environ: dict[str, str] | None = None,
) -> None:
    """Run `command`, log its output and call `on_line` with each line. Raises SetupError."""
    log.write(f"\n$ {' '.join(command)}\n")
    inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    quiet = {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    quiet |= {"PIP_ROOT_USER_ACTION": "ignore", "PIP_PROGRESS_BAR": "off", "NO_COLOR": "1"}
    # The build of llama-cpp-python finds cmake and ninja in .venv.
    path = {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", "PYTHONUNBUFFERED": "1"}
    lines: list[str] = []
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
        try:
            for line in process.stdout:
                log.write(line)
                lines = [*lines[-400:], line]
                on_line(line)
        except BaseException:
            process.terminate()
            raise
        finally:
            log.flush()
    if process.returncode:
        raise SetupError(f"{what} failed: {reason(lines)}")


def reason(lines: list[str]) -> str:
    """The reason of a failure, from the last lines of output: a remedy, or the error itself."""
    text = "".join(lines)
    for pattern, remedy in REMEDIES:
        if re.search(pattern, text):
            return remedy
    errors = [line.strip() for line in lines if re.match(r"\s*(ERROR|\w*Error|.*error):? ", line)]
    exact = [line for line in errors if re.match(r"\w+Error: ", line)]
    return (exact[-1:] or errors[:1] or text.strip().splitlines()[-1:] or ["no output"])[0]


def key(goal: str) -> str:
    """A hash of everything that decides what `goal` installs."""
    digest = hashlib.sha256("{}.{}".format(*sys.version_info).encode())
    for file in ("pyproject.toml", *(f"lock/{name}.txt" for name in LOCKS[goal])):
        digest.update((ROOT / file).read_bytes())
    return digest.hexdigest()


def read_state() -> dict:
    """The record of the last finished set-up; empty if there is none."""
    try:
        return json.loads(STATE.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def write_state(cmake_args: str, goals: dict[str, str]) -> None:
    """Record which goals are installed, and with which options llama.cpp was compiled."""
    state = {"root": str(ROOT), "cmake_args": cmake_args, "goals": goals}
    STATE.write_text(json.dumps(state, indent=1), "utf-8")


def venv_works(state: dict) -> bool:
    """Whether .venv belongs to this folder, whose path is in its scripts, and to this Python."""
    has_pip = any(VENV.glob("[Ll]ib*/**/site-packages/pip/__main__.py"))
    if state.get("root") != str(ROOT) or not has_pip or not PYTHON.exists():
        return False
    # Without site-packages, which an interrupted set-up may have damaged.
    probe = [str(PYTHON), "-I", "-S", "-c", "import sys; print(sys.version_info[:2])"]
    version = subprocess.run(probe, capture_output=True, text=True).stdout.strip()
    return version == str(tuple(sys.version_info[:2]))


def fresh(goal: str) -> bool:
    """Whether there is nothing to do."""
    state = read_state()
    return (
        state.get("root") == str(ROOT)
        and state.get("goals", {}).get(goal) == key(goal)
        and os.environ.get("CMAKE_ARGS") in (None, state.get("cmake_args"))
        and PYTHON.exists()
        and any(BIN.glob("edgevoice*"))
    )


def main() -> int:
    """Set up for the goal on the command line; returns the exit code."""
    given = [word for word in sys.argv[1:] if word != "--check"]
    goal = given[0] if given else "run"
    if goal not in LOCKS:
        print(f"setup.py takes one of: {', '.join(LOCKS)}", file=sys.stderr)
        return 2
    if fresh(goal) or "--check" in sys.argv:
        return 0 if fresh(goal) else 1
    signal.signal(signal.SIGTERM, interrupt)
    steps = Steps(5)
    try:
        set_up(goal, steps)
    except KeyboardInterrupt as error:
        steps.stop()
        print("\nSet-up was interrupted; the same command continues from there.", file=sys.stderr)
        return 143 if error.args else 130
    except (SetupError, OSError) as error:
        steps.stop()
        print(f"\nSet-up stopped: {error}", file=sys.stderr)
        print(f"  log: {LOG.relative_to(ROOT)}", file=sys.stderr)
        print("  then: run the same command again; it continues from there", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
