"""Wake-word detection with microWakeWord's streaming networks on TensorFlow Lite.

The library includes four words and the runtime. On systems without a build of it, selecting a wake
word raises ModelError.
"""

from __future__ import annotations

import ctypes
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from edgevoice.audio import Samples
from edgevoice.errors import ConfigError, ModelError
from edgevoice.outside import from_json, read
from edgevoice.places import expanded
from edgevoice.settings import WakeSettings

SENSITIVITY_RANGE = 6.0
"""Log-odds by which `wake.sensitivity` from 0 to 1 moves the detection threshold. The 0.97 of "Hey
Jarvis" becomes 0.998 at 0 and 0.62 at 1."""

REFRACTORY_FRAMES = 32
"""Frames after a detection without another one: 1 s."""

INSTALL_REMEDY = (
    "pip install 'edgevoice[wake]', or pymicro-wakeword beside it (x86-64 or ARM; Linux with "
    "glibc 2.35, macOS 15, Windows)"
)


@dataclass(frozen=True, slots=True)
class WakeWord:
    """An available wake word; `config` is its microWakeWord .json file."""

    phrase: str
    config: Path
    model: Path
    cutoff: float
    """The detection threshold of the model's authors, a mean probability."""
    window: int
    """Number of probabilities in the mean."""


class WakeWordParameters(Struct, frozen=True):
    """How a network's probabilities become a detection."""

    probability_cutoff: Annotated[float, Meta(ge=1e-6, le=1 - 1e-6)]
    sliding_window_size: Annotated[int, Meta(ge=1, le=1000)]


class WakeWordFile(Struct, frozen=True):
    """The values of a microWakeWord .json file that are used."""

    wake_word: Annotated[str, Meta(min_length=1)]
    model: Annotated[str, Meta(min_length=1)]
    micro: WakeWordParameters


def known() -> list[str]:
    """The wake words included in the library. Raises ModelError if it is not installed."""
    return sorted(_phrase(path) for path in _folder().glob("*.json"))


def find(settings: WakeSettings) -> WakeWord:
    """The wake word that the settings name, by its words or by the path of its .json file.

    Raises ConfigError for an unknown word, and ModelError for an invalid file or without the
    library.
    """
    wanted = settings.word.strip()
    if wanted.endswith((".json", ".tflite")) or "/" in wanted or "\\" in wanted:
        path = expanded(wanted)
        # A folder such as / has no name to put an ending to.
        return _read(path.with_suffix(".json") if path.name else path)
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
    """WakeDetector for one wake word, detected above the probability `cutoff`.

    Raises ModelError if the word cannot be loaded.
    """

    def __init__(self, word: WakeWord, sensitivity: float = 0.5) -> None:
        library = _library()
        try:
            runtime = _checked_runtime(library, word)
            self._network: Any = library.MicroWakeWord(
                id=word.model.stem,
                wake_word=word.phrase,
                tflite_model=word.model,
                probability_cutoff=word.cutoff,
                sliding_window_size=word.window,
                trained_languages=[],
                libtensorflowlite_c_path=runtime,
            )
            self._features: Any = library.MicroWakeWordFeatures()
        except (OSError, ValueError, RuntimeError, ctypes.ArgumentError) as error:
            raise ModelError(
                f"the wake word cannot be loaded: {error}",
                where=str(word.config),
                remedy="choose another wake.word",
            ) from None
        odds = math.log(word.cutoff / (1 - word.cutoff)) - SENSITIVITY_RANGE * (sensitivity - 0.5)
        self.cutoff = 1 / (1 + math.exp(-odds))
        self._refractory_left = 0

    def detected(self, samples: Samples) -> bool:
        pcm = np.rint(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
        # All of them, because the network keeps a state.
        probabilities = [
            self._network.process_streaming_prob(features) or 0.0
            for features in self._features.process_streaming(pcm)
        ]
        self._refractory_left = max(0, self._refractory_left - 1)
        if self._refractory_left or max(probabilities, default=0.0) <= self.cutoff:
            return False
        self._refractory_left = REFRACTORY_FRAMES
        # In digital silence the probability would stay high for seconds.
        self._network.reset()
        return True

    def reset(self) -> None:
        self._features.reset()
        self._network.reset()
        self._refractory_left = 0


def _checked_runtime(library: Any, word: WakeWord) -> Path:
    """The library's runtime, which has opened the model once: the library crashes where that fails.

    Raises ValueError.
    """
    runtime = next((Path(library.__file__).parent / "lib").glob("*tensorflowlite_c.*"), None)
    if runtime is None:
        raise ValueError("the library lacks its runtime")
    lib = library.microwakeword.TfLiteWakeWord(runtime).lib
    model = lib.TfLiteModelCreateFromFile(os.fsencode(word.model))
    if not model:
        raise ValueError("its model is damaged")
    lib.TfLiteModelDelete(model)
    return runtime


def _library() -> Any:
    try:
        import pymicro_wakeword
    except (ImportError, OSError) as error:
        raise ModelError(
            f"wake words need a library that is not installed: {error}",
            where="activation.mode is wake",
            remedy=f"{INSTALL_REMEDY}, or --push-to-talk",
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
        file = from_json(read(path), WakeWordFile)
    except OSError as error:
        raise ModelError(
            f"the wake word cannot be read: {error.strerror}", where=str(path), remedy=remedy
        ) from None
    except ValueError as error:
        raise ModelError(
            f"not a microWakeWord file: {error}", where=str(path), remedy=remedy
        ) from None
    model = path.parent / file.model
    try:
        # The library crashes on other files; TensorFlow Lite's have this magic number.
        with model.open("rb") as opened:
            head = opened.read(8)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"the wake word's model cannot be read: {getattr(error, 'strerror', None) or error}",
            where=str(model),
            remedy=remedy,
        ) from None
    if head[4:8] != b"TFL3":
        raise ModelError("not a TensorFlow Lite model", where=str(model), remedy=remedy)
    micro = file.micro
    return WakeWord(
        file.wake_word.lower(), path, model, micro.probability_cutoff, micro.sliding_window_size
    )
