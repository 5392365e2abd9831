"""Everything observable is one of these events; the bus stamps each once, with time and number.

All times are seconds on the session clock, which starts at 0. `turn` numbers the exchange an event
belongs to, `clause` a clause within its reply, both from 0 upwards. As JSON (one object a line, see
docs/trace.md) each carries its snake_case name as `type`.
"""

from __future__ import annotations

import re
from typing import Literal, Union

from msgspec import Struct

SCHEMA = 2
"""Version of the event stream; a change that an old reader would misread raises it."""

Role = Literal["vad", "stt", "slm", "tts", "turn"]
Stage = Literal["capture", "end_of_turn", "transcription", "agent", "synthesis", "playback"]
CancelReason = Literal[
    "resumed", "barge_in", "interrupted", "no_speech", "backchannel", "stop_command", "failed",
    "shutdown",
]  # fmt: skip


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Event(Struct, frozen=True, kw_only=True, tag=_snake, tag_field="type"):
    """Base of all events; `t` and `seq` are stamped by the bus, never by the emitter."""

    t: float = -1.0
    seq: int = -1


class SessionStarted(Event, frozen=True, kw_only=True):
    """First event of every trace. `wall` is ISO 8601 local time; `models` maps role to name;
    `languages` are those that are understood and answered, the main one first."""

    version: str
    schema: int
    wall: str
    platform: str
    models: dict[str, str]
    input: str
    output: str
    languages: tuple[str, ...] = ()


class EngineLoading(Event, frozen=True, kw_only=True):
    role: Role
    model: str


class EngineReady(Event, frozen=True, kw_only=True):
    """`seconds` is how long loading took."""

    role: Role
    model: str
    seconds: float


class Listening(Event, frozen=True, kw_only=True):
    """What is said from here on is heard, and answered once the rest is loaded."""


class Ready(Event, frozen=True, kw_only=True):
    """Everything is loaded and primed: the assistant listens and can answer."""


class SessionEnded(Event, frozen=True, kw_only=True):
    """Last event of every trace. `reason`: closed, interrupted, end_of_input or failed."""

    reason: str


class Level(Event, frozen=True, kw_only=True):
    """The microphone, ten times a second: highest level in dBFS and speech probability since."""

    dbfs: float
    speech: float


class Resources(Event, frozen=True, kw_only=True):
    """This process once a second: CPU in percent of one core, resident memory in bytes."""

    cpu: float
    rss: int


class TurnStarted(Event, frozen=True, kw_only=True):
    """A turn begins, speculative. `origin` is what the user did; `replaces` is the turn that this
    one continues, when the user went on after a pause (that one was cancelled as `resumed`).
    `interrupts` is the turn whose reply it may be an interruption of: if it turns out to be none,
    it is cancelled as `no_speech` or `backchannel`, and that reply goes on."""

    turn: int
    origin: Literal["speech", "text", "talk_key"]
    replaces: int | None = None
    interrupts: int | None = None


class SpeechStarted(Event, frozen=True, kw_only=True):
    """The user began to speak; `at` is the time of the first voiced sample."""

    turn: int
    at: float


class SpeechPaused(Event, frozen=True, kw_only=True):
    """A short silence after the last voiced sample, at `at`: work begins, and may be taken back."""

    turn: int
    at: float


class SpeechEnded(Event, frozen=True, kw_only=True):
    """The end is confirmed. `at`: time of the last voiced sample; `seconds`: length of the clip."""

    turn: int
    at: float
    seconds: float


class TranscriptionStarted(Event, frozen=True, kw_only=True):
    """`seconds` of audio go to the recognizer. A `partial` look is taken while the user may still
    be speaking; one that turns out to hold every voiced sample is the question's own reading."""

    turn: int
    seconds: float
    partial: bool


class InterimTranscript(Event, frozen=True, kw_only=True):
    """What the user seems to have said so far; two readings agree on the first `agreed` characters
    of it."""

    turn: int
    text: str
    agreed: int = 0


class PrefillProgress(Event, frozen=True, kw_only=True):
    """The first words of the question are in the KV cache, which holds `tokens` in all, while the
    rest of it is still being spoken."""

    turn: int
    tokens: int
    text: str


class FinalTranscript(Event, frozen=True, kw_only=True):
    """The whole question, with Whisper's no-speech probability and mean log-probability; a typed
    one comes with no language and zeros."""

    turn: int
    text: str
    language: str
    no_speech: float
    logprob: float


class EndOfTurnScored(Event, frozen=True, kw_only=True):
    """How likely the user has finished, judged from the sound: a probability in [0, 1]."""

    turn: int
    complete: float


class TurnCommitted(Event, frozen=True, kw_only=True):
    """From here the reply may be heard and will be remembered."""

    turn: int


class SpeakerTempoChanged(Event, frozen=True, kw_only=True):
    """From here on silences are waited for by `factor`, 1 at the beginning of a conversation:
    between `shortest_ms` and `longest_ms`. Turn `turn` has shown it."""

    turn: int
    factor: float
    shortest_ms: int
    longest_ms: int


class TurnCancelled(Event, frozen=True, kw_only=True):
    """The turn is over before its end; `detail` says why where the reason alone does not."""

    turn: int
    reason: CancelReason
    detail: str = ""


class TurnCompleted(Event, frozen=True, kw_only=True):
    """The turn is over and `heard` is remembered as what was said. Follows a barge-in too."""

    turn: int
    heard: str
    interrupted: bool


class PrefillStarted(Event, frozen=True, kw_only=True):
    turn: int


