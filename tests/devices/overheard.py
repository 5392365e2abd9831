"""A bench through the sound devices that also keeps what the ears heard, frame by frame.

    python overheard.py FOLDER

writes `ears.npz` (samples, and the session time of each frame's first one as it was told then) and
`trace.jsonl`. Runs in a process of its own, whose environment names the devices.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from edgevoice import events as ev
from edgevoice.audio import Frame
from edgevoice.bench.corpus.preparation import asked_aloud
from edgevoice.bench.driver import bench as bench_module
from edgevoice.bench.driver.bench import Bench
from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.jobs.progress import BenchProgressLines
from edgevoice.clock import Clock
from edgevoice.open_devices import unwatched_source
from edgevoice.protocols import AudioSource
from edgevoice.settings import Config, Models, SlmSettings
from edgevoice.trace import line

QUESTIONS = (
    "What is the capital of France?",
    "Why is the sky blue?",
    "How do I make a cup of green tea?",
)


class Tee:
    """The microphone, and a copy of what came out of it."""

    def __init__(self, source: AudioSource) -> None:
        self.name = source.name
        self.frames: list[Frame] = []
        self.times: list[float] = []
        self.source = source

    def read(self) -> Frame | None:
        frame = self.source.read()
        if frame is not None:
            self.frames.append(frame)
            self.times.append(self.source.time_of(frame.index))
        return frame

    def time_of(self, index: int) -> float:
        return self.source.time_of(index)

    def overruns(self) -> int:
        return self.source.overruns()

    def mute(self, on: bool) -> None:
        self.source.mute(on)

    def close(self) -> None:
        self.source.close()


def main(folder: Path) -> None:
    # Only the beginning of a reply is measured.
    config = Config(models=Models(slm="qwen2.5-coder-0.5b"), slm=SlmSettings(max_tokens=24))
    questions = asked_aloud(QUESTIONS, 0, config, BenchProgressLines(sys.stderr))
    tees: list[Tee] = []

    def microphone(config: Config, clock: Clock) -> Tee:
        tees.append(Tee(unwatched_source(config, clock)))
        return tees[-1]

    bench_module.unwatched_source = microphone  # type: ignore[assignment]
    events: list[ev.Event] = []
    plan = BenchPlan(
        command="run",
        config=config,
        questions=questions,
        source="the test's own",
        warm_ups=0,
        through_devices=True,
        play_to="user",
    )
    bench = Bench(plan, BenchProgressLines(sys.stderr), events.append)
    bench.run()
    (folder / "trace.jsonl").write_text("".join(map(line, events)), "utf-8")
    [tee] = tees
    np.savez(
        folder / "ears.npz",
        samples=np.concatenate([frame.samples for frame in tee.frames]),
        times=np.asarray(tee.times),
    )
    for turn in bench.run_state.turns:
        print(turn.question, turn.response_time, turn.end_error, turn.spans)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
