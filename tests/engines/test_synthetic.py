"""A shape at work: it says what it is given and computes what a model computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import llama_cpp
import numpy as np
import pytest

from edgevoice import build as building
from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.catalog import Entry, File
from edgevoice.clock import SystemClock
from edgevoice.context import AudioIO, Engines, SessionContext
from edgevoice.engines.pool import EnginePool
from edgevoice.engines.synthetic import DEFAULT_REPLY, SyntheticModel, SyntheticSession
from edgevoice.errors import EngineError, ModelError
from edgevoice.events import Role
from edgevoice.models.progress import NoProgress
from edgevoice.models.shape_file import header, write
from edgevoice.models.shape_table import ARCHITECTURES
from edgevoice.models.store import Installed, Store
from edgevoice.open_devices import clips_source, quiet_sink
from edgevoice.protocols import ChatMessage, Prefilled, Stopped, Token
from edgevoice.settings import Config, Models, SlmSettings
from tests.engines.watched import Watched, watched
from tests.models.small_shapes import small, vocabulary

SYSTEM = ChatMessage("system", "Be short.")
FRANCE = ChatMessage("user", "What is the capital of France?")
ITALY = ChatMessage("user", "And of Italy?")
PARIS = "Paris, isn't it? – Yes:\n 100 % «sûr»."


def never() -> bool:
    return False


class Loaded(NamedTuple):
    """A shape, the llama.cpp under it, and its file."""

    shape: SyntheticSession
    native: Watched
    path: Path


@pytest.fixture(scope="module", params=ARCHITECTURES)
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loaded]:
    folder = tmp_path_factory.mktemp("shape")
    architecture = small(request.param)
    path = folder / "shape.gguf"
    write(path, header(architecture, vocabulary(folder / "tiny.gguf")), architecture, NoProgress())
    settings = SlmSettings(threads=1, context=512, max_tokens=200)
    with watched(SyntheticModel, path, settings) as (shape, native):
        assert isinstance(shape, SyntheticSession)
        yield Loaded(shape, native, path)


@pytest.fixture
def shape(loaded: Loaded) -> SyntheticSession:
    """A shape of each family with a cold cache and nothing to say."""
    loaded.shape.reply_text = ""
    list(loaded.shape.reply([ChatMessage("user", "x")], iter([False, True]).__next__))
    return loaded.shape


class Said(NamedTuple):
    """The text of a reply, and how many tokens it has."""

    text: str
    tokens: int

    @property
    def message(self) -> ChatMessage:
        return ChatMessage("assistant", self.text)


def ask(
    model: SyntheticSession, *messages: ChatMessage, cancelled: Callable[[], bool] = never
) -> tuple[Said, Prefilled, Stopped]:
    """The reply, how it began and how it ended."""
    begun, *tokens, ended = model.reply(messages, cancelled)
    assert isinstance(begun, Prefilled)
    assert isinstance(ended, Stopped)
    text = "".join(token.text for token in tokens if isinstance(token, Token))
    return Said(text, len(tokens)), begun, ended


def test_it_says_the_text_it_is_given_and_ends_its_turn(shape: SyntheticSession) -> None:
    """Accents, dashes, line breaks and all: exactly the text, then the end of the turn."""
    shape.reply_text = PARIS
    said, _, ended = ask(shape, SYSTEM, FRANCE)
    assert said.text == PARIS
    assert ended == Stopped("stop")
    shape.reply_text = "Rome."
    assert ask(shape, SYSTEM, ITALY)[0].text == "Rome."


def test_without_a_text_it_says_a_plain_sentence(shape: SyntheticSession) -> None:
    """Nobody has to give one to measure a shape."""
    assert ask(shape, FRANCE)[0].text == DEFAULT_REPLY


def test_every_token_is_evaluated_and_sampled(shape: SyntheticSession, loaded: Loaded) -> None:
    """The prompt whole, then each token of the reply by itself; the sampler runs for each of them
    and for the end of the turn: nothing is skipped because the answer is known."""
    loaded.native.evaluated.clear()
    loaded.native.sampled.clear()
    shape.reply_text = PARIS
    said, begun, _ = ask(shape, SYSTEM, FRANCE)
    evaluated, sampled = [len(ids) for ids in loaded.native.evaluated], loaded.native.sampled
    count = said.tokens
    assert count > 10
    assert sum(evaluated) == begun.tokens - begun.reused + count
    assert evaluated[-count:] == [1] * count
    assert len(sampled) == count + 1
    assert sampled[:count] != [ids[0] for ids in loaded.native.evaluated[-count:]]


def test_logits_are_finite_numbers_that_differ(shape: SyntheticSession, loaded: Loaded) -> None:
    """Random weights are scaled as trained ones are: nothing overflows, nothing collapses."""
    file = llama_cpp.Llama(str(loaded.path), n_ctx=512, n_threads=1, logits_all=True, verbose=False)
    with closing(file):
        file.eval(shape.prompt([SYSTEM, FRANCE]))
        logits = file.scores[file.n_tokens - 1]
    assert logits.shape == (300,)
    assert np.isfinite(logits).all()
    assert 0.01 < float(logits.std()) < 1000


def test_a_draft_is_evaluated_and_accepted_by_chance(shape: SyntheticSession) -> None:
    """The chances are seeded; the reply goes on behind as many words as the draft has."""
    shape.reply_text = "One two three four five six."
    draft = ChatMessage("assistant", "Un deux trois")
    found = shape.probabilities([SYSTEM, FRANCE, draft], never)
    assert "".join(text for text, _ in found).strip() == draft.text
    assert {probability for _, probability in found} <= {0.0, 1.0}
    assert ask(shape, SYSTEM, FRANCE, draft)[0].text == " four five six."
    long = ChatMessage("assistant", "a " * 60)
    accepted = [chance for _, chance in shape.probabilities([SYSTEM, FRANCE, long], never)]
    assert 0.9 < sum(accepted) / len(accepted) < 1


def test_what_was_said_is_not_computed_again(shape: SyntheticSession) -> None:
    """The KV cache is used as any model's is: the next turn evaluates only what is new."""
    shape.reply_text = PARIS
    first, begun, _ = ask(shape, SYSTEM, FRANCE)
    second, after, _ = ask(shape, SYSTEM, FRANCE, first.message, ITALY)
    assert second.text == PARIS
    assert after.reused == begun.tokens + first.tokens


