"""Transcription with Whisper on CTranslate2, without padding every clip to 30 s.

Whisper was trained on windows of 30 s, and clips are usually padded to that. The encoder accepts
any length, and a clip with a few seconds of silence costs a fraction. Sometimes the decoder then
misses the end and repeats the text. This is detected, and such a clip gets the full window.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.engines.cpu_budget import cores
from edgevoice.engines.registry import Engine
from edgevoice.engines.threads import of_recognizer
from edgevoice.engines.whisper_text import compression, joined, repeats, said_once, segments
from edgevoice.errors import EngineError, ModelError
from edgevoice.logs import ENGINES
from edgevoice.models import whisper_file
from edgevoice.models.store import Installed
from edgevoice.outside import Malformed
from edgevoice.protocols import Effort, Transcript
from edgevoice.settings import Config, SttSettings
from edgevoice.transcription.chunking import LONGEST_PIECE, pieces
from edgevoice.transcription.spoken_language import check_known, listed
from edgevoice.words import words

_log = logging.getLogger(__name__)

WINDOW_SECONDS = 30.0
"""Seconds in one window of Whisper's training."""
PADDINGS = (1.5, 6.0)
"""Seconds of silence after a clip, and in a second pass if the first is doubtful. With less, more
clips need two passes; only 3 of 127 recordings need the full window after both."""
NO_SPEECH_MARGIN = 0.2
"""Added to stt.min_logprob for a clip that may hold no speech: with short padding, text invented
for noise gets slightly too high a probability."""
USUAL_TOKENS, USUAL_TOKENS_PER_SECOND = 12, 4
"""Token limit for ordinary speech; it ends the repetitions of a decoder that missed the end."""
MOST_NAMES = 100
"""Most tokens of the names that are expected."""
MAX_TOKENS, MAX_TOKENS_PER_SECOND = 24, 40
"""Token limit for the fastest speech: Georgian and Tamil take three tokens a letter."""
MIN_HALF_SECONDS = 3.0
"""Minimum seconds of each part of a clip that is split in two."""
PARALLEL_CLIPS = 2
"""Clips transcribed in parallel: a final one beside an interim one."""
FILES = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class _Take:
    """One transcription of a clip, and whether it reached the end of the words."""

    transcript: Transcript
    ended: bool


