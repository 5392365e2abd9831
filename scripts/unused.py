"""Report code that nothing uses, and public class names that are defined twice.

    python scripts/unused.py

Names that a library calls, and fields that a file format has, are listed in `pyproject.toml` under
`[tool.vulture]`.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "edgevoice"
# Engines take options as attributes, which are set and never read.
REPORTED = re.compile(r"(edgevoice|scripts)/.*unused (?!attribute)")


def unused() -> list[str]:
    """One line for each unused function, class, method or variable, with its place."""
    found = subprocess.run(
        [sys.executable, "-m", "vulture"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if found.returncode not in (0, 3):  # 3: something is unused
        raise SystemExit(found.stderr or found.stdout)
    # A page calls its functions by name.
    pages = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.html"))
    called = set(re.findall(r"\w+", pages))
    lines = [line for line in found.stdout.splitlines() if REPORTED.match(line)]
    return [line for line in lines if line.split("'")[1] not in called]


def defined_twice() -> list[str]:
    """One line for each public class name that two modules define."""
    places = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{name}:{node.lineno}")
    return [
        f"{name} is defined twice: {', '.join(where)}"
        for name, where in places.items()
        if len(where) > 1
    ]


def main() -> int:
    found = [*unused(), *defined_twice()]
    print("\n".join(found) or "unused: nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
