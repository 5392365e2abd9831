"""`run` and `demo`: whole conversations."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgevoice.cli import Context, complain, metrics, pass_context
from edgevoice.cli.converse import converse, is_screen
from edgevoice.cli.keeping import old_record_option, record_option
from edgevoice.cli.questions import question_lines
from edgevoice.errors import AudioFileError, DeviceError, NoDeviceError, UsageError

if TYPE_CHECKING:
    from edgevoice.audio import Samples
    from edgevoice.build import Devices
    from edgevoice.player import Player
    from edgevoice.settings import Config

UNHEARD_DEMO = "the demo goes on unheard"

SOUND_FILES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff")

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

SHARED: tuple[Option, ...] = (
    click.option("--plain", is_flag=True, help="Print lines instead of opening the screen."),
    click.option("--waterfall", is_flag=True, help="With --plain: draw each turn's timings."),
    click.option(
        "--trace", type=click.Path(path_type=Path), help="Write every event as JSON lines."
    ),
    click.option("--slm", metavar="NAME", help="Language model, by its name in `models list`."),
    click.option("--stt", metavar="NAME", help="Transcription model."),
    click.option("--tts", metavar="NAME", help="Voice."),
    click.option("--system-prompt", metavar="TEXT", help="System prompt of the language model."),
    *metrics.OPTIONS,
)


def shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `run` and `demo` have in common."""
    for option in reversed(SHARED):
        command = option(command)
    return command


@click.command()
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="DEVICE|FILE…",
    help="Microphone by name or number, or sound files with the user's questions.",
)
@click.argument("more_files", nargs=-1, metavar="")
@click.option(
    "--output",
    metavar="DEVICE|FILE",
    help="Speaker by name or number, or a WAV file to record to; - is standard output.",
)
@click.option("--language", metavar="CODE", help="Spoken language: for example en, en,pt or auto.")
@click.option("--barge-in/--no-barge-in", default=None, help="Let speech interrupt a reply.")
@click.option(
    "--wake-word",
    is_flag=False,
    flag_value="",
    metavar="[WORD]",
    help='Listen only after a wake word: "hey jarvis", or the given one.',
)
@click.option("--push-to-talk", is_flag=True, help="Listen only while the talk key is on.")
@click.option(
    "--demo-without-microphone",
    is_flag=True,
    help="Show the demo on a machine without any input device.",
)
@record_option
@old_record_option
@shared
@pass_context
def run(
    context: Context,
    inputs: tuple[str, ...],
    more_files: tuple[str, ...],
    output: str | None,
    language: str | None,
    barge_in: bool | None,
    wake_word: str | None,
    push_to_talk: bool,
    demo_without_microphone: bool,
    record_turns: str | None,
    keep_audio: str | None,
    **options: Any,
) -> None:
    """Talk to the assistant.

    Opens the microphone and the speaker, and listens. The first run downloads the models it
    needs. With --input a.wav b.wav the questions come from files, in real time.
    """
    files = [name for name in (*inputs, *more_files) if _is_path(name)]
    devices = [name for name in (*inputs, *more_files) if not _is_path(name)]
    if more_files and not inputs:
        raise UsageError(
            f"unexpected argument {more_files[0]!r}",
            remedy=f"edgevoice run --input {more_files[0]}",
        )
    if len(devices) > 1 or (files and devices):
        raise UsageError(
            f"--input takes one device or any number of files, not {', '.join(devices)}",
            remedy="edgevoice devices lists the devices; files end in .wav, .flac or .ogg",
        )
    if wake_word is not None and push_to_talk:
        raise UsageError(
            "--wake-word and --push-to-talk exclude each other",
            remedy="the key works with a wake word, too: leave --push-to-talk out",
        )
    if keep_audio is not None:
        context.renamed_option("--keep-audio")
    record = output if output and _is_path(output) else None
    flags = {
        "audio__input": devices[0] if devices else None,
        "audio__output": None if record else output,
        "stt__language": language,
        "turn__barge_in": barge_in,
        "address__mode": "push" if push_to_talk else None if wake_word is None else "wake",
        "wake__word": wake_word or None,
        "recordings__folder": record_turns or keep_audio,
    }
    overrides = _overrides(context, options, **flags)
    if not files:
        from edgevoice.devices import probe

        probe.start()  # beside what is imported until a device is opened
    clips = _read(files)
    config = context.load(overrides).config
    from edgevoice.build import clips_source, open_source
    from edgevoice.clock import SystemClock
    from edgevoice.devices.listing import find

    def source(config: Config, devices: Devices) -> Any:
        return (
            clips_source(devices.clock, iter(clips), ", ".join(files))
            if files
            else devices.source(config)
        )

    def sink(config: Config, devices: Devices, unheard: str = "") -> Player:
        if record:
            return devices.recorded(record)
        quietly = files and not config.audio.output
        return _speaker(config, devices, "the conversation goes on unheard" if quietly else unheard)

    # Found out before anything is fetched or loaded: an error that comes at once costs no wait.
    try:
        if not files and not config.audio.wait:
            open_source(config, SystemClock()).close()
    except DeviceError as error:
        none = isinstance(error, NoDeviceError) and not config.audio.input
        if demo_without_microphone and none:
            told = "this is the demo conversation; to talk, see `edgevoice devices`"
            complain(f"{error.what}: {told}")
        elif not (is_screen(options, record) and sys.stdin.isatty()):
            raise
        else:
            complain(str(error))
            if not click.confirm("Watch the demo instead?", default=True, err=True):
                click.get_current_context().exit(error.exit_code)
        unheard = partial(sink, unheard=UNHEARD_DEMO)
        _demonstrate(context, overrides, options, unheard, record=record)
        return
    if not (files or record or config.audio.wait):
        find("output", config.audio.output)
    _ready(context, overrides)
    to = config.recordings.folder
    converse(context, config, overrides, options, source, sink, record, keep=to)


