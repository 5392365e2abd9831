"""The events of a session. The bus stamps each once, with its time and number.

All times are seconds on the session clock, which starts at 0. `turn` is the number of the turn an
event belongs to, `clause` the number of a clause within its reply; both start at 0. In JSON (one
object per line, see docs/trace.md) `type` is the event's snake_case name.
"""

from __future__ import annotations

import re
from typing import Literal, Union

from msgspec import Struct

SCHEMA = 2
"""Version of the event stream. It rises with each change that an older reader would misread."""

Role = Literal["vad", "stt", "slm", "tts", "turn"]
EnginePart = Literal["vad", "stt", "slm", "tts", "turn", "draft"]
Stage = Literal["capture", "end_of_turn", "transcription", "agent", "synthesis", "playback"]
CancelReason = Literal[
    "resumed", "barge_in", "interrupted", "no_speech", "backchannel", "stop_command", "failed",
    "shutdown",
]  # fmt: skip


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Event(Struct, frozen=True, kw_only=True, tag=_snake, tag_field="type"):
    """Base of all events. The bus sets `t` and `seq`, never the emitter."""

    t: float = -1.0
    seq: int = -1


class SessionStarted(Event, frozen=True, kw_only=True):
    """First event of every trace. `wall` is ISO 8601 local time; `models` maps role to name;
    `languages` are the spoken languages, the main one first."""

    version: str
    schema: int
    wall: str
    platform: str
    models: dict[str, str]
    input: str
    output: str
    languages: tuple[str, ...] = ()


class EngineLoading(Event, frozen=True, kw_only=True):
    """An engine begins to load its model."""

    role: EnginePart
    model: str


class EngineReady(Event, frozen=True, kw_only=True):
    """An engine is loaded; loading took `seconds`."""

    role: EnginePart
    model: str
    seconds: float


class Listening(Event, frozen=True, kw_only=True):
    """Speech is captured from here on. It is answered once the other engines are loaded."""


class Ready(Event, frozen=True, kw_only=True):
    """All engines are loaded and the system prompt is evaluated: the assistant can answer."""


class SessionEnded(Event, frozen=True, kw_only=True):
    """Last event of every trace. `reason`: closed, interrupted, end_of_input or failed."""

    reason: str


class Level(Event, frozen=True, kw_only=True):
    """Microphone level, ten times a second: highest level in dBFS and highest speech probability
    since the last such event."""

    dbfs: float
    speech: float


class Resources(Event, frozen=True, kw_only=True):
    """Resources of this process, once a second: CPU in percent of one core, resident memory in
    bytes."""

    cpu: float
    rss: int


class TurnStarted(Event, frozen=True, kw_only=True):
    """A speculative turn begins; `origin` is the kind of input, or `announcement` where the
    assistant speaks for itself: a timer rings. `replaces` is the turn that this
    one continues, when the user went on after a pause; that turn was cancelled as `resumed`.
    `interrupts` is the turn whose reply it may interrupt. If it is no interruption, it is cancelled
    as `no_speech` or `backchannel`, and that reply goes on."""

    turn: int
    origin: Literal["speech", "text", "talk_key", "announcement"]
    replaces: int | None = None
    interrupts: int | None = None


class SpeechStarted(Event, frozen=True, kw_only=True):
    """The user began to speak; `at` is the time of the first voiced sample."""

    turn: int
    at: float


class SpeechPaused(Event, frozen=True, kw_only=True):
    """A short silence follows the last voiced sample, at `at`. Preparation begins."""

    turn: int
    at: float


class SpeechEnded(Event, frozen=True, kw_only=True):
    """The end of the utterance is confirmed. `at` is the time of the last voiced sample, `seconds`
    the length of the utterance."""

    turn: int
    at: float
    seconds: float


class TranscriptionStarted(Event, frozen=True, kw_only=True):
    """`seconds` of audio are transcribed. `partial`: the user may still be speaking. A partial
    transcript of all voiced samples becomes the final one."""

    turn: int
    seconds: float
    partial: bool


class InterimTranscript(Event, frozen=True, kw_only=True):
    """The transcript so far. Two interim transcripts agree on its first `agreed` characters."""

    turn: int
    text: str
    agreed: int = 0


class PrefillProgress(Event, frozen=True, kw_only=True):
    """The first words of the question are in the KV cache, while the user still speaks. The cache
    holds `tokens` in total."""

    turn: int
    tokens: int
    text: str


class FinalTranscript(Event, frozen=True, kw_only=True):
    """The whole question, with Whisper's no-speech probability and mean log-probability. A typed
    question has no language and zeros."""

    turn: int
    text: str
    language: str
    no_speech: float
    logprob: float


