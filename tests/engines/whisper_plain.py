"""Whisper as faster-whisper runs it: what no reading of ours may fall behind."""

from __future__ import annotations

from pathlib import Path

import ctranslate2
from faster_whisper import WhisperModel

from edgevoice.audio import Samples
from edgevoice.engines.cpu_budget import cores
from edgevoice.errors import EngineError, ModelError
from edgevoice.settings import SttSettings


class PlainWhisper:
    """Transcribes with faster-whisper's own `transcribe`, which pads every clip to 30 s.

    Raises ModelError if the model cannot be loaded.
    """

    def __init__(self, folder: Path, settings: SttSettings) -> None:
        self._settings = settings
        try:
            self._model = WhisperModel(
                str(folder),
                device="cuda" if ctranslate2.get_cuda_device_count() else "cpu",
                compute_type="default" if ctranslate2.get_cuda_device_count() else "int8",
                cpu_threads=settings.threads or cores.all,
                local_files_only=True,
            )
        except Exception as error:  # CTranslate2, tokenizers and json each raise their own
            raise ModelError(
                f"the model cannot be loaded: {str(error).splitlines()[0]}",
                where=str(folder),
                remedy=f"edgevoice models verify, then edgevoice models pull {folder.name}",
            ) from None

    def transcribe(self, samples: Samples) -> str:
        """The text of float32 [n] at 16 kHz, with stt.language and stt.beam. Raises EngineError."""
        language = None if self._settings.language == "auto" else self._settings.language
        try:
            segments, _ = self._model.transcribe(
                samples, language=language, beam_size=self._settings.beam
            )
            return " ".join(segment.text.strip() for segment in segments)
        except (RuntimeError, ValueError) as error:  # what CTranslate2 raises
            raise EngineError(f"speech recognition failed: {error}") from error
