"""The seams of the pipeline: what a device or an engine must be able to do, and nothing else.

Each is called from one thread at a time. A blocking call returns, raises a
`edgevoice.errors.EdgevoiceError`, or ends soon after `cancelled()` turns true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from edgevoice.audio import Audio, Frame, Samples

Cancelled = Callable[[], bool]
"""Asked between steps of long work: true once nobody wants the result any more."""


class AudioSource(Protocol):
    """A microphone, or what stands in for one."""

    name: str

    def read(self) -> Frame | None:
        """The next 32 ms frame, waiting for it in real time; None when the source has ended.

        Where sound is missing before it, its index is higher than the end of the last one. Raises
        DeviceError when the device is gone.
        """

    def time_of(self, index: int) -> float:
        """Session time in seconds at which sample `index` (16 kHz) reached the microphone."""

    def overruns(self) -> int:
        """How many of the device's samples were lost because nobody took them in time, so far."""

    def mute(self, on: bool) -> None:
        """Stop the stream itself, or start it again; returns at once, and may be asked often.

        While it is stopped `read` gives silent frames in real time. Indices and their times go on;
        they may jump where it stops and where it starts.
        """

    def close(self) -> None:
        """Release the device; a `read` under way returns None. May be called from any thread."""


class AudioSink(Protocol):
    """A speaker, or what stands in for one. Samples are numbered from 0 in the order written."""

    name: str
    rate: int
    """Samples a second it takes; the voice resamples to this."""

    def write(self, samples: Samples) -> int:
        """Queue float32 [n] mono samples behind what is queued; wait for room.

        Returns the number of the first one. Returns early, with samples dropped, once `stop` is
        called from another thread. Raises DeviceError when the device is gone, SpeakerAwayError
        when it may come back but this reply need not wait for it any longer.
        """

    def heard(self) -> int:
        """How many samples of all those written have left the speaker by now."""

    def time_of(self, number: int) -> float:
        """Session time in seconds at which sample `number` leaves, or will leave, the speaker."""

    def played(self, time: float, count: int) -> Samples:
        """float32 [count] at `rate` Hz that left the speaker from session time `time` on.

        Zeros where nothing did, or where it is not yet or, after two seconds, no longer known. May
        be called from any thread.
        """

    def stop(self) -> int:
        """Fall silent at once and drop what is queued; returns how many samples had been heard.

        Numbers go on from there: the next write returns this value. Ends `duck` and `hold`. May be
        called from any thread.
        """

    def duck(self, on: bool) -> None:
        """Go on more quietly, or as loudly as before. May be called from any thread."""

    def hold(self) -> int:
        """Fall silent within 10 ms and keep what is queued; `heard` stands still from then on.

        Returns the number of the first sample that is kept back. May be called from any thread.
        """

    def release(self, again: int = 0) -> None:
        """Go on after `hold`: from the last sample heard, or from `again` samples before it.

        What is heard twice is counted once. May be called from any thread.
        """

    def silent_before(self, number: int) -> bool:
        """Whether the speaker had run dry, so that silence went out, before sample `number`.

        To be asked right after the write that begins with it.
        """

    def underruns(self) -> int:
        """How often the device was not served in time, so that it let out silence, so far."""

    def close(self) -> None:
        """Fall silent and release the device. May be called from any thread."""


class EchoCanceller(Protocol):
    """Takes what the speaker plays out of what the microphone hears."""

    step: int
    """Samples it takes at once."""
    lag: int
    """Samples by which what comes out is later than what went in."""

    def cancel(self, microphone: Samples, reference: Samples) -> Samples:
        """What is left of float32 [step] at 16 kHz; `reference`, likewise, is what was played.

        The echo of a reference comes with it or later, never before. Keeps state.
        """

    def restart(self) -> None:
        """Forget the room: what comes next is heard in another."""

    def expect(self, delay: float) -> None:
        """Tell that the echo comes `delay` seconds after its reference."""


class SpeechDetector(Protocol):
    """Voice activity detection, frame by frame."""

    def probability(self, samples: Samples) -> float:
        """Probability in [0, 1] that float32 [512] at 16 kHz holds speech; keeps state."""

    def reset(self) -> None:
        """Forget the past frames."""


