"""What a model has to read and to multiply, counted from its own file.

Nothing here is measured. Counted are matrix products, in operations (a multiplication and its
addition are two), and the bytes of weights that they read. What is small beside them is left out,
so that a floor reckoned from it is a little too low rather than too high.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgevoice.models import voice_file
from edgevoice.models.ct2 import NotCt2, Stored, stored
from edgevoice.models.gguf import Header, NotGguf, read_header
from edgevoice.outside import Malformed, read
from edgevoice.settings import SlmSettings, SttSettings

POSITIONS = 50
"""Positions of Whisper's encoder for a second of sound; its convolutions see twice as many."""


class UnknownCosts(Exception):
    """Why the cost of a model is not known."""


@dataclass(frozen=True, slots=True)
class LanguageModelCosts:
    """A language model.

    `weights` bytes are read for every batch of tokens, whatever its size, and `cache` bytes for
    every position before; `inner` numbers are multiplied with each token, and `outer` (the output
    matrix) with those whose successor is asked for.
    """

    weights: int
    inner: int
    outer: int
    cache: int


@dataclass(frozen=True, slots=True)
class RecognizerCosts:
    """Whisper. `linear` and `convolved` numbers are multiplied with each position of the encoder,
    `width` and `layers` are those of its attention; `decoder` numbers, a byte each, are read and
    multiplied with each token. The encoder is given `padding` seconds beyond the clip, at most
    `window` in all, or the whole of that."""

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
    """The cost of the GGUF model at `path`. Raises Underivable."""
    from edgevoice.engines.facts import gpu_layers

    if gpu_layers(settings.gpu_layers):
        raise UnknownCosts("it runs on a GPU, whose memory is not measured")
    try:
        with path.open("rb") as file:
            return thinking(read_header(file.read))
    except (OSError, NotGguf) as error:
        raise UnknownCosts(f"its file cannot be read: {error}") from None


def thinking(header: Header) -> LanguageModelCosts:
    """The cost of the model with this header. Raises Underivable."""
    if not header.length:
        raise UnknownCosts("its file holds tensors of an unknown type")
    names = {weight.name for weight in header.weights}
    tied = "output.weight" not in names
    values, family = header.values, header.architecture
    experts, used = (values.get(f"{family}.expert{which}count") for which in ("_", "_used_"))
    size = inner = outer = 0.0
    for weight in header.weights:
        # Of the experts of a layer only some are used for a token.
        part = used / experts if "_exps." in weight.name and used and experts else 1.0
        last = weight.name == ("token_embd.weight" if tied else "output.weight")
        if weight.name == "token_embd.weight" and not tied:
            continue  # of which one row is read
        size += part * weight.size
        if last:
            outer += weight.elements
        elif len(weight.shape) > 1:
            inner += part * weight.elements
    return LanguageModelCosts(round(size), round(inner), round(outer), header.cache(1))


def recognizer(folder: Path, settings: SttSettings) -> RecognizerCosts:
    """The cost of the Whisper model in `folder`. Raises Underivable."""
    from edgevoice.engines.facts import encoder_seconds, transcribes_on_gpu

    if transcribes_on_gpu():
        raise UnknownCosts("it runs on a GPU, whose memory is not measured")
    try:
        tensors = stored(folder / "model.bin")
    except (OSError, NotCt2) as error:
        raise UnknownCosts(f"its file cannot be read: {error}") from None
    return hearing(tensors, *encoder_seconds(), settings.window == "full")


def hearing(tensors: list[Stored], padding: float, window: float, full: bool) -> RecognizerCosts:
    """The cost of a Whisper model of these tensors. Raises Underivable."""
    linear = convolved = decoder = width = 0
    layers = set()
    for tensor in tensors:
        parts = tensor.name.split("/")
        if parts[-1] != "weight" or len(tensor.shape) < 2:
            continue
        if parts[0] == "encoder" and parts[1].startswith("conv"):
            # The first one is taken at twice as many places as there are positions.
            convolved += tensor.elements * (2 if parts[1] == "conv1" else 1)
            width = tensor.shape[0]
        elif parts[0] == "encoder":
            linear += tensor.elements
            layers.add(parts[1])
        elif parts[0] == "decoder" and parts[2:4] == ["attention", "linear_1"]:
            linear += tensor.elements  # keys and values of what was heard, once for all tokens
        elif parts[0] == "decoder" and parts[1] != "position_encodings":
            decoder += tensor.elements  # the embedding too: it is also the output matrix
    if not (linear and convolved and decoder):
        raise UnknownCosts("its file does not name the parts of a Whisper model")
    return RecognizerCosts(linear, convolved, width, len(layers), decoder, padding, window, full)


def voice(path: Path) -> float:
    """Operations of the decoder of a Piper voice for a second of sound. Raises Underivable."""
    from edgevoice.engines.facts import decoder_products

    try:
        rate = voice_file.read(read(path.with_name(f"{path.name}.json"))).audio.sample_rate
    except (OSError, Malformed) as error:
        raise UnknownCosts(f"its settings cannot be read: {error}") from None
    products = decoder_products(path)
    if products is None:
        raise UnknownCosts("it could not be split, so its decoder is not known")
    return 2.0 * products * rate
