"""The language of the speaker is followed from turn to turn, by recognizer, history and voice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice.agent.speculation import SpeculativeReply
from edgevoice.audio import Audio, Samples
from edgevoice.errors import ConfigError
from edgevoice.protocols import Cancelled, Effort, Transcript
from edgevoice.settings import Config, SttSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from edgevoice.testing.virtual import VirtualClock
from edgevoice.transcription.spoken_language import LanguageTracker, listed
from edgevoice.turn import Turn
from edgevoice.wav import WavWriter
from tests.command import edgevoice, message

ENGLISH = "what is the tallest mountain in the world"
PORTUGUESE = "qual é a montanha mais alta do mundo"
OK = "ok"


class Polyglot(ScriptedRecognizer):
    """Hears Portuguese words as Portuguese and all else as English; notes what it might choose."""

    def __init__(self, show: Rehearsal, doubt: float = 0.02) -> None:
        super().__init__(show.clock, show.book, sounds=self._sounds)
        self.doubt = doubt
        self.given: list[Mapping[str, float]] = []

    def _sounds(self, text: str) -> Mapping[str, float]:
        portuguese = 1 - self.doubt if set(text.split()) & set(PORTUGUESE.split()) else self.doubt
        return {"pt": portuguese, "en": 1 - portuguese}

    def transcribe(
        self,
        samples: Samples,
        effort: Effort = "final",
        languages: Mapping[str, float] | None = None,
    ) -> Transcript:
        self.given.append(languages or {})
        return super().transcribe(samples, effort, languages)


class Noting(ScriptedSynthesizer):
    """A voice that remembers what it was given to say."""

    def __init__(self, show: Rehearsal, rate: int = 16_000) -> None:
        super().__init__(show.clock, rate)
        self.said: list[str] = []

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        self.said.append(text)
        return super().synthesize(text, cancelled)


def answer(messages: object) -> str:
    assert isinstance(messages, list)
    asked = messages[-1].text
    return "O Everest." if PORTUGUESE in asked else "Mount Everest."


class Scene:
    """A session in English and Portuguese, with a voice for each."""

    def __init__(self, setting: str = "en,pt", doubt: float = 0.02) -> None:
        self.show = Rehearsal(answer, Config(stt=SttSettings(language=setting)))
        self.recognizer = self.show.recognizer = Polyglot(self.show, doubt)
        self.english = self.show.synthesizer = Noting(self.show)
        self.portuguese = Noting(self.show, rate=22_050)
        self.show.voices = {"pt": self.portuguese}

    def play(self, *said: tuple[str, float]) -> list[str]:
        """Each is said in so many seconds; returns the languages they were taken for."""
        for text, seconds in said:
            self.show.hear((0.2, text, seconds))
        self.show.run()
        return [event.language for event in self.show.all(ev.FinalTranscript)]


def test_the_language_follows_the_speaker_and_so_does_the_voice() -> None:
    """From English to Portuguese and back: each answer is spoken by the voice of its language."""
    scene = Scene()
    assert scene.play((ENGLISH, 2.5), (PORTUGUESE, 2.5), (ENGLISH, 2.5)) == ["en", "pt", "en"]
    assert scene.english.said == ["Mount Everest.", "Mount Everest."]
    assert scene.portuguese.said == ["O Everest."]
    assert scene.show.heard == ["Mount Everest.", "O Everest.", "Mount Everest."]


def test_a_voice_of_another_rate_is_played_as_long_as_it_speaks() -> None:
    """The Portuguese voice makes 22,050 samples a second, the speaker takes 16,000."""
    scene = Scene()
    scene.play((PORTUGUESE, 2.5))
    [made] = scene.show.all(ev.SynthesisEnded)
    [began] = scene.show.all(ev.PlaybackStarted)
    [ended] = scene.show.all(ev.PlaybackEnded)
    assert ended.at - began.at == pytest.approx(made.seconds, abs=0.03)


def test_a_short_word_is_in_the_language_of_the_turn_before() -> None:
    """An "ok" sounds English to every recognizer; in a Portuguese conversation it flips nothing."""
    scene = Scene()
    assert scene.play((PORTUGUESE, 2.5), (OK, 0.5), (PORTUGUESE, 2.5)) == ["pt", "pt", "pt"]
    # The first word of a conversation is in its main language.
    assert Scene().play((OK, 0.5), (PORTUGUESE, 2.5)) == ["en", "pt"]


def test_another_language_is_followed_only_where_it_is_clearly_another() -> None:
    """A certainty of 0.7 leaves the conversation in its language, one of 0.9 does not."""
    assert Scene(doubt=0.3).play((PORTUGUESE, 2.5)) == ["en"]
    assert Scene(doubt=0.1).play((PORTUGUESE, 2.5)) == ["pt"]


def test_one_turn_is_read_in_one_language_once_that_is_settled() -> None:
    """After two seconds that leave no doubt, nothing is found out any more, to the last reading."""
    scene = Scene()
    scene.play((PORTUGUESE, 5.0))
    several = [len(given) > 1 for given in scene.recognizer.given]
    assert several[0] is False, "the first half second tells nothing"
    assert any(several)
    last = len(several) - several[::-1].index(True)
    assert not any(several[last:])
    assert len(several[last:]) > 3
    assert all(given == {"pt": 1.0} for given in scene.recognizer.given[last:])


def test_with_one_language_nothing_is_found_out() -> None:
    """Every reading of a session in one language names it."""
    scene = Scene("pt")
    assert scene.play((ENGLISH, 2.5)) == ["pt"]
    assert all(given == {"pt": 1.0} for given in scene.recognizer.given)


def test_a_pause_that_was_not_the_end_settles_no_language() -> None:
    """What was only the beginning of a turn does not decide what the next turn is likely to be."""
    scene = Scene()
    scene.show.hear((0.2, PORTUGUESE, 1.4), (2.0, ENGLISH, 4.0))
    scene.show.hear((0.2, OK, 0.5))
    scene.show.run()
    assert scene.show.all(ev.TurnCancelled)[0].reason == "resumed"
    committed = {event.turn for event in scene.show.all(ev.TurnCommitted)}
    heard = [e.language for e in scene.show.all(ev.FinalTranscript) if e.turn in committed]
    assert heard[0] == heard[1]


def test_a_language_without_a_voice_is_told_once() -> None:
    """The main voice reads it, because that is better than silence, and says so the first time."""
    scene = Scene()
    scene.show.voices = {}
    scene.play((PORTUGUESE, 2.5), (PORTUGUESE, 2.5))
    assert scene.english.said == ["O Everest."] * 2
    [notice] = scene.show.all(ev.Notice)
    assert "Portuguese" in notice.text
    assert "English" in notice.text


def test_what_is_typed_is_in_the_language_of_the_turn_before() -> None:
    """Letters do not sound like any language."""
    scene = Scene()
    scene.show.hear((0.2, PORTUGUESE, 2.5))
    scene.show.at(8.0, lambda assistant: assistant.say("ok"))
    scene.show.hear((12.0, ENGLISH, 2.5))
    scene.show.run()
    assert len(scene.portuguese.said) == 2


@pytest.mark.parametrize(
    ("setting", "codes"),
    [
        ("en", ("en",)),
        ("de,en", ("de", "en")),
        ("DE, en,de", ("de", "en")),
        ("pt en", ("pt", "en")),
        ("auto", ()),
    ],
)
def test_the_setting_names_one_language_or_several(setting: str, codes: tuple[str, ...]) -> None:
    """The first is the main one; none is named twice; `auto` names none."""
    assert listed(setting) == codes


def test_a_setting_that_names_nothing_is_refused() -> None:
    """The message says what would do."""
    with pytest.raises(ConfigError, match="names no language") as caught:
        listed(" , ")
    assert "auto" in caught.value.remedy


@pytest.mark.parametrize(
    ("setting", "said", "remedy"),
    [
        ("xx", "xx", "of: af, am"),
        ("en,xx,yy", "xx, yy", "of: af, am"),
        ("english", "english", "did you mean en?"),
        ("pt-BR", "pt-br", "did you mean pt?"),
        ("de_AT", "de_at", "did you mean de?"),
    ],
)
def test_a_language_that_no_recognizer_knows_is_told_before_anything_is_loaded(
    setting: str, said: str, remedy: str
) -> None:
    """The code is named, and the one that was meant, or else all there are."""
    with pytest.raises(ConfigError, match=f"no recognizer knows {said}") as caught:
        listed(setting)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("command", [("transcribe",), ("run", "--plain", "--input")])
def test_a_command_with_an_unknown_language_asks_for_no_model(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    """Where no model is, the language is what the message is about: it came first."""
    wav = tmp_path / "x.wav"
    with WavWriter(wav, 16_000) as file:
        file.write(np.zeros(1600, dtype=np.float32))
    words = ("--set", f"models.folder={tmp_path}", *command, wav, "--language", "english")
    assert "did you mean en?" in message(edgevoice(*words), 2)


def test_the_last_language_is_one_of_those_that_are_spoken() -> None:
    """A reading in some other language does not become what is expected next."""
    following = LanguageTracker(["en", "pt"])
    following.spoke("cy")
    assert following.last == "en"
    following.spoke("pt")
    assert following.weights(0.5) == {"pt": 1.0}
    assert set(following.weights(3.0)) == {"en", "pt"}


def test_the_model_is_told_which_language_to_answer_in() -> None:
    """What it reads begins with the language; what is remembered as said, and shown, does not."""
    scene = Scene()
    scene.play((ENGLISH, 2.5), (PORTUGUESE, 2.5))
    assert isinstance(scene.show.slm, ScriptedLanguageModel)
    asked = [messages[-1] for messages in scene.show.slm.asked]
    assert asked[0].whole == f"Answer in English. {ENGLISH}"
    assert asked[-1].whole == f"Responda em português. {PORTUGUESE}"
    remembered = scene.show.assistant.history.messages[1:]
    assert [m.text for m in remembered if m.role == "user"] == [ENGLISH, PORTUGUESE]
    # The next prompt begins with what the model has read before, so that its cache holds.
    prompts = scene.show.all(ev.PrefillEnded)
    assert prompts[-1].tokens - prompts[-1].reused <= 5


def test_where_only_english_is_spoken_the_prompt_is_the_question() -> None:
    """Nothing is put in front of it."""
    scene = Scene("en")
    scene.play((ENGLISH, 2.5))
    assert isinstance(scene.show.slm, ScriptedLanguageModel)
    assert scene.show.slm.asked[-1][-1].whole == ENGLISH


def test_a_reading_that_turns_out_to_be_in_another_language_is_no_guess() -> None:
    """What was thought of the same words in the wrong language is thrown away."""
    turn = Turn(0, "speech", VirtualClock().monitor())
    turn.transcription.text = "no"
    guess = SpeculativeReply(turn, "no", "en")
    assert not guess.is_wrong()
    turn.transcription.language = "pt"
    assert guess.is_wrong()
