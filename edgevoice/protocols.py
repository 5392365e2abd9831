"""The protocols of engines and devices.

Each object is called from one thread at a time, unless sessions share it: Recognizer, Synthesizer,
TurnDetector and ModelWeights are called from several. A blocking call returns, raises an
`edgevoice.errors.EdgevoiceError`, or ends soon after `cancelled()` returns true.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, Union

from edgevoice.audio import Audio, Frame, Samples

Cancelled = Callable[[], bool]
"""Called between the steps of long work: true once the result is no longer needed."""

Committed = Callable[[], bool]
"""Whether the turn is committed by now. Until then its question may change, and nothing acts."""


class AudioSource(Protocol):
    """A microphone, or a replacement for it."""

    name: str

    def read(self) -> Frame | None:
        """Wait for the next 32 ms frame and return it; None when the source has ended.

        If samples were lost, its index is higher than the end of the last frame. Raises DeviceError
        when the device is lost.
        """

    def time_of(self, index: int) -> float:
        """Session time in seconds at which sample `index` (16 kHz) reached the microphone."""

    def overruns(self) -> int:
        """Number of samples lost so far because they were not read in time."""

    def mute(self, on: bool) -> None:
        """Stop the stream itself, or start it again; returns at once, and may be called often.

        While it is stopped, `read` returns silent frames in real time. Indices and their times
        continue; they may jump when the stream stops and when it starts.
        """

    def close(self) -> None:
        """Release the device; a blocked `read` returns None. May be called from any thread."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a sink has played. Frames are numbered from 0 in the order written.

    Frames from `since`, the first after the last silence, leave the speaker without a gap: frame
    `number` at session time `time`, which is infinite before the first sound. `taken` frames can
    no longer be dropped. `starved` is the last frame that silence was played before, for lack of
    it; -1 if there was none. `underruns` counts the gaps that the device made itself.
    """

    taken: int
    since: int
    number: int
    time: float
    starved: int
    underruns: int = 0

    def played(self, time: float, rate: int) -> int:
        """Number of frames that have left the speaker at session time `time`.

        Those before `since` count as played.
        """
        by_then = self.number
        if self.time < math.inf:
            by_then += round((time - self.time) * rate)
        return min(self.taken, max(self.since, by_then))


class AudioSink(Protocol):
    """A way to a speaker, local or remote. Everything else about playback is in Player."""

    name: str
    rate: int
    """Sample rate in Hz."""

    def write(self, samples: Samples) -> None:
        """Queue float32 [n] mono frames; returns at once. It takes at least 2 s of them.

        Raises SpeakerAwayError if nothing can be played for too long.
        """

    def position(self) -> Position:
        """How far it has played. Raises DeviceError when the device is lost, SpeakerAwayError when
        it may return but what is queued must not wait any longer."""

    def clear(self, first: int, instead: Samples, fade: int) -> int:
        """Replace the queued frames from number `first` on by float32 [n] `instead`, at once.

        What is dropped fades out, and what replaces it fades in, in `fade` frames. Frames that are
        taken already stay, and as many of `instead` are left out. Returns the number of the first
        frame replaced. Only `first` frames and `instead` then count as written.
        """

    def close(self) -> None:
        """Stop at once, and release the device. May be called from any thread."""


class EchoCanceller(Protocol):
    """Removes the speaker's sound from the microphone's signal."""

    step: int
    """Number of samples in each call of `cancel`."""
    lag: int
    """Delay of the output against the input, in samples."""

    def cancel(self, microphone: Samples, reference: Samples) -> Samples:
        """float32 [step] at 16 kHz without echo; `reference`, of the same shape, was played.

        The echo of a reference sample must not come before it. Keeps state.
        """

    def restart(self) -> None:
        """Reset the adaptive filter, for example after a change of devices."""

    def expect(self, delay: float) -> None:
        """Set the expected delay of the echo after its reference, in seconds."""


class SpeechDetector(Protocol):
    """Voice activity detection, frame by frame."""

    def probability(self, samples: Samples) -> float:
        """Probability in [0, 1] that float32 [512] at 16 kHz holds speech; keeps state."""

    def reset(self) -> None:
        """Forget the past frames."""


class WakeDetector(Protocol):
    """Wake word detection, frame by frame."""

    def detected(self, samples: Samples) -> bool:
        """Whether float32 [512] at 16 kHz completes the wake word; keeps state."""

    def reset(self) -> None:
        """Forget the past frames."""


class TurnDetector(Protocol):
    """End-of-turn detection from the sound of an utterance."""

    def end_probability(self, samples: Samples) -> float:
        """Probability in [0, 1] that float32 [n] at 16 kHz is a finished turn.

        The samples end in the pause after the last word. Keeps no state.
        """


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a transcript; times in seconds from the start of the clip."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript, and how certain the recognizer is of it.

    `no_speech` is Whisper's probability in [0, 1] that the clip holds no speech, `logprob` the mean
    log-probability of the tokens, `compression` the text's gzip ratio (loops compress well).
    `certainty` is the probability in [0, 1] of the language among the possible ones. A transcript
    that is not `sure` may be shown, but must be transcribed again before it is answered. If it is
    `doubtful` as well, only the effort "fallback" can improve it.
    """

    text: str
    language: str = "en"
    no_speech: float = 0.0
    logprob: float = 0.0
    compression: float = 1.0
    segments: tuple[Segment, ...] = ()
    sure: bool = True
    doubtful: bool = False
    certainty: float = 1.0


