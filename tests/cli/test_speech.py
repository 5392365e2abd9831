"""`transcribe`, `ask` and `say`: single stages for pipes and scripts."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edgevoice.models.store import Installed, Store
from edgevoice.settings import Config
from edgevoice.wav import read_speech
from tests.command import piped


def small(*words: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """With the small language model, answering the same each time."""
    slm = ("--set", "models.slm=qwen2.5-coder-0.5b", "--set", "slm.temperature=0")
    return piped(*slm, *words, stdin=stdin)


@pytest.fixture(scope="module")
def question(starter_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A WAV file made by `say`."""
    path = tmp_path_factory.mktemp("said") / "question.wav"
    done = piped("--set", "tts.variation=0", "say", "-o", path, "What is the capital of Italy?")
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    return path


@pytest.mark.parametrize("command", ["transcribe", "ask", "say"])
def test_a_model_that_is_missing_is_named_with_the_command_that_fetches_it(
    tmp_path: Path, command: str
) -> None:
    """Each command reports a missing model in one message, without a traceback."""
    sound, made = tmp_path / "a.wav", tmp_path / "b.wav"
    soundfile.write(sound, np.zeros(16_000), 16_000)
    words = {"transcribe": [sound], "ask": ["Why?"], "say": ["-o", made, "Hello"]}[command]
    done = piped("--set", f"models.folder={tmp_path / 'none'}", command, *words)
    assert done.returncode == 1
    assert b"edgevoice models pull" in done.stderr
    assert b"Traceback" not in done.stderr
    assert not made.exists()


@pytest.mark.parametrize("files", [["no.wav"], ["text.wav"], ["no.wav", "text.wav"], ["-"], []])
def test_a_file_that_cannot_be_read_is_told_before_a_recognizer_is_wanted(
    files: list[str], tmp_path: Path
) -> None:
    """A missing, unsupported or empty file is reported before a model is loaded."""
    (tmp_path / "text.wav").write_text("this is no sound")
    named = [name if name == "-" else tmp_path / name for name in files]
    done = piped("--set", f"models.folder={tmp_path / 'none'}", "transcribe", *named)
    assert done.returncode == 1
    assert b"edgevoice models pull" not in done.stderr
    for name in files:
        assert name.encode() in done.stderr


def test_a_recognizer_without_the_language_is_refused_before_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unsupported language is reported, although the model's files are invalid, too."""
    sound = tmp_path / "a.wav"
    soundfile.write(sound, np.zeros(16_000), 16_000)
    name = "whisper-tiny.en"
    english = ("--set", f"models.folder={tmp_path}", "--set", f"models.stt={name}")
    here = Installed(Store(Config()).catalog.get(name), tmp_path)
    monkeypatch.setattr(Store, "require", lambda *_: here)
    for words in (("transcribe", sound), ("run", "--plain", "--input", sound)):
        done = piped(*english, *words, "--language", "de")
        assert b"understands English only, and stt.language is de" in done.stderr
        assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize("command", ["ask", "say"])
def test_an_empty_pipe_is_no_text(command: str) -> None:
    """Empty text is a usage error, reported before a model is loaded."""
    done = piped(command, *(["-o", "x.wav"] if command == "say" else []), stdin=b" \n")
    assert done.returncode == 2
    assert b"empty" in done.stderr


@pytest.mark.models
def test_what_say_writes_transcribe_reads(question: Path) -> None:
    """Text to a file and back."""
    done = piped("transcribe", question)
    assert done.returncode == 0
    assert done.stdout.decode().strip().rstrip("?") == "What is the capital of Italy"
    assert done.stderr == b""


@pytest.mark.models
def test_everything_goes_through_pipes(starter_models: dict[str, Path]) -> None:
    """Text on stdin becomes WAV on stdout, which on stdin becomes text on stdout."""
    words = ("--set", "tts.variation=0", "say", "-o", "-")
    sound = piped(*words, stdin=b"The capital of Italy is Rome.\n")
    assert sound.stdout[:4] == b"RIFF"
    text = piped("transcribe", stdin=sound.stdout)
    assert b"capital of Italy" in text.stdout


@pytest.mark.models
def test_json_gives_segments_and_timings(question: Path) -> None:
    """Each file has a JSON object, with times in seconds."""
    done = piped("transcribe", "--json", question)
    record = json.loads(done.stdout)
    assert record["file"] == str(question)
    assert record["language"] == "en"
    assert record["seconds"] == pytest.approx(len(read_speech(question)) / 16_000, abs=0.01)
    assert record["text"] == " ".join(segment["text"] for segment in record["segments"])
    for segment in record["segments"]:
        assert 0 <= segment["start"] < segment["end"] <= record["seconds"] + 0.01


@pytest.mark.models
def test_a_bad_file_does_not_keep_the_others_from_being_done(
    question: Path, tmp_path: Path
) -> None:
    """Readable files are transcribed; an unreadable one is named, and the exit code is 1."""
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"not a sound")
    done = piped("transcribe", bad, question, tmp_path / "missing.wav")
    assert done.returncode == 1
    assert done.stdout.decode().startswith(f"{question}: What is the capital of Italy")
    assert str(bad).encode() in done.stderr
    assert b"2 of 3 files" in done.stderr


@pytest.mark.models
def test_a_long_recording_shows_how_far_it_is(question: Path, tmp_path: Path) -> None:
    """Without a terminal, lines on stderr show the progress of a long file."""
    clip, rate = soundfile.read(question)
    long = tmp_path / "long.wav"
    soundfile.write(long, np.concatenate([clip, np.zeros(12 * rate)] * 4), rate)
    done = piped("transcribe", long)
    assert re.findall(rb"(\d+) %", done.stderr)[-1] == b"100"
    assert done.stdout.lower().count(b"capital of italy") >= 3


