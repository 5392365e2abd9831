"""Piper voices: text to speech."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from piper import PiperVoice, SynthesisConfig
from piper.config import PiperConfig

from edgevoice.audio import Audio
from edgevoice.config import TtsSettings
from edgevoice.engines.onnx import open_session
from edgevoice.engines.threads import usable_cores
from edgevoice.errors import ConfigError, EngineError, ModelError
from edgevoice.stages import Cancelled

_log = logging.getLogger(__name__)


class Piper:
    """A Synthesizer; `path` is the voice's .onnx file, its .onnx.json lies beside it."""

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
        self._voice = PiperVoice(
            session=open_session(path, usable_cores(), remedy),
            config=config,
            download_dir=path.parent,
        )
        _check_inputs(self._voice, path, remedy)
        self._settings = SynthesisConfig(
            speaker_id=settings.speaker if config.num_speakers > 1 else None,
            length_scale=config.length_scale / settings.speed,
            # Each clause scaled to full loudness by its own peak would make a quiet word shout.
            normalize_audio=False,
        )

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        """The sound of one clause, a piece for each sentence in it; nothing if it has no words."""
        if not any(char.isalnum() for char in text):
            return
        try:
            for chunk in self._voice.synthesize(text, self._settings):
                if cancelled():
                    return
                if len(chunk.audio_float_array):
                    yield Audio(np.asarray(chunk.audio_float_array, dtype=np.float32), self.rate)
        except Exception as error:  # piper, espeak-ng and onnxruntime share no base class
            _log.debug("piper failed on %d characters", len(text), exc_info=True)
            raise EngineError(f"the voice {self._name} failed: {error}") from error


def _voice_config(path: Path, remedy: str) -> PiperConfig:
    try:
        parsed: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return PiperConfig.from_dict(parsed)
    except FileNotFoundError:
        what = "the voice's settings file is missing"
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        what = f"the voice's settings file cannot be read: {error}"
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"the voice's settings file is not one of Piper's: {error!r}"
    raise ModelError(what, where=str(path), remedy=remedy)


def _check_inputs(voice: PiperVoice, path: Path, remedy: str) -> None:
    names = {i.name for i in voice.session.get_inputs()}
    if not {"input", "input_lengths", "scales"} <= names:
        raise ModelError("not a Piper voice", where=str(path), remedy=remedy)
