"""`run` and `demo`: whole conversations."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from edgevoice.cli import Context, complain, first_start, metrics, pass_context
from edgevoice.cli.converse import converse, is_screen
from edgevoice.cli.questions import question_lines
from edgevoice.cli.ready import ready
from edgevoice.cli.record_turns import old_record_option, record_option
from edgevoice.errors import AudioFileError, DeviceError, NoDeviceError, UsageError

if TYPE_CHECKING:
    from edgevoice.audio import Samples
    from edgevoice.open_devices import Devices
    from edgevoice.player import Player
    from edgevoice.settings import Config

SILENT_DEMO = "the demo runs without sound"

NO_SPEAKER = "replies can only be read"

SOUND_FILES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff")

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

SHARED: tuple[Option, ...] = (
    click.option("--plain", is_flag=True, help="Print lines instead of opening the screen."),
    click.option("--waterfall", is_flag=True, help="With --plain: draw each turn's timings."),
    click.option(
        "--trace", type=click.Path(path_type=Path), help="Write every event as JSON lines."
    ),
    click.option("--slm", metavar="NAME", help="Language model, by its name in `models list`."),
    click.option("--slm-draft", metavar="NAME", help="Model that opens replies, auto or off."),
    click.option("--stt", metavar="NAME", help="Transcription model."),
    click.option("--tts", metavar="NAME", help="Voice."),
    click.option("--system-prompt", metavar="TEXT", help="System prompt of the language model."),
    *metrics.METRICS_OPTIONS,
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
    "--quiet",
    is_flag=True,
    help="Type questions and read replies. With --plain, questions are lines of standard input.",
)
@click.option(
    "--connect",
    metavar="HOST",
    help="Use the models of another machine, where `edgevoice serve` runs.",
)
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
    quiet: bool,
    connect: str | None,
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
            "--input accepts one device or any number of files, not "
            f"{', '.join((*inputs, *more_files))}",
            remedy="choose a device from `edgevoice devices`, or files that end in .wav, .flac "
            "or .ogg",
        )
    if wake_word is not None and push_to_talk:
        raise UsageError(
            "--wake-word and --push-to-talk cannot be combined",
            remedy="leave out --push-to-talk: the talk key works with a wake word, too",
        )
    if keep_audio is not None:
        context.renamed_option("--keep-audio")
    record = output if output and _is_path(output) else None
    if connect is not None:
        from edgevoice.cli.connect import converse_with

        if record or quiet or wake_word is not None or record_turns or keep_audio:
            raise UsageError(
                "--connect cannot be combined with --quiet, --wake-word, --record-turns or an "
                "output file",
                remedy="leave it out: the models and their settings are on the other machine",
            )
        mode: Literal["push-to-talk"] | None = "push-to-talk" if push_to_talk else None
        given = _overrides(
            context, options, audio__input=devices[0] if devices else None, audio__output=output
        )
        config = context.load(given).config
        converse_with(connect, config, options, _read(files), language or "", mode)
        return
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
    if not files and not quiet:
        from edgevoice.devices import probe

        probe.start()  # in parallel with the imports before a device is opened
    clips = _read(files)
    resolved = context.load(overrides)
    config = resolved.config
    from edgevoice.clock import SystemClock
    from edgevoice.devices.listing import find
    from edgevoice.open_devices import clips_source, open_source

    def source(config: Config, devices: Devices) -> Any:
        return (
            clips_source(devices.clock, iter(clips), ", ".join(files))
            if files
            else devices.closed_source(config)
            if quiet
            else devices.source(config)
        )

    def sink(config: Config, devices: Devices, if_absent: str = "") -> Player:
        if record:
            return devices.recorded(record)
        if quiet:
            return _speaker(config, devices, NO_SPEAKER)
        if files and not config.audio.output:
            if_absent = "the conversation runs without sound"
        return _speaker(config, devices, if_absent)

    # Devices are checked before models are downloaded or loaded, so that errors come at once.
    try:
        if not (files or quiet or config.audio.wait):
            open_source(config, SystemClock()).close()
    except DeviceError as error:
        no_microphone = isinstance(error, NoDeviceError) and not config.audio.input
        if demo_without_microphone and no_microphone:
            complain(f"{error.what}: this is the demo; to talk, see `edgevoice devices`")
        elif not (is_screen(options, record) and sys.stdin.isatty()):
            raise
        else:
            complain(str(error))
            if not click.confirm("Watch the demo instead?", default=True, err=True):
                click.get_current_context().exit(error.exit_code)
        demo_sink = partial(sink, if_absent=SILENT_DEMO)
        _run_demo(context, overrides, options, demo_sink, record=record)
        return
    if not (files or record or quiet or config.audio.wait):
        find("output", config.audio.output)
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if (
        on_terminal
        and not (files or quiet or options["plain"])  # --plain may run unattended
        and first_start.is_first(resolved.origins, context.path)
    ):
        first_start.ask(context, config, is_screen(options, record))
        overrides = {**context.settings, **overrides}
        config = context.load(overrides).config
    ready(context, overrides)
    talks = sys.stdin.isatty() and sys.stdout.isatty() and not (files or record)
    folder = config.recordings.folder
    converse(
        context,
        config,
        overrides,
        options,
        source,
        sink,
        record,
        recordings_folder=folder,
        quiet=quiet,
        download=first_start.wanted_download(config) if talks else "",
    )


@click.command()
@click.option(
    "--questions",
    type=click.File("rb"),
    help="File with the user's questions, one per line; - is standard input.",
)
@shared
@pass_context
def demo(context: Context, questions: Any, **options: Any) -> None:
    """Show a conversation with a synthesized user.

    No microphone is needed.
    """
    _run_demo(
        context,
        _overrides(context, options),
        options,
        lambda config, devices: _speaker(config, devices, SILENT_DEMO),
        question_lines(questions) if questions else None,
    )


def _run_demo(
    context: Context,
    overrides: dict[str, str],
    options: dict[str, Any],
    sink: Callable[[Config, Devices], Player],
    questions: list[str] | None = None,
    record: str | None = None,
) -> None:
    """Run a conversation with a synthesized user, who has neither wake word nor talk key."""
    overrides = {**overrides, "activation.mode": "always"}
    config = ready(context, overrides)
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
    """Whether `name` means a file or a folder, not a device."""
    exists = Path(name).exists() and not name.isdigit()
    path = name.startswith((".", "~", "/")) or (os.sep in name and Path(name).parent.is_dir())
    return name == "-" or name.lower().endswith(SOUND_FILES) or exists or path


def _overrides(context: Context, options: dict[str, Any], **flags: Any) -> dict[str, str]:
    given = {
        "models__slm": options["slm"],
        "models__stt": options["stt"],
        "models__tts": options["tts"],
        "slm__draft": options["slm_draft"],
        "slm__system_prompt": options["system_prompt"],
        **metrics.flags(options),
        **flags,
    }
    return {
        **context.settings,
        **{k.replace("__", "."): str(v) for k, v in given.items() if v is not None},
    }


def _read(files: list[str]) -> list[Samples]:
    if not files:
        return []
    from edgevoice.wav import read_speech

    clips = []
    for name in files:
        clip = read_speech(name, complain)
        if not len(clip):
            raise AudioFileError(
                "the file has no sound", where=name, remedy="record it again or name another"
            )
        clips.append(clip)
    return clips


def _speaker(config: Config, devices: Devices, if_absent: str = "") -> Player:
    """The configured speaker. Without one, warns with `if_absent` and returns a silent sink.

    Raises DeviceError if `if_absent` is empty.
    """
    from edgevoice.open_devices import quiet_sink

    try:
        return devices.sink(config)
    except DeviceError as error:
        if not if_absent:
            raise
        complain(f"{error.what}: {if_absent}")
        return quiet_sink(devices.clock, "no speaker")


def _demo_source(config: Config, devices: Devices, questions: list[str] | None = None) -> Any:
    from edgevoice.demo import QUESTIONS, spoken
    from edgevoice.engines.registry import load_chosen
    from edgevoice.open_devices import clips_source

    voice = load_chosen("tts", config)
    return clips_source(devices.clock, spoken(questions or QUESTIONS, voice), "a synthesized user")
