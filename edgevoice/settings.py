"""Every setting, with its type, its bounds and its default: one struct per section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

SYSTEM_PROMPT = (
    "You are edgevoice, an open-source voice assistant that runs offline on the user's own device. "
    "Your answers are spoken aloud: reply in one or two short, plain sentences, as a person would "
    "say them. No lists, no markdown, no emoji, no code unless asked for. The date and time are in "
    "brackets before each question. You can only talk: you cannot do things, go online, or see. "
    "If you do not know, say so."
)

Milliseconds = Annotated[int, Meta(ge=0, le=60_000)]
Probability = Annotated[float, Meta(ge=0.0, le=1.0)]


class Models(Struct, frozen=True, forbid_unknown_fields=True):
    """Which models run, by catalog name; empty: the best one present."""

    slm: str = ""
    """Language model."""
    stt: str = ""
    """Transcription model."""
    tts: str = ""
    """Voice."""
    vad: str = ""
    """Speech detection model."""
    turn: str = ""
    """End-of-turn detection model; `none`: use silence and text only."""
    reference: Literal["ask", "yes", "no"] = "ask"
    """Download the reference language model in the background of a conversation in a terminal; ask:
    the first start asks. Only where it suits this machine and the spoken languages."""
    folder: str = ""
    """Models folder; empty: `models/` in a checkout, else the user's data folder."""


class AudioSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Devices by number, name or part of a name; empty: the system's default."""

    input: str = ""
    """Microphone."""
    output: str = ""
    """Speaker."""
    latency_ms: Milliseconds = 0
    """Requested output buffer; more is safer against underruns, less is faster. 0: 30 ms, and more
    for a speaker that has had underruns."""
    fallback: bool = True
    """Use the system's default device while the device named here is unavailable."""
    wait: bool = False
    """Start a session without its devices, and wait for them."""
    wake_ms: Milliseconds = 0
    """Play inaudible noise before a reply, for a speaker that mutes itself in silence and misses
    the first word. The reply is delayed by as much."""
    keep_awake: bool = False
    """Play that noise all the time instead, so that the speaker never sleeps."""


class TurnSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """When a turn begins, ends and is interrupted."""

    speech_threshold: Probability = 0.5
    """Speech probability at which a frame counts as speech; silence begins 0.15 below."""
    min_speech_ms: Milliseconds = 96
    """Voiced time before a turn begins."""
    pre_roll_ms: Milliseconds = 300
    """Audio kept from before the first voiced frame."""
    pause_ms: Milliseconds = 128
    """Silence after which the reply is prepared, inaudibly."""
    patience: Literal["quick", "normal", "patient"] = "normal"
    """How soon a silence ends the turn: sets min_silence_ms and max_silence_ms where they are 0."""
    min_silence_ms: Milliseconds = 0
    """Silence that ends a complete question or command; 0: set by patience."""
    max_silence_ms: Milliseconds = 0
    """Silence that ends any turn, even in mid-thought; 0: set by patience."""
    adapt: bool = True
    """Adapt these waits to the speaker during a conversation, where patience sets them."""
    silence_ms: Milliseconds = 0
    """End every turn after this silence, whatever was said; 0: depends on what was said."""
    speculate: bool = True
    """Prepare the reply in a pause; off: only after the end of the turn."""
    noise_floor: bool = True
    """Ignore voices that are no louder than the background."""
    unclear_seconds: Annotated[float, Meta(ge=0, le=600)] = 10.0
    """Report speech without intelligible words after this time; 0: never."""
    max_seconds: Annotated[float, Meta(gt=0, le=600)] = 60.0
    """Longest utterance; a longer one is answered as it is."""
    barge_in: bool = True
    """Let speech interrupt a reply; off: ignore speech during a reply."""
    interruption: Literal["eager", "normal", "careful"] = "normal"
    """How soon a voice interrupts: sets the four times below where they are 0."""
    duck_ms: Milliseconds = 0
    """Voiced time before the reply becomes quieter; 0: set by interruption."""
    barge_in_ms: Milliseconds = 0
    """Voiced time before the speech is transcribed; 0: set by interruption."""
    pause_playback_ms: Milliseconds = 0
    """Voiced time before the reply pauses; 0: set by interruption."""
    stop_playback_ms: Milliseconds = 0
    """Voiced time that ends the reply before any word is known; 0: set by interruption."""
    duck_db: Annotated[float, Meta(ge=-60.0, le=0.0)] = -12.0
    """Gain of the reply while somebody may be speaking; 0: unchanged."""


class ActivationSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the assistant is activated."""

    mode: Literal["always", "wake", "push"] = "always"
    """`always`: it answers all speech; `wake`: after the wake word; `push`: while a key is on."""
    follow_up_seconds: Annotated[float, Meta(ge=0, le=600)] = 8.0
    """With a wake word: time to keep listening after a reply; 0: none."""
    interrupt: Literal["speech", "wake"] = "speech"
    """With a wake word: what stops a reply, any speech or only the wake word."""
    earcons: Literal["auto", "on", "off"] = "auto"
    """Short tones for activated, deactivated, muted and failed; auto: with wake and push."""
    close_between: bool = False
    """With push: close the microphone while the key is off. Opening takes a moment."""


class WakeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The wake word, for `activation.mode = "wake"`."""

    word: str = "hey jarvis"
    """A bundled wake word, or the path of a microWakeWord model's .json file."""
    sensitivity: Probability = 0.5
    """0.5: as trained; higher detects more, with more false activations."""
    listen_seconds: Annotated[float, Meta(gt=0, le=600)] = 6.0
    """Time to wait for speech after the wake word alone."""
    reply: str = ""
    """Reply to the wake word alone, for example `Yes?`; empty: none."""


class EchoSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Echo cancellation and self-speech detection."""

    cancel: Literal["auto", "on", "off"] = "auto"
    """Remove the assistant's voice from the microphone; `auto`: where it is audible there."""
    self_speech: bool = True
    """Ignore text that matches the assistant's own reply."""
    noise_suppression: bool = False
    """Remove steady noise from the microphone."""
    gain_control: bool = False
    """Bring the microphone to an even loudness."""


class SttSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Speech to text."""

    language: str = "en"
    """Spoken language: a code (`en`), several with the main one first (`en,de`), or `auto`: every
    language with an installed voice."""
    beam: Annotated[int, Meta(ge=1, le=10)] = 1
    """Beam size; a larger one is slower and slightly more accurate."""
    threads: Annotated[int, Meta(ge=0, le=256)] = 0
    """Threads; 0: chosen for this machine."""
    window: Literal["clip", "full"] = "clip"
    """Audio to encode: the clip and a margin, or Whisper's full 30 seconds."""
    names: str = ""
    """Names and rare words that you say, separated by commas, so that they are recognized."""
    partials: bool = True
    """Show interim transcripts while the user speaks."""
    no_speech: Probability = 0.6
    """No-speech probability above which unlikely text is discarded."""
    min_logprob: Annotated[float, Meta(ge=-10.0, le=0.0)] = -1.0
    """Mean log-probability below which a transcript is doubtful."""


class SlmSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The language model."""

    system_prompt: str = SYSTEM_PROMPT
    """Who the assistant is, and how it answers."""
    examples: bool = True
    """Show the model a few replies in English, where English is the only spoken language."""
    date_time: bool = True
    """Tell the model the date and time with each question."""
    draft: str = "off"
    """A small model that opens replies, and that the language model verifies. A name, off, or auto:
    the smallest of the models that converse, where it is measured to save time. Its first words may
    be wrong when they are heard; they are then corrected aloud (drafts-2026-11)."""
    draft_trust: Literal["cautious", "normal", "swift"] = "normal"
    """How unlikely a word of the draft may be and still stay."""
    adapters: tuple[str, ...] = ()
    """LoRA adapters of the language model: GGUF files, each with ` * SCALE` and ` sha256:HASH`
    behind it if wanted, for example `["museum.gguf * 0.5"]`."""
    context: Annotated[int, Meta(ge=256, le=131_072)] = 4096
    """Context window in tokens."""
    max_tokens: Annotated[int, Meta(ge=1, le=8192)] = 300
    """Longest reply in tokens."""
    temperature: Annotated[float, Meta(ge=0.0, le=2.0)] = 0.3
    """0: always the likeliest token; higher: more varied and less reliable."""
    seed: int = -1
    """Random seed; -1: a new one each time."""
    threads: Annotated[int, Meta(ge=0, le=256)] = 0
    """Threads; 0: chosen for this machine."""
    adapt_threads: bool = True
    """Use fewer threads while other stages or programs need the cores."""
    prefill_ahead: bool = True
    """Evaluate the words of a question while the user still speaks."""
    prompt_cache: bool = True
    """Store the evaluated system prompt on disk, for a faster start."""
    lock_memory: bool = True
    """Lock the models in memory, where the system allows it."""
    kv_budget_mb: Annotated[int, Meta(ge=0, le=1_000_000)] = 512
    """Memory for the KV caches of all sessions that share a model, in MB; one session always has
    one."""
    gpu_layers: Annotated[int, Meta(ge=-1, le=1000)] = -1
    """Layers on the GPU; -1: all with Metal or CUDA, else none."""


class TtsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Text to speech."""

    speed: Annotated[float, Meta(ge=0.5, le=2.0)] = 1.0
    """Speaking rate, as a factor."""
    speaker: Annotated[int, Meta(ge=0)] = 0
    """Speaker number of a voice with several speakers."""
    variation: Annotated[float, Meta(ge=0.0, le=2.0)] = 1.0
    """Variation of the voice, as a factor; 0: a sentence always sounds the same."""
    first_clause_words: Annotated[int, Meta(ge=0, le=30)] = 0
    """Words after which the first clause may end; 0: chosen so that no silence follows it."""
    shorten_silence: bool = True
    """Shorten the voice's silences before a reply and within its sentences."""
    stream: bool = True
    """Start playing a clause before all of it is synthesized."""
    lexicon: Mapping[str, str] = field(default_factory=dict)
    """Words, and how they are said: a respelling, or phonemes in IPA between slashes. In a file it
    is the table `[tts.lexicon]`, for example `Siobhan = "/ʃɪvˈɔːn/"`."""
    threads: Annotated[int, Meta(ge=0, le=256)] = 0
    """Threads; 0: chosen for this machine."""


class KokoroSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Kokoro voices."""

    voice: str = ""
    """Speaker, by name; empty: the first one of the model."""


class RecordingsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Recording of turns, for `edgevoice replay`."""

    folder: str = ""
    """Folder for the audio and the text of every turn; empty: nothing is recorded."""
    turns: Annotated[int, Meta(ge=0, le=1_000_000)] = 500
    """Most turns on disk; the oldest are deleted first; 0: no limit."""
    megabytes: Annotated[int, Meta(ge=0, le=1_000_000)] = 500
    """Most megabytes on disk, likewise; 0: no limit."""


class SkillsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the assistant does itself: the time, timers, sums, and skills of your own."""

    enabled: bool = True
    """Answer what a skill understands without the language model."""
    allow: str = "all"
    """Which ones: `all`, or names from `edgevoice skills list`, separated by commas."""
    keep_timers: bool = True
    """Keep timers, alarms and reminders on disk, so that they survive a restart."""


class UiSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The terminal screen."""

    theme: Literal["dark", "light"] = "dark"
    """Light or dark colours."""


class MetricsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Metrics export, off by default; metrics contain no text of the conversation."""

    prometheus: str = ""
    """Address for Prometheus: PORT, for this machine only, or HOST:PORT; empty: off."""
    otel: bool = False
    """Send spans and metrics by OpenTelemetry, to where the OTEL_* variables say."""


class PowerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Battery and heat, for phones and laptops."""

    watch: bool = False
    """Compute on half of the cores, and then pause, when the battery is low or it gets hot."""
    spare_percent: Annotated[int, Meta(ge=0, le=100)] = 20
    """Battery at which half of the cores is left alone."""
    pause_percent: Annotated[int, Meta(ge=0, le=100)] = 5
    """Battery at which the microphone is turned off."""
    hot_c: Annotated[int, Meta(ge=30, le=120)] = 75
    """Temperature in °C at which half of the cores is left alone; 10 °C more is a pause."""
    fast_cores: bool = False
    """Use only the fast cores of a processor that has slow ones, too."""


class KioskSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What `edgevoice kiosk run` does beside the conversation."""

    reset_s: Annotated[int, Meta(ge=0, le=3600)] = 45
    """Seconds of silence after which a visitor is forgotten; 0: only after a goodbye."""
    hours: str = ""
    """Opening hours, for example `tu-su 10:00-18:00`; empty: always open. When it is closed, so is
    the microphone."""
    emergency: str = ""
    """What to say in an emergency."""
    forbidden: str = ""
    """Topics that are not talked about."""


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings."""

    models: Models = field(default_factory=Models)
    audio: AudioSettings = field(default_factory=AudioSettings)
    turn: TurnSettings = field(default_factory=TurnSettings)
    activation: ActivationSettings = field(default_factory=ActivationSettings)
    wake: WakeSettings = field(default_factory=WakeSettings)
    echo: EchoSettings = field(default_factory=EchoSettings)
    stt: SttSettings = field(default_factory=SttSettings)
    slm: SlmSettings = field(default_factory=SlmSettings)
    tts: TtsSettings = field(default_factory=TtsSettings)
    kokoro: KokoroSettings = field(default_factory=KokoroSettings)
    recordings: RecordingsSettings = field(default_factory=RecordingsSettings)
    skills: SkillsSettings = field(default_factory=SkillsSettings)
    ui: UiSettings = field(default_factory=UiSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    power: PowerSettings = field(default_factory=PowerSettings)
    kiosk: KioskSettings = field(default_factory=KioskSettings)
    engines: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Sections of engines from other packages, with the settings that are given."""
