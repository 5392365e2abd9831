"""The documents: links lead somewhere, commands exist, and the generated reference is fresh."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from edgevoice.cli import cli
from edgevoice.config import keys, sections
from edgevoice.outside import from_toml

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
)

CURRENT = [page for page in PAGES if page != "CHANGELOG.md" and "measurements" not in page]
"""Pages about the present version."""


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def commands(text: str) -> list[list[str]]:
    """The words of every edgevoice command in a page's code blocks, after `edgevoice`."""
    blocks = re.findall(r"```(?!python|text|toml|promql)\w*\n(.*?)```", text, re.DOTALL)
    lines = re.sub(r"\\\n", " ", "\n".join(blocks)).splitlines()
    found = (re.search(r"(?:^|run: |\s)edgevoice (.+?)(?: >| \|\||$)", line) for line in lines)
    return [shlex.split(match[1], comments=True) for match in found if match]


def test_the_generated_reference_is_fresh() -> None:
    """docs/reference is what the types and their docstrings say now."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link names a file that exists, and a heading in it."""
    text = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        name, _, anchor = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), link


@pytest.mark.parametrize("page", CURRENT)
def test_commands_exist(page: str) -> None:
    """Every command in a code block is there, with each of its options."""
    for words in commands(text_of(page)):
        command: click.Command = cli
        rest = list(words)
        while rest and rest[0].startswith("--"):
            assert rest[0].partition("=")[0] in {o for p in cli.params for o in p.opts}, words
            rest = rest[1:] if "=" in rest[0] and rest[0].startswith("--debug") else rest[2:]
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            found = command.get_command(click.Context(command), rest.pop(0))
            assert found is not None, words
            command = found
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        for word in rest:
            if re.match(r"--?[a-z]", word):
                assert word.partition("=")[0] in options, words


@pytest.mark.parametrize("page", CURRENT)
def test_settings_exist(page: str) -> None:
    """Every `section.key` in the text, and every key of a TOML block, is a setting."""
    text = text_of(page)
    named = re.findall(rf"`({'|'.join(sections())})\.(?!py|jsonl)(\w+)\b[^`/]*`", text)
    assert {f"{section}.{key}" for section, key in named} <= {*keys()}
    for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
        written = from_toml(block)
        if "intents" in written:  # a skill.toml
            continue
        tables = written.get("settings", {} if "step" in written else written)
        assert {f"{s}.{key}" for s, table in tables.items() for key in table} <= {*keys()}


def test_the_readme_shows_how_to_run_the_tests() -> None:
    """`make test` stands in it as a command."""
    assert re.search(r"^make test\b", text_of("README.md"), re.MULTILINE)
