"""The pipeline on virtual time: what is heard, remembered and forgotten, and in which order."""

from __future__ import annotations

from itertools import pairwise

import pytest

from edgevoice import events as ev
from edgevoice.errors import DeviceError, ModelError
from edgevoice.protocols import ChatMessage, Transcript
from edgevoice.settings import Config, SlmSettings, SttSettings, TurnSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)

PARIS = "The capital of France is Paris, of course. It lies on the Seine. Anything else?"


def said(messages: list[ChatMessage]) -> list[tuple[str, str]]:
    return [(m.role, m.text) for m in messages if m.role != "system"]


def test_a_question_is_answered_and_both_are_remembered() -> None:
    """A spoken question is recognized, answered aloud in full, and kept in the history."""
    show = Rehearsal(PARIS)
    show.hear((0.5, "what is the capital of france", 1.5))
    show.run()
    assert [e.text for e in show.all(ev.FinalTranscript)] == ["what is the capital of france"]
    assert show.heard == [PARIS]
    assert said(show.assistant.history.messages) == [
        ("user", "what is the capital of france"),
        ("assistant", PARIS),
    ]


def test_the_same_session_gives_the_same_trace() -> None:
    """On virtual time nothing depends on the machine: two runs give identical events."""

    def trace() -> list[ev.Event]:
        show = Rehearsal(PARIS)
        show.hear((0.5, "what is the capital of france", 1.5), (5.0, "no stop", 0.8))
        return show.run()

    assert trace() == trace()


def test_events_are_numbered_without_gaps_and_never_go_back_in_time() -> None:
    """The bus stamps each event once: numbers are gapless and times never decrease."""
    show = Rehearsal(PARIS)
    show.hear((0.2, "hello there", 0.8))
    events = show.run()
    assert [e.seq for e in events] == list(range(len(events)))
    assert all(a.t <= b.t for a, b in pairwise(events))


def test_speech_is_streamed_while_the_model_still_writes() -> None:
    """The first clause is heard before the last token is made."""
    show = Rehearsal(" ".join(f"Sentence number {n} is here." for n in range(12)))
    show.hear((0.2, "tell me a story", 1.0))
    show.run()
    assert show.all(ev.PlaybackStarted)[0].at < show.all(ev.GenerationEnded)[0].t


def test_playback_is_gapless_when_synthesis_keeps_up() -> None:
    """Each clause begins at the very sample where the one before it ends."""
    show = Rehearsal("One two three four. Five six seven eight. Nine ten eleven twelve.")
    show.hear((0.2, "count please", 1.0))
    show.run()
    starts = [e.at for e in show.all(ev.PlaybackStarted)]
    lengths = [e.seconds for e in show.all(ev.SynthesisEnded)]
    assert len(starts) == len(lengths) >= 3
    for start, length, following in zip(starts, lengths, starts[1:], strict=False):
        assert following == pytest.approx(start + length, abs=1e-3)
    assert show.all(ev.Underrun) == []


def test_a_synthesizer_that_cannot_keep_up_is_reported_as_an_underrun() -> None:
    """When the speaker runs dry within a reply, the trace says so."""
    show = Rehearsal("One two three four. Five six seven eight nine ten eleven. Twelve more now.")
    show.synthesizer = ScriptedSynthesizer(show.clock, rtf=2.0)
    show.hear((0.2, "count please", 1.0))
    show.run()
    assert show.all(ev.Underrun)


def test_one_clause_is_ready_while_another_one_plays() -> None:
    """Synthesis runs ahead of playback: every later clause is whole before its turn comes."""
    show = Rehearsal("One two three four. Five six seven eight. Nine ten eleven twelve. Done now.")
    show.hear((0.2, "count please", 1.0))
    show.run()
    ready = {e.clause: e.t for e in show.all(ev.SynthesisEnded)}
    begins = {e.clause: e.at for e in show.all(ev.PlaybackStarted)}
    assert len(begins) >= 4
    assert all(ready[c] < begins[c] for c in begins if c > 0)


def test_speaking_while_it_speaks_stops_it_and_history_holds_what_was_heard() -> None:
    """After a barge-in the history ends at the word the user heard, not where the model was."""
    show = Rehearsal(PARIS)
    show.hear((0.5, "what is the capital of france", 1.5), (4.5, "and what about spain", 1.0))
    show.run()
    cancelled = show.all(ev.TurnCancelled)
    assert [(e.turn, e.reason) for e in cancelled] == [(0, "barge_in")]
    first = show.all(ev.TurnCompleted)[0]
    assert first.interrupted
    assert first.heard
    assert PARIS.startswith(first.heard)
    assert len(first.heard) < len(PARIS)
    assert said(show.assistant.history.messages)[1] == ("assistant", first.heard)
    ended = show.all(ev.PlaybackEnded)[0]
    assert ended.at <= cancelled[0].t


