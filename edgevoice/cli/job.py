"""`python -m edgevoice.cli.job`: the worker process that bench/jobs/worker.py starts.

It starts through the command line, so that a measured start is that of a real command. It is not
meant for users.
"""

from __future__ import annotations

import time

import click

from edgevoice.cli import main


@click.command()
def job() -> None:
    """Run the task that another edgevoice sends on standard input, and send back the result."""
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
