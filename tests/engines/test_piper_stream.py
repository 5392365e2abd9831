"""A split voice gives its first sound early, and the very sound it would give whole."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.audio import Audio, Samples
from edgevoice.engines import piper, piper_split
from edgevoice.engines.onnx import OnnxModel, open_model
from edgevoice.engines.piper import Piper
from edgevoice.engines.piper_parts import DECODER, ENCODER, MANIFEST, open_parts, places
from edgevoice.engines.piper_stream import (
    FIRST_PIECE_FRAMES,
    Feed,
    ModelRunner,
    WholeDecoder,
    piece,
)
from edgevoice.settings import TtsSettings
from tests.engines.voices import HOP, RATE, write_voice

TEXT = "hello there, this is a voice that says nothing at all but says it at great length"
CLAUSES = [
    "Paris.",
    "The Brooklyn Bridge is",
    "It is one of the oldest suspension bridges in the country,",
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for what is made of voices whose own folder cannot be written."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a tiny voice lies."""
    path = tmp_path / "voice" / "tiny.onnx"
    path.parent.mkdir()
    write_voice(path)
    return path


def never() -> bool:
    return False


def open_voice(path: Path, **settings: Any) -> Piper:
    return Piper(path, TtsSettings(threads=1, **settings))


def say(voice: Piper, text: str = TEXT) -> list[Audio]:
    return list(voice.synthesize(text, never))


def joined(pieces: list[Audio]) -> Samples:
    return np.concatenate([piece.samples for piece in pieces])


class Counting:
    """A session that counts how often it is run."""

    def __init__(self, session: OnnxModel) -> None:
        self._session = session
        self.runs = 0

    def run(
        self, outputs: list[str] | None, feed: dict[str, Any], options: Any = None
    ) -> list[Any]:
        self.runs += 1
        return self._session.run(outputs, feed)

    def get_inputs(self) -> list[Any]:
        return self._session.get_inputs()


class Encoding(Counting):
    """An encoder whose frames are kept: [1, channels, frames] of each sentence."""

    def __init__(self, session: OnnxModel) -> None:
        super().__init__(session)
        self.frames: list[Any] = []

    def run(
        self, outputs: list[str] | None, feed: dict[str, Any], options: Any = None
    ) -> list[Any]:
        told = super().run(outputs, feed)
        self.frames.append(told[0])
        return told


class Opened:
    """A split voice, and how often its halves were run since it was loaded."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        parts = open_parts(path, 1)
        assert parts is not None
        self.decoder, self.encoder = Counting(parts.decoder), Encoding(parts.encoder)
        self.parts = replace(parts, decoder=self.decoder, encoder=self.encoder)
        monkeypatch.setattr(piper, "open_parts", lambda path, threads: self.parts)
        self.voice = open_voice(path)
        self.decoder.runs = 0
        self.encoder.frames.clear()


def test_a_split_voice_says_what_the_whole_one_says(path: Path) -> None:
    """Pieces laid end to end are the sound of the clause as the file as it came makes it."""
    whole, split = say(open_voice(path, stream=False)), say(open_voice(path))
    assert len(whole) == 1
    assert len(split) > 2
    np.testing.assert_allclose(joined(split), joined(whole), atol=1e-6, rtol=0)


@pytest.mark.parametrize("speaker", [0, 2])
def test_a_voice_of_several_speakers_is_split_too(tmp_path: Path, speaker: int) -> None:
    """The speaker chosen is heard from both halves; another one sounds otherwise."""
    write_voice(tmp_path / "v.onnx", speakers=3)
    whole = joined(say(open_voice(tmp_path / "v.onnx", stream=False, speaker=speaker)))
    split = say(open_voice(tmp_path / "v.onnx", speaker=speaker))
    assert len(split) > 2
    np.testing.assert_allclose(joined(split), whole, atol=1e-6, rtol=0)
    other = joined(say(open_voice(tmp_path / "v.onnx", speaker=1)))
    assert np.abs(other - whole).max() > 1e-3


@pytest.mark.models
@pytest.mark.parametrize("text", CLAUSES)
def test_the_real_voice_decodes_in_pieces_what_it_decodes_whole(
    starter_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Of the same frames, pieces make what the whole makes, but for how sums are rounded.

    From the second piece on they are equal bit by bit; on few frames the runtime adds up in
    another order.
    """
    opened = Opened(starter_models["tts"], monkeypatch)
    pieces = say(opened.voice, text)
    [frames] = opened.encoder.frames
    whole = np.ravel(opened.decoder.run(None, {opened.parts.latent: frames})[0])
    assert len(pieces) > 1
    assert len(pieces[0].samples) < len(whole)
    np.testing.assert_allclose(joined(pieces), whole, atol=1e-5, rtol=0)


