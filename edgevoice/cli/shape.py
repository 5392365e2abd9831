"""`bench shape`: make synthetic models, to measure a model before downloading it."""

from __future__ import annotations

import sys

import click

from edgevoice.cli import Context, echo, pass_context
from edgevoice.errors import UsageError


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--list", "listed", is_flag=True, help="List the available synthetic models, and make none."
)
@pass_context
def shape(context: Context, names: tuple[str, ...], listed: bool) -> None:
    """Make synthetic models for measurements.

    They show how fast a model is before you download it.
    A synthetic model has the dimensions and the quantization of the model NAME, random weights
    and a real tokenizer. It cannot answer. The bench prescribes the reply, and every token is
    computed in full. `edgevoice bench run --slm shape-NAME` measures it.
    """
    if listed:
        _show(context)
        return
    if not names:
        raise UsageError("no model was named", remedy="choose one: edgevoice bench shape --list")
    from edgevoice.models.progress import shown
    from edgevoice.models.shapes import known, make
    from edgevoice.models.store import Store

    store = Store(context.resolve().config)
    chosen = [known(name) for name in dict.fromkeys(names)]
    with shown() as progress:
        made = [make(model, store, progress) for model in chosen]
    for entry in made:
        echo(f"{entry.name}\t{store.path(entry)}")
    echo(f"measure it: edgevoice bench run --slm {made[-1].name}", err=True)


def _show(context: Context) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from edgevoice.models.disk import size_text
    from edgevoice.models.shape_layout import weights_size
    from edgevoice.models.shape_table import ARCHITECTURES
    from edgevoice.models.shapes import memory
    from edgevoice.models.store import Store

    store = Store(context.resolve().config)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, header_style="bold")
    for heading in ("", "name", "model"):
        table.add_column(heading, no_wrap=True)
    for heading in ("disk", "memory", "blocks", "width", "heads", "vocabulary"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("tokenizer, its licence")
    for model in ARCHITECTURES.values():
        made = model.model in store.catalog and store.find(model.model) is not None
        table.add_row(
            *("✓" if made else "", model.name, model.title),
            *(size_text(weights_size(model)), size_text(memory(model)), str(model.blocks)),
            *(f"{model.width}/{model.feed_forward}", f"{model.heads}/{model.kv_heads}"),
            *(f"{model.vocabulary:,}", f"{model.tokenizer.origin}; {model.tokenizer.licence}"),
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    echo(
        "✓ made   width: of a block/feed-forward   heads: of queries/of keys and values\n"
        "The weights are random, so no model's licence applies to them."
    )
