"""Measuring what models cost on this machine: each once, and kept for the next time."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from edgevoice.bench.fitting import sounding, thinking, together
from edgevoice.bench.fitting.keeping import fingerprint, folder, keep, mark, read
from edgevoice.bench.fitting.options import Option, Voiced
from edgevoice.bench.fitting.predicting import predict
from edgevoice.bench.fitting.record import Calibration, Hearing, Problem, Speaking, Thinking
from edgevoice.bench.fitting.unmeasured import Costs
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.machine.host import cpu_name
from edgevoice.bench.roofline.speeds import measured_elsewhere
from edgevoice.engines.cpu_budget import cores, used_elsewhere
from edgevoice.engines.llama_file import checked
from edgevoice.engines.piper import Piper
from edgevoice.errors import EdgevoiceError
from edgevoice.models.machine import total_memory
from edgevoice.settings import Config

_log = logging.getLogger(__name__)

SPEEDS, PART, SOUND, TOGETHER = 4.0, 4.0, 5.0, 35.0
"""Seconds that measuring the machine, a part of a shape, a recognizer or a voice, and all together
may take."""
LOADING, EVERY_BYTE = 2.0, 5e-9
"""Seconds that measuring a language model may take: to begin with, and for each of its bytes."""


@dataclass(frozen=True, slots=True)
class Step:
    """A measurement that may take so many `seconds`; `take` gives what came of it in words.

    `here` tells whether this process does it: then what others take can be told apart.
    """

    seconds: float
    about: str
    take: Callable[[], str]
    here: bool = True


class Calibrator:
    """Measures what is wanted and not known yet; `calibration` is what is known at any moment.

    With `again`, nothing is known beforehand.
    """

    def __init__(self, config: Config, progress: BenchProgress, again: bool = False) -> None:
        self._config = config
        self._progress = progress
        self._machine = fingerprint(config)
        self._path = folder() / f"{self._machine}.json"
        self.problems: list[Problem] = []
        kept = None if again else read(self._path)
        self.calibration = kept or Calibration(
            machine=self._machine,
            described=cpu_name(),
            cores=cores.all,
            memory=total_memory(),
            measured=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        )

    def run(self, wanted: Mapping[Voiced, Sequence[Option]]) -> Calibration:
        """Measure all that is wanted; what cannot be is among the `problems`."""
        steps = self._steps(wanted)
        if not steps:
            return self.calibration
        self._progress.begin("calibrating this machine", sum(step.seconds for step in steps))
        elapsed = others = 0.0
        for step in steps:
            began, had = time.monotonic(), used_elsewhere()
            try:
                told = step.take()
            except EdgevoiceError as error:
                told = error.what
                self.problems.append(Problem(about=step.about, what=error.what, fix=error.remedy))
            if step.here:
                elapsed += time.monotonic() - began
                others += max(0.0, used_elsewhere() - had)
                self.calibration = replace(self.calibration, busy=round(others / elapsed, 2))
            keep(self._path, self.calibration)
            self._progress.done(step.seconds, f"{step.about}: {told}")
        return self.calibration

    def _steps(self, wanted: Mapping[Voiced, Sequence[Option]]) -> list[Step]:
        known = self.calibration
        steps = []
        if known.speeds is None:
            steps.append(Step(SPEEDS, "memory and arithmetic", self._speeds, here=False))
        voices = [option for option in wanted["tts"] if option.path]
        steps += [
            Step(SOUND, option.name, partial(self._voice, option, wanted["slm"]))
            for option in voices
            if not _is_known(option, known.speaking)
        ]
        heard = [o for o in wanted["stt"] if o.path and not _is_known(o, known.hearing)]
        if voices:
            steps += [
                Step(SOUND, o.name, partial(self._recognizer, o, voices[0], wanted["slm"]))
                for o in heard
            ]
        elif heard:
            what = "there is no voice here to speak questions to a recognizer"
            self.problems.append(
                Problem(
                    about=heard[0].name, what=what, fix="edgevoice models pull en_US-joe-medium"
                )
            )
        done: set[str] = set()
        # What is measured from a file may stand for a model that is not here.
        for option in sorted(wanted["slm"], key=lambda each: each.path is None):
            if not option.key or option.key in done or _is_known(option, known.thinking):
                continue
            done.add(option.key)
            seconds = LOADING + EVERY_BYTE * option.weights if option.path else PART
            take = partial(self._model if option.path else self._part, option)
            steps.append(Step(seconds, option.key, take))
        models = self._together(wanted)
        if known.strain is None and models:
            slm, stt, tts = models
            steps.append(Step(TOGETHER, "all at work", partial(self._strain, slm, stt, tts)))
        return steps

    def _together(
        self, wanted: Mapping[Voiced, Sequence[Option]]
    ) -> tuple[Option, Option, Option] | None:
        """Models that can answer: those of every role that are here, the quickest ones."""
        able = []
        for role in ("slm", "stt", "tts"):
            here = [option for option in wanted[role] if option.here]
            # One that is never chosen may be too small to tell of those that are.
            able.append(min(here, key=lambda o: (not _ranks(o), o.disk), default=None))
        slm, stt, tts = able
        return (slm, stt, tts) if slm and stt and tts else None

    def _strain(self, slm: Option, stt: Option, tts: Option) -> str:
        costs = Costs(self.calibration, self._config)
        found = costs.thinking(slm), costs.hearing(stt), costs.speaking(tts)
        if not (found[0] and found[1] and found[2]):
            return "not known"
        turns = together.asked(slm, stt, tts, self._config)
        expected = predict(found[0], found[1], found[2], self._config, cores.all, devices=False)
        made = together.strain(turns, expected, [slm.name, stt.name, tts.name])
        self.calibration = replace(self.calibration, strain=made)
        return (
            f"hearing takes {made.recognize:.2f} times as long, thinking {made.think:.2f}, "
            f"speaking {made.speak:.2f}"
        )

    def _speeds(self) -> str:
        speeds = measured_elsewhere()
        self.calibration = replace(self.calibration, speeds=speeds)
        if speeds is None or not speeds.memory_all:
            return "not measured"
        return f"{speeds.memory_all / 1e9:.1f} GB/s"

    def _model(self, option: Option) -> str:
        assert option.path
        found = thinking.measured(option.key, option.path, self._config)
        return self._thought(replace(found, mark=mark(option.path)))

    def _part(self, option: Option) -> str:
        assert option.architecture
        return self._thought(thinking.from_part(option.architecture, self._config))

    def _thought(self, found: Thinking) -> str:
        others = [each for each in self.calibration.thinking if each.model != found.model]
        self.calibration = replace(self.calibration, thinking=(*others, found))
        return f"{thinking.on(found.batches, cores.all)[1] * 1000:.0f} ms a token"

    def _voice(self, option: Option, models: Sequence[Option]) -> str:
        assert option.path
        voice = voice_of(option, self._config)
        with self._another(models) as other:
            made = sounding.speaking(option.name, voice, option.disk, self._config, other)
        made = replace(made, mark=mark(option.path))
        others = [each for each in self.calibration.speaking if each.model != made.model]
        self.calibration = replace(self.calibration, speaking=(*others, made))
        return f"{min(made.first.values()) * 1000:.0f} ms to its first sound"

    def _recognizer(self, option: Option, speaker: Option, models: Sequence[Option]) -> str:
        assert option.path
        clips = sounding.questions(voice_of(speaker, self._config))
        with self._another(models) as other:
            made = sounding.hearing(
                option.name, option.path, option.disk, clips, self._config, other
            )
        made = replace(made, mark=mark(option.path))
        others = [each for each in self.calibration.hearing if each.model != made.model]
        self.calibration = replace(self.calibration, hearing=(*others, made))
        return f"{made.alone * 1000:.0f} ms a question"

    @contextmanager
    def _another(self, models: Sequence[Option]) -> Iterator[Callable[[], object]]:
        """What a language model does beside the stage that is measured, where there is one."""
        here = sorted((o for o in models if o.path), key=lambda o: o.weights)
        native = None
        for option in here:
            assert option.path
            try:
                native = thinking.opened(option.path, checked(option.path), self._config)
                break
            except EdgevoiceError as error:
                _log.debug("%s does not run beside: %s", option.key, error)
        if native is None:
            yield lambda: time.sleep(0.05)
            return
        try:
            yield thinking.work(native, max(1, cores.all - 1))
        finally:
            native.close()


def _is_known(option: Option, known: Sequence[Thinking | Hearing | Speaking]) -> bool:
    """Whether the model was measured, as its file is now."""
    found = next((each for each in known if each.model == option.key), None)
    if found is None or option.path is None:
        return found is not None
    return found.mark == mark(option.path)


def _ranks(option: Option) -> bool:
    return option.entry is not None and option.entry.rank > 0


def voice_of(option: Option, config: Config) -> Piper:
    """The voice, loaded. Raises ModelError."""
    assert option.path
    return Piper(option.path, config.tts)
