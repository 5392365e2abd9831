"""Speech recognition on the real model."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.engines import whisper
from edgevoice.engines.piper import Piper
from edgevoice.engines.whisper import Whisper
from edgevoice.engines.whisper_text import repeats_after
from edgevoice.errors import ConfigError, ModelError
from edgevoice.protocols import Effort
from edgevoice.resample import resample
from edgevoice.settings import SttSettings, TtsSettings
from edgevoice.wav import read_speech

QUESTION = "What is the capital of Italy?"
FRAMES_A_SECOND = 100


def words(text: str) -> list[str]:
    return re.sub(r"[^\w\s]", "", text.lower()).split()


@pytest.fixture(scope="module")
def spoken(steady_voice: Piper) -> Samples:
    """The question as the starter voice says it, float32 [n] at 16 kHz."""
    pieces = [audio.samples for audio in steady_voice.synthesize(QUESTION, lambda: False)]
    return resample(np.concatenate(pieces), steady_voice.rate, CAPTURE_RATE)


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The windows that the library encodes from now on, in seconds."""
    found: list[float] = []
    encode = WhisperModel.encode

    def watched(model: WhisperModel, features: NDArray[np.float32]) -> Any:
        found.append(features.shape[-1] / FRAMES_A_SECOND)
        return encode(model, features)

    monkeypatch.setattr(WhisperModel, "encode", watched)
    return found


@pytest.fixture
def doubting(recognizer: Whisper, monkeypatch: pytest.MonkeyPatch) -> Whisper:
    """The recognizer while no reading from a short window is certain enough for it."""
    settings = msgspec.structs.replace(recognizer.settings, min_logprob=0.0)
    monkeypatch.setattr(recognizer, "settings", settings)
    return recognizer


@pytest.mark.models
def test_a_question_is_written_down_and_the_recognizer_is_sure(
    recognizer: Whisper, spoken: Samples
) -> None:
    """Text, language, confidence and times of a clear question are what they should be."""
    transcript = recognizer.transcribe(spoken)
    assert words(transcript.text) == words(QUESTION)
    assert transcript.language == "en"
    assert transcript.logprob > -0.6
    assert transcript.no_speech < 0.5
    assert transcript.segments[0].start < 0.5
    assert 0.5 < transcript.segments[-1].end <= len(spoken) / CAPTURE_RATE + 0.01


