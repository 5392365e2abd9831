"""What is heard is written down ahead of time, and nothing of it is read or computed twice."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from edgevoice import events as ev
from edgevoice.audio import Samples
from edgevoice.protocols import Effort, Transcript
from edgevoice.settings import Config, SlmSettings, TurnSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedLanguageModel, ScriptedRecognizer
from edgevoice.timings import fold

SENTENCE = "what is the tallest mountain in the whole wide world"


class Watched(ScriptedRecognizer):
    """A scripted recognizer that notes the seconds of sound it was given, and what for."""

    def __init__(self, show: Rehearsal, cost: float = 0.1) -> None:
        super().__init__(show.clock, show.book, cost)
        self.given: list[float] = []
        self.efforts: list[Effort] = []

    def transcribe(
        self,
        samples: Samples,
        effort: Effort = "final",
        languages: Mapping[str, float] | None = None,
    ) -> Transcript:
        self.given.append(len(samples) / 16_000)
        self.efforts.append(effort)
        return super().transcribe(samples, effort, languages)


def test_a_look_that_holds_every_voiced_sample_is_the_question() -> None:
    """What was read the moment the voice stopped is not read again when the pause is noticed."""
    show = Rehearsal("Everest.")
    show.hear((0.2, SENTENCE, 2.0))
    show.run()
    assert [e.partial for e in show.all(ev.TranscriptionStarted)].count(False) == 0
    assert show.all(ev.FinalTranscript)[0].text == SENTENCE
    [turn] = fold(show.events)
    pause = turn.spans[0]
    assert pause.name == "pause"
    assert pause.seconds < 0.1, "the reading begins with the first silent frame"


def _fading(show: Rehearsal, *spoken: tuple[float, str, float], tail: float = 0.064) -> None:
    """Let `show` hear this; the last `tail` seconds of each are faint, but voiced for its
    detector."""
    for number in range(8):
        show.book.speech(f"somebody else {number}", 0.1)  # phrases grow louder by the number
    show.hear(*spoken)
    [clip] = show.clips
    for start, _, seconds in spoken:
        end = int((start + seconds) * 16_000)
        clip[end - int(16_000 * tail) : end] = 0.006


def test_a_transcript_of_every_word_is_the_question() -> None:
    """The question is transcribed once, from the frame in which the voice fades."""
    show = Rehearsal("Everest.")
    show.recognizer = watched = Watched(show)
    _fading(show, (0.2, SENTENCE, 2.0))
    show.run()
    assert watched.efforts.count("endpoint") == 1
    assert "final" not in watched.efforts
    assert show.all(ev.FinalTranscript)[0].text == SENTENCE
    [turn] = fold(show.events)
    assert turn.spans[0].seconds == 0.0, "the reading begins before the last voiced sample"


def test_the_reply_begins_with_the_silence_if_every_word_is_read() -> None:
    """A transcript that is there before the silence is answered in the first silent frame."""
    show = Rehearsal("Everest.")
    show.recognizer = ScriptedRecognizer(show.clock, show.book, 0.01)
    _fading(show, (0.2, SENTENCE, 2.0))
    show.run()
    assert show.all(ev.PrefillStarted)[0].t < show.all(ev.SpeechPaused)[0].t
    assert len(show.all(ev.PrefillStarted)) == 1


def test_the_reply_to_a_long_hiss_waits_for_no_other_transcript() -> None:
    """After a long faint end the model goes on the transcript so far; another one confirms it."""
    show = Rehearsal("Everest.")
    show.recognizer = watched = Watched(show, 0.25)
    _fading(show, (0.2, SENTENCE, 8.0), tail=0.256)
    show.run()
    [begun] = show.all(ev.PrefillStarted)
    assert begun.t < show.all(ev.FinalTranscript)[0].t
    assert watched.efforts[-2:] == ["endpoint", "endpoint"]


def test_words_after_a_faded_one_are_in_the_question() -> None:
    """A voice also fades between two words: what follows is transcribed as well."""
    show = Rehearsal("Everest.")
    _fading(show, (0.2, "what is the", 0.8), (1.0, "tallest mountain", 1.0))
    show.run()
    assert show.all(ev.FinalTranscript)[0].text == "what is the tallest mountain"


def test_a_doubtful_look_is_read_again() -> None:
    """A look that its recognizer is not sure of is shown, but not answered."""
    show = Rehearsal("Everest.")
    doubtful = Transcript(SENTENCE, sure=False)
    show.recognizer = ScriptedRecognizer(show.clock, show.book, results={SENTENCE: doubtful})
    show.hear((0.2, SENTENCE, 2.0))
    show.run()
    assert [e.partial for e in show.all(ev.TranscriptionStarted)][-1] is False


@pytest.mark.parametrize(
    ("looked", "then"),
    [
        (Transcript(SENTENCE, sure=False), "final"),
        (Transcript(SENTENCE, sure=False, doubtful=True), "fallback"),
    ],
)
def test_a_doubtful_transcript_is_not_tried_again(looked: Transcript, then: str) -> None:
    """If the endpoint transcript of the same sound is doubtful, the question gets the fallback."""
    show = Rehearsal("Everest.")
    show.recognizer = watched = Watched(show)
    watched.results = {SENTENCE: looked}
    show.hear((0.2, SENTENCE, 2.0))
    show.run()
    assert watched.efforts[-2:] == ["endpoint", then]


def test_words_go_into_the_model_while_the_user_speaks() -> None:
    """After the last word only what no look could know is left to be computed."""
    show = Rehearsal("Everest.")
    show.hear((0.2, SENTENCE, 3.0))
    show.run()
    paused = show.all(ev.SpeechPaused)[0].t
    begun = [e for e in show.all(ev.PrefillProgress) if e.t < paused]
    assert begun
    assert all(SENTENCE.startswith(e.text) for e in begun)
    [prompt] = show.all(ev.PrefillEnded)
    assert prompt.tokens - prompt.reused <= 2


def test_a_changed_word_rolls_the_cache_back_to_it_and_no_further() -> None:
    """When a look misheard a word, everything before that word stays computed."""
    show = Rehearsal("Everest.", Config(slm=SlmSettings(system_prompt="Be brief.")))

    class Unsure(ScriptedRecognizer):
        def transcribe(
            self,
            samples: Samples,
            effort: Effort = "final",
            languages: Mapping[str, float] | None = None,
        ) -> Transcript:
            heard = super().transcribe(samples, effort, languages)
            words = heard.text.split()
            if len(words) < 9 and len(words) > 5:
                words[5:] = ["fountain", *words[6:]]
            return Transcript(" ".join(words), logprob=-0.1)

    show.recognizer = Unsure(show.clock, show.book)
    show.hear((0.2, SENTENCE, 4.0))
    show.run()
    texts = [e.text for e in show.all(ev.PrefillProgress)]
    assert any("fountain" in text for text in texts), "otherwise this shows nothing"
    assert show.all(ev.FinalTranscript)[0].text == SENTENCE
    [prompt] = show.all(ev.PrefillEnded)
    assert prompt.reused >= 7, "the system prompt and the five words before it"
    assert isinstance(show.slm, ScriptedLanguageModel)
    assert show.slm.cache[: prompt.tokens] == ["Be", "brief.", *SENTENCE.split()]


def test_words_two_looks_agree_on_are_marked() -> None:
    """Live text says how much of it will not change any more."""
    show = Rehearsal("Everest.")
    show.hear((0.2, SENTENCE, 3.0))
    show.run()
    looks = show.all(ev.InterimTranscript)
    assert looks[0].agreed == 0
    assert looks[-1].agreed > 0
    for look in looks:
        assert SENTENCE.startswith(look.text[: look.agreed])


def test_the_last_reading_of_a_long_speech_costs_what_is_new() -> None:
    """What was read up to a pause is settled: only what follows goes to the recognizer."""
    show = Rehearsal("I see.", Config(turn=TurnSettings(pause_ms=200, silence_ms=900)))
    watched = Watched(show)
    show.recognizer = watched
    first = " ".join(f"word{number}" for number in range(20))
    second = "and some more"
    show.hear((0.2, first, 13.0), (13.7, second, 1.5))
    show.run()
    assert show.all(ev.FinalTranscript)[-1].text == f"{first} {second}"
    assert max(watched.given) > 12
    assert watched.given[-1] < 3, "thirteen seconds were settled at the pause"


def test_what_is_made_up_for_a_breath_behind_a_long_speech_is_not_added_to_it() -> None:
    """Whisper says "Thank you" where it hears hardly anything; what came before is the question."""
    show = Rehearsal("I see.", Config(turn=TurnSettings(pause_ms=200, silence_ms=900)))
    made_up = Transcript("Thank you.", no_speech=0.7, logprob=-0.7)
    show.recognizer = ScriptedRecognizer(show.clock, show.book, results={"hm": made_up})
    speech = " ".join(f"word{number}" for number in range(20))
    show.hear((0.2, speech, 13.0), (13.7, "hm", 0.15))
    show.run()
    assert show.all(ev.FinalTranscript)[-1].text == speech


def test_a_short_speech_is_read_as_a_whole() -> None:
    """Too little before a pause is not settled: the recognizer wants the context."""
    show = Rehearsal("I see.", Config(turn=TurnSettings(pause_ms=200, silence_ms=900)))
    watched = Watched(show)
    show.recognizer = watched
    show.hear((0.2, "please tell me", 1.2), (1.9, "the time", 0.8))
    show.run()
    assert show.all(ev.FinalTranscript)[-1].text == "please tell me the time"
    assert watched.given[-1] > 2.4


@pytest.mark.parametrize("seed", range(5))
def test_whatever_was_done_ahead_the_answer_is_the_same(seed: int) -> None:
    """With and without prefill and looks, with slow engines and fast ones, the prompt is equal."""
    prompts = set()
    for ahead in (True, False):
        show = Rehearsal("Yes.", Config(slm=SlmSettings(prefill_ahead=ahead)))
        show.recognizer = ScriptedRecognizer(show.clock, show.book, 0.05 + 0.2 * seed)
        slm = ScriptedLanguageModel(show.clock, lambda _: "Yes.", prefill=0.02 * (seed + 1))
        show.slm = slm
        show.hear((0.2, "one two three four", 1.5), (2.1, "five six", 0.7))
        show.hear((0.3, "seven", 0.5))
        show.run()
        prompts.add(str([[(m.role, m.text) for m in asked] for asked in slm.asked[-1:]]))
    assert len(prompts) == 1


class Early(ScriptedRecognizer):
    """Knows the whole sentence from its first words on, right or wrong."""

    guess = SENTENCE

    def transcribe(
        self,
        samples: Samples,
        effort: Effort = "final",
        languages: Mapping[str, float] | None = None,
    ) -> Transcript:
        self.cost = 0.2 if effort == "interim" else 0.5
        heard = super().transcribe(samples, effort, languages)
        if effort == "interim" and len(heard.text.split()) > 7:
            return Transcript(self.guess, sure=False)
        return heard


def guessing(guess: str, answer: str = "Everest, of course.") -> Rehearsal:
    """A recognizer whose last glance says `guess`, and which then takes half a second more."""
    show = Rehearsal()
    recognizer = Early(show.clock, show.book)
    recognizer.guess = guess
    show.recognizer = recognizer
    show.slm = ScriptedLanguageModel(
        show.clock, lambda m: answer if m[-1].text == SENTENCE else "Wrong!", token=0.02
    )
    show.hear((0.2, SENTENCE, 1.85))
    show.run()
    return show


def test_a_reply_is_begun_to_a_reading_that_may_be_the_question() -> None:
    """When the question turns out as read, its first tokens are there the moment it is known."""
    show = guessing(SENTENCE)
    recognized = show.all(ev.FinalTranscript)[0].t
    assert show.all(ev.PrefillEnded)[0].t < recognized
    assert show.all(ev.TokenGenerated)[0].t == pytest.approx(recognized, abs=0.021)
    assert show.heard == ["Everest, of course."]
    assert isinstance(show.slm, ScriptedLanguageModel)
    assert len(show.slm.asked) == 1


def test_a_wrong_guess_is_never_told() -> None:
    """When the question reads differently in the end, nothing of the guessed reply is seen."""
    show = guessing("what is the tallest fountain in the whole wide world")
    assert isinstance(show.slm, ScriptedLanguageModel)
    assert len(show.slm.asked) == 2, "otherwise nothing was guessed"
    assert "Wrong" not in "".join(e.text for e in show.all(ev.TokenGenerated))
    assert show.heard == ["Everest, of course."]
    assert [m.text for m in show.assistant.history.messages[1:]] == [
        SENTENCE,
        "Everest, of course.",
    ]


def test_a_guess_is_given_up_when_the_user_goes_on() -> None:
    """A reply to half a question is dropped with the pause it was begun in."""
    show = Rehearsal(lambda messages: f"You said {len(messages[-1].text.split())} words.")
    show.recognizer = ScriptedRecognizer(show.clock, show.book, 0.3)
    show.hear((0.2, "one two three four", 1.5), (2.0, "five six", 0.8))
    show.run()
    assert show.heard == ["You said 6 words."]
    tokens = [
        e for e in show.all(ev.TokenGenerated) if e.turn == show.all(ev.TurnCompleted)[0].turn
    ]
    assert "".join(e.text for e in tokens) == "You said 6 words."


class Stumbling(ScriptedRecognizer):
    """Fails at everything but the whole question; or at that as well."""

    at_all = False

    def transcribe(
        self,
        samples: Samples,
        effort: Effort = "final",
        languages: Mapping[str, float] | None = None,
    ) -> Transcript:
        if self.at_all or effort in ("endpoint", "interim"):
            raise RuntimeError("out of memory")
        return super().transcribe(samples, effort, languages)


def test_a_look_that_fails_is_told_once_and_costs_no_turn() -> None:
    """However many looks fail in a question, it is one failure, and the question is answered."""
    show = Rehearsal("Everest.")
    show.recognizer = Stumbling(show.clock, show.book)
    show.hear((0.2, SENTENCE, 4.0))
    show.run()
    assert len([e for e in show.all(ev.TranscriptionStarted) if e.partial]) > 1
    [failure] = show.all(ev.StageFailed)
    assert (failure.stage, failure.turn) == ("transcription", 0)
    assert "out of memory" in failure.what
    assert show.heard == ["Everest."]


def test_a_question_that_fails_as_its_looks_did_is_told_once() -> None:
    """The turn ends with what was told already, and is not told of again."""
    show = Rehearsal("Everest.")
    show.recognizer = stumbling = Stumbling(show.clock, show.book)
    stumbling.at_all = True
    show.hear((0.2, SENTENCE, 4.0))
    show.run()
    [failure] = show.all(ev.StageFailed)
    [ended] = [e for e in show.all(ev.TurnCancelled) if e.reason == "failed"]
    assert (ended.turn, ended.detail) == (0, failure.what)