@click.command()
@click.option(
    "--questions",
    type=click.File("rb"),
    help="File with the user's questions, one per line; - is standard input.",
)
@shared
@pass_context
def demo(context: Context, questions: Any, **options: Any) -> None:
    """Watch a conversation with a synthesized user: no microphone needed."""
    _demonstrate(
        context,
        _overrides(context, options),
        options,
        lambda config, devices: _speaker(config, devices, UNHEARD_DEMO),
        question_lines(questions) if questions else None,
    )


def _demonstrate(
    context: Context,
    overrides: dict[str, str],
    options: dict[str, Any],
    sink: Callable[[Config, Devices], Player],
    questions: list[str] | None = None,
    record: str | None = None,
) -> None:
    """Hold the conversation with a synthesized user, who knows no wake word and has no key."""
    overrides = {**overrides, "activation.mode": "always"}
    config = _ready(context, overrides)
    converse(
        context,
        config,
        overrides,
        options,
        lambda config, devices: _demo_source(config, devices, questions),
        sink,
        record,
        title="edgevoice demo",
    )


def _is_path(name: str) -> bool:
    """Whether a file or a folder is meant, and not a device."""
    there = Path(name).exists() and not name.isdigit()
    begins = name.startswith((".", "~", "/")) or (os.sep in name and Path(name).parent.is_dir())
    return name == "-" or name.lower().endswith(SOUND_FILES) or there or begins


def _overrides(context: Context, options: dict[str, Any], **flags: Any) -> dict[str, str]:
    typed = {
        "models__slm": options["slm"],
        "models__stt": options["stt"],
        "models__tts": options["tts"],
        "slm__system_prompt": options["system_prompt"],
        **metrics.flags(options),
        **flags,
    }
    return {
        **context.settings,
        **{k.replace("__", "."): str(v) for k, v in typed.items() if v is not None},
    }


def _ready(context: Context, overrides: dict[str, str]) -> Config:
    """The configuration, with the models it needs in place."""
    config = context.load(overrides).config
    metrics.check(config.metrics)
    from edgevoice.cli.models import too_slow
    from edgevoice.models.progress import shown
    from edgevoice.models.pull import ensure_starter
    from edgevoice.models.store import Store

    with shown() as progress:
        ensure_starter(Store(config), progress, is_slow=too_slow)
    return config


def _read(files: list[str]) -> list[Samples]:
    if not files:
        return []
    from edgevoice.wav import read_speech

    clips = []
    for name in files:
        clip = read_speech(name, complain)
        if not len(clip):
            raise AudioFileError("there is no sound in it", where=name)
        clips.append(clip)
    return clips


def _speaker(config: Config, devices: Devices, without: str = "") -> Player:
    """The configured speaker; where there is none, a quiet one if `without` says what then."""
    from edgevoice.build import quiet_sink

    try:
        return devices.sink(config)
    except DeviceError as error:
        if not without:
            raise
        complain(f"{error.what}: {without}")
        return quiet_sink(devices.clock, "no speaker")


def _demo_source(config: Config, devices: Devices, questions: list[str] | None = None) -> Any:
    from edgevoice.build import clips_source
    from edgevoice.demo import QUESTIONS, spoken
    from edgevoice.engines.registry import load_chosen

    voice = load_chosen("tts", config)
    return clips_source(devices.clock, spoken(questions or QUESTIONS, voice), "a synthesized user")
