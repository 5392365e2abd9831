"""Text to speech with Kokoro voices, on onnxruntime and the phonemes of espeak-ng.

A Kokoro model has one network and a table of styles for each speaker. A sentence is one run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import Audio, Samples
from edgevoice.engines.cpu_budget import cores
from edgevoice.engines.onnx import open_session, shrinking_run_options
from edgevoice.engines.phonemes import sentences
from edgevoice.engines.registry import Engine
from edgevoice.errors import ConfigError, EngineError, ModelError
from edgevoice.models.store import Installed
from edgevoice.protocols import Cancelled
from edgevoice.settings import Config, KokoroSettings, TtsSettings

_log = logging.getLogger(__name__)

RATE = 24_000
STYLES, STYLE_SIZE = 510, 256
"""A speaker has a style for each number of phonemes in a run, up to the longest."""
FIRST_CHOICE = "af_heart"
"""The speaker that Kokoro's authors grade best; it speaks if none is named."""

SYMBOLS: Mapping[str, int] = {
    symbol: start + at
    for start, symbols in {
        1: ";:,.!?",
        9: '—…"()“” \u0303ʣʥʦʨᵝ\uab67AI',
        31: "O",
        33: "Q",
        35: "ST",
        39: "W",
        41: "Yᵊabcdef",
        50: "hijklmnopqrstuvwxyzɑɐɒæ",
        75: "βɔɕç",
        80: "ɖðʤə",
        85: "ɚɛɜ",
        90: "ɟ",
        92: "ɡ",
        99: "ɥ",
        101: "ɨɪʝ",
        110: "ɯɰŋɳɲɴø",
        118: "ɸθœ",
        123: "ɹ",
        125: "ɾɻ",
        128: "ʁɽʂʃʈʧ",
        135: "ʊʋ",
        138: "ʌɣɤ",
        142: "χʎ",
        147: "ʒʔ",
        156: "ˈˌː",
        162: "ʰ",
        164: "ʲ",
        169: "↓",
        171: "→↗↘",
        177: "ᵻ",
    }.items()
    for at, symbol in enumerate(symbols)
}
"""The symbols of the network, version 1.0, and their ids."""

ENGLISH = {
    "eɪ": "A",
    "aɪ": "I",
    "ɔɪ": "Y",
    "aʊ": "W",
    "oʊ": "O",
    "əʊ": "Q",
    "tʃ": "ʧ",
    "dʒ": "ʤ",
    "ɜːɹ": "ɜɹ",
    "ɚ": "əɹ",
    "ɐ": "ə",
    "r": "ɹ",
    "x": "k",
    "ɬ": "l",
}
"""What espeak-ng writes in English, and how Kokoro was taught it: a diphthong is one symbol."""


class Kokoro:
    """A Synthesizer; `path` is the network's .onnx file, beside the speakers' .npz or .bin files.

    Raises ModelError for missing or damaged files, ConfigError for an unknown kokoro.voice.
    """

    def __init__(self, path: Path, settings: TtsSettings, voice: str = "") -> None:
        self.rate = RATE
        self._name = path.parent.name
        remedy = f"edgevoice models verify, then edgevoice models pull {self._name}"
        self._styles, voice = _styles(path.parent, voice, remedy)
        # Speakers are named by their language and sex: bf_emma is British.
        self._language = "en-gb-x-rp" if voice.startswith("b") else "en-us"
        self._threads = settings.threads or cores.all
        self._session = open_session(path, self._threads, remedy)
        names = {given.name for given in self._session.get_inputs()}
        # The network is published in two versions, which differ in this name only.
        self._tokens = "tokens" if "tokens" in names else "input_ids"
        if names != {self._tokens, "style", "speed"}:
            raise ModelError("not a Kokoro model", where=str(path), remedy=remedy)
        self._speed = np.array([settings.speed], dtype=np.float32)
        self._options = shrinking_run_options()

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        """The sound of one clause: a piece for each sentence, nothing without words.

        Raises EngineError.
        """
        if not any(char.isalnum() for char in text):
            return
        try:
            for phonemes in sentences(text, self._language):
                ids = [SYMBOLS[each] for each in spelled(phonemes) if each in SYMBOLS]
                for start in range(0, len(ids), STYLES):
                    if cancelled():
                        return
                    samples = self._run(ids[start : start + STYLES])
                    if cancelled():
                        return
                    yield Audio(samples, RATE)
        except Exception as error:  # piper, espeak-ng and onnxruntime share no base class
            _log.debug("kokoro failed on %d characters", len(text), exc_info=True)
            raise EngineError(f"the voice {self._name} failed: {error}") from error

    def _run(self, ids: Sequence[int]) -> Samples:
        feed = {
            self._tokens: np.array([[0, *ids, 0]], dtype=np.int64),
            "style": self._styles[len(ids) - 1][None],
            "speed": self._speed,
        }
        with cores.taken(self._threads):
            samples = self._session.run(None, feed, self._options)[0]
        return np.clip(np.asarray(samples, dtype=np.float32).reshape(-1), -1.0, 1.0)


def spelled(phonemes: Sequence[str]) -> str:
    """The phonemes of espeak-ng in Kokoro's symbols."""
    text = "".join(phonemes)
    for theirs, ours in ENGLISH.items():
        text = text.replace(theirs, ours)
    return text


def speakers(folder: Path) -> list[str]:
    """The names of the speakers whose styles are in `folder`. Raises what numpy raises."""
    names = [path.stem for path in folder.glob("*.bin")]
    for path in folder.glob("*.npz"):
        with np.load(path) as file:
            names += file.files
    return sorted(names, key=lambda name: (name != FIRST_CHOICE, name))


def _styles(folder: Path, voice: str, remedy: str) -> tuple[NDArray[np.float32], str]:
    """The styles of a speaker, float32 [510, 256], and the speaker's name."""
    try:
        if not (names := speakers(folder)):
            raise FileNotFoundError("there is no .npz or .bin file")
        name = voice or names[0]
        styles = _read(folder, name).reshape(STYLES, STYLE_SIZE) if name in names else None
    except Exception as error:  # numpy and zipfile raise many kinds for a damaged file
        raise ModelError(
            f"the styles of the speakers are missing or damaged: {error}",
            where=str(folder),
            remedy=remedy,
        ) from None
    if styles is None:
        raise ConfigError(
            f"kokoro.voice is {voice}, but {folder.name} has {', '.join(names)}",
            remedy=f"--set kokoro.voice={names[0]}",
        )
    return styles, name


def _read(folder: Path, name: str) -> NDArray[np.float32]:
    if (path := folder / f"{name}.bin").is_file():
        return np.fromfile(path, dtype="<f4")
    for path in folder.glob("*.npz"):
        with np.load(path) as file:
            if name in file.files:
                return np.asarray(file[name], dtype=np.float32)
    raise FileNotFoundError(name)


def _loaded(model: Installed, config: Config) -> Kokoro:
    return Kokoro(model.path, config.tts, config.kokoro.voice)


ENGINE = Engine("tts", ("kokoro",), _loaded, KokoroSettings)
