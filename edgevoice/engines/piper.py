"""Text to speech with Piper voices."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from piper import PiperVoice
from piper.config import PiperConfig

from edgevoice.audio import Audio, Mark
from edgevoice.engines.cpu_budget import cores
from edgevoice.engines.onnx import OnnxModel, open_session
from edgevoice.engines.piper_parts import open_parts
from edgevoice.engines.piper_stream import (
    Feed,
    ModelRunner,
    StreamingDecoder,
    VoiceDecoder,
    WholeDecoder,
)
from edgevoice.engines.piper_words import WordMarks
from edgevoice.engines.registry import Engine
from edgevoice.engines.threads import of_voice
from edgevoice.errors import ConfigError, EngineError, ModelError
from edgevoice.languages.lexicon import Lexicon
from edgevoice.models import voice_file
from edgevoice.outside import Malformed, from_json, read
from edgevoice.protocols import Cancelled
from edgevoice.settings import TtsSettings

_log = logging.getLogger(__name__)

MAX_PHONEMES = 500
"""Maximum phonemes in one run, which bounds its memory; a sentence of 40 words has 300."""


class Piper:
    """A Synthesizer; `path` is the voice's .onnx file, next to its .onnx.json.

    Raises ModelError for a missing or damaged voice, ConfigError for an invalid tts.speaker.
    """

    def __init__(self, path: Path, settings: TtsSettings) -> None:
        self._name = path.stem
        remedy = f"edgevoice models verify, then edgevoice models pull {self._name}"
        config = _voice_config(path.with_name(path.name + ".json"), remedy)
        if settings.speaker >= max(1, config.num_speakers):
            raise ConfigError(
                f"tts.speaker is {settings.speaker}, but {self._name} has {config.num_speakers}"
                " speakers, numbered from 0",
                remedy="--set tts.speaker=0",
            )
        self.rate: int = config.sample_rate
        session, self._decoder = _open(path, config, settings, remedy)
        self._voice = PiperVoice(session=session, config=config, download_dir=path.parent)
        self._lexicon = Lexicon(settings.lexicon)
        self._words = WordMarks(self._phonemes, self._voice.phonemes_to_ids)
        noise, duration_noise = (
            settings.variation * n for n in (config.noise_scale, config.noise_w_scale)
        )
        self._fixed: Feed = {
            "scales": np.array(
                [noise, config.length_scale / settings.speed, duration_noise], dtype=np.float32
            )
        }
        if config.num_speakers > 1:
            self._fixed["sid"] = np.array([settings.speaker], dtype=np.int64)

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        """The sound of one clause in pieces; nothing if it has no words.

        A voice that runs whole gives one piece for each sentence. Raises EngineError.
        """
        if not any(char.isalnum() for char in text):
            return
        try:
            sentences = list(bounded(self._phonemes(text)))
            for number, phonemes in enumerate(sentences):
                ids = self._voice.phonemes_to_ids(phonemes) if phonemes else []
                if not ids or cancelled():
                    continue
                feed = {
                    "input": np.array([ids], dtype=np.int64),
                    "input_lengths": np.array([len(ids)], dtype=np.int64),
                    **self._fixed,
                }
                samples_made, marks_due = 0, True
                for piece in self._decoder.sound(feed, cancelled):
                    if not len(piece.samples):
                        continue
                    marks: tuple[Mark, ...] | None = () if piece.ends else None
                    # The first piece is urgent; its word times may come with the second.
                    if marks_due and piece.ends and (samples_made or not piece.left):
                        marks_due = False
                        marks = self._words.marks(text, sentences, number, piece.ends)
                    sound = Audio(piece.samples, self.rate, piece.left)
                    yield sound if marks is None else sound.marked(marks, -samples_made)
                    samples_made += len(piece.samples)
        except Exception as error:  # piper, espeak-ng and onnxruntime share no base class
            _log.debug("piper failed on %d characters", len(text), exc_info=True)
            raise EngineError(f"the voice {self._name} failed: {error}") from error

    def at_speed(self, factor: float) -> Piper:
        """The same voice, by a factor faster."""
        other = copy.copy(self)
        scales = self._fixed["scales"].copy()
        scales[1] /= factor
        other._fixed = {**self._fixed, "scales": scales}
        return other

    def _phonemes(self, text: str) -> list[list[str]]:
        return self._voice.phonemize(self._lexicon.applied(text))


def bounded(sentences: Iterable[list[str]], limit: int = MAX_PHONEMES) -> Iterator[list[str]]:
    """The phonemes of sentences, with longer ones split, between words if possible."""
    for phonemes in sentences:
        while len(phonemes) > limit:
            spaces = [at for at in range(limit // 2, limit) if phonemes[at] == " "]
            end = spaces[-1] + 1 if spaces else limit
            yield phonemes[:end]
            phonemes = phonemes[end:]
        yield phonemes


def _open(
    path: Path, config: PiperConfig, settings: TtsSettings, remedy: str
) -> tuple[OnnxModel, VoiceDecoder]:
    """The model that takes phoneme ids, and a decoder that makes sound. Raises ModelError."""
    if settings.stream and path.is_file():
        threads = of_voice(settings)
        parts = open_parts(path, threads)
        if parts is not None:
            return parts.encoder, StreamingDecoder(parts, config.sample_rate, ModelRunner(threads))
    threads = settings.threads or cores.all
    session = open_session(path, threads, remedy)
    if not {"input", "input_lengths", "scales"} <= {i.name for i in session.get_inputs()}:
        raise ModelError("not a Piper voice", where=str(path), remedy=remedy)
    return session, WholeDecoder(session, ModelRunner(threads))


def _voice_config(path: Path, remedy: str) -> PiperConfig:
    try:
        data = read(path)
        voice_file.read(data)
        return PiperConfig.from_dict(from_json(data, dict[str, Any]))
    except FileNotFoundError:
        what = "the voice's settings file is missing"
    except OSError as error:
        what = f"the voice's settings file cannot be read: {error}"
    except Malformed as error:
        what = f"the voice's settings file is damaged: {error}"
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"the voice's settings file is not one of Piper's: {error!r}"
    raise ModelError(what, where=str(path), remedy=remedy)


ENGINE = Engine("tts", ("piper",), lambda model, config: Piper(model.path, config.tts))