@pytest.mark.models
def test_silence_is_written_down_as_nothing(
    starter_models: dict[str, Path], tmp_path: Path
) -> None:
    """Text that Whisper makes up without speech is not printed."""
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(48_000), 16_000)
    done = piped("transcribe", path)
    assert done.returncode == 0
    assert done.stdout == b"\n"


def made_up_for(kind: str) -> np.ndarray:
    """Half a minute of a sound that is no speech, float64 [n] at 16 kHz."""
    time = np.arange(30 * 16_000) / 16_000
    noise = np.random.default_rng(1).standard_normal(len(time))
    if kind == "hum":
        return sum(0.1 / n * np.sin(2 * np.pi * 50 * n * time) for n in (1, 3, 5)) + noise * 0.001
    if kind == "clicks":
        return np.where(np.arange(len(time)) % 8_000 < 2, 0.8, 0.0)
    if kind == "beeps":
        return 0.3 * np.sin(2 * np.pi * 1000 * time) * (time % 1 < 0.2)
    if kind == "keys":
        return 0.4 * noise * np.exp(-(time % 0.37) * 100)
    if kind == "hiss":
        return 0.03 * noise
    tones = np.array([262, 330, 392, 523])[(time * 2).astype(int) % 4]
    phase = 2 * np.pi * np.cumsum(tones) / 16_000
    return 0.2 * (np.sin(phase) + np.sin(2 * phase) / 2) * np.exp(-(time * 2 % 1) * 2)


@pytest.mark.models
def test_what_is_no_speech_is_written_down_as_nothing(
    starter_models: dict[str, Path], tmp_path: Path
) -> None:
    """Hum, clicks, beeps, keys, hiss and a tune give no text."""
    files = []
    for kind in ("hum", "clicks", "beeps", "keys", "hiss", "tune"):
        files.append(tmp_path / f"{kind}.wav")
        soundfile.write(files[-1], made_up_for(kind), 16_000)
    done = piped("transcribe", "--json", *files)
    assert done.returncode == 0
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == [""] * len(files)


@pytest.mark.models
def test_language_and_times_are_those_of_the_speech(question: Path, tmp_path: Path) -> None:
    """Forty seconds of weak noise before the speech change neither."""
    speech = read_speech(question)
    noise = 0.002 * np.random.default_rng(1).standard_normal(40 * 16_000 + len(speech))
    noise[40 * 16_000 :] += speech
    path = tmp_path / "late.wav"
    soundfile.write(path, noise, 16_000)
    record = json.loads(piped("transcribe", "--json", "--language", "auto", path).stdout)
    assert record["language"] == "en"
    assert "capital of Italy" in record["text"]
    assert record["segments"][0]["start"] == pytest.approx(40, abs=0.5)
    assert record["segments"][-1]["end"] == pytest.approx(record["seconds"], abs=0.7)


@pytest.mark.models
@pytest.mark.parametrize("way", ["quiet", "inverted"])
def test_speech_that_was_recorded_badly_is_written_down(
    question: Path, tmp_path: Path, way: str
) -> None:
    """Speech is transcribed if it is 50 dB too soft, or if one channel is inverted."""
    speech, rate = soundfile.read(question)
    path = tmp_path / "badly.wav"
    soundfile.write(path, speech / 300 if way == "quiet" else np.stack([speech, -speech], 1), rate)
    assert b"capital of Italy" in piped("transcribe", path).stdout


@pytest.mark.models
def test_ask_prints_the_answer_and_nothing_else(starter_models: dict[str, Path]) -> None:
    """Only the reply is on stdout, for an argument and for a pipe."""
    done = small("ask", "What", "is the capital of Italy?")
    assert b"Rome" in done.stdout
    assert done.stderr == b""
    assert small("ask", "-", stdin=b"What is the capital of Italy?\n").stdout == done.stdout


@pytest.mark.models
def test_saying_into_a_folder_that_is_not_there_is_one_message(
    starter_models: dict[str, Path], tmp_path: Path
) -> None:
    """A path that cannot be written is an error with the reason, without a traceback."""
    done = piped("say", "-o", tmp_path / "none" / "a.wav", "Hello")
    assert done.returncode == 1
    assert b"cannot be written" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "text", "lines"),
    [
        ((), "It costs $5. See No. 5!", ["It costs 5 dollars.", "See number 5!"]),
        (("--language", "de"), "Es kostet 2,50 €.", ["Es kostet 2 Euro 50."]),
        (("--language", "de"), "am 3. Oktober", ["am dritten Oktober"]),
        (("--tts", "de_DE-thorsten-medium"), "2,50 €", ["2 Euro 50"]),
        ((), "<think>Why?</think>-5 °C", ["minus 5 degrees Celsius"]),
    ],
)
def test_the_text_that_a_voice_is_given_is_shown_without_one(
    options: tuple[str, ...], text: str, lines: list[str]
) -> None:
    """Who wonders at a pronunciation sees what was read, a clause a line."""
    done = piped("say", "--show", *options, "--", text)
    assert done.stdout.decode().splitlines() == lines
    assert done.returncode == 0


def test_a_voice_that_nobody_knows_is_no_voice_to_show_a_text_for() -> None:
    """A mistyped name is named, and the nearest one."""
    done = piped("say", "--show", "--tts", "de_DE-torsten-medium", "2,50 €")
    assert done.returncode != 0
    assert b"did you mean de_DE-thorsten-medium?" in done.stderr


def test_the_language_of_a_text_that_nobody_knows_is_refused() -> None:
    """Before anything is loaded, with an example."""
    done = piped("say", "--show", "--language", "xx", "Hello")
    assert done.returncode != 0
    assert b"xx" in done.stderr