class Whisper:
    """A Recognizer from a folder with a CTranslate2 Whisper model; it never uses the network.

    Raises ModelError for a missing or damaged model, ConfigError for an unknown language.
    """

    def __init__(self, folder: Path, settings: SttSettings) -> None:
        remedy = f"edgevoice models verify, then edgevoice models pull {folder.name}"
        # Without the tokenizer's file the library would download one.
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise ModelError(
                f"the model lacks {' and '.join(missing)}", where=str(folder), remedy=remedy
            )
        try:
            whisper_file.check(folder)
        except (Malformed, OSError) as error:
            raise ModelError(
                f"the model is damaged: {error}", where=str(folder), remedy=remedy
            ) from None
        self.settings = settings
        codes = listed(settings.language)
        self._threads = of_recognizer(settings, cores.all)
        self._model = _load(folder, self._threads, remedy)
        self._native: Any = self._model.model
        self._multilingual = bool(self._native.is_multilingual)
        self._languages = self._among(codes, settings.language, folder.name)
        self._tokenizers: dict[str, Tokenizer] = {}

    def _among(self, codes: tuple[str, ...], setting: str, name: str) -> Mapping[str, float]:
        """The settings' languages with equal weights. Raises ConfigError for an unknown one."""
        known = self._model.supported_languages if self._multilingual else ["en"]
        check_known(name, known, setting)
        return dict.fromkeys(codes or known, 1.0)

    def transcribe(
        self,
        samples: Samples,
        effort: Effort = "final",
        languages: Mapping[str, float] | None = None,
    ) -> Transcript:
        """Transcribe float32 [n] at 16 kHz, of any length.

        `endpoint` is greedy and never uses the full window: if the text repeats itself, the first
        time counts, and the transcript is not sure. `interim` is never sure, and never decoded
        twice. `fallback` uses the full window at once.
        """
        if len(samples) == 0:
            return Transcript("", no_speech=1.0)
        among = languages or self._languages
        try:
            with cores.taken(self._threads):
                if len(samples) <= LONGEST_PIECE * CAPTURE_RATE:
                    return self._short(samples, effort, among)
                return self._long(samples, effort, among)
        except (RuntimeError, ValueError) as error:  # what CTranslate2 raises
            raise EngineError(f"speech recognition failed: {error}") from error

    def _long(self, samples: Samples, effort: Effort, among: Mapping[str, float]) -> Transcript:
        parts: list[tuple[Transcript, float]] = []
        for start, end in pieces(samples):
            part = self._short(samples[start:end], effort, among)
            parts.append((part, start / CAPTURE_RATE))
            among = {part.language: 1.0}
        return joined(parts)

    def _short(self, samples: Samples, effort: Effort, among: Mapping[str, float]) -> Transcript:
        seconds = len(samples) / CAPTURE_RATE
        answering = effort in ("final", "fallback")
        beam = self.settings.beam if answering else 1
        if self.settings.window == "full" or effort == "fallback":
            whole = self._whole(samples, beam, among)
            return replace(whole, sure=effort != "interim")
        for padding in PADDINGS[: 1 if effort == "interim" else None]:
            take = self._take(samples, min(WINDOW_SECONDS, seconds + padding), beam, among)
            # The second pass keeps the language.
            among = {take.transcript.language: take.transcript.certainty}
            doubt = _doubt(take, self.settings)
            if not doubt:
                # A greedy transcript is final only if the final one would be greedy too.
                sure = answering or (effort == "endpoint" and self.settings.beam == 1)
                return replace(take.transcript, sure=sure)
            _log.debug("clip of %.1f s with %.1f s behind it: %s", seconds, padding, doubt)
        if answering:
            return self._whole(samples, beam, among)
        doubtful = effort == "endpoint" and self.settings.beam == 1
        return replace(said_once(take.transcript), sure=False, doubtful=doubtful)

    def _whole(self, samples: Samples, beam: int, among: Mapping[str, float]) -> Transcript:
        """Transcribe in the full window, or in two parts if there are too many words for one."""
        take = self._take(samples, WINDOW_SECONDS, beam, among)
        seconds = len(samples) / CAPTURE_RATE
        if take.ended or repeats(take.transcript) or seconds < 2 * MIN_HALF_SECONDS:
            return take.transcript
        _log.debug("clip of %.1f s: more words than one reading holds", seconds)
        among = {take.transcript.language: take.transcript.certainty}
        return joined(
            [
                (self._whole(samples[start:end], beam, among), start / CAPTURE_RATE)
                for start, end in pieces(samples, 0.6 * seconds, 0.4 * seconds)
            ]
        )

    def _take(
        self, samples: Samples, window: float, beam: int, among: Mapping[str, float]
    ) -> _Take:
        """Transcribe the clip, padded with silence to `window` seconds, with `beam` beams."""
        padded = np.zeros(int(window * CAPTURE_RATE), dtype=np.float32)
        padded[: len(samples)] = samples[: len(padded)]
        # Even, because the encoder halves the length; at most the trained number of positions.
        features = self._model.feature_extractor(padded)[:, : int(window * 50) * 2]
        encoded = self._model.encode(np.ascontiguousarray(features, dtype=np.float32))
        language, certainty = self._spoken(encoded, among)
        tokenizer = self._tokenizer(language)
        seconds = len(samples) / CAPTURE_RATE
        named = self._named(tokenizer)
        take = self._decode(encoded, tokenizer, named, seconds, beam, certainty)
        if named and not self._says_a_name(take.transcript.text):
            # Names that are not said lead the decoder astray (languages-2026-11).
            take = self._decode(encoded, tokenizer, [], seconds, beam, certainty)
        return take

    def _decode(
        self,
        encoded: Any,
        tokenizer: Tokenizer,
        named: list[int],
        seconds: float,
        beam: int,
        certainty: float,
    ) -> _Take:
        """Decode the encoded clip of `seconds`, after the tokens `named`."""
        prompt = [*named, *tokenizer.sot_sequence]
        room = self._model.max_length - len(prompt)
        most = min(room, int(MAX_TOKENS + MAX_TOKENS_PER_SECOND * seconds))
        tokens = min(most, int(USUAL_TOKENS + USUAL_TOKENS_PER_SECOND * seconds))
        while True:
            result = self._native.generate(
                encoded,
                [prompt],
                beam_size=beam,
                max_length=2 * tokens + len(named),
                return_scores=True,
                return_no_speech_prob=True,
            )[0]
            ids: list[int] = result.sequences_ids[0]
            found, over = segments(ids, tokenizer.timestamp_begin, tokenizer.decode, seconds)
            text = " ".join(segment.text for segment in found)
            transcript = Transcript(
                text,
                tokenizer.language_code,
                float(result.no_speech_prob),
                # CTranslate2 gives the mean over the tokens; Whisper counts the end as one more.
                float(result.scores[0]) * len(ids) / (len(ids) + 1),
                compression(text),
                tuple(found),
                certainty=certainty,
            )
            ended = over or len(ids) < tokens
            if ended or tokens == most or repeats(transcript):
                return _Take(transcript, ended)
            tokens = min(2 * tokens, most)

    def _says_a_name(self, text: str) -> bool:
        """Whether one of the setting's names, or a part of one, is in `text`."""
        return bool(set(words(self.settings.names)) & set(words(text)))

    def _named(self, tokenizer: Tokenizer) -> list[int]:
        """The setting's names as text before the clip, as Whisper knows it from long recordings."""
        names = ", ".join(filter(None, map(str.strip, self.settings.names.split(","))))
        if not names:
            return []
        return [tokenizer.sot_prev, *tokenizer.encode(f" {names}.")[:MOST_NAMES]]

    def _spoken(
        self, encoded: ctranslate2.StorageView, among: Mapping[str, float]
    ) -> tuple[str, float]:
        """The most probable language, and its probability among these.

        Detection takes a quarter of the encoding time; with a single language it is skipped.
        """
        if len(among) == 1:
            return next(iter(among.items()))
        # "<|en|>" and its probability, best first
        heard = {token[2:-2]: p for token, p in self._native.detect_language(encoded)[0]}
        likely = {code: heard.get(code, 0.0) * weight for code, weight in among.items()}
        best = max(likely, key=lambda code: likely[code])
        total = sum(likely.values())
        return best, likely[best] / total if total else 0.0

    def _tokenizer(self, language: str) -> Tokenizer:
        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self._model.hf_tokenizer, self._multilingual, "transcribe", language
            )
        return self._tokenizers[language]


