"""`bench job`: the other end of bench/apart.py, run by the program itself and not shown."""

from __future__ import annotations

import click


@click.command(hidden=True)
def job() -> None:
    """Do what another edgevoice hands over on standard input, and tell it what came of it."""
    import time

    began = time.monotonic()
    from edgevoice.bench.apart import heed_only_the_program, task, telling

    heed_only_the_program()
    work = task()
    with telling() as told:
        from edgevoice.bench.starting import First, start

        if isinstance(work, First):
            told.made(start(work, began))
            return
        from edgevoice.cli.measured import finished, runner

        finished(runner(work, told), told, told.made)
