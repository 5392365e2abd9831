"""Speaks text while it arrives, outside a conversation: for `say` and `ask --say`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from types import TracebackType

from edgevoice.agent.clauses import ClauseCutter
from edgevoice.agent.speech_rate import CutPlan, SpeechRate
from edgevoice.audio import Samples
from edgevoice.clock import Clock
from edgevoice.crew import Crew
from edgevoice.mailbox import Mailbox
from edgevoice.messages import Clause
from edgevoice.player import Player
from edgevoice.protocols import Synthesizer
from edgevoice.resample import Resampler
from edgevoice.settings import TtsSettings
from edgevoice.synthesis.synthesis_timing import TimedSynthesis

BLOCK_SECONDS = 0.1
"""Seconds of audio that are written to the speaker at once."""
CLAUSES_AHEAD = 1000
SOUNDS_AHEAD = 4


def sounds(
    text: Iterable[str], voice: Synthesizer, settings: TtsSettings, language: str = "en"
) -> Iterator[Samples]:
    """The audio of `text`, float32 [n] at the voice's rate, clause by clause."""
    for clause in clauses(text, settings, language):
        yield from _sound(clause, voice)


def clauses(text: Iterable[str], settings: TtsSettings, language: str) -> Iterator[Clause]:
    """The clauses of `text`, as a voice of `language` is given them without haste."""
    cutter = ClauseCutter(settings.first_clause_words or None, language)
    for piece in text:
        yield from cutter.push(piece)
    yield from cutter.flush()


def _sound(clause: Clause, voice: Synthesizer) -> Iterator[Samples]:
    for audio in voice.synthesize(clause.spoken, lambda: False):
        yield audio.samples


class StreamingSpeech:
    """Speaks the pushed text in order, while more arrives; a context manager.

    Leaving it waits until everything was played; after an exception it stops at once. Both close
    the speaker. Raises the errors of the voice and the speaker.
    """

    def __init__(
        self,
        voice: Synthesizer,
        sink: Player,
        clock: Clock,
        settings: TtsSettings,
        language: str = "en",
    ) -> None:
        self._voice = voice
        self._sink = sink
        self._clock = clock
        rate = SpeechRate()
        self._plan = CutPlan(rate)
        self._cutter = ClauseCutter(settings.first_clause_words, language, self._plan)
        self._timed = TimedSynthesis(voice, settings, rate, clock.now)
        monitor = clock.monitor()
        self._clauses = Mailbox[Clause](monitor, CLAUSES_AHEAD, lambda _: False)
        self._sounds = Mailbox[Samples](monitor, SOUNDS_AHEAD, lambda _: False)
        self._stopped = False
        self._crew = Crew(clock, self._stop)

    @property
    def failed(self) -> bool:
        """Whether the voice or the speaker has failed."""
        return bool(self._crew.errors)

    def push(self, text: str) -> None:
        """Speak `text` after the text before; returns at once."""
        now = self._clock.now()
        self._plan.wrote(len(text), now)
        for clause in self._cutter.push(text, now):
            self._clauses.put(clause)

    def __enter__(self) -> StreamingSpeech:
        self._crew.__enter__()
        self._crew.start("synthesis", self._synthesize)
        self._crew.start("playback", self._play)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            try:
                if kind is None:
                    for clause in self._cutter.flush():
                        self._clauses.put(clause)
                    self._clauses.close()
                    self._crew.join()
            finally:
                # Stops at once if the wait was interrupted, for example by Ctrl-C.
                self._crew.__exit__(kind, error, trace)
        finally:
            self._sink.close()

    def _stop(self) -> None:
        self._stopped = True
        self._clauses.close()
        self._sounds.close()
        with contextlib.suppress(Exception):
            self._sink.stop()

    def _synthesize(self) -> None:
        first = True
        while (clause := self._clauses.get()) is not None and not self._stopped:
            resampler = Resampler(self._voice.rate, self._sink.rate)
            for audio in self._timed.sound(clause.spoken, lambda: self._stopped, first=first):
                first = False
                self._sounds.put(resampler.push(audio.samples))
            self._sounds.put(resampler.flush())
        self._sounds.close()

    def _play(self) -> None:
        block = max(1, int(BLOCK_SECONDS * self._sink.rate))
        end = 0
        while (samples := self._sounds.get()) is not None and not self._stopped:
            for start in range(0, len(samples), block):
                if self._stopped:
                    return
                part = samples[start : start + block]
                end = self._sink.write(part) + len(part)
        while not self._stopped and self._sink.samples_played() < end:
            self._clock.sleep(0.02)
