"""The protocols of engines and devices.

Each object is called from one thread at a time. A blocking call returns, raises an
`edgevoice.errors.EdgevoiceError`, or ends soon after `cancelled()` returns true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from edgevoice.audio import Audio, Frame, Samples

Cancelled = Callable[[], bool]
"""Called between the steps of long work: true once the result is no longer needed."""


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


class AudioSink(Protocol):
    """A speaker, or a replacement for it. Samples are numbered from 0 in the order written."""

    name: str
    rate: int
    """Sample rate in Hz; playback resamples to it."""

    def write(self, samples: Samples) -> int:
        """Append float32 [n] mono samples to the queue; wait for room.

        Returns the number of the first sample. Returns early, and drops samples, once `stop` is
        called from another thread. Raises DeviceError when the device is lost, SpeakerAwayError
        when it may return but this reply must not wait any longer.
        """

    def samples_played(self) -> int:
        """Number of written samples that have left the speaker by now."""

    def time_of(self, number: int) -> float:
        """Session time in seconds at which sample `number` leaves, or will leave, the speaker."""

    def reference(self, time: float, count: int) -> Samples:
        """float32 [count] at `rate` Hz that left the speaker from session time `time` on.

        The reference for echo cancellation. Zeros where nothing was played, and where it is not yet
        known or, after two seconds, no longer known. May be called from any thread.
        """

    def stop(self) -> int:
        """Stop at once and drop the queue; returns the number of samples played until then.

        Numbers continue from there: the next write returns this value. Ends `duck` and `pause`. May
        be called from any thread.
        """

    def duck(self, on: bool) -> None:
        """Play more quietly, or as loudly as before. May be called from any thread."""

    def pause(self) -> int:
        """Fade out within 10 ms and keep the queue; `samples_played` does not change from then on.

        Returns the number of the first sample that is not played yet. May be called from any
        thread.
        """

    def resume(self, again: int = 0) -> None:
        """Continue after `pause`: after the last sample played, or from `again` samples before.

        Samples that are played twice count once. May be called from any thread.
        """

    def silent_before(self, number: int) -> bool:
        """Whether the queue was empty, so that silence was played, before sample `number`.

        Call it right after the write that returned `number`.
        """

    def underruns(self) -> int:
        """How often the device got no samples in time, and played silence, so far."""

    def close(self) -> None:
        """Stop and release the device. May be called from any thread."""


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

        The samples end in the pause after the last word. Keeps no state. May be called from any
        thread, by one at a time.
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

    `tokens` are the ids that the model generated, empty for other messages; `text` is all of their
    text or its beginning. Passed back unchanged, they match the KV cache exactly. Only the model
    reads the `lead`, in front of the text. `interrupted`: only `text` was played.
    """

    role: Literal["system", "user", "assistant"]
    text: str
    tokens: tuple[int, ...] = field(default=(), compare=False)
    lead: str = ""
    interrupted: bool = False

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
    """One token of the reply; `text` is empty while a UTF-8 character is incomplete."""

    text: str
    id: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The reply is complete: ended by the model, the token limit, or cancellation."""

    reason: Literal["stop", "length", "cancelled"]


class LanguageModel(Protocol):
    """A small language model with its KV cache and its own chat template."""

    context: int
    """Size of the context window in tokens."""

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
        """Free the model's memory."""


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
