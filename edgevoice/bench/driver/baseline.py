"""The plain sequence: an assistant that does one thing after the other, for comparison.

It waits for 700 ms of silence, transcribes the whole clip with faster-whisper's `transcribe`,
evaluates the whole prompt, generates the whole reply, synthesizes all of it, and plays it. Machine,
models, question and speaker are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edgevoice.agent.instructions import instruct
from edgevoice.audio import EAR_RATE, Samples, first_audible
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.corpus.wall import WALL
from edgevoice.bench.driver.driver import ELSEWHERE
from edgevoice.bench.driver.run_state import changed
from edgevoice.bench.result.quantities import PLAIN_SPANS
from edgevoice.bench.result.result import BASELINE, BenchTurn
from edgevoice.clock import Clock
from edgevoice.history import History
from edgevoice.languages.text_normalization import normalize
from edgevoice.models.store import Store
from edgevoice.player import Player
from edgevoice.protocols import ChatMessage, LanguageModel, Prefilled, Synthesizer, Token
from edgevoice.resample import resample
from edgevoice.settings import Config

SILENCE_SECONDS = 0.7
"""Seconds of silence after the last voiced sample that end a question."""

HEARD = 0.3
"""Seconds of the reply that are played."""


@dataclass
class SequentialBaseline:
    """Answers questions one step after the other; meanwhile no assistant may be busy."""

    config: Config
    clock: Clock
    transcribe: Callable[[Samples], str]
    model: LanguageModel
    voice: Synthesizer
    sink: Player

    @classmethod
    def of(
        cls, config: Config, clock: Clock, model: LanguageModel, sink: Player
    ) -> SequentialBaseline:
        """With the configured models for transcription and synthesis."""
        from edgevoice.engines.registry import load, load_chosen

        whisper = load(Store(config).choose("stt"), config, "unmodified")
        voice = load_chosen("tts", changed(config, {"tts.stream": False}))
        return cls(config, clock, whisper.transcribe, model, voice, sink)

    def ask(self, question: BenchQuestion, warm_up: bool = False) -> BenchTurn:
        """Answer the question as soon as its last voiced sample was heard."""
        # The plain sequence has no KV cache from before.
        self.model.prime(ELSEWHERE, lambda: False)
        length = round((question.speech_end + SILENCE_SECONDS) * EAR_RATE)
        clip = question.samples[:length]
        clip = np.pad(clip, (0, length - len(clip)))
        times = [self.clock.now()]

        def step_done() -> None:
            times.append(self.clock.now())

        self.clock.sleep(SILENCE_SECONDS)
        step_done()
        text = self.transcribe(clip).strip()
        step_done()
        prompt, reply, tokens, first = self._reply(text, question.history or ())
        step_done()
        sound = self._sound(reply)
        step_done()
        audible = self._play(sound)
        spans, gap = {}, None
        if audible is not None:
            seconds = np.diff([*times, audible]).tolist()
            spans = dict(zip((*PLAIN_SPANS, "synthesize", "output"), seconds, strict=True))
            gap = audible - times[0]
        decoding = times[3] - first
        return question.turn(
            BASELINE,
            times[0] - question.speech_end,
            text,
            warm_up=warm_up,
            gap=gap,
            spans=spans,
            reply=reply,
            ttft=first - times[2] if tokens else None,
            tokens_per_second=(tokens - 1) / decoding if tokens > 1 and decoding > 0 else None,
            prompt_tokens=prompt.tokens,
            reused_tokens=prompt.reused,
            reply_tokens=tokens,
            dropped="" if spans else "no reply" if text else "nothing was recognized",
        )

    def _reply(self, text: str, past: Sequence[ChatMessage]) -> tuple[Prefilled, str, int, float]:
        """The size of the prompt, the reply, its tokens, and the time of the first."""
        prompt, reply, tokens, first = Prefilled(0, 0), "", 0, self.clock.now()
        if not text:
            return prompt, reply, tokens, first
        history = History(self.config.slm.system_prompt)
        instruct(history, self.config, lambda: WALL)
        history.clear(past)
        for item in self.model.reply(history.asking(text), lambda: False):
            if isinstance(item, Prefilled):
                prompt = item
            elif isinstance(item, Token):
                first = first if tokens else self.clock.now()
                tokens += 1
                reply += item.text
        return prompt, reply.strip(), tokens, first

    def _sound(self, reply: str) -> Samples:
        said = normalize(reply) if reply else ""
        pieces = [audio.samples for audio in self.voice.synthesize(said, lambda: False)]
        whole = np.concatenate([np.zeros(0, dtype=np.float32), *pieces])
        return resample(whole, self.voice.rate, self.sink.rate)

    def _play(self, sound: Samples) -> float | None:
        """Play the beginning; returns when it became audible, None for silence."""
        audible = first_audible(sound)
        if audible == len(sound):
            return None
        end = min(len(sound), audible + round(HEARD * self.sink.rate))
        first = self.sink.write(sound[:end])
        while self.sink.samples_played() < first + end:
            self.clock.sleep(0.01)
        return self.sink.time_of(first + audible)
