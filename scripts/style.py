"""Report the worst habits of prose in pages, help texts, messages and settings' descriptions.

A help, not a cage: change the word list where it is wrong.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from edgevoice.cli import cli
from edgevoice.cli.settings import explained

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("README.md", "CONTRIBUTING.md", "docs/*.md", "docs/decisions/*.md")
PAGES = [page for name in NAMES for page in sorted(ROOT.glob(name))]
LONGEST, README_BYTES, DOCS_BYTES = 35, 8_192, 90_000

TICS = {
    r"\bnobody('s)?\b": "say who, or use the passive",
    r"\bone\b[^.]{0,30}\b(who|that is meant)\b": "name the person or thing",
    r"\b(is|are|was|were|been) told\b|\btells? of\b|\btold of\b": "say: reports, says, knows",
    r"^(what|who) (is|are|was|has|had|comes?|remains?)\b(?!.*\?)": "name the subject",
    r"\bas it (likes|goes|comes|stands)\b|\bgoes by\b|\bso (often|many|much)\b": "say it plainly",
    r"\b(whoever|of one's own|in earnest|the like|reckon(ed|s)?|heed(s|ed)?|anew|hence)\b": "rare",
    r"\b(glances?|gaps?|shapes? of (a )?models?|kept turns?)\b": "use docs/architecture.md's terms",
    r"\b(is|are|was|were) (here|there)( already)?$|\bhere already\b": "say: exists, is installed",
    r"\bthere and then\b|\bmade of software\b|\bnot as \w+ should be\b|\bran dry\b": "rare",
    r"\bwhat (is|was) to be\b|\bnothing (is|was) left to\b|\bgoes on unheard\b": "say it plainly",
}

MESSAGES = re.compile(r"\w+Error|Notice|complain|echo|confirm")
"""Functions whose texts a user reads."""


def sentences(text: str) -> Iterator[str]:
    """The sentences of a page: no code, no links' targets; a cell or a list item ends one."""
    text = re.sub(r"```.*?```|~~~.*?~~~", "\n\n", text, flags=re.DOTALL)
    text = re.sub(r"`[^`]*`", "CODE", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    for block in re.split(r"\n\s*\n|\n(?=\s*[-#|\d]\.? ?)|\|", text):
        yield from re.split(r"(?<=[.!?])\s+(?=[A-Z\"`*])|[:;]\s", " ".join(block.split()))


def texts() -> Iterator[tuple[str, str]]:
    """Every text that is checked, with where it stands."""
    for page in PAGES:
        yield page.relative_to(ROOT).as_posix(), page.read_text("utf-8")
    yield "CHANGELOG.md", (ROOT / "CHANGELOG.md").read_text("utf-8").split("\n## ")[1]
    for setting in explained():
        yield f"setting {setting.key}", setting.doc
    yield from helps(cli, "edgevoice")
    for path in sorted((ROOT / "edgevoice").rglob("*.py")):
        yield from messages(path)


def messages(path: Path) -> Iterator[tuple[str, str]]:
    """The texts of errors, notices and output in a module, with … for values."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if not MESSAGES.fullmatch(name):
            continue
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if isinstance(argument, ast.JoinedStr):
                parts = [getattr(part, "value", "…") for part in argument.values]
                text = "".join(part if isinstance(part, str) else "…" for part in parts)
            else:
                text = getattr(argument, "value", "")
            if isinstance(text, str):
                yield f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", text


def helps(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    yield f"{path} --help", command.help or ""
    for option in command.params:
        yield f"{path} {option.opts[0]}", getattr(option, "help", None) or ""
    for name, sub in getattr(command, "commands", {}).items():
        yield from helps(sub, f"{path} {name}")


def main() -> None:
    """Print what was found, and exit with 1 if that is anything."""
    found = []
    for where, text in texts():
        for sentence in sentences(text):
            for tic, remedy in TICS.items():
                if match := re.search(tic, sentence, re.IGNORECASE):
                    found.append(f"{where}: '{match[0].strip()}': {remedy}: {sentence[:70]}")
            if (words := len(sentence.split())) > LONGEST:
                found.append(f"{where}: {words} words, at most {LONGEST}: {sentence[:70]}")
    readme, _, *docs = [page.stat().st_size for page in PAGES]
    if readme > README_BYTES or sum(docs) > DOCS_BYTES:
        found.append(f"too long: README.md {readme} bytes, docs {sum(docs)} bytes")
    print("\n".join(found) or "style: nothing found")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
