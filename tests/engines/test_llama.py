"""The language model on real weights: what is in its KV cache is never computed again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgevoice.engines import llama_file
from edgevoice.engines.llama import Llama
from edgevoice.engines.model_session import ModelSession
from edgevoice.errors import EngineError, ModelError
from edgevoice.protocols import ChatMessage, Prefilled, Stopped, Token
from edgevoice.settings import SlmSettings
from tests.engines.watched import opened
from tests.models.conftest import gguf

SYSTEM = ChatMessage("system", "You answer in one short sentence.")
FRANCE = ChatMessage("user", "What is the capital of France?")
ITALY = ChatMessage("user", "What is the capital of Italy?")


def never() -> bool:
    return False


def after(count: int) -> Callable[[], bool]:
    """Cancelled once it was asked `count` times."""
    asked = iter(range(count))
    return lambda: next(asked, None) is None


class Reply:
    """What came of one reply."""

    def __init__(self, items: Iterator[Prefilled | Token | Stopped]) -> None:
        self.items = list(items)
        self.prefilled = [item for item in self.items if isinstance(item, Prefilled)]
        tokens = [item for item in self.items if isinstance(item, Token)]
        self.text = "".join(token.text for token in tokens)
        self.tokens = tuple(token.text for token in tokens)
        self.end = self.items[-1]

    @property
    def message(self) -> ChatMessage:
        return ChatMessage("assistant", self.text)


@pytest.fixture(scope="module")
def loaded(starter_models: dict[str, Path]) -> Iterator[ModelSession]:
    settings = SlmSettings(temperature=0.0, max_tokens=40, context=1024)
    with opened(starter_models["slm"], settings) as model:
        yield model


@pytest.fixture
def model(loaded: ModelSession) -> ModelSession:
    """The model with a cold cache."""
    list(loaded.reply([ChatMessage("user", "x")], after(2)))
    return loaded


def ask(
    model: ModelSession, *messages: ChatMessage, cancelled: Callable[[], bool] = never
) -> Reply:
    return Reply(model.reply(messages, cancelled))


@pytest.mark.models
def test_a_reply_is_one_prefilled_then_tokens_then_one_stopped(model: ModelSession) -> None:
    """The model answers, ends by itself, and says so in the order that is promised."""
    reply = ask(model, SYSTEM, FRANCE)
    assert "Paris" in reply.text
    assert isinstance(reply.items[0], Prefilled)
    assert len(reply.prefilled) == 1
    assert reply.end == Stopped("stop")
    assert all(isinstance(item, Token) for item in reply.items[1:-1])


@pytest.mark.models
def test_the_next_turn_evaluates_only_what_is_new(model: ModelSession) -> None:
    """The whole first exchange, the ids of the reply included, is still there for the second."""
    first = ask(model, SYSTEM, FRANCE)
    second = ask(model, SYSTEM, FRANCE, first.message, ITALY)
    everything_before = first.prefilled[0].tokens + len(first.tokens)
    assert second.prefilled[0].reused == everything_before
    assert "Rome" in second.text


@pytest.mark.models
def test_an_open_reply_is_gone_on_with_from_the_cache(model: ModelSession) -> None:
    """Token by token as if it had never been interrupted, and hardly any of it is evaluated."""
    whole = ask(model, SYSTEM, FRANCE)
    text = whole.text[: whole.text.rindex(" ")]
    heard = ChatMessage("assistant", text, interrupted=True)
    model.prime([SYSTEM, FRANCE, heard], never)
    part = ChatMessage("assistant", text)
    more = ask(model, SYSTEM, FRANCE, part)
    assert part.text + more.text == whole.text
    assert more.prefilled[0].tokens - more.prefilled[0].reused <= 4


@pytest.mark.models
def test_an_interrupted_reply_keeps_its_own_ids_up_to_the_cut(model: ModelSession) -> None:
    """What was heard of it is not evaluated again; what was not is not in the prompt."""
    first = ask(model, SYSTEM, FRANCE)
    cut = first.text.rindex(" ")
    heard = ChatMessage("assistant", first.text[:cut], interrupted=True)
    second = ask(model, SYSTEM, FRANCE, heard, ITALY)
    assert second.prefilled[0].reused >= first.prefilled[0].tokens + 2
    assert "Rome" in second.text


@pytest.mark.models
def test_priming_leaves_only_the_question_itself(model: ModelSession) -> None:
    """After priming, what is evaluated is the user's words and the opening of the reply."""
    model.prime([SYSTEM], never)
    question = ask(model, SYSTEM, FRANCE)
    words = model.count([SYSTEM, FRANCE]) - model.count([SYSTEM, ChatMessage("user", "")])
    opening = model.count([SYSTEM, FRANCE]) - question.prefilled[0].reused - words
    assert question.prefilled[0].reused > 0.6 * (question.prefilled[0].tokens - words)
    assert opening < 8