def test_the_interrupting_words_are_themselves_answered() -> None:
    """What the user says into the reply is the next question, from its first word."""
    show = Rehearsal(PARIS)
    show.hear((0.5, "what is the capital of france", 1.5), (4.5, "no i meant spain", 1.2))
    show.run()
    assert [e.text for e in show.all(ev.FinalTranscript)][-1] == "no i meant spain"
    assert show.heard[-1] == PARIS


def test_without_barge_in_the_reply_is_heard_to_its_end() -> None:
    """With turn.barge_in off, sound during the reply is ignored."""
    show = Rehearsal(PARIS, Config(turn=TurnSettings(barge_in=False)))
    show.hear((0.5, "what is the capital of france", 1.5), (4.5, "stop please", 1.0))
    show.run()
    assert show.heard == [PARIS]
    assert show.all(ev.TurnCancelled) == []


def test_a_pause_within_a_sentence_makes_one_question_of_it() -> None:
    """Work begun in a pause is dropped unheard when the user goes on; the words are joined."""
    show = Rehearsal("It is noon.")
    show.hear((0.5, "what is", 0.8), (1.8, "the time", 0.8))
    show.run()
    assert [(e.turn, e.reason) for e in show.all(ev.TurnCancelled)] == [(0, "resumed")]
    assert show.all(ev.TurnStarted)[1].replaces == 0
    assert said(show.assistant.history.messages) == [
        ("user", "what is the time"),
        ("assistant", "It is noon."),
    ]
    assert {e.turn for e in show.all(ev.PlaybackStarted)} == {1}


def test_nothing_is_heard_before_the_turn_is_committed() -> None:
    """A speculative reply may be made, but its first sample comes after the commitment."""
    show = Rehearsal("Yes.")
    show.hear((0.5, "is it so", 0.8))
    show.run()
    committed = show.all(ev.TurnCommitted)[0].t
    assert show.all(ev.FirstAudio)[0].t < committed
    assert show.all(ev.PlaybackStarted)[0].at >= committed


def test_a_question_that_goes_on_before_the_answer_is_remembered_as_one() -> None:
    """Cut off before a word was heard, the user's two parts become one message."""
    show = Rehearsal("Sunny.")
    show.slm = ScriptedLanguageModel(show.clock, lambda _: "Sunny.", token=1.5)
    show.hear((0.5, "what is the weather", 1.0), (2.6, "in paris", 0.8))
    show.run()
    assert said(show.assistant.history.messages) == [
        ("user", "what is the weather in paris"),
        ("assistant", "Sunny."),
    ]


@pytest.mark.parametrize(
    "doubtful",
    [
        Transcript("", no_speech=0.9, logprob=-0.2),
        Transcript("Thank you.", no_speech=0.8, logprob=-1.2),
        Transcript("la la la la la la la", logprob=-0.4, compression=3.5),
        Transcript("mumble", no_speech=0.1, logprob=-2.5),
    ],
)
def test_noise_gets_no_answer_and_leaves_no_memory(doubtful: Transcript) -> None:
    """Silence, noise and Whisper's hallucinations on them are nobody's question."""
    show = Rehearsal("Yes?")
    show.recognizer = ScriptedRecognizer(show.clock, show.book, results={"cough": doubtful})
    show.hear((0.5, "cough", 0.4))
    show.run()
    assert [e.reason for e in show.all(ev.TurnCancelled)] == ["no_speech"]
    assert show.all(ev.TokenGenerated) == []
    assert said(show.assistant.history.messages) == []


def test_the_prefix_of_the_conversation_is_never_computed_twice() -> None:
    """Each prompt after the first reuses the whole conversation before it."""
    show = Rehearsal("Fine.", Config(slm=SlmSettings(prefill_ahead=False)))
    for text in ("one two", "three four", "five six"):
        show.hear((0.2, text, 0.6))
    show.run()
    for prompt in show.all(ev.PrefillEnded):
        assert prompt.tokens - prompt.reused == 2


def test_a_full_context_is_trimmed_in_one_large_step() -> None:
    """When the window is full the oldest half goes at once: most prompts keep the prefix."""
    show = Rehearsal(
        "word " * 19 + "end.", Config(slm=SlmSettings(max_tokens=30, system_prompt="Be brief."))
    )
    show.slm = ScriptedLanguageModel(
        show.clock, lambda _: "word " * 19 + "end.", token=0.001, context=256
    )
    for n in range(16):
        show.hear((0.2, f"question {n}", 0.6))
    show.run()
    trims = show.all(ev.HistoryTrimmed)
    assert 1 <= len(trims) <= 3
    assert all(t.messages >= 6 for t in trims)
    assert all(p.tokens <= 256 - 30 for p in show.all(ev.PrefillEnded))
    assert len(show.heard) == 16


