"""`transcribe`, `ask` and `say`: single stages, for pipes and scripts."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgevoice.cli import Context, complain, echo, echo_json, pass_context
from edgevoice.cli.text import TextCommand, given_text
from edgevoice.encoding import json_bytes
from edgevoice.errors import AudioFileError, EdgevoiceError, UsageError
from edgevoice.harmless import one_line
from edgevoice.terminal import redraws

if TYPE_CHECKING:
    from edgevoice.audio import Samples
    from edgevoice.protocols import Recognizer, Segment, SpeechDetector, Transcript
    from edgevoice.settings import Config, SttSettings

PROGRESS_FROM = 30.0
"""Seconds of sound above which transcription shows its progress."""


@click.command()
@click.argument("files", nargs=-1, metavar="FILE…")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object per file, with segments."
)
@click.option("--stt", metavar="NAME", help="Transcription model, by its name in `models list`.")
@click.option(
    "--language", metavar="CODE", help="Spoken language: for example en, auto, or one of en,pt."
)
@pass_context
def transcribe(
    context: Context, files: tuple[str, ...], as_json: bool, stt: str | None, language: str | None
) -> None:
    """Transcribe sound files.

    Reads WAV, FLAC and Ogg of any sample rate, width, length and number of channels; - is
    standard input. With several files each text follows its file name. An unreadable or
    truncated file does not stop the others, but makes the exit code 1.
    """
    if not files:
        if sys.stdin.isatty():
            raise UsageError("no file was given", remedy="edgevoice transcribe speech.wav")
        files = ("-",)
    config = context.resolve(models__stt=stt, stt__language=language).config
    failed: list[EdgevoiceError] = []
    notices: list[str] = []

    def notice(text: str) -> None:
        notices.append(text)
        complain(text)

    def fail(error: AudioFileError) -> None:
        if len(files) == 1:
            raise error
        complain(str(error))
        failed.append(error)

    from edgevoice.wav import check, read_speech

    readable = []
    for name in files:
        try:
            check(name)
        except AudioFileError as error:
            fail(error)
        else:
            readable.append(name)
    engines = None
    for name in readable:
        try:
            samples = read_speech(name, notice)
        except AudioFileError as error:
            fail(error)
            continue
        engines = engines or _recognizer(config)
        record = _record(*engines, config.stt, name, samples)
        if as_json:
            echo_json(json_bytes(record).decode())
        else:
            echo(f"{name}: {record['text']}" if len(files) > 1 else record["text"])
    if failed:
        raise AudioFileError(
            f"{len(failed)} of {len(files)} files could not be read",
            remedy="see the messages above",
        )
    if notices:
        # A truncated file was transcribed as far as it goes.
        click.get_current_context().exit(1)


def _recognizer(config: Config) -> tuple[Recognizer, SpeechDetector | None]:
    """The recognizer, and the detector that tells where somebody speaks, if that is here."""
    from edgevoice.engines.registry import load
    from edgevoice.models.store import Store

    with _waiting("loading the recognizer"):
        store = Store(config)
        vad = store.optional("vad")
        return load(store.choose("stt"), config), load(vad, config) if vad else None


def _record(
    recognizer: Recognizer,
    detector: SpeechDetector | None,
    settings: SttSettings,
    name: str,
    samples: Samples,
) -> dict[str, Any]:
    """A file's transcript with its times, as it is written with --json. Times are seconds."""
    from edgevoice.audio import CAPTURE_RATE
    from edgevoice.transcription.chunking import pieces
    from edgevoice.transcription.speech_spans import SpeechSpan, stretches

    seconds = len(samples) / CAPTURE_RATE
    spoken = stretches(samples, detector) if detector else [SpeechSpan(0, len(samples), 0.0)]
    parts: list[tuple[float, Transcript]] = []
    with _progress(name, seconds) as reach:
        for stretch in spoken:
            for start, end in pieces(samples[stretch.start : stretch.end]):
                begin = stretch.start + start
                transcript = recognizer.transcribe(samples[begin : stretch.start + end])
                if not _invented(transcript, stretch.voiced, settings):
                    parts.append((begin / CAPTURE_RATE, transcript))
                reach((stretch.start + end) / CAPTURE_RATE)
        reach(seconds)
    segments = [
        _shifted(segment, offset, transcript)
        for offset, transcript in parts
        for segment in transcript.segments
    ]
    longest = max((part for _, part in parts), key=lambda part: len(part.text), default=None)
    return {
        "file": name,
        "seconds": round(seconds, 3),
        "language": longest.language if longest else "",
        "text": " ".join(segment["text"] for segment in segments),
        "segments": segments,
    }