Effort = Literal["interim", "endpoint", "final", "fallback"]
"""The purpose of a transcript. `interim`: to show and prefill while the user speaks. `endpoint`: at
the first silent frame, probably the end of the question. `final`: to answer it. `fallback`: to
answer it after a doubtful `endpoint` transcript of the same sound."""


class Recognizer(Protocol):
    """Speech to text."""

    def transcribe(
        self,
        samples: Samples,
        effort: Effort = "final",
        languages: Mapping[str, float] | None = None,
    ) -> Transcript:
        """Transcribe float32 [n] at 16 kHz.

        `languages` maps each possible language to its prior weight; a single one is not detected.
        None: the languages of the settings.
        """


BROKEN_OFF = "—"
"""Follows the last word of an interrupted reply in the prompt."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of the conversation.

    Only the model reads the `lead`, in front of the text. `interrupted`: only `text` was played. An
    `example` was never said: every conversation begins with it. Of a question, `newest` is the end
    of the text that was not said before, where one without a reply precedes it, and `language` is
    the one it was asked in; empty if that is unknown.
    """

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    lead: str = ""
    interrupted: bool = False
    example: bool = False
    newest: str = field(default="", compare=False)
    language: str = field(default="", compare=False)

    @property
    def whole(self) -> str:
        """The text in the prompt."""
        text = self.text + BROKEN_OFF if self.interrupted else self.text
        return f"{self.lead} {text}".strip() if self.lead else text


@dataclass(frozen=True, slots=True)
class Prefilled:
    """The prompt of `tokens` is in the KV cache; `reused` of them were cached before."""

    tokens: int
    reused: int