@pytest.mark.models
def test_a_partial_look_reads_the_beginning_of_what_is_being_said(
    recognizer: Whisper, spoken: Samples
) -> None:
    """Half of the question gives its first words."""
    partial = recognizer.transcribe(spoken[: len(spoken) // 2], "interim")
    assert words(partial.text)[:2] == words(QUESTION)[:2]


@pytest.mark.models
def test_a_clip_heard_twice_gets_the_full_window(
    doubting: Whisper,
    spoken: Samples,
    windows: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the short window makes of it, a final transcript does not repeat the question."""
    # With nothing behind the clip the decoder seldom finds the end.
    monkeypatch.setattr(whisper, "PADDINGS", (0.0, 2.0))
    assert words(doubting.transcribe(spoken).text) == words(QUESTION)
    seconds = len(spoken) / CAPTURE_RATE
    assert windows == pytest.approx([seconds, seconds + 2, whisper.WINDOW_SECONDS], abs=0.02)


@pytest.mark.models
def test_a_doubtful_transcript_leaves_only_the_full_window(
    doubting: Whisper, spoken: Samples, windows: list[float]
) -> None:
    """An endpoint transcript is doubtful if every short window fails; the fallback tries none."""
    look = doubting.transcribe(spoken, "endpoint")
    assert look.doubtful
    assert not look.sure
    assert not doubting.transcribe(spoken, "interim").doubtful
    assert whisper.WINDOW_SECONDS not in windows
    windows.clear()
    last = doubting.transcribe(spoken, "fallback")
    assert windows == [whisper.WINDOW_SECONDS]
    assert last.sure
    assert words(last.text) == words(QUESTION)


@pytest.mark.models
def test_no_sound_and_almost_no_sound_are_no_error(recognizer: Whisper) -> None:
    """An empty clip and one of a few milliseconds give a transcript like any other."""
    assert recognizer.transcribe(np.zeros(0, dtype=np.float32)).text == ""
    assert len(recognizer.transcribe(np.zeros(40, dtype=np.float32)).text) < 40


@pytest.mark.models
def test_a_recording_longer_than_the_window_is_written_down_whole(
    recognizer: Whisper, starter_models: dict[str, Path]
) -> None:
    """Over half a minute, the times go on counting and no sentence is lost."""
    # Whole, since the pieces of a streamed voice depend on how fast this machine is just now.
    voice = Piper(starter_models["tts"], TtsSettings(variation=0.0, stream=False))
    animals = ["dog", "horse", "elephant", "chicken", "monkey", "tiger", "rabbit", "mouse", "cow"]
    pause = np.zeros(int(1.5 * voice.rate), dtype=np.float32)
    pieces = [
        part
        for animal in animals
        for audio in voice.synthesize(f"This time I would like to see the {animal}.", lambda: False)
        for part in (audio.samples, pause)
    ]
    long = resample(np.concatenate(pieces), voice.rate, CAPTURE_RATE)
    assert len(long) / CAPTURE_RATE > 28
    transcript = recognizer.transcribe(long)
    found = [word for word in words(transcript.text) if word in animals]
    # One name in nine may be misheard.
    assert found == [animal for animal in animals if animal in found]
    assert len(found) >= len(animals) - 1
    starts = [segment.start for segment in transcript.segments]
    assert starts == sorted(starts)
    assert 25 < transcript.segments[-1].end <= len(long) / CAPTURE_RATE


@pytest.mark.models
def test_the_language_is_recognized_where_that_is_asked_for(
    starter_models: dict[str, Path], spoken: Samples
) -> None:
    """`auto` finds the language of the clip itself."""
    transcript = Whisper(starter_models["stt"], SttSettings(language="auto")).transcribe(spoken)
    assert transcript.language == "en"
    assert words(transcript.text) == words(QUESTION)


@pytest.mark.models
def test_names_that_are_expected_are_written_as_the_user_writes_them(
    starter_models: dict[str, Path], steady_voice: Piper
) -> None:
    """A name that has several spellings gets the right one once the setting has it."""
    pieces = steady_voice.synthesize("Is Jon Snow at home?", lambda: False)
    said = np.concatenate([piece.samples for piece in pieces])
    samples = resample(said, steady_voice.rate, CAPTURE_RATE)
    heard = [
        Whisper(starter_models["stt"], SttSettings(names=names)).transcribe(samples).text
        for names in ("", " Kaitlyn Smyth, , Jon Snow, ")
    ]
    assert ["Jon Snow" in text for text in heard] == [False, True]


@pytest.mark.models
@pytest.mark.parametrize("effort", ["interim", "endpoint", "final"])
def test_names_that_are_not_said_change_no_word(
    starter_models: dict[str, Path], shared: Path, effort: Effort
) -> None:
    """A transcript without any of them is the one without the setting."""
    names = "Kaitlyn Smyth, Wojciech, Reykjavik, Siobhan O'Neill, Nguyen, Kubernetes, Saoirse"
    plain, named = (
        Whisper(starter_models["stt"], SttSettings(names=each, language="en"))
        for each in ("", names)
    )
    for file in sorted((shared / "speech").glob("*.wav"))[:4]:
        clip = read_speech(file)[: 8 * CAPTURE_RATE]
        assert named.transcribe(clip, effort).text == plain.transcribe(clip, effort).text


@pytest.mark.models
def test_an_unknown_language_is_named(starter_models: dict[str, Path]) -> None:
    """The setting at fault and those that would do are in the message."""
    with pytest.raises(ConfigError, match=r"stt\.language is xx") as caught:
        Whisper(starter_models["stt"], SttSettings(language="xx"))
    assert "en" in caught.value.remedy


@pytest.mark.models
@pytest.mark.parametrize("file", whisper.FILES)
def test_an_incomplete_model_is_refused_instead_of_completed_from_the_network(
    starter_models: dict[str, Path], tmp_path: Path, file: str
) -> None:
    """Every file the library would otherwise ask the network for is checked first."""
    folder = tmp_path / "whisper-base"
    folder.mkdir()
    for name in whisper.FILES:
        if name != file:
            (folder / name).symlink_to(starter_models["stt"] / name)
    with pytest.raises(ModelError, match=re.escape(file)) as caught:
        Whisper(folder, SttSettings())
    assert "models pull whisper-base" in caught.value.remedy


@pytest.mark.models
def test_a_damaged_model_is_an_error_and_nothing_is_printed(
    starter_models: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A truncated model.bin ends in our message, not in the library's."""
    folder = tmp_path / "whisper-base"
    shutil.copytree(starter_models["stt"], folder, symlinks=True)
    model = folder / "model.bin"
    data = model.read_bytes()[:1_000_000]
    model.unlink()
    model.write_bytes(data)
    with pytest.raises(ModelError, match="cannot be loaded"):
        Whisper(folder, SttSettings())
    assert capfd.readouterr() == ("", "")


@pytest.mark.models
def test_a_tokenizer_at_which_the_library_panics_is_refused_before(
    starter_models: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The library takes some files for a bug of its own, and says so on the terminal."""
    folder = tmp_path / "whisper-base"
    shutil.copytree(starter_models["stt"], folder, symlinks=True)
    tokens = folder / "tokenizer.json"
    data = tokens.read_bytes().replace(
        b'"continuing_subword_prefix": ""', b'"continuing_subword_prefix": "######"'
    )
    tokens.unlink()
    tokens.write_bytes(data)
    with pytest.raises(ModelError, match=r"the model is damaged: tokenizer\.json"):
        Whisper(folder, SttSettings())
    assert capfd.readouterr() == ("", "")


@pytest.mark.models
@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("jfk.wav", "ask what you can do for your country"),
        ("lk-weather.wav", "what is the weather in paris"),
        ("s2p-lock_the_front_door.wav", "lock the front door"),
    ],
)
def test_recorded_people_are_understood_once(
    recognizer: Whisper, shared: Path, file: str, said: str
) -> None:
    """Recordings on which a short window alone repeats itself come out once and whole."""
    from edgevoice.wav import read_speech

    text = " ".join(words(recognizer.transcribe(read_speech(shared / "speech" / file)).text))
    assert text.count(said) == 1


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("lock the front door lock the front door", 4),
        ("lock the front door lock the front", 4),
        ("set a timer set the timer set the timer", 3),
        ("no no", 1),
        ("what is the capital of france", 0),
        ("to be or not to be that is the question", 0),
        ("the more proposals the more credit", 0),
        ("word", 0),
        ("", 0),
    ],
)
def test_a_text_that_begins_anew_is_told_from_one_that_goes_on(text: str, period: int) -> None:
    """Where a second hearing begins is known even if it is cut short or slightly different."""
    assert repeats_after(text.split()) == period