def _invented(transcript: Transcript, voiced: float, settings: SttSettings) -> bool:
    """Whether the text of a stretch in which hardly anybody speaks is the recognizer's own."""
    from edgevoice.turn_taking.hallucinations import MUCH_VOICED, is_nobody

    seconds = max((segment.end for segment in transcript.segments), default=0.0)
    doubt = is_nobody(transcript, seconds, voiced, settings)
    unlikely = transcript.no_speech > settings.no_speech or 0 < voiced < MUCH_VOICED
    return doubt is not None and unlikely


def _shifted(segment: Segment, offset: float, transcript: Transcript) -> dict[str, Any]:
    return {
        "start": round(segment.start + offset, 2),
        "end": round(segment.end + offset, 2),
        "text": segment.text,
        "logprob": round(transcript.logprob, 3),
        "no_speech": round(transcript.no_speech, 3),
    }


@click.command(cls=TextCommand)
@click.argument("words", nargs=-1, metavar="TEXT")
@click.option("--say", "speak", is_flag=True, help="Speak the reply while it is generated.")
@click.option("--slm", metavar="NAME", help="Language model, by its name in `models list`.")
@click.option("--tts", metavar="NAME", help="Voice.")
@click.option("--system-prompt", metavar="TEXT", help="System prompt of the language model.")
@pass_context
def ask(
    context: Context,
    words: tuple[str, ...],
    speak: bool,
    slm: str | None,
    tts: str | None,
    system_prompt: str | None,
) -> None:
    """Ask the language model a question.

    The question is TEXT. With - or a pipe it is read from standard input. The reply is printed
    while it is generated.
    """
    config = context.resolve(
        models__slm=slm, models__tts=tts, slm__system_prompt=system_prompt
    ).config
    question = "".join(given_text(words, "edgevoice ask 'Why is the sky blue?'")).strip()
    from edgevoice.agent.instructions import instruct
    from edgevoice.agent.language_model_agent import LanguageModelAgent
    from edgevoice.clock import local_time
    from edgevoice.history import History
    from edgevoice.protocols import Token

    with contextlib.ExitStack() as stack:
        speech = None
        if speak:
            from edgevoice.synthesis.streaming_tts import StreamingSpeech

            language = _voice_language(config)
            speech = stack.enter_context(
                StreamingSpeech(*_voice_and_speaker(config), config.tts, language)
            )
        from edgevoice.skills.setup import answered_at_once

        if (reply := answered_at_once(question, config)) is not None:
            echo(reply)
            if speech:
                speech.push(reply)
            return
        with _waiting("loading the language model"):
            from edgevoice.engines.pool import adapt
            from edgevoice.engines.registry import load_chosen

            weights = load_chosen("slm", config)
        stack.callback(weights.close)
        model = weights.session()
        adapt(model, config.slm.adapters)
        agent = LanguageModelAgent(model, config)
        stack.callback(agent.close)
        history = History(config.slm.system_prompt)
        instruct(history, config, local_time)
        stopped = (lambda: speech.failed) if speech else (lambda: False)
        for item in agent.respond(history.asking(question), stopped, lambda: True):
            if isinstance(item, Token):
                echo(item.text, nl=False)
                sys.stdout.flush()
                if speech:
                    speech.push(item.text)
        echo()


