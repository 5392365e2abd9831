"""What Whisper makes up is not answered; what somebody says is."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice.audio import CAPTURE_RATE
from edgevoice.protocols import Transcript
from edgevoice.settings import Config, SttSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedRecognizer
from edgevoice.turn_taking.hallucinations import is_nobody
from edgevoice.wav import read_speech
from tests.command import said
from tests.turn_taking.offline import hearing_engines, overhear

if TYPE_CHECKING:
    from edgevoice.engines.whisper import Whisper

SETTINGS = SttSettings()


def heard(
    text: str,
    no_speech: float = 0.05,
    logprob: float = -0.3,
    compression: float = 1.0,
    seconds: float = 2.0,
    voiced: float = 1.0,
) -> str | None:
    transcript = Transcript(text, "en", no_speech, logprob, compression)
    return is_nobody(transcript, seconds, voiced, SETTINGS)


@pytest.mark.parametrize(
    "text",
    [
        "What is the weather in Paris?",
        "Thank you.",
        "You",
        "Okay.",
        "No, no, no!",
        "Turn on the music.",
        "¿Qué hora es?",
        "今何時ですか",
        "7",
        "What does thank you for watching mean?",
    ],
)
def test_what_is_clearly_said_is_answered(text: str) -> None:
    """Even a phrase that Whisper is known to make up, when nothing else speaks against it."""
    assert heard(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Thank you.",
        "Thanks for watching!",
        "Thanks for watching! Love you!",
        "you",
        "Bye-bye.",
        "Vielen Dank.",
        "Merci d'avoir regardé cette vidéo.",
        "ご視聴ありがとうございました",
        "Продолжение следует...",
        "Please subscribe to my channel and leave a like.",
    ],
)
@pytest.mark.parametrize("doubt", [{"no_speech": 0.5}, {"logprob": -0.8}, {"voiced": 0.1}])
def test_a_stock_phrase_with_a_sign_of_doubt_is_nobodys(text: str, doubt: dict[str, float]) -> None:
    """Near-silence, a low probability or hardly any voice: one of them is enough."""
    assert heard(text, **doubt) == "a phrase Whisper makes up for silence"


@pytest.mark.parametrize("text", ["Okay.", "Thanks.", "Bye.", "Yeah.", "Goodbye.", "Danke."])
def test_one_word_that_is_a_whole_turn_is_heard(text: str) -> None:
    """Whisper doubts a single word; a voice as long as a word speaks for it, a longer one not."""
    doubts = {"no_speech": 0.53, "logprob": -0.94}
    assert heard(text, seconds=0.8, voiced=0.3, **doubts) is None
    made_up = "a phrase Whisper makes up for silence"
    assert heard(text, seconds=0.8, voiced=0.1, **doubts) == made_up
    assert heard(text, seconds=3.0, voiced=2.2, **doubts) == made_up
    assert heard(text, seconds=0.8, voiced=0.0, **doubts) == made_up
    assert heard(text, seconds=0.8, voiced=0.3, no_speech=0.7, logprob=-0.7) == made_up
    assert heard("You", seconds=0.8, voiced=0.3, **doubts) == made_up


@pytest.mark.parametrize(
    "text",
    [
        "Subtitles by the Amara.org community",
        "Untertitel im Auftrag des ZDF für funk, 2017",
        "字幕由Amara.org社区提供",
    ],
)
def test_credits_are_nobodys_however_sure_whisper_is(text: str) -> None:
    """No user ever dictates the credits of a subtitle file."""
    assert heard(text) is not None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "nothing was recognized"),
        ("  ", "nothing was recognized"),
        ("...", "only punctuation was recognized"),
        ("♪♪", "only punctuation was recognized"),
        ("[Music]", "a sound, not words"),
        ("(applause) *coughs*", "a sound, not words"),
        ("♪ la la la ♪", "a sound, not words"),
        ("you you you you you", "the text repeats itself"),
        ("so far so far so far so far", "the text repeats itself"),
    ],
)
def test_what_holds_no_question_says_why(text: str, reason: str) -> None:
    """Each kind of nothing has its own reason, which the screen and the trace show."""
    assert heard(text) == reason


def test_a_text_that_compresses_too_well_is_a_loop() -> None:
    """Whisper's own limit for its loops is kept."""
    assert heard("one two three", compression=2.5) == "the text repeats itself"


def test_more_words_than_time_for_them_are_made_up() -> None:
    """Nobody says two hundred characters in a second."""
    assert heard("and then " * 25 + "we went", seconds=1.2, voiced=1.0) is not None
    assert heard("and then " * 25 + "we went", seconds=12.0, voiced=11.0) is None