@pytest.mark.models
def test_a_primed_cache_gives_the_same_reply_as_a_cold_one(model: ModelSession) -> None:
    """Reuse is invisible in what is said: greedy replies are equal token for token."""
    cold = ask(model, SYSTEM, FRANCE)
    list(model.reply([ChatMessage("user", "Something else.")], after(2)))
    model.prime([SYSTEM], never)
    assert ask(model, SYSTEM, FRANCE).tokens == cold.tokens


@pytest.mark.models
def test_the_same_question_again_evaluates_one_token(model: ModelSession) -> None:
    """Only the last token is evaluated anew, because only that gives its logits."""
    first = ask(model, SYSTEM, FRANCE)
    again = ask(model, SYSTEM, FRANCE)
    assert again.prefilled == [Prefilled(first.prefilled[0].tokens, first.prefilled[0].tokens - 1)]
    assert again.tokens == first.tokens


@pytest.mark.models
@pytest.mark.parametrize("heard", range(4))
def test_a_reply_abandoned_at_any_token_leaves_a_sound_cache(
    model: ModelSession, heard: int
) -> None:
    """Whoever stops listening in the middle gets the right answer to the next question."""
    undisturbed = ask(model, SYSTEM, ITALY)
    reply = model.reply([SYSTEM, FRANCE], never)
    for _ in range(heard + 1):
        next(reply)
    reply.close()  # type: ignore[attr-defined]
    assert ask(model, SYSTEM, ITALY).tokens == undisturbed.tokens


@pytest.mark.models
@pytest.mark.parametrize("asked", range(6))
def test_a_cancelled_reply_stops_at_once_and_leaves_a_sound_cache(
    model: ModelSession, asked: int
) -> None:
    """Cancelling while the prompt is evaluated or tokens are made loses nothing for later."""
    undisturbed = ask(model, SYSTEM, ITALY)
    cancelled = ask(model, SYSTEM, FRANCE, cancelled=after(asked))
    assert cancelled.end == Stopped("cancelled")
    assert len(cancelled.tokens) <= asked
    assert ask(model, SYSTEM, ITALY).tokens == undisturbed.tokens


@pytest.mark.models
def test_a_cancelled_prompt_keeps_what_was_evaluated(model: ModelSession) -> None:
    """A long prompt that is cancelled half-way goes on from there the next time."""
    long = ChatMessage("user", "Here are some words. " * 60)
    assert ask(model, long, cancelled=after(2)).prefilled == []
    assert ask(model, long).prefilled[0].reused > 0


@pytest.mark.models
def test_characters_of_several_tokens_come_whole(model: ModelSession) -> None:
    """No half UTF-8 character is ever handed out, though a token may hold one."""
    reply = ask(model, ChatMessage("user", "Repeat exactly, nothing else: 🦜🐢 你好 Grüße"))
    assert "\ufffd" not in reply.text
    assert any(ord(char) > 127 for char in reply.text)


@pytest.mark.models
def test_seeded_replies_repeat_and_unseeded_ones_may_differ(
    model_path: Callable[[str], Path],
) -> None:
    """A seed makes a warm reply repeatable; the default draws anew each time."""
    path = model_path("smollm2-135m")
    joke = ChatMessage("user", "Write one line of nonsense.")
    settings = SlmSettings(temperature=1.5, seed=5, max_tokens=12, context=512)
    with opened(path, settings) as seeded:
        first, again = ask(seeded, joke), ask(seeded, joke)
        assert first.tokens == again.tokens
    settings = SlmSettings(temperature=1.5, max_tokens=12)
    with opened(path, settings) as unseeded:
        assert len({ask(unseeded, joke).tokens for _ in range(4)}) > 1