@dataclass(frozen=True, slots=True)
class Token:
    """One token of the reply, or any piece of its text; `text` is empty while a UTF-8 character is
    incomplete."""

    text: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The reply is complete: ended by the model, the token limit, or cancellation."""

    reason: Literal["stop", "length", "cancelled"]


class LanguageModel(Protocol):
    """A small language model in one conversation, with a KV cache and its own chat template."""

    context: int
    """Size of the context window in tokens."""
    seed: int
    """Random seed of the next replies, at first `slm.seed`; -1: a new one each time."""

    def prime(self, messages: Sequence[ChatMessage], cancelled: Cancelled) -> int:
        """Evaluate the prefix that these messages share with any continuation into the KV cache.

        A last message of the user is the beginning of a question that is still being spoken.
        Returns the number of tokens in the cache.
        """

    def reply(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> Iterator[Prefilled | Token | Stopped]:
        """Generate a reply: one Prefilled, then Tokens as they are generated, then one Stopped.

        If the last message is the assistant's, the reply continues it.
        """

    def count(self, messages: Sequence[ChatMessage]) -> int:
        """Number of tokens in the prompt for these messages."""

    def close(self) -> None:
        """Free the KV cache; the weights stay. Called when no other call is under way."""


class PairedModel(LanguageModel, Protocol):
    """A language model that can draft replies for another one, and verify another one's drafts."""

    def probabilities(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> Sequence[tuple[str, float]]:
        """The tokens of the last message, the assistant's, and the probability in [0, 1] that the
        model would have given each of them; fewer if cancelled.

        A token's text is empty while a UTF-8 character is incomplete.
        """

    def seconds(self, prompt: int, reply: int) -> float:
        """Expected seconds to evaluate `prompt` tokens at once and then generate `reply` tokens, as
        measured so far; 0 if nothing was measured."""


class ModelWeights(Protocol):
    """A loaded language model, shared by conversations. May be called from any thread."""

    def session(self) -> LanguageModel:
        """The model for one more conversation."""

    def close(self) -> None:
        """Free the model's memory; no conversation may use it any more."""


@dataclass(slots=True)
class ReplyRevision:
    """Takes back the reply from character `start` on; what follows goes on from there.

    Words that are out already stay. Before the reply goes on, the pipeline sets `kept`, the number
    of characters that stay; if it is more than `start`, what follows can only correct them. It also
    sets `correction`, which leads over to the right words in the language of the reply.
    """

    start: int
    kept: int = 0
    correction: str = ""


@dataclass(slots=True)
class Drafted:
    """The reply so far is not verified yet, and goes on in about `seconds` seconds.

    What is written is spoken now if there would be silence otherwise. Before the reply goes on,
    the pipeline sets `lasts`: how many seconds what is to be spoken lasts, at least.
    """

    seconds: float
    lasts: float = 0.0


@dataclass(frozen=True, slots=True)
class Verified:
    """How many words were drafted, and what became of them: `verified`, replaced before they were
    out, or corrected in words."""

    drafted: int
    verified: int
    replaced: int = 0
    corrected: int = 0


@dataclass(slots=True)
class ToolCall:
    """A side effect. The reply waits until the turn is committed, and ends here if it never is.

    The pipeline then calls `run`, and sets `result` to what it returns before the reply goes on.
    The history keeps name, arguments and result.
    """

    name: str
    arguments: str
    run: Callable[[], str]
    result: str = ""


AgentOutput = Union[Prefilled, Token, Drafted, ReplyRevision, Verified, ToolCall, Stopped]
"""What a reply streams. Prefilled and Verified are optional, and only measured."""


class Agent(Protocol):
    """What answers: it stands between recognition and clauses.

    A class that inherits from it needs `respond` only. All methods but `close` are called in one
    thread.
    """

    room: float = math.inf
    """Most tokens of a conversation, by `count`; the oldest messages beyond that are dropped."""

    def respond(
        self, conversation: Sequence[ChatMessage], cancelled: Cancelled, committed: Committed
    ) -> Iterator[AgentOutput]:
        """Reply to the last message of the conversation, piece by piece.

        A reply that ends without Stopped is complete. If the last message is the assistant's, the
        reply continues it. It may be asked before the user has certainly finished: the reply is
        heard only once the turn is `committed`, and dropped if it never is, so whatever acts must
        be a ToolCall.
        """
        ...

    def prepare(self, conversation: Sequence[ChatMessage], cancelled: Cancelled) -> int:
        """Compute ahead what any continuation of the conversation needs; stop when `cancelled`.

        A last message of the user is the beginning of a question that is still being spoken.
        Returns the number of tokens that are computed.
        """
        return 0

    def count(self, conversation: Sequence[ChatMessage]) -> int:
        """Number of tokens of a conversation."""
        return 0

    def close(self) -> None:
        """Free what it holds."""
        return


Pronounce = Callable[[str, str], Sequence[str]]
"""The pronunciation of a word in a language (a code, "en"): the phonemes of each spoken word, for
example two for "21"; empty where it is unknown."""


class Synthesizer(Protocol):
    """Text to speech."""

    rate: int
    """Sample rate of the audio, in Hz."""

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        """Synthesize one clause, piece by piece. The pieces mark the words of `text` in order, if
        the voice provides word times."""
