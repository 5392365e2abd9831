"""Scripted engines: what they hear, say and cost is written in the test, in virtual seconds.

Speech is a tone whose amplitude says which phrase it is, so that a clip cut, joined or mixed with
silence anywhere still transcribes to what was really in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgevoice.audio import CAPTURE_RATE, Audio, Mark, Samples
from edgevoice.clock import Clock
from edgevoice.protocols import (
    Cancelled,
    ChatMessage,
    Effort,
    Prefilled,
    Stopped,
    Token,
    Transcript,
)
from edgevoice.synthesis.alignment import word_spans

AMPLITUDE_STEP = 1 / 64
"""Difference in amplitude between two phrases; a power of two, so that float32 keeps it exact."""


class Phrasebook:
    """Knows which amplitude stands for which phrase."""

    def __init__(self) -> None:
        self._phrases: list[tuple[str, int]] = []

    def speech(self, text: str, seconds: float) -> Samples:
        """Someone saying `text` in `seconds`; float32 [n] at 16 kHz."""
        size = int(seconds * CAPTURE_RATE)
        self._phrases.append((text, size))
        samples = np.full(size, len(self._phrases) * AMPLITUDE_STEP, dtype=np.float32)
        samples[1::2] *= -1
        return samples

    def samples_of(self, text: str, samples: Samples) -> int:
        """How many of `samples` are of somebody saying `text`."""
        codes = np.rint(np.abs(samples) / AMPLITUDE_STEP).astype(int)
        wanted = [code for code, (said, _) in enumerate(self._phrases, 1) if said == text]
        return int(np.isin(codes, wanted).sum())

    def ends(self, text: str, heard: int) -> bool:
        """Whether all of somebody saying `text` is over after so many samples of it."""
        return any(said == text and heard >= size for said, size in self._phrases)

    def read(self, samples: Samples) -> str:
        """What was said in `samples`: of a phrase that is cut, as many words as were reached."""
        codes = np.rint(np.abs(samples) / AMPLITUDE_STEP).astype(int)
        said = []
        for code, (text, size) in enumerate(self._phrases, 1):
            words = text.split()
            heard = int(np.count_nonzero(codes == code))
            # A frame's worth of slack: pre-roll and padding cut at frame borders.
            said += words[: round(len(words) * min(1.0, (heard + 512) / size))] if heard else []
        return " ".join(said)


def silence(seconds: float) -> Samples:
    """Digital silence, float32 [n] at 16 kHz."""
    return np.zeros(int(seconds * CAPTURE_RATE), dtype=np.float32)


class LoudnessDetector:
    """Takes everything louder than nearly nothing for speech."""

    def probability(self, samples: Samples) -> float:
        return 1.0 if float(np.abs(samples).mean()) > AMPLITUDE_STEP / 4 else 0.0

    def reset(self) -> None:
        return None


class ScriptedWakeDetector:
    """Hears `phrase` of the phrasebook, and notices it two frames after its end."""

    def __init__(self, book: Phrasebook, phrase: str) -> None:
        self._book = book
        self._phrase = phrase
        self._run = 0
        self._since: int | None = None
        self.frames = 0
        """How many frames it was given."""

    def detected(self, samples: Samples) -> bool:
        self.frames += 1
        count = self._book.samples_of(self._phrase, samples)
        if self._since is not None:
            self._since += 1
            if self._since == 2:
                self._since = None
                return True
        self._run = self._run + count if count else 0
        if self._run and self._book.ends(self._phrase, self._run):
            self._run, self._since = 0, 0
        return False

    def reset(self) -> None:
        self._run, self._since = 0, None


@dataclass
class ScriptedRecognizer:
    """Reads the phrasebook, `cost` virtual seconds a clip; `results` overrides by text read.

    `sounds` says how much a text sounds like each language; without it everything is English.
    """

    clock: Clock
    book: Phrasebook
    cost: float = 0.1
    results: dict[str, Transcript | Exception] | None = None
    sounds: Callable[[str], Mapping[str, float]] | None = None

    def transcribe(
        self,
        samples: Samples,
        effort: Effort = "final",
        languages: Mapping[str, float] | None = None,
    ) -> Transcript:
        self.clock.sleep(self.cost / 2 if effort == "interim" else self.cost)
        text = self.book.read(samples)
        if self.sounds is not None and languages:
            heard = self.sounds(text)
            likely = {code: weight * heard.get(code, 0.0) for code, weight in languages.items()}
            best = max(likely, key=lambda code: likely[code])
            certainty = likely[best] / (sum(likely.values()) or 1.0)
            return Transcript(text, best, logprob=-0.1, certainty=certainty)
        result = (self.results or {}).get(text, Transcript(text, logprob=-0.1))
        if isinstance(result, Exception):
            raise result
        return result


@dataclass
class ScriptedTurnDetector:
    """Finds every turn finished with `probability`, after `cost` virtual seconds; an exception in
    its place is raised."""

    clock: Clock
    probability: float | Exception
    cost: float = 0.05

    def end_probability(self, samples: Samples) -> float:
        self.clock.sleep(self.cost)
        if isinstance(self.probability, Exception):
            raise self.probability
        return self.probability


class ScriptedLanguageModel:
    """Answers from a function of the messages; tokens are words, and its KV cache is real.

    `prefill` is the virtual seconds that a word of the prompt takes. At the word `fail_after` of a
    reply it raises RuntimeError.
    """

    context: int
    seed: int

    def __init__(
        self,
        clock: Clock,
        answer: Callable[[Sequence[ChatMessage]], str],
        token: float = 0.05,
        prefill: float = 0.01,
        context: int = 4096,
        fail_after: int | None = None,
    ) -> None:
        self.clock = clock
        self.context = context
        self.seed = -1
        self.cache: list[str] = []
        self.asked: list[list[ChatMessage]] = []
        self._answer = answer
        self._token = token
        self.prefill = prefill
        self.fail_after = fail_after

    def prime(self, messages: Sequence[ChatMessage], cancelled: Cancelled) -> int:
        self._fill(_words(messages), cancelled)
        return len(self.cache)

    def reply(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> Iterator[Prefilled | Token | Stopped]:
        self.asked.append(list(messages))
        prompt = _words(messages)
        reused = self._fill(prompt, cancelled)
        if cancelled():
            yield Stopped("cancelled")
            return
        yield Prefilled(len(prompt), reused)
        for index, word in enumerate(self._words_to_come(messages)):
            if index == self.fail_after:
                raise RuntimeError("the scripted model fell over")
            self.clock.sleep(self._token)
            if cancelled():
                yield Stopped("cancelled")
                return
            self.cache.append(word.strip())
            yield Token(word)
        yield Stopped("stop")

    def _words_to_come(self, messages: Sequence[ChatMessage]) -> list[str]:
        """The reply word by word, with the spaces between them; or what is missing of one that is
        open."""
        if messages[-1].role != "assistant":
            first, *words = self._answer(messages).split(" ")
            return [first, *(f" {word}" for word in words)]
        rest = self._answer(messages[:-1]).removeprefix(messages[-1].text)
        return [f" {word}" for word in rest.split(" ") if word]

    def probabilities(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> list[tuple[str, float]]:
        """1 for each word of its own answer, 0 from the first other one on."""
        self._fill(_words(messages), cancelled)
        if cancelled():
            return []
        own = self._answer(messages[:-1]).split(" ")
        said = messages[-1].text.split(" ")
        same = [n < len(own) and word == own[n] for n, word in enumerate(said)]
        return [
            (f" {word}" if n else word, float(all(same[: n + 1]))) for n, word in enumerate(said)
        ]

    def seconds(self, prompt: int, reply: int) -> float:
        return prompt * self.prefill + reply * self._token

    def count(self, messages: Sequence[ChatMessage]) -> int:
        return len(_words(messages))

    def session(self) -> ScriptedLanguageModel:
        """As of ModelWeights: it has only one."""
        return self

    def close(self) -> None:
        return None

    def _fill(self, prompt: list[str], cancelled: Cancelled) -> int:
        same = 0
        while same < min(len(prompt), len(self.cache)) and prompt[same] == self.cache[same]:
            same += 1
        self.cache = self.cache[:same]
        for word in prompt[same:]:
            if cancelled():
                break
            self.clock.sleep(self.prefill)
            self.cache.append(word)
        return same


def _words(messages: Sequence[ChatMessage]) -> list[str]:
    texts = [message.whole for message in messages]
    if messages and messages[-1].role == "assistant":
        texts[-1] = messages[-1].text
    return [word for text in texts for word in text.split()]


@dataclass
class ScriptedSynthesizer:
    """Half-scale sound with 10 ms of silence before it, made at `rtf`; each character, and so each
    word, takes `second_per_char`."""

    clock: Clock
    rate: int = 16_000
    second_per_char: float = 0.06
    rtf: float = 0.1

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        seconds = len(text) * self.second_per_char
        self.clock.sleep(seconds * self.rtf)
        if cancelled():
            return
        samples = np.full(int(seconds * self.rate), 0.5, dtype=np.float32)
        samples[: self.rate // 100] = 0.0
        a_char = self.second_per_char * self.rate
        yield Audio(samples, self.rate).marked(
            Mark(begin, end, int(begin * a_char), int(end * a_char))
            for begin, end in word_spans(text)
        )