def test_a_reply_that_is_given_up_begins_anew_the_next_time(shape: SyntheticSession) -> None:
    """What was left unsaid of one reply is no part of another."""
    shape.reply_text = PARIS
    items = shape.reply([SYSTEM, FRANCE], never)
    for _ in range(4):
        next(items)
    assert ask(shape, SYSTEM, FRANCE)[0].text == PARIS
    asked = iter(range(6))
    *_, ended = shape.reply([SYSTEM, FRANCE], lambda: next(asked, None) is None)
    assert ended == Stopped("cancelled")


def test_a_reply_ends_at_the_configured_length(shape: SyntheticSession) -> None:
    """max_tokens holds for shapes too."""
    shape.reply_text = "a b c d e f " * 30
    said, _, ended = ask(shape, FRANCE)
    assert said.tokens == 200
    assert ended == Stopped("length")


def test_a_text_that_would_end_its_own_turn_is_refused(shape: SyntheticSession) -> None:
    """The name of a control token in it is no text any more, and would be cut off unnoticed."""
    shape.reply_text = "Yes.</s> No."
    with pytest.raises(EngineError, match="cannot represent"):
        ask(shape, FRANCE)


def test_a_question_that_names_a_control_token_stays_text(shape: SyntheticSession) -> None:
    """Only the template ends a turn; a question that names its mark is evaluated as letters."""
    native = shape.model.native

    def ends(text: str) -> int:
        return shape.prompt([SYSTEM, ChatMessage("user", text)]).count(native.eos)

    assert ends("Yes.</s> No.") == ends("Yes.")
    said = b"".join(map(native.piece, shape.prompt([SYSTEM, ChatMessage("user", "Yes.</s> No.")])))
    assert b"Yes.</s> No." in said


def test_whoever_builds_for_shapes_gets_one_and_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The assistant's language model is a Shape where a shape was chosen, and the session's start
    names it; who does not ask for shapes gets none."""
    architecture = small("phi-3-mini")
    path = tmp_path / "shape.gguf"
    write(
        path, header(architecture, vocabulary(tmp_path / "tiny.gguf")), architecture, NoProgress()
    )
    file = File(path.name, path.stat().st_size, "0" * 64)
    entry = Entry("shape-tiny", "slm", "gguf", "SyntheticModel", (file,), rank=0, shape=True)
    made: list[Engines] = []

    class OnlyAShape(Store):
        def choose(self, role: Role, *, shapes: bool = False) -> Installed:
            if role == "slm" and not shapes:
                raise ModelError("shapes were not asked for")
            return Installed(entry, path)

    class Unbuilt:
        source_name = "nothing"

        def __init__(self, *parts: object) -> None:
            made.extend(part for part in parts if isinstance(part, Engines))

    monkeypatch.setattr(building, "Store", OnlyAShape)
    monkeypatch.setattr(building, "Assistant", Unbuilt)
    clock = SystemClock()
    bus = Bus(clock)
    seen: list[ev.Event] = []
    bus.subscribe(seen.append)
    config = Config(
        models=Models(folder=str(tmp_path / "models")),
        slm=SlmSettings(threads=1, context=256, system_prompt=""),
    )
    sink = quiet_sink(clock, "nothing")
    source = clips_source(clock, iter(()), "nothing")
    context, audio = SessionContext(config, clock, bus), AudioIO(source, sink)
    with pytest.raises(ModelError):
        building.build(context, audio)
    pool = EnginePool(shapes=True)
    building.build(context, audio, pool=pool)
    agent = made[0].agent()
    try:
        # A synthetic model has few tokens of context, as its file says.
        assert 0 < agent.room < 256
    finally:
        agent.close()
        made[0].give_back()
        pool.close()
    started = [event for event in seen if isinstance(event, ev.SessionStarted)]
    assert started[0].models["slm"] == "shape-tiny"
