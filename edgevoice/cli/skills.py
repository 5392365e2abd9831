"""`skills`: what the assistant does itself, and skills of your own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgevoice.cli import Context, echo
from edgevoice.errors import StorageError, UsageError

if TYPE_CHECKING:
    from edgevoice.skills.own import OwnSkill

SKELETON = """\
# What each field means: `docs/skills.md`.
title = "{title}"

[intents.greet]
sentences.en = ["greet {{text}}", "say hello to {{text}}"]
answers.en = ["hello, {{text}}.", "{{text}}, hello."]
# One of these, if it is to do something:
# command = ["notify-send", "{{text}}"]
# http = {{ url = "http://192.168.1.20/api", body = '{{{{"name": "{{text}}"}}}}' }}
# lines = "lines.txt"
"""


@click.group()
def skills() -> None:
    """What the assistant does itself, and skills of your own."""


@skills.command("list")
@click.pass_obj
def list_skills(context: Context) -> None:
    """List the skills, built in and your own, and whether skills.allow allows them."""
    from edgevoice.skills.own import installed
    from edgevoice.skills.setup import built_in_names, is_allowed

    config = context.resolve().config
    own = installed()
    known = (*built_in_names(), *(skill.name for skill in own))
    titles = {skill.name: skill.file.title for skill in own}
    for name in known:
        allowed = is_allowed(config, name, known)
        what = titles.get(name, "built in") + ("" if allowed else ", not allowed")
        echo(f"{name:<20}  {what}")


@skills.command()
@click.argument("name", metavar="NAME|FOLDER")
def add(name: str) -> None:
    """Add a skill: an example that ships, by its name, or a folder.

    Its commands will run as you. The list of what it runs and calls is printed.
    """
    import shutil

    from edgevoice.skills.own import EXAMPLE_SKILLS, FILE, NAME, OwnSkill, folder

    source = (
        EXAMPLE_SKILLS / name
        if NAME.fullmatch(name) and (EXAMPLE_SKILLS / name).is_dir()
        else Path(name)
    )
    if not (source / FILE).is_file():
        shipped = ", ".join(sorted(each.name for each in EXAMPLE_SKILLS.iterdir() if each.is_dir()))
        raise UsageError(
            f"{name} is no skill: there is no {FILE}",
            remedy=f"a folder with one, or an example: {shipped}",
        )
    skill = OwnSkill(source.resolve())
    target = folder() / skill.name
    if target.exists():
        raise UsageError(f"there is a skill {skill.name} already", remedy=f"change it in {target}")
    try:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    except OSError as error:
        raise StorageError(
            f"the skill cannot be copied: {error}", where=str(target), remedy="free some space"
        ) from None
    echo(f"added {skill.name} in {target}")
    _describe(skill)


@skills.command()
@click.argument("folders", nargs=-1, metavar="[FOLDER]...", type=click.Path(path_type=Path))
def check(folders: tuple[Path, ...]) -> None:
    """Check skills without running them: those in the folders, else your own."""
    from edgevoice.skills.own import OwnSkill, installed

    found = [OwnSkill(folder.resolve()) for folder in folders] if folders else installed()
    for skill in found:
        echo(f"{skill.name}: correct")
        _describe(skill)
    if not found:
        echo("no skills of your own")


@skills.command()
@click.argument("name")
def new(name: str) -> None:
    """Begin a skill of your own, from a template."""
    from edgevoice import files
    from edgevoice.skills.own import FILE, NAME, folder

    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a skill", remedy="small letters, digits and _")
    target = folder() / name / FILE
    if target.exists():
        raise UsageError(f"there is a skill {name} already", remedy=f"change it in {target}")
    try:
        files.replace(target, [SKELETON.format(title=name.replace("_", " ").capitalize())])
    except OSError as error:
        raise StorageError(
            f"the skill cannot be written: {error.strerror}",
            where=str(target),
            remedy="free some space",
        ) from None
    echo(f"edit {target}, then: edgevoice skills check")


def _describe(skill: OwnSkill) -> None:
    """What it understands, runs and calls."""
    for name, each in skill.file.intents.items():
        does = " ".join(each.command) or (each.http.url if each.http else each.lines) or "answers"
        sentences = sum(map(len, each.sentences.values()))
        echo(f"  {name}: {sentences} sentences in {', '.join(sorted(each.sentences))}: {does}")
