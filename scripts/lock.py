"""Write the lock files: exact versions and hashes for every supported system and Python.

    make lock

lock/build.txt  tools to compile llama-cpp-python and to install edgevoice
lock/run.txt    packages that `edgevoice` needs to run
lock/dev.txt    further packages for `make test` and `make check`

Locked versions stay while they are compatible; `make lock UPGRADE=1` updates all of them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "build": ["--group", "build"],
    "run": ["pyproject.toml", "--extra", "serve", "--constraint", "lock/build.txt"],
    "dev": ["--group", "dev", "--constraint", "lock/build.txt", "--constraint", "lock/run.txt"],
}
ADDRESS = re.compile(r"(https?:|file:|git\+|--(extra-)?index|--find-links|-i )")
HEADER = "# Written by `make lock`; do not edit. {purpose}\n"
PURPOSE = {
    "build": "Tools that compile llama-cpp-python and install edgevoice.",
    "run": "What edgevoice needs to run.",
    "dev": "What the tests and the quality gates need on top of run.txt.",
}


def compile_lock(name: str, upgrade: bool) -> str:
    """The text of lock/NAME.txt, resolved for all systems at once from ordinary releases."""
    with tempfile.TemporaryDirectory() as empty:
        # The lock must not depend on an index, mirror or folder of this machine.
        environ = {
            key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))
        }
        environ |= {"XDG_CONFIG_HOME": empty, "XDG_CONFIG_DIRS": empty, "APPDATA": empty}
        output = ROOT / "lock" / f"{name}.txt"
        command = [
            *(
                sys.executable,
                "-m",
                "uv",
                "pip",
                "compile",
                "--quiet",
                "--universal",
                "--python-version",
                "3.10",
            ),
            *("--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"),
            *LOCKS[name],
            *(("--upgrade",) if upgrade else ()),
            *("--output-file", str(output)),
        ]
        subprocess.run(command, cwd=ROOT, env=environ, check=True)
    return HEADER.format(purpose=PURPOSE[name]) + output.read_text("utf-8")


def main() -> int:
    for name in LOCKS:
        print(f"resolving lock/{name}.txt", flush=True)
        text = compile_lock(name, upgrade="--upgrade" in sys.argv[1:])
        if found := ADDRESS.search(text):
            print(f"lock/{name}.txt would contain an address: {found[0]}", file=sys.stderr)
            return 1
        (ROOT / "lock" / f"{name}.txt").write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
