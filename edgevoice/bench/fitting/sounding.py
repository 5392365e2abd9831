"""What hearing and speaking cost here: a recognizer on questions, a voice on first clauses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from edgevoice.agent.speech_rate import SpeechRate
from edgevoice.audio import Samples, first_audible
from edgevoice.bench.corpus.corpus import builtin, spread
from edgevoice.bench.fitting.record import Hearing, Speaking
from edgevoice.demo import spoken
from edgevoice.engines.cpu_budget import cores
from edgevoice.engines.piper import Piper
from edgevoice.engines.threads import of_recognizer, of_voice
from edgevoice.engines.whisper import Whisper
from edgevoice.errors import EngineError
from edgevoice.settings import Config
from edgevoice.synthesis.synthesis_timing import TimedSynthesis

QUESTIONS = 5
CLAUSES = 3
WORDS = (3, 5, 9)
"""Lengths of the clauses that a voice is measured with, in words."""

Working = Callable[[], object]
"""A little work, to be done over and over while something else is measured."""


def questions(voice: Piper) -> list[Samples]:
    """Some of the built-in questions as the voice says them, to the last sample of their sound."""
    texts = [text for text, _ in spread(builtin(), QUESTIONS)]
    clips = list(spoken(texts, voice))
    return [clip[: len(clip) - first_audible(clip[::-1])] for clip in clips]


def hearing(
    name: str, folder: Path, size: int, clips: Sequence[Samples], config: Config, other: Working
) -> Hearing:
    """What reading each clip takes: the middle one counts. Raises ModelError and EngineError.

    `other` is what the language model does beside it.
    """
    whisper = Whisper(folder, config.stt)

    def read(clip: Samples) -> float:
        began = time.perf_counter()
        whisper.transcribe(clip, "endpoint")
        return time.perf_counter() - began

    read(clips[0])  # what is run for the first time takes longer
    alone = median(map(read, clips))
    with working([other, lambda: read(clips[0])]):
        beside = median(map(read, clips))
    return Hearing(
        model=name,
        how="measured",
        size=size,
        threads=of_recognizer(config.stt, cores.all),
        alone=alone,
        beside=max(alone, beside),
    )


def speaking(name: str, voice: Piper, size: int, config: Config, other: Working) -> Speaking:
    """What the first sound of clauses of several lengths takes. Raises EngineError.

    `other` is what the language model does beside it.
    """
    replies = [reply.split() for _, reply in builtin()]
    first: dict[int, float] = {}
    pacing = SpeechRate()
    with working([other]):
        for count in WORDS:
            long = [words for words in replies if len(words) > count]
            texts = [" ".join(words[:count]) for words in spread(long, CLAUSES)]
            delivery = TimedSynthesis(voice, config.tts, pacing, time.perf_counter)
            taken = [_first(delivery, text) for text in texts]
            first[round(sum(map(len, texts)) / len(texts))] = median(taken)
    return Speaking(
        model=name,
        how="measured",
        size=size,
        threads=of_voice(config.tts),
        first=first,
        saying=pacing.saying,
    )


def _first(delivery: TimedSynthesis, text: str) -> float:
    began = time.perf_counter()
    heard = 0.0
    for _ in delivery.sound(text, lambda: False, first=True):
        heard = heard or time.perf_counter() - began
    if not heard:
        raise EngineError(f"the voice makes no sound of {text!r}")
    return heard


@contextmanager
def working(works: Sequence[Working]) -> Iterator[None]:
    """Have each of `works` done over and over, on a thread of its own, while the block runs.

    One that fails ends; the rest of the block is measured without it.
    """
    stop = threading.Event()

    def run(work: Working) -> None:
        try:
            while not stop.is_set():
                work()
        except EngineError:
            return

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    with ExitStack() as stack:
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        stack.callback(stop.set)
        yield
