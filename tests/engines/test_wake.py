"""Wake words on the real networks: who is heard, who is not, and what cannot be loaded."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Samples
from edgevoice.engines.piper import Piper
from edgevoice.engines.wake import MicroWake, find, known
from edgevoice.errors import ConfigError, ModelError
from edgevoice.resample import resample
from edgevoice.settings import WakeSettings
from edgevoice.wav import read_speech


def hits(detector: MicroWake, sound: Samples) -> int:
    """How often the word is noticed in it, with a second of silence before and after."""
    quiet = np.zeros(CAPTURE_RATE, dtype=np.float32)
    whole = np.concatenate([quiet, sound, quiet])
    detector.reset()
    frames = range(0, len(whole) - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    return sum(detector.detected(whole[at : at + FRAME_SAMPLES]) for at in frames)


def detector(word: str, sensitivity: float = 0.5) -> MicroWake:
    return MicroWake(find(WakeSettings(word=word)), sensitivity)


def recordings(folder: Path, kind: str = "") -> Iterator[Samples]:
    """The sounds of a folder, or those of a kind."""
    with (folder / "manifest.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if not kind or row["kind"] == kind:
                yield read_speech(folder / row["file"])


def test_four_words_come_with_it() -> None:
    """By the names they are said by, however they are written."""
    assert known() == ["alexa", "hey jarvis", "hey mycroft", "okay nabu"]
    assert find(WakeSettings(word="Hey_Jarvis")).phrase == "hey jarvis"


def test_people_who_say_the_word_are_heard(shared: Path) -> None:
    """Of eleven who say "alexa" at least ten, and the one who says "hey mycroft"."""
    alexa = detector("alexa")
    people = list(recordings(shared / "wake", "positive:alexa"))
    assert sum(hits(alexa, sound) > 0 for sound in people) >= 10
    [said] = recordings(shared / "wake", "positive:hey mycroft")
    assert hits(detector("hey mycroft"), said) == 1


@pytest.mark.parametrize("word", ["hey jarvis", "okay nabu", "hey mycroft", "alexa"])
def test_nobody_is_heard_who_says_something_else(shared: Path, word: str) -> None:
    """Thirty-five recordings of other words, some of them meant to be mistaken."""
    listening = detector(word)
    assert [s for s in recordings(shared / "wake", "negative") if hits(listening, s)] == []


@pytest.mark.slow
@pytest.mark.parametrize("word", ["hey jarvis", "okay nabu", "alexa"])
def test_noise_music_and_speech_wake_nobody(
    shared: Path, word: str, trials: Callable[[int], int]
) -> None:
    """Nine minutes of noise of all kinds and fourteen of people who read and talk: a sample of the
    recordings, or all of them."""
    listening = detector(word)
    for folder in ("noise", "speech"):
        sounds = list(recordings(shared / folder))
        sample = sounds[:: len(sounds) // trials(len(sounds))]
        assert sum(hits(listening, sound) for sound in sample) == 0


@pytest.mark.models
def test_a_question_in_one_breath_wakes_it_once(steady_voice: Piper) -> None:
    """The voice says it, and it is noticed once, before the question is over."""
    said = list(steady_voice.synthesize("Hey Jarvis, what is the capital of Italy?", lambda: False))
    sound = resample(
        np.concatenate([part.samples for part in said]), steady_voice.rate, CAPTURE_RATE
    )
    assert hits(detector("hey jarvis"), sound) == 1


def test_more_sensitivity_hears_no_less(shared: Path) -> None:
    """The threshold falls as it rises, and lies where the model's makers put it in the middle."""
    word = find(WakeSettings(word="alexa"))
    low, middle, high = (MicroWake(word, at).cutoff for at in (0.0, 0.5, 1.0))
    assert low > middle > high
    assert middle == pytest.approx(word.cutoff)


