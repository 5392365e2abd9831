"""The checked part of a Piper voice's settings file."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from edgevoice.outside import from_json

Scale = Annotated[float, Meta(ge=0, le=100)]


class VoiceAudio(Struct, frozen=True):
    """The voice's audio format."""

    sample_rate: Annotated[int, Meta(ge=100, le=384_000)]


class VoiceInference(Struct, frozen=True):
    """The voice's default parameters of synthesis."""

    noise_scale: Scale = 0.667
    length_scale: Annotated[float, Meta(gt=0, le=100)] = 1.0
    noise_w: Scale = 0.8


class VoiceFile(Struct, frozen=True):
    """The values that are checked before a voice is used; Piper reads further ones."""

    audio: VoiceAudio
    phoneme_id_map: dict[str, list[Annotated[int, Meta(ge=0, le=1_000_000)]]]
    num_symbols: Annotated[int, Meta(ge=1, le=1_000_000)] = 256
    num_speakers: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    inference: VoiceInference = VoiceInference()
    espeak: dict[str, Any] = {}
    language: Any = None
    dataset: Any = None


def read(data: bytes) -> VoiceFile:
    """The file's content, checked. Raises Malformed."""
    return from_json(data, VoiceFile)