def test_live_text_appears_while_the_user_speaks() -> None:
    """Partial transcripts come before the end of speech, and grow."""
    show = Rehearsal("Yes.")
    show.hear((0.2, "one two three four five six seven eight", 3.0))
    show.run()
    partials = show.all(ev.InterimTranscript)
    assert len(partials) >= 3
    assert all(p.t < show.all(ev.SpeechPaused)[0].t for p in partials[:-1])
    lengths = [len(p.text) for p in partials]
    assert lengths == sorted(lengths)


def test_live_text_can_be_turned_off() -> None:
    """With stt.partials and slm.prefill_ahead off the recognizer works once a turn."""
    quiet = Config(stt=SttSettings(partials=False), slm=SlmSettings(prefill_ahead=False))
    show = Rehearsal("Yes.", quiet)
    show.hear((0.2, "one two three four five six", 3.0))
    show.run()
    assert [e.partial for e in show.all(ev.TranscriptionStarted)] == [False]


def test_an_engine_that_fails_costs_its_turn_and_not_the_program() -> None:
    """After a failure of the recognizer the next question is answered."""
    show = Rehearsal("Fine.")
    broken = {"break": RuntimeError("the recognizer fell over")}
    show.recognizer = ScriptedRecognizer(show.clock, show.book, results=broken)
    show.hear((0.2, "break", 0.6))
    show.hear((0.2, "how are you", 0.6))
    show.run()
    failure = show.all(ev.StageFailed)[0]
    assert (failure.stage, failure.turn) == ("transcription", 0)
    assert "fell over" in failure.what
    assert failure.remedy
    assert show.heard == ["", "Fine."] or show.heard == ["Fine."]


def test_a_model_that_fails_in_the_middle_of_a_reply_is_survived() -> None:
    """The failed reply ends where it was heard, and the next one is whole."""
    show = Rehearsal("Never heard.")
    slm = ScriptedLanguageModel(show.clock, lambda m: "a b c d e f g h.", fail_after=5)
    show.slm = slm
    show.hear((0.2, "first", 0.6))
    show.at(6.0, lambda _: setattr(slm, "fail_after", None))
    show.hear((3.0, "second", 0.6))
    show.run()
    assert [e.stage for e in show.all(ev.StageFailed)] == ["agent"]
    assert show.heard[-1] == "a b c d e f g h."


def test_a_voice_that_fails_is_survived() -> None:
    """A synthesizer's failure costs the turn and names the stage."""
    show = Rehearsal("Fine.")

    class Broken(ScriptedSynthesizer):
        def synthesize(self, text, cancelled):  # type: ignore[no-untyped-def]
            raise RuntimeError("no voice")

    show.synthesizer = Broken(show.clock)
    show.hear((0.2, "hello you", 0.6))
    show.run()
    assert [e.stage for e in show.all(ev.StageFailed)] == ["synthesis"]
    assert show.all(ev.SessionEnded)[0].reason == "end_of_input"


def test_a_model_that_cannot_be_loaded_ends_the_session_with_its_own_error() -> None:
    """The error that stops a session is the one the engine raised, not a wrapper."""
    show = Rehearsal()

    def missing() -> None:
        raise ModelError("no such model", remedy="edgevoice models pull it")

    show.hear((0.2, "hello", 0.6))
    show.load_language_model = missing  # type: ignore[assignment]
    with pytest.raises(ModelError, match="no such model"):
        show.run()
    assert show.all(ev.SessionEnded)[0].reason == "failed"


def with_system_prompt(words: int) -> Rehearsal:
    """A rehearsal of a model with a context of 256 words, of which half is for the reply."""
    show = Rehearsal(PARIS, Config(slm=SlmSettings(system_prompt="word " * words)))
    show.slm = ScriptedLanguageModel(show.clock, lambda _: PARIS, context=256)
    show.hear((0.2, "hello", 0.6))
    return show


@pytest.mark.parametrize("words", [100, 200, 300])
def test_a_system_prompt_that_does_not_fit_ends_the_session_before_a_question_is_asked(
    words: int,
) -> None:
    """One error says what is too long and by which setting it fits; no turn fails for it."""
    show = with_system_prompt(words)
    with pytest.raises(ModelError, match="the system prompt does not fit") as caught:
        show.run()
    assert caught.value.exit_code == 1
    assert "slm.context" in caught.value.remedy
    assert show.all(ev.SessionEnded)[0].reason == "failed"
    assert not show.all(ev.Ready)
    assert not show.all(ev.StageFailed)


