"""The plain sequence: what an assistant costs that does one thing after the other.

700 ms of silence, the whole clip through faster-whisper's own `transcribe`, the whole prompt and
the whole reply, the whole of its sound, and only then the speaker. Same machine, same models, same
question, same speaker; it is what the gap of the pipeline is compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edgevoice.audio import EAR_RATE, Samples, first_audible
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.driver import ELSEWHERE
from edgevoice.bench.result.result import BASELINE, BenchTurn
from edgevoice.clock import Clock
from edgevoice.history import History
from edgevoice.languages.text_normalization import normalize
from edgevoice.protocols import AudioSink, ChatMessage, LanguageModel, Prefilled, Synthesizer, Token
from edgevoice.resample import resample
from edgevoice.settings import Config

SILENCE_SECONDS = 0.7
"""Seconds of silence after the last voiced sample that end a question."""

HEARD = 0.3
"""Seconds of the reply that are played before the rest of it is left out."""


@dataclass
class SequentialBaseline:
    """Answers questions one step after the other; while it does, no assistant may be busy."""

    config: Config
    clock: Clock
    transcribe: Callable[[Samples], str]
    model: LanguageModel
    voice: Synthesizer
    sink: AudioSink

    def ask(self, question: BenchQuestion, warm_up: bool = False) -> BenchTurn:
        """Answer the question as soon as its last voiced sample has been heard."""
        # What was there before does not help: it knows of no cache, nor of one kept on disk.
        self.model.prime(ELSEWHERE, lambda: False)
        clip = question.samples[: round((question.speech_end + SILENCE_SECONDS) * EAR_RATE)]
        clip = np.pad(
            clip, (0, round((question.speech_end + SILENCE_SECONDS) * EAR_RATE) - len(clip))
        )
        began = self.clock.now()
        times = [began]
        self.clock.sleep(SILENCE_SECONDS)
        times.append(self.clock.now())
        text = self.transcribe(clip).strip()
        times.append(self.clock.now())
        prompt, reply, tokens, first = self._reply(text, question.history or ())
        times.append(self.clock.now())
        sound = self._sound(reply)
        times.append(self.clock.now())
        audible = self._play(sound)
        answered = audible is not None
        spans = dict(
            zip(
                ("silence", "transcribe", "reply", "synthesize", "output"),
                np.diff([*times, audible if audible is not None else times[-1]]).tolist(),
                strict=True,
            )
        )
        decoding = times[3] - first
        return question.turn(
            BASELINE,
            began - question.speech_end,
            text,
            warm_up=warm_up,
            response_time=audible - began if audible is not None else None,
            spans=spans if answered else {},
            reply=reply,
            ttft=first - times[2] if tokens else None,
            tokens_per_second=(tokens - 1) / decoding if tokens > 1 and decoding > 0 else None,
            prompt_tokens=prompt.tokens,
            reused_tokens=prompt.reused,
            reply_tokens=tokens,
            dropped="" if answered else "nothing was recognized" if not text else "no reply",
        )

    def _reply(self, text: str, past: Sequence[ChatMessage]) -> tuple[Prefilled, str, int, float]:
        """What the prompt took, the reply, its tokens, and when the first one was there."""
        prompt, reply, tokens, first = Prefilled(0, 0), "", 0, self.clock.now()
        if not text:
            return prompt, reply, tokens, first
        history = History(self.config.slm.system_prompt)
        history.clear(past)
        messages = history.asking(text)
        for item in self.model.reply(messages, lambda: False):
            match item:
                case Prefilled():
                    prompt = item
                case Token():
                    first = first if tokens else self.clock.now()
                    tokens += 1
                    reply += item.text
                case _:
                    pass
        return prompt, reply.strip(), tokens, first

    def _sound(self, reply: str) -> Samples:
        said = normalize(reply) if reply else ""
        pieces = [audio.samples for audio in self.voice.synthesize(said, lambda: False)]
        if not pieces:
            return np.zeros(0, dtype=np.float32)
        return resample(np.concatenate(pieces), self.voice.rate, self.sink.rate)

    def _play(self, sound: Samples) -> float | None:
        """Play the beginning; returns when it became audible, None where there was nothing."""
        audible = first_audible(sound)
        if audible == len(sound):
            return None
        end = min(len(sound), audible + round(HEARD * self.sink.rate))
        first = self.sink.write(sound[:end])
        while self.sink.samples_played() < first + end:
            self.clock.sleep(0.01)
        return self.sink.time_of(first + audible)