@click.command(cls=TextCommand)
@click.argument("words", nargs=-1, metavar="TEXT")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    help="Write a WAV file instead of speaking; - is standard output.",
)
@click.option("--tts", metavar="NAME", help="Voice, by its name in `models list`.")
@click.option("--speed", type=float, help="Speaking rate, as a factor.")
@click.option("--speaker", type=int, help="Speaker number of a voice with several speakers.")
@click.option("--voice", metavar="NAME", help="Speaker of a Kokoro voice, for example af_heart.")
@click.option(
    "--language", metavar="CODE", help="Language of the text, for example de. Default: the voice's."
)
@click.option(
    "--show", is_flag=True, help="Print the text as the voice is given it, one clause a line."
)
@pass_context
def say(
    context: Context,
    words: tuple[str, ...],
    output: str | None,
    tts: str | None,
    speed: float | None,
    speaker: int | None,
    voice: str | None,
    language: str | None,
    show: bool,
) -> None:
    """Speak text, or write it to a WAV file.

    With - or a pipe the text is read from standard input, and spoken as it arrives.
    """
    config = context.resolve(
        models__tts=tts,
        tts__speed=speed,
        tts__speaker=speaker,
        kokoro__voice=voice,
        stt__language=language,
    ).config
    text = given_text(words, "edgevoice say 'Hello there.'")
    spoken = _voice_language(config, language)
    from edgevoice.languages.lexicon import Lexicon
    from edgevoice.synthesis.streaming_tts import StreamingSpeech, clauses, sounds

    if show:
        lexicon = Lexicon(config.tts.lexicon)
        for clause in clauses(text, config.tts, spoken):
            if clause.spoken:
                echo(lexicon.applied(clause.spoken))
        return
    if output is None:
        with StreamingSpeech(*_voice_and_speaker(config), config.tts, spoken) as speech:
            for piece in text:
                speech.push(piece)
        return
    from edgevoice.wav import WavWriter

    synthesizer = _voice(config)
    with WavWriter(output, synthesizer.rate) as file:
        for samples in sounds(text, synthesizer, config.tts, spoken):
            file.write(samples)


def _voice(config: Config) -> Any:
    with _waiting("loading the voice"):
        from edgevoice.engines.registry import load_chosen

        return load_chosen("tts", config)


def _voice_language(config: Config, given: str | None = None) -> str:
    """The language that text is read in: a given one, or that of the chosen voice.

    A voice need not be installed, because `say --show` needs none; where none is chosen either, the
    language is the configuration's. Raises ConfigError for a language that is unknown, and
    ModelError for a voice that is.
    """
    from edgevoice.models.store import Store
    from edgevoice.models.voices import languages
    from edgevoice.transcription.spoken_language import listed

    if given and (codes := listed(given)):
        return codes[0]
    store = Store(config)
    spoken = languages(store)
    try:
        entry = store.choose("tts").entry
    except EdgevoiceError:
        if not config.models.tts:
            return spoken[0]
        entry = store.catalog.get(config.models.tts)
    own = [code.split("_")[0] for code in entry.languages]
    return next((code for code in spoken if code in own), own[0] if own else spoken[0])


def _voice_and_speaker(config: Config) -> tuple[Any, Any, Any]:
    """The voice, the speaker, and their clock. The speaker is opened first, as it fails faster."""
    from edgevoice.clock import SystemClock
    from edgevoice.open_devices import open_sink

    clock = SystemClock()
    sink = open_sink(config, clock)
    try:
        return _voice(config), sink, clock
    except BaseException:
        sink.close()
        raise


@contextlib.contextmanager
def _waiting(what: str) -> Iterator[None]:
    """Show `what` on a terminal during the block."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


@contextlib.contextmanager
def _progress(name: str, seconds: float) -> Iterator[Any]:
    """Show progress for long recordings: a bar on a terminal, lines elsewhere.

    Yields a function to call with the seconds transcribed so far.
    """
    if seconds <= PROGRESS_FROM:
        yield lambda reached: None
        return
    if not redraws(sys.stderr):
        tenths = 0

        def line(reached: float) -> None:
            nonlocal tenths
            if (now := int(reached / seconds * 10)) > tenths:
                tenths = now
                echo(f"{name}: {now * 10} %", err=True)

        yield line
        return
    from rich import progress as bars
    from rich.console import Console

    name_column = bars.TextColumn("{task.description}", markup=False)
    columns = (name_column, bars.BarColumn(), bars.TaskProgressColumn())
    with bars.Progress(
        *columns, bars.TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as live:
        task = live.add_task(one_line(Path(name).name), total=seconds)
        yield lambda reached: live.update(task, completed=reached)
