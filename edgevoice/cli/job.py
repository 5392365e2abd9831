"""The other end of bench/jobs/worker.py: `python -m edgevoice.cli.job`, run by the program.

It comes through the command line as every command does, so that a start of it is one of the
program; but it is none that a user could make use of.
"""

from __future__ import annotations

import time

import click

from edgevoice.cli import main


@click.command()
def job() -> None:
    """Do what another edgevoice hands over on standard input, and tell it what came of it."""
    began = time.monotonic()
    from edgevoice.bench.jobs.worker import heed_only_the_program, task, telling

    heed_only_the_program()
    work = task()
    with telling() as told:
        from edgevoice.bench.stages.cold_start import StartTask, start

        if isinstance(work, StartTask):
            told.made(start(work, began))
            return
        from edgevoice.fit import trial

        if isinstance(work, trial.Trial):
            told.made(trial.run(work, told))
            return
        from edgevoice.cli.measured import finished, runner

        finished(runner(work, told), told, told.made)


if __name__ == "__main__":
    main(job)
