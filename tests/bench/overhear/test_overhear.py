"""`bench overhear`: what is answered that was meant for nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from edgevoice.audio import CAPTURE_RATE, dbfs
from edgevoice.bench.corpus.corpus import CorpusRow, listed
from edgevoice.bench.overhear.offline import hearing_engines
from edgevoice.bench.overhear.overhear import SILENCE_KIND, OverheardSound, measured, sounds, table
from edgevoice.settings import ActivationSettings, Config
from edgevoice.wav import WavWriter
from tests.command import edgevoice

MINUTES = 10


def recording(path: Path, seconds: float, level: float = 0.1) -> Path:
    noise = np.random.default_rng(1).standard_normal(int(seconds * CAPTURE_RATE)) * level
    with WavWriter(path, CAPTURE_RATE) as file:
        file.write(noise.astype(np.float32))
    return path


def test_each_kind_is_heard_for_as_long_as_was_asked(tmp_path: Path) -> None:
    """Files of one kind follow each other, over and over; silence comes first."""
    told: list[str] = []
    rows = [
        CorpusRow(recording(tmp_path / "a.wav", 1.0), kind="rain"),
        CorpusRow(recording(tmp_path / "b.wav", 0.5, 0.01), kind="rain"),
        CorpusRow(recording(tmp_path / "hum.wav", 0.5)),
        CorpusRow(tmp_path / "broken.wav", kind="music"),
    ]
    rows[3].file.write_bytes(b"no sound")
    found = list(sounds(rows, 4.0, None, told.append))
    assert [(kind, files) for kind, files, _ in found] == [
        (SILENCE_KIND, 0),
        ("rain", 2),
        ("hum", 1),
    ]
    assert {len(sound) for _, _, sound in found} == {4 * CAPTURE_RATE}
    rain = found[1][2]
    assert dbfs(rain[: CAPTURE_RATE // 2]) > dbfs(rain[CAPTURE_RATE : CAPTURE_RATE * 3 // 2]) + 10
    np.testing.assert_array_equal(
        rain[: CAPTURE_RATE // 2], rain[CAPTURE_RATE * 3 // 2 : 2 * CAPTURE_RATE]
    )
    assert any("broken.wav" in line for line in told)


def test_a_level_is_that_of_the_whole_kind(tmp_path: Path) -> None:
    """Television two rooms away is as loud as it is asked to be."""
    rows = [CorpusRow(recording(tmp_path / "tv.wav", 1.0))]
    _, (_, _, sound) = sounds(rows, 2.0, -40.0, print)
    assert dbfs(sound) == pytest.approx(-40.0, abs=0.1)


def test_figures_are_by_the_hour() -> None:
    """Ten minutes with two answers are twelve an hour."""
    one = OverheardSound(
        kind="song",
        files=1,
        seconds=600.0,
        level=-20.0,
        begun=3,
        answered=2,
        woken=0,
        complaints=0,
        longest=7.0,
        said=("la", "la la"),
    )
    assert table([one])[-1] == "| song | -20 dBFS | 18 | 12 | 7 s |"


@pytest.mark.models
def test_the_command_counts_what_is_answered(
    tmp_path: Path, starter_models: dict[str, Path]
) -> None:
    """A question in the next room is one answer each time it is heard; silence is none."""
    words = ("--set", "tts.variation=0", "say", "What is the capital of Italy?")
    assert edgevoice(*words, "-o", tmp_path / "question.wav").returncode == 0
    file = tmp_path / "r.json"
    done = edgevoice("bench", "overhear", tmp_path, "--minutes", "0.1", "--json", file)
    assert done.returncode == 0, done.stderr
    silence, question = json.loads(file.read_text())["overheard"]
    assert (silence["begun"], silence["answered"]) == (0, 0)
    assert question["answered"] >= 1
    assert "Italy" in question["said"][0]
    assert "| question |" in done.stdout


@pytest.mark.models
@pytest.mark.long
@pytest.mark.parametrize("mode", ["wake", "push"])
def test_with_a_wake_word_or_a_key_noise_is_never_answered(
    mode: Literal["wake", "push"], shared: Path, starter_models: dict[str, Path]
) -> None:
    """Ten minutes each of silence, rooms, babble, rain, music: nothing is so much as begun."""
    config = Config(activation=ActivationSettings(mode=mode))
    engines = hearing_engines(config)
    rows, _ = listed(shared / "noise", print)
    for kind, files, sound in sounds(rows, 60.0 * MINUTES, None, print):
        one = measured(config, engines, kind, files, sound)
        assert (one.woken, one.begun, one.answered) == (0, 0, 0), kind


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Before anything is loaded."""
    done = edgevoice("bench", "overhear", tmp_path / "none")
    assert done.returncode == 2
    assert "no such folder" in done.stderr
