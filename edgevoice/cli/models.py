"""`models`: the catalog, and the installed models."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from edgevoice.cli import Context, echo, echo_json, pass_context
from edgevoice.encoding import json_bytes
from edgevoice.errors import ModelError
from edgevoice.harmless import one_line

if TYPE_CHECKING:
    from edgevoice.catalog import Entry
    from edgevoice.models.progress import Progress
    from edgevoice.models.store import Store


@click.group()
def models() -> None:
    """List, download, verify, add and remove models."""


def _store(context: Context) -> Store:
    from edgevoice.models.store import Store

    return Store(context.resolve().config)


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array instead of the table.")
@click.option(
    "--language",
    metavar="CODE",
    default="",
    help="List only models for this language, for example de.",
)
@pass_context
def list_models(context: Context, as_json: bool, language: str) -> None:
    """List every known model: ✓ installed, * would run.

    Also shows languages, size on disk and in memory, and licence. The first of each role is the
    best that fits into this machine's memory.
    """
    from edgevoice.models.machine import total_memory

    store = _store(context)
    running, memory = _running(store), total_memory()
    shown = [entry for entry in store.catalog if not language or entry.speaks(language)]
    shown.sort(key=lambda entry: (entry.ram > memory, -entry.rank))
    if as_json:
        import msgspec

        rows = [_row(store, entry, running) for entry in shown]
        echo_json(msgspec.json.format(json_bytes(rows)).decode())
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from edgevoice.catalog import ROLE_NAMES
    from edgevoice.models.disk import size_text

    console = Console(width=None if sys.stdout.isatty() else 160)
    # A narrow terminal has no room for titles; the names are clear enough.
    wide = console.width >= 110
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, header_style="bold")
    names = max((len(entry.name) for entry in shown), default=0)
    for heading, least in (("", 2), ("role", 4), ("name", min(names, 30))):
        table.add_column(heading, no_wrap=True, min_width=least)
    for heading in ("what for", "languages") if wide else ("languages",):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for heading in ("disk", "memory"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=6)
    table.add_column("licence", no_wrap=True, overflow="ellipsis")
    marks = {"present": "✓", "damaged": "damaged", "partial": "partial", "absent": ""}
    for role in ROLE_NAMES:
        for entry in (entry for entry in shown if entry.role == role):
            mark = marks[store.state(entry)] + ("*" if entry.name in running else "")
            languages = " ".join(entry.languages[:4])
            more = f" +{len(entry.languages) - 4}" if len(entry.languages) > 4 else ""
            about = entry.title if entry.shape else entry.description or entry.title
            if not entry.chat_template:
                about = f"cannot converse: {about}"
            if entry.ram > memory:
                about = "too large for this machine"
            cells = (
                *(mark, role, entry.name, *((about,) if wide else ()), languages + more),
                *(size_text(entry.size), size_text(entry.ram), entry.licence),
            )
            # As Text, because brackets in a title are not markup.
            table.add_row(*(Text(one_line(cell)) for cell in cells))
        table.add_section()
    console.print(table)
    echo(f"✓ installed   * would run now   folder: {store.folder}")


def _running(store: Store) -> set[str]:
    """The names of the installed models that would run now."""
    from edgevoice.catalog import ROLE_NAMES
    from edgevoice.models.voices import speaking

    names = speaking(store)
    for role in ROLE_NAMES:
        named = getattr(store.config.models, role)
        ranked = [named] if named else [entry.name for entry in store.ranked(role)]
        known = (store.catalog.get(name) for name in ranked if name in store.catalog)
        runs = next((e for e in known if store.state(e) == "present"), None)
        names |= {runs.name} if runs else set()
        names |= {store.draft_name(runs)} if runs and role == "slm" else set()
    return names - {""}


def _row(store: Store, entry: Entry, running: set[str]) -> dict[str, Any]:
    return {
        "name": entry.name,
        "role": entry.role,
        "format": entry.format,
        "title": entry.title,
        "description": entry.description,
        "languages": entry.languages,
        "size": entry.size,
        "ram": entry.ram,
        "licence": entry.licence,
        "licence_url": entry.licence_url,
        "address": entry.address,
        "repo": entry.repo,
        "revision": entry.revision,
        "chat_template": entry.chat_template,
        "own": store.catalog.is_own(entry.name),
        "state": store.state(entry),
        "runs": entry.name in running,
        "path": str(store.path(entry)),
    }


@models.command()
@click.argument("names", nargs=-1)
@pass_context
def pull(context: Context, names: tuple[str, ...]) -> None:
    """Download models, or the starter set.

    Downloads the models NAMES; without a name, the starter set for this machine.

    An interrupted download continues where it stopped. A damaged file is replaced.
    """
    from edgevoice.models.progress import shown
    from edgevoice.models.pull import ensure_starter
    from edgevoice.models.pull import pull as fetch

    store = _store(context)
    with shown() as progress:
        if not names:
            names = tuple(ensure_starter(store, progress, whole=True, is_slow=too_slow))
            if not names:
                echo("A model for every role is already installed.")
        else:
            fetch(names, store, progress)
    for name in names:
        echo(f"{name}\t{store.path(store.catalog.get(name))}")


def too_slow(progress: Progress) -> bool:
    """Whether this machine is too slow for the larger starter language model."""
    from edgevoice.fit.starter import is_slow

    return is_slow(progress)


@models.command()
@click.argument("names", nargs=-1)
@pass_context
def verify(context: Context, names: tuple[str, ...]) -> None:
    """Check installed models against their hashes.

    Reads the models NAMES completely; without a name, all installed models.
    """
    from edgevoice.models.progress import shown

    store = _store(context)
    installed = [entry for entry in store.catalog if store.state(entry) != "absent"]
    entries = [store.catalog.get(name) for name in names] or installed
    bad = []
    with shown() as progress:
        for entry in entries:
            faults = []
            for file in entry.files:
                progress.begin(f"{entry.name}: {file.name}", file.size)
                if fault := store.prove(entry, file, progress.reach):
                    faults.append(f"{file.name} is {fault}")
                progress.end()
            echo(f"{entry.name}\t{'; '.join(faults) or 'ok'}")
            if faults:
                bad.append(entry.name)
    if bad:
        raise ModelError(
            f"{len(bad)} of {len(entries)} models are incomplete or damaged",
            remedy=f"edgevoice models pull {' '.join(bad)}",
        )


@models.command()
@click.argument("model", metavar="FILE-OR-HUB-REFERENCE")
@click.option("--name", default="", help="Name of the model [default: its file name].")
@pass_context
def add(context: Context, model: str, name: str) -> None:
    """Add your own model.

    FILE is a .gguf file, a Whisper folder (model.bin, config.json, tokenizer.json) or a Piper
    .onnx file with its .onnx.json beside it; it is linked or copied into the models folder.
    HUB-REFERENCE is OWNER/REPO[@REVISION]/FILE, OWNER/REPO for a Whisper folder, or a link to
    the file's page; `models pull` then downloads it.
    """
    from edgevoice.models.own import add as adopt
    from edgevoice.models.progress import shown
    from edgevoice.models.store import Store

    store = _store(context)
    with shown() as progress:
        entry = adopt(model, store, progress, name)
    after = Store(store.config)
    if after.state(after.catalog.get(entry.name)) == "present":
        echo(f"{entry.name}\t{after.path(entry)}")
        use = f"use it: --set models.{entry.role}={entry.name}"
    else:
        echo(f"{entry.name}\tadded to your catalog")
        use = f"download it: edgevoice models pull {entry.name}"
    echo(use, err=True)


@models.command()
@click.argument("names", nargs=-1, required=True)
@pass_context
def remove(context: Context, names: tuple[str, ...]) -> None:
    """Delete the files of models.

    A model of your own is also removed from your catalog.
    """
    from edgevoice.catalog import discard
    from edgevoice.models.disk import size_text, writing

    store = _store(context)
    for entry in [store.catalog.get(name) for name in names]:
        installed = store.state(entry) != "absent"
        freed = store.remove(entry.name)
        if store.catalog.is_own(entry.name):
            with writing(store.catalog.own_path.parent):
                discard(store.catalog.own_path, entry.name)
        result = f"removed, {size_text(freed)} freed" if installed else "was not installed"
        echo(f"{entry.name}\t{result}")


@models.command()
@click.option("--yes", is_flag=True, help="Delete without asking.")
@pass_context
def prune(context: Context, yes: bool) -> None:
    """Delete what no conversation uses.

    Models that another one stands before, unfinished downloads, and models that the catalog no
    longer has. Your own models and those that your configuration names stay.
    """
    from edgevoice.models.disk import size_text
    from edgevoice.models.unused import delete, unused

    store = _store(context)
    found = list(unused(store, _running(store)))
    for one in found:
        echo(f"{one.name or one.path}\t{size_text(one.size)}\t{one.why}")
    total = size_text(sum(one.size for one in found))
    if not found:
        echo("Nothing to delete.")
    elif yes or click.confirm(f"Delete {total}?"):
        for one in found:
            delete(store, one)
        echo(f"{total} freed")


@models.command()
@click.argument("name")
@pass_context
def why(context: Context, name: str) -> None:
    """Tell how well the model NAME suits this machine.

    An installed language model or voice is measured for some seconds.
    """
    from edgevoice.fit.single import facts
    from edgevoice.models.progress import shown

    store = _store(context)
    entry = store.catalog.get(name)
    echo(f"{entry.name}: {entry.title}")
    if entry.description:
        echo(entry.description)
    with shown() as progress:
        for heading, text in facts(store, entry, _running(store), progress):
            echo(f"{heading:<14}{text}")


@models.command()
@click.argument("name", required=False)
@pass_context
def path(context: Context, name: str | None) -> None:
    """Print the models folder, or the path of the model NAME."""
    store = _store(context)
    echo(str(store.require(name).path) if name else str(store.folder))
