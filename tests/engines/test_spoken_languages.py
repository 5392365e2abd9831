"""The language of real speech is found among those that are spoken, and costs nothing if known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ctranslate2.models import Whisper as NativeWhisper

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.engines.piper import Piper
from edgevoice.engines.whisper import Whisper
from edgevoice.errors import ConfigError
from edgevoice.history import History, Reply
from edgevoice.models.store import Store
from edgevoice.models.voices import best
from edgevoice.protocols import Token
from edgevoice.resample import resample
from edgevoice.settings import SYSTEM_PROMPT, Config, SlmSettings, SttSettings, TtsSettings
from edgevoice.transcription.spoken_language import LEAST_SECONDS, LanguageTracker, leads
from edgevoice.wav import read_speech
from tests.engines.watched import opened

SEVEN = ("en", "de", "fr", "es", "it", "pt", "nl")
RECORDINGS = ("jfk", "az-weather", "lk-weather", "gcp-brooklyn", "arctic-a0010", "lj-LJ001-0002")
SAID = {
    "de": ("Erzähl mir eine kurze Geschichte von einer Katze.", "katze"),
    "fr": ("Raconte-moi une petite histoire de chat.", "histoire"),
    "es": ("Cuéntame una historia corta sobre un gato.", "historia"),
    "it": ("Raccontami una breve storia su un gatto.", "storia"),
    "pt": ("Conte-me uma história curta sobre um gato.", "história"),
}


@pytest.fixture(scope="module")
def recognizer(starter_models: dict[str, Path]) -> Whisper:
    return Whisper(starter_models["stt"], SttSettings(language=",".join(SEVEN)))


@pytest.mark.models
@pytest.mark.parametrize("recording", RECORDINGS)
def test_recorded_english_is_english_whatever_was_spoken_before(
    recognizer: Whisper, shared: Path, recording: str
) -> None:
    """Among seven languages, also after a turn in each of the others."""
    speech = read_speech(str(shared / "speech" / f"{recording}.wav"))[: 8 * CAPTURE_RATE]
    for last in ("pt", "de"):
        following = LanguageTracker((last, *(code for code in SEVEN if code != last)))
        heard = recognizer.transcribe(
            speech, "endpoint", following.weights(len(speech) / CAPTURE_RATE)
        )
        assert heard.language == "en"
        assert heard.certainty > 0.5


@pytest.mark.models
@pytest.mark.parametrize("code", list(SAID))
def test_synthesized_speech_in_another_language_is_understood_in_it(
    recognizer: Whisper, model_path: Callable[[str], Path], code: str
) -> None:
    """After an English turn, a whole sentence is followed; its beginning of a second is not."""
    name = best(Store(Config()), code, present=True)
    if not name:
        pytest.skip(f"no voice for {code} is here")
    text, word = SAID[code]
    voice = Piper(model_path(name), TtsSettings(variation=0.0))
    pieces = [audio.samples for audio in voice.synthesize(text, lambda: False)]
    speech: Samples = resample(np.concatenate(pieces), voice.rate, CAPTURE_RATE)
    following = LanguageTracker(("en", code))
    heard = recognizer.transcribe(speech, "final", following.weights(len(speech) / CAPTURE_RATE))
    assert heard.language == code
    assert word in heard.text.lower()
    beginning = speech[: int(0.9 * LEAST_SECONDS * CAPTURE_RATE)]
    weights = following.weights(len(beginning) / CAPTURE_RATE)
    assert recognizer.transcribe(beginning, "interim", weights).language == "en"


@pytest.mark.models
def test_of_a_known_language_nothing_is_found_out(
    starter_models: dict[str, Path], shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither with one language in the settings nor where a reading names it."""
    speech = read_speech(str(shared / "speech" / "az-weather.wav"))
    one = Whisper(starter_models["stt"], SttSettings(language="en"))
    asked: list[Any] = []
    detect = NativeWhisper.detect_language

    def counted(model: NativeWhisper, encoded: Any) -> Any:
        asked.append(encoded)
        return detect(model, encoded)

    monkeypatch.setattr(NativeWhisper, "detect_language", counted)
    assert one.transcribe(speech).language == "en"
    assert one.transcribe(speech, "endpoint", {"de": 1.0}).language == "de"
    assert asked == []
    assert one.transcribe(speech, "endpoint", {"de": 1.0, "en": 1.0}).language == "en"
    assert len(asked) == 1


@pytest.mark.models
def test_a_recognizer_for_english_only_says_which_one_knows_more(
    model_path: Callable[[str], Path],
) -> None:
    """It would write nonsense: the message names the setting, and what to fetch."""
    path = model_path("whisper-tiny.en")
    with pytest.raises(ConfigError, match="understands English only") as caught:
        Whisper(path, SttSettings(language="en,de"))
    assert "edgevoice models pull whisper-base" in caught.value.remedy
    assert Whisper(path, SttSettings(language="auto")).settings.language == "auto"


@pytest.mark.models
def test_a_small_model_answers_in_the_language_of_the_question(
    starter_models: dict[str, Path],
) -> None:
    """Between two English questions it is answered in German, and none of the cache is lost."""
    settings = SlmSettings(temperature=0.0, max_tokens=24)
    history = History(SYSTEM_PROMPT)
    history.leads = leads(("en", "de"))
    asked = (
        ("What is the capital of Italy?", "en", "rome"),
        ("Wie viele Tage hat ein Jahr?", "de", "tage"),
        ("What is the capital of France?", "en", "paris"),
    )
    with opened(starter_models["slm"], settings) as model:
        for question, language, word in asked:
            model.prime(history.messages, lambda: False)
            begun = question.rsplit(" ", 1)[0]
            primed = model.prime(history.asking(begun, language), lambda: False)
            prefilled, *items = model.reply(history.asking(question, language), lambda: False)
            assert getattr(prefilled, "reused", 0) >= primed
            tokens = [item for item in items if isinstance(item, Token)]
            reply = "".join(token.text for token in tokens)
            assert word in reply.lower()
            history.remember(question, Reply(reply), language)
