"""Every setting there is, with its type, its bounds and its default: one struct a section."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

SYSTEM_PROMPT = (
    "You are a voice assistant running on the user's own device. Your answers are spoken aloud: "
    "reply in one to three short, plain sentences, as a person would say them. No lists, no "
    "markdown, no emoji, no code unless asked for. If you do not know, say so."
)

Milliseconds = Annotated[int, Meta(ge=0, le=60_000)]
Probability = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds = Annotated[float, Meta(ge=0.0, le=600.0)]


class Models(Struct, frozen=True, forbid_unknown_fields=True):
    """Which models run, by catalog name; empty means the best one present."""

    slm: str = ""
    """Language model."""
    stt: str = ""
    """Recognizer, from speech to text."""
    tts: str = ""
    """Voice, from text to speech."""
    vad: str = ""
    """Speech detector."""
    turn: str = ""
    """Detector of finished turns; `none`: only silence and words tell."""
    folder: str = ""
    """Where weights live; empty: `models/` in a checkout, the user's data folder otherwise."""


class AudioSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Devices by number, name or part of a name; empty means the system's default."""

    input: str = ""
    """Microphone."""
    output: str = ""
    """Speaker."""
    latency_ms: Milliseconds = 60
    """Output buffer asked of the device; higher is safer against underruns."""
    fallback: bool = True
    """Whether the system's default stands in for a device named here while that is away."""
    wait: bool = False
    """Whether a session may begin without its devices, and waits for them."""
    wake_ms: Milliseconds = 0
    """Inaudible hiss before a reply's first sound, for a speaker that mutes itself in silence and
    misses the first word; as much later is the reply heard."""
    keep_awake: bool = False
    """Whether that hiss goes out all the time instead, which costs the speaker its sleep."""


class TurnSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """When a turn begins, ends and is interrupted."""

    speech_threshold: Probability = 0.5
    """VAD probability at which a frame counts as speech; silence begins 0.15 below."""
    min_speech_ms: Milliseconds = 96
    """Voiced time before a turn begins."""
    pre_roll_ms: Milliseconds = 300
    """Sound kept from before the first voiced frame."""
    pause_ms: Milliseconds = 128
    """Silence after which work on the answer begins, unheard."""
    patience: Literal["quick", "normal", "patient"] = "normal"
    """How soon a silence ends the turn: sets shortest_ms and longest_ms where they are 0."""
    shortest_ms: Milliseconds = 0
    """Silence that ends a clearly complete question or command; 0: as patience has it."""
    longest_ms: Milliseconds = 0
    """Silence that ends any turn, in mid-thought too; 0: as patience has it."""
    adapt: bool = True
    """Whether these waits adapt to the speaker over a conversation, where patience sets them."""
    silence_ms: Milliseconds = 0
    """A fixed silence that ends every turn, whatever was said; 0: as long as what was said asks."""
    speculate: bool = True
    """Whether work on the answer begins in a pause; off: only when the turn has ended."""
    noise_floor: bool = True
    """Whether what is no louder than the surroundings is taken for no speech of the user's."""
    unclear_seconds: Annotated[float, Meta(ge=0, le=600)] = 10.0
    """How long something may go on of which no word can be made out, before it says so; 0: as long
    as it likes."""
    max_seconds: Annotated[float, Meta(gt=0, le=600)] = 60.0
    """The longest utterance; a longer one is answered as it stands."""
    barge_in: bool = True
    """Whether speaking while it speaks stops it; off where it interrupts itself after all."""
    interruption: Literal["eager", "normal", "careful"] = "normal"
    """How soon a voice makes it fall silent: sets the four times below where they are 0."""
    duck_ms: Milliseconds = 0
    """Voiced time after which it speaks more quietly; 0: as interruption has it."""
    barge_in_ms: Milliseconds = 0
    """Voiced time after which what is said is listened to; 0: as interruption has it."""
    hold_ms: Milliseconds = 0
    """Voiced time after which it pauses; 0: as interruption has it."""
    sure_ms: Milliseconds = 0
    """Voiced time that interrupts it though no word is known yet; 0: as interruption has it."""
    duck_db: Annotated[float, Meta(ge=-60.0, le=0.0)] = -12.0
    """How much quieter it speaks while somebody may be speaking; 0: as loud as ever."""


class AddressSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How it is told that something is meant for it."""

    mode: Literal["always", "wake", "push"] = "always"
    """`always`: all that is said; `wake`: what follows the wake word; `push`: while a key is on."""
    follow_up_seconds: Seconds = 8.0
    """With a wake word: how long it goes on listening after a reply; 0: not at all."""
    interrupt: Literal["speech", "wake"] = "speech"
    """With a wake word: what stops a reply, anything said or only the wake word."""
    earcons: Literal["auto", "on", "off"] = "auto"
    """Short sounds for woke, asleep, muted and failed; auto: in the modes wake and push."""
    close_between: bool = False
    """With push: whether the microphone is closed while the key is off, which costs a moment."""


class WakeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The wake word, for `address.mode = "wake"`."""

    word: str = "hey jarvis"
    """One that comes with the program, or the path of a microWakeWord model's .json file."""
    sensitivity: Probability = 0.5
    """0.5: as the model was tuned; more hears it sooner and more often where nobody said it."""
    listen_seconds: Annotated[float, Meta(gt=0, le=600)] = 6.0
    """How long it waits for the first word after the wake word alone."""
    reply: str = ""
    """What it says when the wake word came alone, such as `Yes?`; empty: nothing."""


class EchoSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is done about its own voice in the microphone."""

    cancel: Literal["auto", "on", "off"] = "auto"
    """Whether its own voice is taken out of what is heard; `auto`: where the speaker is heard."""
    own_words: bool = True
    """Whether what sounds like the reply it is speaking is taken for nobody's question."""
    noise_suppression: bool = False
    """Whether steady noise is taken out of what is heard."""
    gain_control: bool = False
    """Whether what is heard is brought to an even loudness."""


class SttSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Speech to text."""

    language: str = "en"
    """What is spoken: a code (`en`), several with the main one first (`en,de`), or `auto`: every
    language for which a voice is here."""
    beam: Annotated[int, Meta(ge=1, le=10)] = 1
    """Beams searched at once; more is slower and a little more exact."""
    threads: Annotated[int, Meta(ge=0, le=256)] = 0
    """0: chosen for this machine."""
    window: Literal["clip", "full"] = "clip"
    """How much is read: what was said and a margin, or Whisper's full half minute."""
    partials: bool = True
    """Whether text is shown while the user speaks."""
    no_speech: Probability = 0.6
    """Above this no-speech probability, with a low log-probability, nobody spoke."""
    min_logprob: Annotated[float, Meta(ge=-10.0, le=0.0)] = -1.0
    """Mean log-probability under which a transcript is doubtful."""


class SlmSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The language model."""

    system_prompt: str = SYSTEM_PROMPT
    """What the assistant is told about itself and about how to answer."""
    context: Annotated[int, Meta(ge=256, le=131_072)] = 4096
    """Context window in tokens."""
    max_tokens: Annotated[int, Meta(ge=1, le=8192)] = 300
    """The longest reply."""
    temperature: Annotated[float, Meta(ge=0.0, le=2.0)] = 0.3
    """0: always the likeliest word; higher is livelier and less reliable."""
    seed: int = -1
    """-1: another each time."""
    threads: Annotated[int, Meta(ge=0, le=256)] = 0
    """0: chosen for this machine."""
    adapt_threads: bool = True
    """Whether it makes room, from one token to the next, for other stages and other programs."""
    prefill_ahead: bool = True
    """Whether the words of a question go into the model while the rest is still being spoken."""
    keep_state: bool = True
    """Whether the evaluated system prompt is kept on disk, so that the next start is warm."""
    lock_memory: bool = True
    """Whether what is loaded is pinned in memory, where the system allows it."""
    gpu_layers: Annotated[int, Meta(ge=-1, le=1000)] = -1
    """-1: all where there is Metal or CUDA, else none."""


class TtsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Text to speech."""

    speed: Annotated[float, Meta(ge=0.5, le=2.0)] = 1.0
    """How fast it speaks, as a factor."""
    speaker: Annotated[int, Meta(ge=0)] = 0
    """Speaker number of a voice that has several."""
    variation: Annotated[float, Meta(ge=0.0, le=2.0)] = 1.0
    """How much it varies, as a factor; 0: the same sentence sounds the same every time."""
    first_clause_words: Annotated[int, Meta(ge=0, le=30)] = 0
    """Words after which the first clause may be cut; 0: as soon as no gap would follow it."""
    shorten_silence: bool = True
    """Whether there is less silence before a reply and within its sentences than the voice makes,
    which then does not fall there either."""
    stream: bool = True
    """Whether sound begins while the rest of its clause is still being made."""
    threads: Annotated[int, Meta(ge=0, le=256)] = 0
    """0: chosen for this machine."""


class KeepSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of a conversation, to be run again with `edgevoice replay`."""

    audio: str = ""
    """Folder for the sound and the words of every turn; empty: nothing is kept."""
    turns: Annotated[int, Meta(ge=0, le=1_000_000)] = 500
    """Turns kept at most, the oldest go first; 0: any number."""
    megabytes: Annotated[int, Meta(ge=0, le=1_000_000)] = 500
    """What they take at most, likewise; 0: any amount."""


class UiSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The terminal screen."""

    theme: Literal["dark", "light"] = "dark"
    """Colours on a dark or a light ground."""


class MetricsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers for those who collect them, off by default; no word that is said is among them."""

    prometheus: str = ""
    """Where Prometheus fetches them: PORT, for this machine alone, or HOST:PORT; empty: nowhere."""
    otel: bool = False
    """Whether spans and metrics are sent by OpenTelemetry, to where the OTEL_* variables say."""


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting there is."""

    models: Models = field(default_factory=Models)
    audio: AudioSettings = field(default_factory=AudioSettings)
    turn: TurnSettings = field(default_factory=TurnSettings)
    address: AddressSettings = field(default_factory=AddressSettings)
    wake: WakeSettings = field(default_factory=WakeSettings)
    echo: EchoSettings = field(default_factory=EchoSettings)
    stt: SttSettings = field(default_factory=SttSettings)
    slm: SlmSettings = field(default_factory=SlmSettings)
    tts: TtsSettings = field(default_factory=TtsSettings)
    keep: KeepSettings = field(default_factory=KeepSettings)
    ui: UiSettings = field(default_factory=UiSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
