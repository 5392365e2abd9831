"""The other end of bench/jobs/worker.py: `python -m edgevoice.cli.job`, which the program runs.

It goes through the command line as every command does, so that a start of it is a start of the
program. It is of no use to a user.
"""

from __future__ import annotations

import time

import click

from edgevoice.cli import main


@click.command()
def job() -> None:
    """Do the work that edgevoice hands over on standard input."""
    began = time.monotonic()
    from edgevoice.bench.jobs.worker import reporting, task

    work = task()
    with reporting() as progress:
        from edgevoice.bench.stages.cold_start import StartTask, start

        if isinstance(work, StartTask):
            progress.made(start(work, began))
            return
        from edgevoice.fit import trial

        if isinstance(work, trial.Trial):
            progress.made(trial.run(work, progress))
            return
        from edgevoice.cli.measured import finished, runner

        finished(runner(work, progress), progress, progress.made)


if __name__ == "__main__":
    main(job)