def test_a_word_of_ones_own_is_named_by_its_file(tmp_path: Path) -> None:
    """Its .json with the .tflite beside it; the words it is said by are told there."""
    source = find(WakeSettings(word="alexa")).config.parent
    shutil.copy(source / "alexa.tflite", tmp_path / "computer.tflite")
    data = json.loads((source / "alexa.json").read_text("utf-8"))
    data.update(wake_word="Computer", model="computer.tflite")
    (tmp_path / "computer.json").write_text(json.dumps(data))
    for name in ("computer.json", "computer.tflite"):
        word = find(WakeSettings(word=str(tmp_path / name)))
        assert word.phrase == "computer"
    assert not MicroWake(word).detected(np.zeros(FRAME_SAMPLES, dtype=np.float32))


def test_an_unknown_word_is_refused_with_those_there_are() -> None:
    """A wrong name in the settings is a wrong setting."""
    with pytest.raises(ConfigError, match="no wake word is called 'hey computer'") as error:
        find(WakeSettings(word="hey computer"))
    assert "hey jarvis" in error.value.remedy


def file(**changes: object) -> str:
    """A word's .json with some values changed, those of its network too."""
    micro = {"probability_cutoff": 0.9, "sliding_window_size": 5}
    micro |= {key: changes.pop(key) for key in list(changes) if key in micro}
    return json.dumps({"wake_word": "X", "model": "x.tflite", "micro": micro} | changes)


@pytest.mark.parametrize("word", ["/", "./", "."])
def test_a_folder_is_no_wake_word(word: str) -> None:
    """Whatever path is named, the answer is an error that says what belongs there."""
    with pytest.raises((ModelError, ConfigError)) as error:
        find(WakeSettings(word=word))
    assert error.value.remedy


@pytest.mark.parametrize(
    ("config", "model", "said"),
    [
        (None, None, "cannot be read"),
        ("not json", None, "not a microWakeWord file: it is not valid JSON"),
        ("[]", None, "not a microWakeWord file"),
        ('{"wake_word": "x", "model": "x.tflite"}', None, "micro is missing"),
        (file(), None, "model cannot be read"),
        (file(), b"", "not a TensorFlow Lite model"),
        (file(), b"RIFF" * 100, "not a TensorFlow Lite model"),
        (file(probability_cutoff=7), None, "cutoff must be a number, at most 0.999999"),
        (file(probability_cutoff=5e-324), None, "cutoff must be a number"),
        (file(sliding_window_size=10**30), None, "a number in it is too large"),
        (file(sliding_window_size="5"), None, "size must be a whole number, not text"),
        (file(wake_word=None), None, "wake_word must be text"),
        (file(model="a\0b"), None, "model cannot be read"),
    ],
)
def test_a_file_that_is_no_wake_word_is_refused(
    tmp_path: Path, config: str | None, model: bytes | None, said: str
) -> None:
    """Missing, cut short or something else: an error that names the file, and no crash."""
    if config is not None:
        (tmp_path / "x.json").write_text(config)
    if model is not None:
        (tmp_path / "x.tflite").write_bytes(model)
    with pytest.raises(ModelError, match=said) as error:
        MicroWake(find(WakeSettings(word=str(tmp_path / "x.json"))))
    assert str(tmp_path) in error.value.where
    assert error.value.remedy


def test_a_damaged_model_is_refused_and_does_not_crash(tmp_path: Path) -> None:
    """Cut short, it still begins as one does."""
    source = find(WakeSettings(word="alexa")).config.parent
    shutil.copy(source / "alexa.json", tmp_path)
    whole = (source / "alexa.tflite").read_bytes()
    (tmp_path / "alexa.tflite").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="damaged"):
        MicroWake(find(WakeSettings(word=str(tmp_path / "alexa.json"))))


def test_without_the_library_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no build of it the rest of the program works, and a wake word is refused."""
    monkeypatch.setitem(__import__("sys").modules, "pymicro_wakeword", None)
    with pytest.raises(ModelError, match="library that is not installed") as error:
        find(WakeSettings())
    assert "--push-to-talk" in error.value.remedy