class PrefillEnded(Event, frozen=True, kw_only=True):
    """The prompt of `tokens` is in the KV cache; `reused` of them were there already."""

    turn: int
    tokens: int
    reused: int


class ReplyContinued(Event, frozen=True, kw_only=True):
    """The turn goes on with the reply before it, which was interrupted or too long. `text` of that
    was written already and not heard; it is said first."""

    turn: int
    text: str


class TokenGenerated(Event, frozen=True, kw_only=True):
    """`index` counts the reply's tokens from 0."""

    turn: int
    index: int
    text: str


class GenerationEnded(Event, frozen=True, kw_only=True):
    turn: int
    tokens: int
    reason: Literal["stop", "length", "cancelled"]


class ClauseReady(Event, frozen=True, kw_only=True):
    """A speakable piece of the reply: `text` as written, `spoken` as given to the synthesizer."""

    turn: int
    clause: int
    text: str
    spoken: str


class SynthesisStarted(Event, frozen=True, kw_only=True):
    turn: int
    clause: int


class FirstAudio(Event, frozen=True, kw_only=True):
    """The first sound of the clause is there, though perhaps held until the turn is committed."""

    turn: int
    clause: int


class SynthesisEnded(Event, frozen=True, kw_only=True):
    """The whole clause is sound, `seconds` long."""

    turn: int
    clause: int
    seconds: float


class PlaybackStarted(Event, frozen=True, kw_only=True):
    """The clause was given to the speaker; its first sample leaves it at `at`, and the first
    audible one (above -50 dBFS) at `audible_at`."""

    turn: int
    clause: int
    at: float
    audible_at: float


class PlaybackProgress(Event, frozen=True, kw_only=True):
    """The user has by now heard the first `chars` characters of the reply's text."""

    turn: int
    chars: int


class PlaybackDucked(Event, frozen=True, kw_only=True):
    """The reply goes on more quietly: somebody may be speaking."""

    turn: int


class PlaybackPaused(Event, frozen=True, kw_only=True):
    """The reply pauses, because of turn `by`: its last sound leaves the speaker at `at`, and the
    rest of it is kept."""

    turn: int
    by: int
    at: float


class PlaybackResumed(Event, frozen=True, kw_only=True):
    """The reply goes on as it was, after it was `held`, or only quieter: it was not interrupted."""

    turn: int
    held: bool


class PlaybackEnded(Event, frozen=True, kw_only=True):
    """The last sample of the reply left the speaker at `at`, or sound was stopped there."""

    turn: int
    at: float


class Underrun(Event, frozen=True, kw_only=True):
    """The speaker ran dry within the reply, `count` times since the last such event."""

    turn: int
    count: int


class Overrun(Event, frozen=True, kw_only=True):
    """Microphone samples were lost, `count` times since the last such event."""

    count: int


class EchoMeasured(Event, frozen=True, kw_only=True):
    """The microphone hears the speaker: `delay` seconds after the sound left it, as the devices
    tell their times, and at `level` dB of what was played. Both are null where nothing comes back,
    as with headphones. Told when it has changed."""

    delay: float | None
    level: float | None


class StageFailed(Event, frozen=True, kw_only=True):
    """A stage failed: it cost the turn (if any), not the program."""

    stage: Stage
    turn: int | None
    what: str
    remedy: str


class DeviceLost(Event, frozen=True, kw_only=True):
    kind: Literal["input", "output"]
    name: str
    remedy: str


class DeviceRestored(Event, frozen=True, kw_only=True):
    kind: Literal["input", "output"]
    name: str


class ActivationMode(Event, frozen=True, kw_only=True):
    """How it is told that something is meant for it: always, by the wake word `word`, or by a key
    that is pushed."""

    mode: Literal["always", "wake", "push"]
    word: str = ""


class Activated(Event, frozen=True, kw_only=True):
    """It was addressed: what is said now is meant for it."""

    by: Literal["wake_word", "key"]


class Deactivated(Event, frozen=True, kw_only=True):
    """Nobody went on: only the wake word or the key makes it listen now."""


class Muted(Event, frozen=True, kw_only=True):
    on: bool


class ConversationCleared(Event, frozen=True, kw_only=True):
    """The user began a new conversation: nothing said before is remembered."""


class HistoryTrimmed(Event, frozen=True, kw_only=True):
    """The context window was full: the oldest `messages` messages were forgotten."""

    messages: int


class Notice(Event, frozen=True, kw_only=True):
    """Something the user should read once."""

    text: str


AnyEvent = Union[
    SessionStarted, EngineLoading, EngineReady, Listening, Ready, SessionEnded, Level,
    Resources, TurnStarted, SpeechStarted, SpeechPaused, SpeechEnded, TranscriptionStarted,
    InterimTranscript, PrefillProgress, FinalTranscript, EndOfTurnScored, TurnCommitted,
    TurnCancelled, TurnCompleted, PrefillStarted, PrefillEnded, ReplyContinued, TokenGenerated,
    GenerationEnded, ClauseReady, SynthesisStarted, FirstAudio, SynthesisEnded, PlaybackStarted,
    PlaybackProgress, PlaybackDucked, PlaybackPaused, PlaybackResumed, PlaybackEnded, Underrun,
    Overrun, EchoMeasured, StageFailed, DeviceLost, DeviceRestored, ActivationMode, Activated,
    Deactivated, Muted, ConversationCleared, HistoryTrimmed, Notice, SpeakerTempoChanged,
]  # fmt: skip

KINDS = frozenset(str(kind.__struct_config__.tag) for kind in AnyEvent.__args__)  # type: ignore[attr-defined]
"""The types of event there are, as JSON names them."""
