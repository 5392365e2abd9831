"""Report code that nothing uses, and public names that mean two things.

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
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "edgevoice"
ALLOWED = {"ENGINE", "FORMAT", "VERSION"}
"""Names that every module of an engine or a file format defines."""

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


def definitions(module: ast.Module) -> Iterator[tuple[str, int, str]]:
    """Name, line and value of each public class, constant and type alias of a module."""
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            if not node.name.startswith("_"):
                yield node.name, node.lineno, f"class at line {node.lineno}"
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            if "TypeVar" in (value := ast.dump(node.value)):
                continue
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name) and target.id[0].isupper():
                    yield target.id, node.lineno, value


def defined_twice() -> list[str]:
    """One line for each public name that two modules define with different values."""
    places, values = defaultdict(list), defaultdict(set)
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for defined, line, value in definitions(ast.parse(path.read_text("utf-8"))):
            places[defined].append(f"{name}:{line}")
            values[defined].add(f"{name} {value}" if value.startswith("class ") else value)
    twice = {name for name, found in values.items() if len(found) > 1}
    return [
        f"{name} is defined twice: {', '.join(places[name])}" for name in sorted(twice - ALLOWED)
    ]


def main() -> int:
    found = [*unused(), *defined_twice()]
    print("\n".join(found) or "unused: nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