def test_hasty_speech_is_no_invention() -> None:
    """A minute's letter said in half a minute has 35 characters a second."""
    letter = "We walked along the river every evening, and swam. " * 21
    assert heard(letter, seconds=31.0, voiced=29.0) is None


def test_low_probability_counts_only_with_a_second_sign() -> None:
    """One rare word, clearly spoken, is answered; the same out of silence is not.

    Half a second of voice outweighs a mild suspicion of silence; 0 means that it is not known.
    """
    assert heard("Firefox.", logprob=-1.06, no_speech=0.07) is None
    uncertain = "too uncertain to be answered"
    assert heard("Firefox.", logprob=-1.06, no_speech=0.4, voiced=0.3) == uncertain
    assert heard("Firefox.", logprob=-1.06, no_speech=0.4, voiced=0.0) == uncertain
    assert heard("Firefox.", logprob=-1.06, no_speech=0.4, voiced=0.7) is None
    assert heard("Firefox.", logprob=-1.06, no_speech=0.7) == "probably no speech"
    assert heard("Firefox.", logprob=-1.7, no_speech=0.07) == uncertain


def test_the_thresholds_are_the_users() -> None:
    """A user in a noisy place may set them stricter or laxer."""
    transcript = Transcript("Lights on.", "en", 0.5, -0.9)
    strict = SttSettings(no_speech=0.4, min_logprob=-0.8)
    assert is_nobody(transcript, 2.0, 1.0, SETTINGS) is None
    assert is_nobody(transcript, 2.0, 1.0, strict) == "probably no speech"


@pytest.mark.parametrize("word", ["Okay.", "Thanks.", "Bye.", "Yeah."])
def test_one_word_answers_a_question_of_the_assistant(word: str) -> None:
    """However much Whisper doubts it, it is the next turn and gets an answer."""
    show = Rehearsal("Shall I tell you more?")
    doubted = Transcript(word, "en", no_speech=0.53, logprob=-0.94)
    show.recognizer = ScriptedRecognizer(show.clock, show.book, results={word: doubted})
    show.hear((0.2, "what is a comet", 0.8))
    show.hear((0.6, word, 0.4))
    show.run()
    assert [event.text for event in show.all(ev.FinalTranscript)][-1] == word
    assert show.heard == ["Shall I tell you more?"] * 2


@pytest.mark.models
@pytest.mark.parametrize("word", ["Okay.", "Thanks.", "Bye.", "Yeah."])
def test_a_word_that_somebody_says_is_answered(
    starter_models: dict[str, Path], tmp_path: Path, word: str
) -> None:
    """In a conversation, from the detector's first frame to the first sound of the answer."""
    speech = read_speech(said(word, tmp_path / "word.wav"))
    sound = np.concatenate([np.zeros(CAPTURE_RATE, dtype=np.float32), speech])
    events = overhear(Config(), hearing_engines(Config()), [sound])
    assert [event.text.strip(".") for event in events if isinstance(event, ev.FinalTranscript)] == [
        word.strip(".")
    ]
    assert any(isinstance(event, ev.PlaybackStarted) for event in events)


def rows(folder: Path) -> list[dict[str, str]]:
    """The recordings a folder lists."""
    with (folder / "manifest.tsv").open(encoding="utf-8") as manifest:
        return list(csv.DictReader(manifest, delimiter="\t"))


@pytest.mark.models
@pytest.mark.slow
@pytest.mark.statistics
def test_recorded_noise_is_not_answered_and_recorded_people_are(
    recognizer: Whisper, shared: Path, request: pytest.FixtureRequest
) -> None:
    """On real recordings: no noise without a singing voice passes, and hardly any person fails.

    A thorough run tries all of them, another one in six.
    """
    sample = slice(None, None, 1 if request.config.getoption("--thorough") else 6)

    def doubt(samples: np.ndarray) -> str | None:
        return is_nobody(recognizer.transcribe(samples), len(samples) / 16_000, 0.0, SETTINGS)

    noises = [row["file"] for row in rows(shared / "noise") if "vocals" not in row["kind"]]
    answered = [
        name
        for name in noises[sample]
        if doubt(read_speech(shared / "noise" / name)[16_000:48_000]) is None
    ]
    assert answered == []
    short = [row["file"] for row in rows(shared / "speech") if float(row["duration_s"]) < 6]
    people = short[::4][sample]
    rejected = [n for n in people if doubt(read_speech(shared / "speech" / n)) is not None]
    assert len(rejected) <= len(people) * 0.05