class EndOfTurnScored(Event, frozen=True, kw_only=True):
    """`complete` is the probability in [0, 1] that the user has finished, from the sound."""

    turn: int
    complete: float


class TurnCommitted(Event, frozen=True, kw_only=True):
    """The turn is confirmed: its reply may be played and will be remembered."""

    turn: int


class SpeakerTempoChanged(Event, frozen=True, kw_only=True):
    """The waits at the end of a turn were adapted to the speaker. They are now multiplied by
    `factor`, which is 1 at the start of a conversation, and range from `shortest_ms` to
    `longest_ms`. `turn` is the turn that caused the change."""

    turn: int
    factor: float
    shortest_ms: int
    longest_ms: int


class TurnCancelled(Event, frozen=True, kw_only=True):
    """The turn was cancelled. `detail` explains the reason where needed."""

    turn: int
    reason: CancelReason
    detail: str = ""


class TurnCompleted(Event, frozen=True, kw_only=True):
    """The turn is over, also after a barge-in. The history keeps `heard`, the part of the reply
    that was played."""

    turn: int
    heard: str
    interrupted: bool


class PrefillStarted(Event, frozen=True, kw_only=True):
    """The evaluation of the question's prompt begins."""

    turn: int


class PrefillEnded(Event, frozen=True, kw_only=True):
    """The prompt of `tokens` is in the KV cache; `reused` of them were cached before."""

    turn: int
    tokens: int
    reused: int


class ReplyContinued(Event, frozen=True, kw_only=True):
    """The turn continues the reply before it, which was interrupted or too long. `text` was
    generated before but not played; it is played first."""

    turn: int
    text: str


class TokenGenerated(Event, frozen=True, kw_only=True):
    """A token of the reply, or another piece of its text; `index` counts from 0."""

    turn: int
    index: int
    text: str


class ReplyRevised(Event, frozen=True, kw_only=True):
    """The agent took back the text of its reply from character `start` on. Words that were played
    already are kept, and lie before `start`."""

    turn: int
    start: int


class DraftVerified(Event, frozen=True, kw_only=True):
    """The language model took `seconds` to verify an opening of `drafted` words, which the draft
    model had written. `verified` of them stay, `replaced` were taken back before they were out, and
    `corrected` are corrected in words."""

    turn: int
    drafted: int
    verified: int
    replaced: int
    corrected: int
    seconds: float


class ToolCalled(Event, frozen=True, kw_only=True):
    """The turn is committed, and a tool runs."""

    turn: int
    name: str
    arguments: str


class ToolReturned(Event, frozen=True, kw_only=True):
    """The tool has run. The history keeps its result."""

    turn: int
    name: str
    result: str


class GenerationEnded(Event, frozen=True, kw_only=True):
    """The reply of `tokens` is complete, or was cut off at the limit, or cancelled."""

    turn: int
    tokens: int
    reason: Literal["stop", "length", "cancelled"]


class ClauseReady(Event, frozen=True, kw_only=True):
    """A clause of the reply: `text` as generated, `spoken` as given to the synthesizer."""

    turn: int
    clause: int
    text: str
    spoken: str


class SynthesisStarted(Event, frozen=True, kw_only=True):
    """The synthesis of a clause begins."""

    turn: int
    clause: int


class FirstAudio(Event, frozen=True, kw_only=True):
    """The first audio of the clause is synthesized. It may wait until the turn is committed."""

    turn: int
    clause: int


class SynthesisEnded(Event, frozen=True, kw_only=True):
    """The whole clause is synthesized; its audio lasts `seconds`."""

    turn: int
    clause: int
    seconds: float


class PlaybackStarted(Event, frozen=True, kw_only=True):
    """Playback of the clause begins. Its first sample leaves the speaker at `at`, its first audible
    sample (above -50 dBFS) at `audible_at`. `number` counts the answered turns of the session from
    1, as people see them; 0 in a trace of an older version."""

    turn: int
    clause: int
    at: float
    audible_at: float
    number: int = 0


class PlaybackProgress(Event, frozen=True, kw_only=True):
    """The first `chars` characters of the reply's text were played."""

    turn: int
    chars: int


class PlaybackDucked(Event, frozen=True, kw_only=True):
    """The reply is played more quietly, because of a voice that may interrupt it."""

    turn: int


class PlaybackPaused(Event, frozen=True, kw_only=True):
    """Turn `by` pauses the reply. Its last sample leaves the speaker at `at`; the rest
    is kept."""

    turn: int
    by: int
    at: float


class PlaybackResumed(Event, frozen=True, kw_only=True):
    """The reply was not interrupted, and is played on. `held`: it was paused; otherwise it was only
    quieter."""

    turn: int
    held: bool


