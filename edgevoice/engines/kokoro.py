"""Text to speech with Kokoro voices, on onnxruntime and the phonemes of espeak-ng.

A Kokoro model has one network and a table of styles for each speaker. A sentence is one run, in
which the network also tells when each phoneme ends.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import Audio, Samples
from edgevoice.engines.cpu_budget import cores
from edgevoice.engines.onnx import OnnxModel, open_model, open_session, shrinking_run_options
from edgevoice.engines.phonemes import sentences
from edgevoice.engines.piper_words import WordMarks
from edgevoice.engines.registry import Engine
from edgevoice.errors import ConfigError, EngineError, ModelError
from edgevoice.models.store import Installed
from edgevoice.protocols import Cancelled
from edgevoice.settings import Config, KokoroSettings, TtsSettings

_log = logging.getLogger(__name__)

KOKORO_RATE = 24_000
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
        self.rate = KOKORO_RATE
        self._name = path.parent.name
        remedy = f"edgevoice models verify, then edgevoice models pull {self._name}"
        self._styles, voice = _styles(path.parent, voice, remedy)
        # Speakers are named by their language and sex: bf_emma is British.
        self._language = "en-gb-x-rp" if voice.startswith("b") else "en-us"
        self._threads = settings.threads or cores.all
        self._session, self._outputs = _open(path, self._threads, remedy)
        names = {given.name for given in self._session.get_inputs()}
        # The network is published in two versions, which differ in this name only.
        self._tokens = "tokens" if "tokens" in names else "input_ids"
        if names != {self._tokens, "style", "speed"}:
            raise ModelError("not a Kokoro model", where=str(path), remedy=remedy)
        self._speed = np.array([settings.speed], dtype=np.float32)
        self._options = shrinking_run_options()
        self._words = WordMarks(self._phonemes, lambda phonemes: _ids("".join(phonemes)))

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        """The sound of one clause: a piece for each sentence, nothing without words.

        Raises EngineError.
        """
        if not any(char.isalnum() for char in text):
            return
        try:
            phonemes = self._phonemes(text)
            for number, sentence in enumerate(phonemes):
                for start in range(0, len(sentence), STYLES):
                    if cancelled():
                        return
                    samples, ends = self._run("".join(sentence[start : start + STYLES]))
                    if cancelled():
                        return
                    whole = ends and len(sentence) <= STYLES
                    marks = self._words.marks(text, phonemes, number, ends) if whole else None
                    yield Audio(samples, KOKORO_RATE, 0, marks)
        except Exception as error:  # piper, espeak-ng and onnxruntime share no base class
            _log.debug("kokoro failed on %d characters", len(text), exc_info=True)
            raise EngineError(f"the voice {self._name} failed: {error}") from error

    def at_speed(self, factor: float) -> Kokoro:
        """The same voice, by a factor faster."""
        other = copy.copy(self)
        other._speed = self._speed * np.float32(factor)
        return other

    def _phonemes(self, text: str) -> list[list[str]]:
        """The symbols of each sentence."""
        return [list(spelled(each)) for each in sentences(text, self._language)]

    def _run(self, phonemes: str) -> tuple[Samples, list[int]]:
        """The sound, and the end of each id in samples, if the network tells it."""
        ids = _ids(phonemes)
        feed = {
            self._tokens: np.array([ids], dtype=np.int64),
            "style": self._styles[len(ids) - 3][None],
            "speed": self._speed,
        }
        with cores.taken(self._threads):
            made, *frames = self._session.run(self._outputs, feed, self._options)
        samples = np.clip(np.asarray(made, dtype=np.float32).reshape(-1), -1.0, 1.0)
        ends = [
            each * len(samples) // int(total[-1]) for total in frames for each in total.tolist()
        ]
        return samples, ends


def spelled(phonemes: Sequence[str]) -> str:
    """The phonemes of espeak-ng in Kokoro's symbols; those that it does not have are left out."""
    text = "".join(phonemes)
    for theirs, ours in ENGLISH.items():
        text = text.replace(theirs, ours)
    return "".join(symbol for symbol in text if symbol in SYMBOLS)


def _ids(phonemes: str) -> list[int]:
    """The ids of a run: a zero stands before and behind those of the symbols."""
    return [0, *(SYMBOLS[symbol] for symbol in phonemes), 0]


def _open(path: Path, threads: int, remedy: str) -> tuple[OnnxModel, list[str] | None]:
    """The network, and the names of the outputs to ask for. Raises ModelError."""
    # Importing the graph editor takes 0.25 s.
    from edgevoice.engines.kokoro_network import prepared

    try:
        network = prepared(path)
        outputs = [network.audio, *([network.ends] if network.ends else [])]
        return open_model(network.model, threads), outputs
    except Exception as error:  # onnx's and onnxruntime's exceptions have no common base
        _log.debug("%s is run as it is: %r", path.name, error)
        return open_session(path, threads, remedy), None


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