@pytest.mark.models
def test_the_limits_of_tokens_and_context_end_a_reply(model_path: Callable[[str], Path]) -> None:
    """A reply that would go on is stopped as `length`; a prompt that cannot fit is an error."""
    path = model_path("smollm2-135m")
    story = ChatMessage("user", "Tell a very long story about a dog.")
    settings = SlmSettings(temperature=0.0, max_tokens=5)
    with opened(path, settings) as short:
        reply = ask(short, story)
        assert reply.end == Stopped("length")
        assert len(reply.tokens) == 5
    settings = SlmSettings(temperature=0.0, context=256, max_tokens=4000)
    with opened(path, settings) as narrow:
        reply = ask(narrow, ChatMessage("user", "A very long story about a dog: " + "dog " * 150))
        assert reply.end in (Stopped("length"), Stopped("stop"))
        assert reply.prefilled[0].tokens + len(reply.tokens) <= narrow.context + 1
        with pytest.raises(EngineError, match="256"):
            ask(narrow, ChatMessage("user", "word " * 300))
        assert "dog" in ask(narrow, story, cancelled=after(50)).text.lower()


@pytest.mark.models
def test_the_context_is_never_larger_than_the_model_was_trained_for(
    starter_models: dict[str, Path],
) -> None:
    """A setting beyond the model's own limit is lowered to it."""
    with opened(starter_models["slm"], SlmSettings(context=512)) as model:
        assert model.context == 512


@pytest.mark.models
def test_a_model_that_does_not_fit_says_how_much_it_needs(
    starter_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found out before it is loaded, with both figures and the way to a smaller one."""
    monkeypatch.setattr(llama_file, "free_memory", lambda: 300_000_000)
    with pytest.raises(ModelError, match=r"needs 0\.\d GB of memory, 0\.3 GB are free") as caught:
        Llama(starter_models["slm"], SlmSettings())
    assert "models list" in caught.value.remedy


@pytest.mark.models
def test_a_truncated_model_says_how_much_is_missing(
    starter_models: dict[str, Path], tmp_path: Path
) -> None:
    """A file that ends early is refused by its length, before native code sees it."""
    cut = tmp_path / "cut.gguf"
    with starter_models["slm"].open("rb") as whole:
        cut.write_bytes(whole.read(20_000_000))
    with pytest.raises(ModelError, match="20,000,000 bytes of 491,400,064") as caught:
        Llama(cut, SlmSettings())
    assert "models pull" in caught.value.remedy


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    """Missing, empty and foreign files each give a ModelError with the remedy."""
    empty, foreign = tmp_path / "empty.gguf", tmp_path / "foreign.gguf"
    empty.write_bytes(b"")
    foreign.write_bytes(b"RIFF" + bytes(100))
    for path in (empty, foreign, tmp_path / "missing.gguf"):
        with pytest.raises(ModelError) as caught:
            Llama(path, SlmSettings())
        assert "models pull" in caught.value.remedy


def test_a_base_model_is_refused_with_the_reason(tmp_path: Path) -> None:
    """A model without a chat template could only continue text: it is told apart at once."""
    base = tmp_path / "base.gguf"
    base.write_bytes(gguf(template=None))
    with pytest.raises(ModelError, match="no chat template"):
        Llama(base, SlmSettings())


def test_a_file_llama_cpp_cannot_load_is_an_error_and_nothing_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """An architecture nobody knows ends in our message, not in the library's."""
    strange = tmp_path / "strange.gguf"
    strange.write_bytes(gguf())
    with pytest.raises(ModelError, match="cannot be loaded"):
        Llama(strange, SlmSettings())
    assert capfd.readouterr() == ("", "")


LEAVING = """
from edgevoice.engines import llama_native
llama_native.native.llama_sampler_free = lambda chain: print("freed", flush=True)
dropped, kept = llama_native.Sampler(0.0, 1), llama_native.Sampler(0.0, 1)
del dropped
print("left", flush=True)
"""


def test_a_sampler_in_use_at_exit_is_not_freed() -> None:
    """A thread may still generate while the process ends: only a sampler without users goes."""
    done = subprocess.run([sys.executable, "-c", LEAVING], capture_output=True, text=True)
    assert done.stdout.split() == ["freed", "left"], done.stderr
