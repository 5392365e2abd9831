"""One conversation through changes of models and devices."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from edgevoice import events as ev
from edgevoice.assistant import Assistant
from edgevoice.context import Resume
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.errors import EdgevoiceError, ModelError, UsageError
from edgevoice.session import ChoiceKind, Session
from edgevoice.settings import Config, Models, SlmSettings, TurnSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedLanguageModel
from edgevoice.trace import Recorder


class Settings:
    """Remembers what was kept."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str]] = []

    def changed(self, key: str, value: str) -> Config:
        return Config(models=Models(slm=value))

    def keep(self, key: str, value: str) -> None:
        self.kept.append((key, value))


class Desk(Session):
    """A session whose choices need no devices or models."""

    def choices(self, kind: ChoiceKind) -> list[tuple[str, str]]:
        return [("other", "another one"), ("broken", "one that does not load")]


def make(show: Rehearsal) -> tuple[Session, Settings, list[str]]:
    settings, built = Settings(), []
    show.hear((60.0, "much later", 1.0))

    def build(config: Config, resume: Resume) -> Assistant:
        built.append(config.models.slm)
        if config.models.slm == "broken":
            raise ModelError("it does not load", remedy="choose another one")
        show.sink = SimulatedSink(show.clock, 16_000, "virtual speaker")
        return show.assemble(resume)

    return Desk(show.config, show.clock, show.bus, build, settings), settings, built


def act(show: Rehearsal, time: float, what: Callable[[], None]) -> None:
    def cue() -> None:
        show.clock.sleep(time)
        what()

    show.clock.spawn(cue, f"at {time}")


def test_choosing_a_model_goes_on_with_the_same_conversation() -> None:
    """The history survives, answered turns are counted on, and settings change only on request."""
    show = Rehearsal("Fine.")
    session, settings, built = make(show)
    kept: list[list[tuple[str, str]]] = []

    def unanswered() -> None:
        session.say("never mind")
        session.interrupt()

    act(show, 2.0, lambda: session.say("first"))
    act(show, 4.5, unanswered)
    act(show, 6.0, lambda: session.choose("slm", "other"))
    act(show, 9.0, lambda: session.say("second"))
    act(show, 13.0, lambda: kept.append(list(settings.kept)))
    act(show, 14.0, lambda: session.choose("slm", "other", keep=True))
    act(show, 18.0, session.close)
    session.run()
    assert built == ["", "other", "other"]
    assert kept == [[]]
    assert settings.kept == [("models.slm", "other")]
    assert [(e.turn, e.number) for e in show.all(ev.PlaybackStarted)] == [(0, 1), (2, 2)]
    assert session.transcript().splitlines() == [
        "you: first",
        "edgevoice: Fine.",
        "you: never mind second",
        "edgevoice: Fine.",
    ]


def test_the_transcript_shows_where_a_reply_was_interrupted() -> None:
    """It ends with the word that was heard, and says so."""
    show = Rehearsal("A reply that takes a while to say.")
    session, _, _ = make(show)
    act(show, 2.0, lambda: session.say("first"))
    act(show, 3.0, session.interrupt)
    act(show, 6.0, session.close)
    session.run()
    (heard,) = show.heard
    assert 0 < len(heard) < len("A reply that takes a while to say.")
    assert session.transcript().splitlines() == [
        "you: first",
        f"edgevoice: {heard}— (interrupted)",
    ]


def test_a_choice_that_cannot_be_used_leaves_everything_as_it_was() -> None:
    """The failure is told to whoever chose, nothing is kept, and the old model answers on."""
    show = Rehearsal("Fine.")
    session, settings, built = make(show)
    failures: list[EdgevoiceError] = []

    def choose() -> None:
        try:
            session.choose("slm", "broken")
        except EdgevoiceError as error:
            failures.append(error)

    act(show, 2.0, choose)
    act(show, 6.0, lambda: session.say("still there"))
    act(show, 10.0, session.close)
    session.run()
    assert built == ["", "broken", ""]
    assert [f.what for f in failures] == ["it does not load"]
    assert settings.kept == []
    assert [e.heard for e in show.all(ev.TurnCompleted)] == ["Fine."]


def test_what_is_not_there_cannot_be_chosen() -> None:
    """A device that was unplugged since the list was shown is refused, and nothing stops."""
    session, _, built = make(Rehearsal())
    with pytest.raises(UsageError, match="not there any more"):
        session.choose("input", "gone")
    assert built == []


def test_the_trace_is_kept_in_memory_from_the_beginning(tmp_path: Path) -> None:
    """What is saved later holds the whole session, and only its owner can read it."""
    show = Rehearsal("Fine.")
    session, _, _ = make(show)
    act(show, 2.0, lambda: session.say("first"))
    act(show, 6.0, session.close)
    session.run()
    recorder: Recorder = session.recorder
    assert list(recorder.events) == show.events
    files = [tmp_path / "said.md", tmp_path / "trace.jsonl"]
    for file in files:
        session.save(file)
        assert os.name == "nt" or stat.S_IMODE(file.stat().st_mode) == 0o600
    assert session.saved == files
    assert "**You:** first\n\n**edgevoice:** Fine.\n" in files[0].read_text("utf-8")
    assert len(files[1].read_text("utf-8").splitlines()) == len(show.events)


def test_a_conversation_whose_cache_was_taken_is_primed_while_the_user_speaks() -> None:
    """The first voiced frames ask for it, so that the end of the question does not wait for it."""
    config = Config(
        slm=SlmSettings(system_prompt="word " * 50, prefill_ahead=False),
        turn=TurnSettings(speculate=False),
    )
    show = Rehearsal("Fine.", config)
    model = show.slm
    assert isinstance(model, ScriptedLanguageModel)
    show.hear((1.0, "how are you today", 2.0))
    show.at(0.9, lambda _: model.cache.clear())
    show.run()
    [prompt] = show.all(ev.PrefillEnded)
    assert prompt.reused == 50
