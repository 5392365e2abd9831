"""Wake words: microWakeWord's small streaming networks, which run on TensorFlow Lite.

The library brings four words and the code of its networks' runtime. Where it has no build for a
system the program is installed without it, and says so when a wake word is asked for.
"""

from __future__ import annotations

import ctypes
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgevoice.audio import Samples
from edgevoice.errors import ConfigError, ModelError
from edgevoice.outside import from_json, read
from edgevoice.places import expanded
from edgevoice.settings import WakeSettings

STEEPNESS = 6.0
"""How far `wake.sensitivity` from 0 to 1 moves the log-odds at which a word is noticed. "Hey
Jarvis" is tuned to 0.97, which becomes 0.998 at 0 and 0.62 at 1."""

REFRACTORY = 32
"""Frames after a word was noticed in which it is not noticed again: a second."""

INSTALL = (
    "pip install 'edgevoice[wake]', or pymicro-wakeword beside it (x86-64 or ARM; Linux with "
    "glibc 2.35, macOS 15, Windows)"
)


@dataclass(frozen=True, slots=True)
class WakeWord:
    """A wake word that can be listened for; `config` is its microWakeWord .json file."""

    phrase: str
    config: Path
    model: Path
    cutoff: float
    """The mean probability at which the model's makers tuned it to be noticed."""


def known() -> list[str]:
    """The wake words that come with the library. Raises ModelError where it is not here."""
    return sorted(_phrase(path) for path in _folder().glob("*.json"))


def find(settings: WakeSettings) -> WakeWord:
    """The wake word that the settings name, by its words or by the path of its .json file.

    Raises ConfigError for one that is not known, and ModelError for a file that is not one, or
    where the library is not here.
    """
    wanted = settings.word.strip()
    if wanted.endswith((".json", ".tflite")) or "/" in wanted or "\\" in wanted:
        return _read(expanded(wanted).with_suffix(".json"))
    folder = _folder()
    plain = wanted.lower().replace("_", " ")
    for path in folder.glob("*.json"):
        if _phrase(path) == plain:
            return _read(path)
    raise ConfigError(
        f"no wake word is called {wanted!r}",
        where="wake.word",
        remedy=f"choose {', '.join(known())}, or the path of a microWakeWord .json file",
    )


class MicroWake:
    """WakeDetector for one wake word, noticed where it is more probable than `cutoff`."""

    def __init__(self, word: WakeWord, sensitivity: float = 0.5) -> None:
        library = _library()
        try:
            _check(library, word)
            self._network: Any = library.MicroWakeWord.from_config(word.config)
            self._features: Any = library.MicroWakeWordFeatures()
        except (OSError, ValueError, RuntimeError, ctypes.ArgumentError) as error:
            raise ModelError(
                f"the wake word cannot be loaded: {error}",
                where=str(word.config),
                remedy="choose another wake.word",
            ) from None
        odds = math.log(word.cutoff / (1 - word.cutoff)) - STEEPNESS * (sensitivity - 0.5)
        self.cutoff = 1 / (1 + math.exp(-odds))
        self._quiet = 0

    def detected(self, samples: Samples) -> bool:
        pcm = np.rint(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
        # All of them, whatever the first says: they are a stream.
        probabilities = [
            self._network.process_streaming_prob(features) or 0.0
            for features in self._features.process_streaming(pcm)
        ]
        self._quiet = max(0, self._quiet - 1)
        if self._quiet or max(probabilities, default=0.0) <= self.cutoff:
            return False
        self._quiet = REFRACTORY
        # In digital silence it would go on for seconds to be sure of what it has heard.
        self._network.reset()
        return True

    def reset(self) -> None:
        self._features.reset()
        self._network.reset()
        self._quiet = 0


def _check(library: Any, word: WakeWord) -> None:
    """Have the model opened once: the library crashes where that fails. Raises ValueError."""
    runtime = next((Path(library.__file__).parent / "lib").glob("*tensorflowlite_c.*"), None)
    if runtime is None:
        raise ValueError("the library came without its runtime")
    lib = library.microwakeword.TfLiteWakeWord(runtime).lib
    model = lib.TfLiteModelCreateFromFile(os.fsencode(word.model))
    if not model:
        raise ValueError("its model is damaged")
    lib.TfLiteModelDelete(model)


def _library() -> Any:
    try:
        import pymicro_wakeword
    except (ImportError, OSError) as error:
        raise ModelError(
            f"wake words need a library that is not here: {error}",
            where="activation.mode is wake",
            remedy=f"{INSTALL}, or --push-to-talk",
        ) from None
    return pymicro_wakeword


def _folder() -> Path:
    return Path(_library().__file__).parent / "models"


def _phrase(path: Path) -> str:
    return path.stem.replace("_", " ")


def _read(path: Path) -> WakeWord:
    remedy = (
        "name a microWakeWord .json file with its .tflite beside it, or a word that is built in"
    )
    try:
        data = from_json(read(path), dict[str, Any])
        phrase, model = str(data["wake_word"]).lower(), path.parent / str(data["model"])
        cutoff = float(data["micro"]["probability_cutoff"])
        int(data["micro"]["sliding_window_size"])
    except OSError as error:
        raise ModelError(
            f"the wake word cannot be read: {error.strerror}", where=str(path), remedy=remedy
        ) from None
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise ModelError(
            f"this is no wake word of microWakeWord: {type(error).__name__} {error}",
            where=str(path),
            remedy=remedy,
        ) from None
    if not 0 < cutoff < 1:
        raise ModelError(f"its cutoff is {cutoff}, not in (0, 1)", where=str(path), remedy=remedy)
    try:
        # The library crashes on a file that is not one: TensorFlow Lite's have this mark.
        with model.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise ModelError(
            f"the wake word's model cannot be read: {error.strerror}",
            where=str(model),
            remedy=remedy,
        ) from None
    if head[4:8] != b"TFL3":
        raise ModelError("this is no TensorFlow Lite model", where=str(model), remedy=remedy)
    return WakeWord(phrase, path, model, cutoff)