class WakeDetector(Protocol):
    """Hears one wake word, frame by frame."""

    def heard(self, samples: Samples) -> bool:
        """Whether the wake word is noticed with float32 [512] at 16 kHz; keeps state."""

    def reset(self) -> None:
        """Forget the past frames."""


class TurnDetector(Protocol):
    """Hears whether somebody has finished, or only pauses."""

    def complete(self, samples: Samples) -> float:
        """Probability in [0, 1] that float32 [n] at 16 kHz is a finished turn.

        The sound ends in the pause after the last word. May be called from any thread, by one at
        a time; keeps no state.
        """


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of recognized text; times in seconds from the start of the clip."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was recognized, and how sure the recognizer is.

    `no_speech` is Whisper's probability in [0, 1] that nobody spoke; `logprob` the mean
    log-probability of the tokens; `compression` the text's gzip ratio (loops compress well).
    `certainty` is the probability in [0, 1] of the language among those that it could have been.
    A look that is not `sure` is good enough to be shown, but is to be read again to be answered;
    where it is `doubtful`, too, nothing but the last resort would make it better.
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


Effort = Literal["glance", "look", "final", "last resort"]
"""What a reading is for: to show and prefill what is being said, to know what was said if this was
the end, or to answer it; at the last resort, where a look at the same sound was doubtful."""


class Recognizer(Protocol):
    """Speech to text."""

    def transcribe(
        self,
        samples: Samples,
        effort: Effort = "final",
        languages: Mapping[str, float] | None = None,
    ) -> Transcript:
        """The words in float32 [n] at 16 kHz.

        They are in one of `languages`, each with how likely it was before; of one language nothing
        has to be found out. Without any, they are in one of those of the settings.
        """


BROKEN_OFF = "—"
"""What stands behind the last word of a reply that was interrupted."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of the conversation.

    `tokens` are the ids the model itself produced, where it did, of which `text` is all or the
    beginning: given back verbatim they match the KV cache exactly. A `lead` is read by the model in
    front of the text, and by nobody else. `interrupted`: no more than `text` of it was heard.
    """

    role: Literal["system", "user", "assistant"]
    text: str
    tokens: tuple[int, ...] = field(default=(), compare=False)
    lead: str = ""
    interrupted: bool = False

    @property
    def whole(self) -> str:
        """The text as the model reads it."""
        text = self.text + BROKEN_OFF if self.interrupted else self.text
        return f"{self.lead} {text}".strip() if self.lead else text


@dataclass(frozen=True, slots=True)
class Prefilled:
    """The prompt is in the KV cache: `tokens` in all, of which `reused` were there before."""

    tokens: int
    reused: int


@dataclass(frozen=True, slots=True)
class Token:
    """One token of the reply; `text` is empty while a UTF-8 character is incomplete."""

    text: str
    id: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The reply is over: the model ended it, or the limit of tokens or the context was reached."""

    reason: Literal["stop", "length", "cancelled"]


class LanguageModel(Protocol):
    """A small language model with its KV cache and its own chat template."""

    context: int
    """Size of the context window in tokens."""

    def prime(self, messages: Sequence[ChatMessage], cancelled: Cancelled) -> int:
        """Bring the prefix that these messages share with any continuation into the KV cache.

        A last message of the user's is the beginning of one that is still being spoken. Returns
        how many tokens the cache holds.
        """

    def reply(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> Iterator[Prefilled | Token | Stopped]:
        """One Prefilled, then Tokens as they are made, then one Stopped.

        A last message of the assistant's is the beginning of the reply: what comes goes on with it.
        """

    def count(self, messages: Sequence[ChatMessage]) -> int:
        """How many tokens the prompt for these messages takes."""

    def close(self) -> None:
        """Free the model's memory."""


Pronounce = Callable[[str, str], Sequence[str]]
"""The pronunciation of a word in a language (a code, "en"): the phonemes of each spoken word, for
example two for "21"; empty where it is unknown."""


class Synthesizer(Protocol):
    """Text to speech."""

    rate: int
    """Samples a second it makes."""

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        """The sound of one clause, in pieces as they are made; with marks of the words of `text`,
        in their order, where the voice can tell."""