def test_the_first_piece_is_there_before_the_rest_is_decoded(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the first sound comes the decoder has run once, and what is left is told."""
    opened = Opened(path, monkeypatch)
    sound = opened.voice.synthesize(TEXT, never)
    first = next(sound)
    assert opened.decoder.runs == 1
    assert len(first.samples) == FIRST_PIECE_FRAMES * HOP
    rest = joined(list(sound))
    assert opened.decoder.runs > 2
    assert first.left == len(rest)


def test_nothing_more_is_decoded_once_nobody_listens(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancellation between two pieces ends the clause."""
    opened = Opened(path, monkeypatch)
    stopped = False
    sound = opened.voice.synthesize(TEXT, lambda: stopped)
    next(sound)
    stopped = True
    assert list(sound) == []
    assert opened.decoder.runs == 1


@pytest.mark.parametrize("decoder", ["global", "textual"])
def test_a_voice_with_another_decoder_is_run_whole(tmp_path: Path, decoder: str) -> None:
    """Where pieces would not be the sound of the whole, a clause is one piece, as it was."""
    write_voice(tmp_path / "v.onnx", decoder=decoder)
    voice = open_voice(tmp_path / "v.onnx")
    assert len(say(voice)) == 1
    np.testing.assert_array_equal(
        joined(say(open_voice(tmp_path / "v.onnx"))),
        joined(say(open_voice(tmp_path / "v.onnx", stream=False))),
    )


def splits(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The voices that are split from now on."""
    seen: list[Path] = []
    halve = piper_split.halve

    def counted(path: str) -> piper_split.Halves:
        seen.append(Path(path))
        return halve(path)

    monkeypatch.setattr(piper_split, "halve", counted)
    return seen


@pytest.mark.parametrize("decoder", ["local", "global"])
def test_a_voice_is_split_once(
    tmp_path: Path, decoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The halves are kept beside the voice, as is the verdict that it has none."""
    write_voice(tmp_path / "v.onnx", decoder=decoder)
    seen = splits(monkeypatch)
    first = joined(say(open_voice(tmp_path / "v.onnx")))
    again = joined(say(open_voice(tmp_path / "v.onnx")))
    assert len(seen) == 1
    np.testing.assert_allclose(again, first, atol=1e-6, rtol=0)
    assert (tmp_path / ".made" / "v" / MANIFEST).is_file()


def test_another_voice_in_its_place_is_split_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Halves belong to one file: when it changes, they are made again."""
    before = joined(say(open_voice(path)))
    write_voice(path, seed=1)
    seen = splits(monkeypatch)
    after = joined(say(open_voice(path)))
    assert seen == [path]
    np.testing.assert_allclose(after, joined(say(open_voice(path, stream=False))), atol=1e-6)
    assert len(before) != len(after) or np.abs(before - after).max() > 1e-3


@pytest.mark.parametrize("name", [ENCODER, DECODER, MANIFEST])
@pytest.mark.parametrize("damage", ["gone", "short", "altered"])
def test_damaged_halves_are_made_again(
    path: Path, name: str, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happened to what was kept, the voice speaks as before."""
    expected = joined(say(open_voice(path)))
    kept = next(places(path)) / name
    data = kept.read_bytes()
    if damage == "gone":
        kept.unlink()
    else:
        kept.write_bytes(data[:-9] if damage == "short" else bytes(reversed(data)))
    seen = splits(monkeypatch)
    np.testing.assert_allclose(joined(say(open_voice(path))), expected, atol=1e-6, rtol=0)
    assert seen == [path]
    assert kept.read_bytes() == data


@pytest.mark.skipif(os.name == "nt", reason="folders are made read-only by their mode")
def test_a_folder_that_cannot_be_written_leaves_the_user_s_cache(
    path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a voice of the system's the halves find no place; they lie in the cache then."""
    blocked = path.parent / ".made"
    blocked.write_text("not a folder")
    expected = joined(say(open_voice(path)))
    seen = splits(monkeypatch)
    np.testing.assert_allclose(joined(say(open_voice(path))), expected, atol=1e-6, rtol=0)
    assert seen == []
    assert list(cache.rglob(MANIFEST))


def test_a_full_disk_only_means_that_it_is_split_each_time(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be kept the voice streams all the same, and no half file stays."""
    expected = joined(say(open_voice(path, stream=False)))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    pieces = say(open_voice(path))
    assert len(pieces) > 1
    np.testing.assert_allclose(joined(pieces), expected, atol=1e-6, rtol=0)
    left = [file for place in places(path) for file in place.glob("*")]
    assert [file for place in places(path) for file in place.glob(".*")] + left == []


def test_a_voice_is_not_kept_in_memory_twice(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A split voice is its halves: the whole model is not opened beside them."""
    opened: list[object] = []
    monkeypatch.setattr(piper, "open_session", lambda *given: opened.append(given))
    parts = open_parts(path, 1)
    assert parts is not None
    made = {node.name for node in parts.decoder.get_inputs()}
    assert made == {parts.latent}
    assert len(say(open_voice(path))) > 2
    assert opened == []


@given(st.integers(1, 2000), st.integers(1, 40), st.floats(0.05, 200, allow_nan=False))
def test_pieces_are_all_of_the_clause_and_never_leave_a_gap(
    total: int, context: int, speed: float
) -> None:
    """Frame by frame, each piece is decoded before the ones before it have been heard.

    Decoding is as fast as it was measured, from a decoder faster than sound by 200 times down to
    one 20 times slower.
    """
    made = last = 0
    clock = heard_from = 0.0
    while made < total:
        size = piece(total - made, last, context, speed)
        assert 0 < size <= total - made
        cost = min(total, made + size + context) - max(0, made - context)
        clock += cost / speed
        if last:
            assert clock <= heard_from + made + 1
        else:
            heard_from = clock
        made, last = made + size, size
    assert made == total


def test_slow_decoding_begins_later_and_fast_decoding_at_once() -> None:
    """The first piece only grows as decoding gets slower, up to the whole clause."""
    sizes = [piece(300, 0, 11, speed) for speed in (100, 20, 10, 4, 2, 1, 0.5, 0.1, 0.01)]
    assert sizes[0] == FIRST_PIECE_FRAMES
    assert sizes == sorted(sizes)
    assert sizes[-1] > 280


def test_models_open_from_memory(path: Path) -> None:
    """What could not be written to a disk is run from where it is."""
    runner = ModelRunner(1)
    session = open_model(path.read_bytes(), 1)
    feed: Feed = {
        "input": np.ones((1, 5), dtype=np.int64),
        "input_lengths": np.array([5], dtype=np.int64),
        "scales": np.array([0.5, 1.0, 0.8], dtype=np.float32),
    }
    pieces = list(WholeDecoder(session, runner).sound(feed, never))
    assert [(len(piece.samples), piece.left) for piece in pieces] == [(5 * 3 * HOP, 0)]
    assert RATE == 400