def _load(folder: Path, threads: int, remedy: str) -> WhisperModel:
    told = logging.getLogger(ENGINES).isEnabledFor(logging.DEBUG)
    ctranslate2.set_log_level(logging.DEBUG if told else logging.CRITICAL)
    tries = [("cpu", "int8")]
    fault: BaseException | None = None
    if on_gpu():
        tries.insert(0, ("cuda", "int8_float16"))
    for device, compute in tries:
        try:
            return WhisperModel(
                str(folder),
                device=device,
                compute_type=compute,
                cpu_threads=threads,
                num_workers=PARALLEL_CLIPS,
                local_files_only=True,
            )
        except BaseException as error:  # CTranslate2, tokenizers and json each raise their own
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            _log.debug("Whisper on %s: %s", device, error)
            fault = error
    raise ModelError(
        f"the model cannot be loaded: {str(fault).splitlines()[0]}",
        where=str(folder),
        remedy=remedy,
    )


def on_gpu() -> bool:
    """Whether models run on a GPU."""
    return int(ctranslate2.get_cuda_device_count()) > 0


def _doubt(take: _Take, settings: SttSettings) -> str:
    """Why a transcript from a short window may be wrong; empty if it seems right."""
    transcript = take.transcript
    if repeats(transcript):
        return "it repeats itself"
    if not take.ended:
        return "it does not end"
    margin = NO_SPEECH_MARGIN if transcript.no_speech > settings.no_speech else 0.0
    if transcript.logprob < settings.min_logprob + margin:
        return "it is uncertain"
    return ""


def _loaded(model: Installed, config: Config) -> Whisper:
    check_known(model.name, model.entry.languages, config.stt.language)
    return Whisper(model.path, config.stt)


ENGINE = Engine("stt", ("ctranslate2",), _loaded)
