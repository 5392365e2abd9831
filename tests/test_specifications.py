"""Tests read as specifications: each states what must be true and uses public names only."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

Function = (ast.FunctionDef, ast.AsyncFunctionDef)

PUBLIC = {"_exit", "_replace", "_asdict", "_fields"}
"""Documented in spite of the underscore: `os._exit`, and what named tuples have."""


def private(name: str) -> bool:
    """Whether a dotted name leads to a private member."""
    return any(part.startswith("_") and not part.endswith("__") for part in name.split("."))


def own(tree: ast.Module) -> set[str]:
    """The names that a file defines itself."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (*Function, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def broken_rules(text: str) -> Iterator[tuple[int, str]]:
    """Line and advice for each place in a test file that breaks a rule."""
    tree = ast.parse(text)
    made_here = own(tree)
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Attribute(ast.Name("self" | "cls"), attr) if private(attr):
                if attr not in made_here:
                    yield line, f"self.{attr} is the package's: inject it, or make it public"
            case ast.Attribute(attr=attr) if private(attr):
                if attr not in PUBLIC:
                    yield line, f".{attr} is private: test what is public, or make it public"
            case ast.ImportFrom(module=str(module), names=names):
                for name in names:
                    if private(f"{module}.{name.name}"):
                        yield line, f"{module}.{name.name} is private: import what is public"
            case ast.Import(names=names):
                for name in names:
                    if private(name.name):
                        yield line, f"{name.name} is private: import what is public"
            case ast.Call(func, arguments):
                called = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
                if called in ("setattr", "delattr", "getattr", "hasattr"):
                    for given in arguments[:2]:
                        if isinstance(given, ast.Constant) and private(str(given.value)):
                            yield line, f"{given.value} is private: patch or read what is public"
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) if name.startswith("test_"):
                if not ast.get_docstring(node):
                    yield line, f"{name} has no docstring: write the truth that it protects"
            case _:
                pass


def test_every_test_says_what_it_protects_and_touches_nothing_private() -> None:
    """Each test has a docstring. No test uses a private name of the package or of a library."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {advice}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for line, advice in broken_rules(path.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("model._kv", "._kv is private"),
        ("super()._devices()", "._devices is private"),
        ("from edgevoice.cli import _leave", "edgevoice.cli._leave is private"),
        ("from edgevoice._cli import main", "edgevoice._cli.main is private"),
        ("import textual._x", "textual._x is private"),
        ('monkeypatch.setattr(doctor, "_load", None)', "_load is private"),
        ('monkeypatch.setattr("edgevoice.doctor._load", None)', "edgevoice.doctor._load is"),
        ('setattr(model, "_fail", None)', "_fail is private"),
        ('getattr(model, "_FILES")', "_FILES is private"),
        ("class A(Bench):\n    def run(self):\n        self._plan", "self._plan is the package's"),
        ("def test_x():\n    pass", "test_x has no docstring"),
        ("async def test_x():\n    pass", "test_x has no docstring"),
    ],
)
def test_what_breaks_a_rule_is_found(code: str, told: str) -> None:
    """Each way to break a rule is reported with its line."""
    [(line, advice)] = broken_rules(f"\n{code}\n")
    assert told in advice
    assert line >= 2


@pytest.mark.parametrize(
    "code",
    [
        "os._exit(1)",
        "usage._replace(free=1)",
        "model.__class__.__name__",
        "for _ in (): pass",
        "class A:\n    def a(self):\n        self._a = 1\n        return self._a",
        'def test_x():\n    """It is so."""',
        'edgevoice("models", "_partial")',
        "from __future__ import annotations",
    ],
)
def test_what_breaks_none_is_let_be(code: str) -> None:
    """A file may use its own private names, and names that are documented."""
    assert list(broken_rules(code)) == []
