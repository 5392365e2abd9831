"""The questions of a bench, and everything that can be wrong with a folder of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgevoice.audio import CAPTURE_RATE, Audio
from edgevoice.bench.corpus.corpus import (
    builtin,
    chosen,
    listed,
    recorded,
    speech_end,
    spread,
    synthesized,
)
from edgevoice.errors import AudioFileError, UsageError
from edgevoice.testing.scripted import LoudnessDetector
from edgevoice.wav import WavWriter


def recording(path: Path, *, quiet: bool = False) -> Path:
    """A second of speech (as the scripted detector takes it), then half a second of silence."""
    samples = np.zeros(int(1.5 * CAPTURE_RATE), dtype=np.float32)
    samples[:CAPTURE_RATE] = 0.0 if quiet else 0.3
    with WavWriter(path, CAPTURE_RATE) as file:
        file.write(samples)
    return path


@pytest.fixture
def notices() -> list[str]:
    return []


def test_a_folder_without_a_manifest_is_its_wavs(tmp_path: Path, notices: list[str]) -> None:
    """In the order of their names; where speech ends is found by the detector."""
    for name in ("b.wav", "a.WAV"):
        recording(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no sound")
    rows, missing = listed(tmp_path, notices.append)
    questions, left_out = recorded(rows, LoudnessDetector(), notices.append)
    assert [q.name for q in questions] == ["a.WAV", "b.wav"]
    assert questions[0].speech_end == pytest.approx(1.0, abs=0.032)
    assert not questions[0].known
    assert (missing, left_out, notices) == ([], [], [])


def test_a_manifest_tells_what_is_said_and_where_it_ends(
    tmp_path: Path, notices: list[str]
) -> None:
    """Its columns are found by name, those it does not have are done without."""
    recording(tmp_path / "a.wav")
    recording(tmp_path / "b.wav")
    (tmp_path / "manifest.tsv").write_text(
        "file\tspeech_end_s\tlongest_pause_s\ttranscript\treference\tkind\n"
        "a.wav\t0.90\t0.41\tset a timer\thuman\tcommand\n"
        'b.wav\t\t\ta "quoted" guess\tpseudo\tread\n'
    )
    rows, _ = listed(tmp_path, notices.append)
    (a, b), _ = recorded(rows, LoudnessDetector(), notices.append)
    assert (a.speech_end, a.longest_pause, a.said) == (0.9, 0.41, "set a timer")
    assert a.known
    assert b.said == 'a "quoted" guess'
    assert not b.known
    assert [row.file.name for row in chosen(rows, "command")] == ["a.wav"]
    assert [row.file.name for row in chosen(rows, "b*")] == ["b.wav"]
    assert [row.file.name for row in chosen(rows, "", 0.3)] == ["a.wav"]


def test_what_is_broken_or_missing_is_named_and_the_rest_is_used(
    tmp_path: Path, notices: list[str]
) -> None:
    """A file that is no sound, one that is not there, one without speech: each told, none fatal."""
    recording(tmp_path / "good.wav")
    recording(tmp_path / "quiet.wav", quiet=True)
    (tmp_path / "broken.wav").write_bytes(b"not a sound")
    (tmp_path / "manifest.tsv").write_text("file\ngood.wav\nbroken.wav\ngone.wav\nquiet.wav\n")
    rows, missing = listed(tmp_path, notices.append)
    questions, left_out = recorded(rows, LoudnessDetector(), notices.append)
    assert [q.name for q in questions] == ["good.wav"]
    assert missing == ["gone.wav"]
    assert left_out == ["broken.wav", "quiet.wav"]
    for name in ("gone.wav", "broken.wav", "quiet.wav"):
        assert any(name in notice for notice in notices), notices


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("name\ttext\na.wav\thello\n", "no column `file`"),
        ("file\tspeech_end_s\na.wav\tsoon\n", "`speech_end_s` is 'soon'"),
        ("file\treference\na.wav\tguessed\n", "`reference` is 'guessed'"),
        ("file\nz.wav\n", "none of its recordings was found"),
        ("", "no column `file`"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_named_with_the_line(
    tmp_path: Path, manifest: str, told: str
) -> None:
    """What is wrong with it, and where."""
    recording(tmp_path / "a.wav")
    (tmp_path / "manifest.tsv").write_text(manifest)
    with pytest.raises(UsageError) as error:
        listed(tmp_path, print)
    assert told in error.value.what
    assert "manifest.tsv" in error.value.where
    assert error.value.remedy


def test_a_folder_without_sound_is_named(tmp_path: Path) -> None:
    """No folder, no WAV in it, and none that can be used."""
    with pytest.raises(UsageError, match="no such folder"):
        listed(tmp_path / "none", print)
    with pytest.raises(UsageError, match="no WAV files"):
        listed(tmp_path, print)
    (tmp_path / "broken.wav").write_bytes(b"")
    rows, _ = listed(tmp_path, print)
    with pytest.raises(AudioFileError, match="none of the recordings"):
        recorded(rows, LoudnessDetector(), print)


def test_a_choice_that_fits_nothing_is_told(tmp_path: Path) -> None:
    """A pattern without a match, and pauses where no manifest lists any."""
    rows, _ = listed(recording(tmp_path / "a.wav").parent, print)
    with pytest.raises(UsageError, match="no recording fits 'x\\*'"):
        chosen(rows, "x*")
    with pytest.raises(UsageError, match="the manifest lists no recording"):
        chosen(rows, "", 0.3)


def test_a_limit_takes_evenly_from_the_whole() -> None:
    """Not the first few, which in a sorted corpus are all of one kind."""
    assert spread([*range(10)], 5) == [0, 2, 4, 6, 8]
    assert spread([*range(3)], 5) == [0, 1, 2]
    assert spread([*range(3)], 0) == [0, 1, 2]


def test_there_are_enough_questions_for_a_p95_each_with_a_reply() -> None:
    """At least 36, all different, each with what a model without words of its own is to say."""
    rows = builtin()
    assert len({question for question, _ in rows}) == len(rows) >= 36
    assert all(3 <= len(reply.split()) <= 30 for _, reply in rows)


class Voice:
    """Says every text with words as a second of sound."""

    rate = 16_000

    def synthesize(self, text: str, cancelled: object) -> list[Audio]:
        samples = np.full(self.rate, 0.3, dtype=np.float32)
        return [Audio(samples, self.rate)] if any(c.isalpha() for c in text) else []


def test_questions_are_spoken_with_their_own_replies() -> None:
    """A built-in question keeps its reply, another one gets some; one without words is left out."""
    question, reply = builtin()[0]
    made = list(synthesized([question, "…", "Who are you?"], Voice(), LoudnessDetector()))  # type: ignore[arg-type]
    assert [q.name for q in made] == [question, "Who are you?"]
    assert made[0].reply == reply
    assert made[1].reply
    assert made[0].known
    assert made[0].reference == "written"


def test_speech_ends_with_the_last_voiced_frame() -> None:
    """To a frame of 32 ms; nowhere, if nobody speaks."""
    samples = np.zeros(16_000, dtype=np.float32)
    assert speech_end(samples, LoudnessDetector()) is None
    samples[:8000] = 0.3
    assert speech_end(samples, LoudnessDetector()) == pytest.approx(0.5, abs=0.032)
