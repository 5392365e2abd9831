"""What a model must read and multiply, counted from its own file.

Counted are matrix products, in operations (a multiplication and its addition are two), and the
bytes of weights that they read. Small things are left out, so a floor is rather too low.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgevoice.models import voice_file
from edgevoice.models.ct2 import NotCt2, Stored, stored
from edgevoice.models.gguf import Header, NotGguf, read_header
from edgevoice.outside import Malformed, read
from edgevoice.settings import SlmSettings, SttSettings

POSITIONS = 50  # positions of Whisper's encoder per second of audio
ON_GPU = "it runs on a GPU, whose memory is not measured"


class UnknownCosts(Exception):
    """Why the cost of a model is not known."""


@dataclass(frozen=True, slots=True)
class LanguageModelCosts:
    """A language model: `weights` bytes are read per batch of tokens, `cache` bytes per earlier
    position. `inner` numbers are multiplied per token, `outer` (the output matrix) per token whose
    successor is wanted."""

    weights: int
    inner: int
    outer: int
    cache: int


@dataclass(frozen=True, slots=True)
class RecognizerCosts:
    """Whisper: `linear` and `convolved` numbers are multiplied per position of the encoder, whose
    attention has `width` and `layers`; `decoder` numbers of a byte are read and multiplied per
    token. The encoder gets `padding` seconds beyond the clip, up to `window`, or all of that."""

    linear: int
    convolved: int
    width: int
    layers: int
    decoder: int
    padding: float
    window: float
    full: bool

    def positions(self, seconds: float) -> int:
        """How many positions the encoder works on for a clip of so many seconds."""
        given = self.window if self.full else min(self.window, seconds + self.padding)
        return int(given * POSITIONS)


def language_model(path: Path, settings: SlmSettings) -> LanguageModelCosts:
    """The cost of the GGUF model at `path`. Raises UnknownCosts."""
    from edgevoice.engines.facts import gpu_layers

    if gpu_layers(settings.gpu_layers):
        raise UnknownCosts(ON_GPU)
    try:
        with path.open("rb") as file:
            return thinking(read_header(file.read))
    except (OSError, NotGguf) as error:
        raise UnknownCosts(f"its file cannot be read: {error}") from None


def thinking(header: Header) -> LanguageModelCosts:
    """The cost of the language model with this header. Raises UnknownCosts."""
    if not header.length:
        raise UnknownCosts("its file holds tensors of an unknown type")
    tied = all(weight.name != "output.weight" for weight in header.weights)
    values, family = header.values, header.architecture
    experts, used = (values.get(f"{family}.expert{which}count") for which in ("_", "_used_"))
    size = inner = outer = 0.0
    for weight in header.weights:
        # A token uses only some of the experts of a layer.
        part = used / experts if "_exps." in weight.name and used and experts else 1.0
        if weight.name == "token_embd.weight" and not tied:
            continue  # only one row is read
        size += part * weight.size
        if weight.name in ("token_embd.weight", "output.weight"):
            outer += weight.elements
        elif len(weight.shape) > 1:
            inner += part * weight.elements
    return LanguageModelCosts(round(size), round(inner), round(outer), header.cache(1))


def recognizer(folder: Path, settings: SttSettings) -> RecognizerCosts:
    """The cost of the Whisper model in `folder`. Raises UnknownCosts."""
    from edgevoice.engines.facts import encoder_seconds, transcribes_on_gpu

    if transcribes_on_gpu():
        raise UnknownCosts(ON_GPU)
    try:
        tensors = stored(folder / "model.bin")
    except (OSError, NotCt2) as error:
        raise UnknownCosts(f"its file cannot be read: {error}") from None
    return hearing(tensors, *encoder_seconds(), settings.window == "full")


def hearing(tensors: list[Stored], padding: float, window: float, full: bool) -> RecognizerCosts:
    """The cost of a Whisper model of these tensors. Raises UnknownCosts."""
    linear = convolved = decoder = width = 0
    layers = set()
    for tensor in tensors:
        match tensor.name.split("/"):
            case [*_, last] if last != "weight" or len(tensor.shape) < 2:
                continue
            case ["encoder", layer, *_] if layer.startswith("conv"):
                # The first one works on twice as many places as there are positions.
                convolved += tensor.elements * (2 if layer == "conv1" else 1)
                width = tensor.shape[0]
            case ["encoder", layer, *_]:
                linear += tensor.elements
                layers.add(layer)
            case ["decoder", _, "attention", "linear_1", *_]:
                linear += tensor.elements  # keys and values of the audio, once for all tokens
            case ["decoder", layer, *_] if layer != "position_encodings":
                decoder += tensor.elements  # the embedding is also the output matrix
    if not (linear and convolved and decoder):
        raise UnknownCosts("its file does not name the parts of a Whisper model")
    return RecognizerCosts(linear, convolved, width, len(layers), decoder, padding, window, full)


def voice(path: Path) -> float:
    """Operations of the decoder of a Piper voice per second of audio. Raises UnknownCosts."""
    from edgevoice.engines.facts import decoder_products

    try:
        rate = voice_file.read(read(path.with_name(f"{path.name}.json"))).audio.sample_rate
    except (OSError, Malformed) as error:
        raise UnknownCosts(f"its settings cannot be read: {error}") from None
    products = decoder_products(path)
    if products is None:
        raise UnknownCosts("it could not be split, so its decoder is not known")
    return 2.0 * products * rate