class PlaybackEnded(Event, frozen=True, kw_only=True):
    """The last sample of the reply left the speaker at `at`, or playback was stopped then."""

    turn: int
    at: float


class Underrun(Event, frozen=True, kw_only=True):
    """The speaker ran out of audio within the reply, `count` times since the last such event."""

    turn: int
    count: int


class Overrun(Event, frozen=True, kw_only=True):
    """`count` microphone samples were lost since the last such event."""

    count: int


class EchoMeasured(Event, frozen=True, kw_only=True):
    """The echo of the speaker in the microphone: `delay` in seconds by the devices' own times, and
    `level` in dB relative to the played audio. Both are null if there is no echo, for example
    with headphones. Emitted when it has changed."""

    delay: float | None
    level: float | None


class StageFailed(Event, frozen=True, kw_only=True):
    """A stage failed. The turn, if any, is cancelled; the session goes on."""

    stage: Stage
    turn: int | None
    what: str
    remedy: str


class DeviceLost(Event, frozen=True, kw_only=True):
    """A device is unavailable; the session waits for it or uses another."""

    kind: Literal["input", "output"]
    name: str
    remedy: str


class DeviceRestored(Event, frozen=True, kw_only=True):
    """A device is in use again, or for the first time."""

    kind: Literal["input", "output"]
    name: str


class ActivationMode(Event, frozen=True, kw_only=True):
    """How the assistant is activated: always, by the wake word `word`, or by a key."""

    mode: Literal["always", "wake", "push"]
    word: str = ""


class Activated(Event, frozen=True, kw_only=True):
    """The assistant was activated: it answers the speech that follows."""

    by: Literal["wake_word", "key"]


class Deactivated(Event, frozen=True, kw_only=True):
    """The assistant waits for the wake word or the key again."""


class Muted(Event, frozen=True, kw_only=True):
    """The user muted the microphone, or unmuted it."""

    on: bool


class SpeechOutput(Event, frozen=True, kw_only=True):
    """Replies are spoken from now on, or only shown."""

    on: bool


class ConversationCleared(Event, frozen=True, kw_only=True):
    """The user began a new conversation: the history is empty."""


class HistoryTrimmed(Event, frozen=True, kw_only=True):
    """The context window was full: the oldest `messages` messages were removed from the history."""

    messages: int


class TimerShown(Struct, frozen=True, kw_only=True):
    """A timer, an alarm or a reminder: its `name`, and when it is `due`, in seconds since 1970.

    `left` are the remaining seconds while it is paused.
    """

    number: int
    kind: Literal["timer", "alarm", "reminder"]
    name: str
    due: float
    left: float | None = None
    rings: bool = False


class TimersChanged(Event, frozen=True, kw_only=True):
    """All timers, alarms and reminders there are now, the next one first."""

    timers: tuple[TimerShown, ...]


class DownloadProgress(Event, frozen=True, kw_only=True):
    """`done` of `total` bytes of a model are here; it is downloaded in the background."""

    model: str
    done: int
    total: int


class DownloadEnded(Event, frozen=True, kw_only=True):
    """A download in the background has ended; `problem` says why it is not complete."""

    model: str
    problem: str = ""


class Notice(Event, frozen=True, kw_only=True):
    """A message for the user, to be shown once."""

    text: str


AnyEvent = Union[
    SessionStarted, EngineLoading, EngineReady, Listening, Ready, SessionEnded, Level,
    Resources, TurnStarted, SpeechStarted, SpeechPaused, SpeechEnded, TranscriptionStarted,
    InterimTranscript, PrefillProgress, FinalTranscript, EndOfTurnScored, TurnCommitted,
    TurnCancelled, TurnCompleted, PrefillStarted, PrefillEnded, ReplyContinued, TokenGenerated,
    GenerationEnded, ClauseReady, SynthesisStarted, FirstAudio, SynthesisEnded, PlaybackStarted,
    PlaybackProgress, PlaybackDucked, PlaybackPaused, PlaybackResumed, PlaybackEnded, Underrun,
    Overrun, EchoMeasured, StageFailed, DeviceLost, DeviceRestored, ActivationMode, Activated,
    Deactivated, Muted, SpeechOutput, ConversationCleared, HistoryTrimmed, Notice,
    SpeakerTempoChanged, ReplyRevised, DraftVerified, ToolCalled, ToolReturned, TimersChanged,
    DownloadProgress, DownloadEnded,
]  # fmt: skip

EVENT_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in AnyEvent.__args__)  # type: ignore[attr-defined]
"""The `type` of every event in JSON."""