def test_a_system_prompt_that_leaves_room_is_no_error() -> None:
    """A long prompt is fine as long as a question and a reply go beside it."""
    show = with_system_prompt(80)
    show.run()
    assert show.heard == [PARIS]


def test_a_speaker_that_disappears_ends_the_session_and_names_the_device() -> None:
    """Losing the speaker in the middle of a reply stops every stage and raises one DeviceError."""
    show = Rehearsal(PARIS)
    write = show.sink.write

    def fail(samples):  # type: ignore[no-untyped-def]
        if show.clock.now() > 4.5:
            raise DeviceError("the speaker stopped accepting sound", where="virtual speaker")
        return write(samples)

    show.sink.write = fail  # type: ignore[method-assign]
    show.hear((0.5, "what is the capital of france", 1.5), (9.0, "hello", 1.0))
    with pytest.raises(DeviceError, match="virtual speaker"):
        show.run()
    assert isinstance(show.events[-1], ev.SessionEnded)


def test_a_typed_question_is_answered_aloud() -> None:
    """`say` needs no ears: the text is the question, committed at once."""
    show = Rehearsal("Four.")
    show.hear((3.0, "thanks", 0.5))
    show.at(1.0, lambda assistant: assistant.say("what is two and two"))
    show.run()
    assert show.all(ev.TurnStarted)[0].origin == "text"
    assert show.heard[0] == "Four."


def test_the_interrupt_key_stops_the_reply_for_good() -> None:
    """Interrupting leaves what was heard in the history and asks nothing new."""
    show = Rehearsal(PARIS)
    show.hear((0.5, "what is the capital of france", 1.5))
    show.at(5.0, lambda assistant: assistant.interrupt())
    show.run()
    assert [e.reason for e in show.all(ev.TurnCancelled)] == ["interrupted"]
    assert PARIS.startswith(show.heard[0])
    assert 0 < len(show.heard[0]) < len(PARIS)


def test_a_muted_microphone_hears_nothing() -> None:
    """Speech while muted makes no turn, and listening goes on afterwards."""
    show = Rehearsal("Yes.")
    show.hear((0.5, "secret", 1.0), (4.0, "hello again", 0.8))
    show.at(1.0, lambda assistant: assistant.mute(True))
    show.at(3.5, lambda assistant: assistant.mute(False))
    show.run()
    assert [e.text for e in show.all(ev.FinalTranscript)] == ["hello again"]


def test_push_to_talk_holds_the_floor_through_any_silence() -> None:
    """While the key is held no pause ends the turn; letting go ends it at once."""
    show = Rehearsal("Yes.")
    show.hear((0.5, "one two", 0.8), (3.5, "three four", 0.8), (7.0, "", 0.1))
    show.at(1.2, lambda assistant: assistant.talk(True))
    show.at(6.2, lambda assistant: assistant.talk(False))
    show.run()
    assert [e.text for e in show.all(ev.FinalTranscript)] == ["one two three four"]
    ended = show.all(ev.SpeechEnded)[0]
    assert 6.2 <= ended.t < 6.3


def test_a_new_conversation_forgets_even_the_reply_being_spoken() -> None:
    """Nothing from before the key, heard or half heard, is in the next prompt."""
    show = Rehearsal(PARIS)
    show.hear((0.5, "my name is bond", 1.5), (9.0, "who am i", 0.8))
    show.at(5.0, lambda assistant: assistant.new_conversation())
    show.run()
    assert isinstance(show.slm, ScriptedLanguageModel)
    assert said(show.slm.asked[-1]) == [("user", "who am i")]


def test_closing_ends_the_session_at_any_moment() -> None:
    """`close` stops every stage, whatever it is doing, and SessionEnded is the last event."""
    for moment in (0.05, 1.5, 2.7, 3.6, 4.2, 5.0):
        show = Rehearsal(PARIS)
        show.hear((0.5, "what is the capital of france", 1.5), (60.0, "late", 1.0))
        show.at(moment, lambda assistant: assistant.close())
        show.run()
        assert isinstance(show.events[-1], ev.SessionEnded)
        assert show.clock.now() < moment + 3.0


def test_speech_during_loading_is_answered_once_the_model_is_there() -> None:
    """The ears do not wait for the language model."""
    show = Rehearsal("Good morning.")
    show.loading_seconds = 5.0
    show.wait_for_ready = False
    show.hear((0.2, "good morning", 0.8))
    show.run()
    ready = show.all(ev.Ready)[0].t
    assert show.all(ev.Listening)[0].t < show.all(ev.FinalTranscript)[0].t < ready
    assert show.heard == ["Good morning."]
