"""How a pair of models is put together: both loaded and reported, or one that answers alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice import build as building
from edgevoice import events as ev
from edgevoice.agent.draft_first_agent import DraftFirstAgent
from edgevoice.bus import Bus
from edgevoice.catalog import Entry, File
from edgevoice.context import AudioIO, Engines, SessionContext
from edgevoice.errors import ModelError
from edgevoice.events import Role
from edgevoice.models.store import Installed, Store
from edgevoice.open_devices import clips_source, quiet_sink
from edgevoice.protocols import Agent
from edgevoice.settings import Config, Models, SkillsSettings, SlmSettings
from edgevoice.testing.scripted import ScriptedLanguageModel
from edgevoice.testing.virtual import VirtualClock

EVENTS: list[ev.Event] = []


def installed(name: str, size: int) -> Installed:
    file = File(f"{name}.gguf", size, "0" * 64)
    return Installed(Entry(name, "slm", "gguf", name, (file,)), Path(file.name))


def agent(
    folder: Path, monkeypatch: pytest.MonkeyPatch, draft: str = "auto", broken: str = ""
) -> Agent:
    """What answers, with the models large and small; `broken` cannot be loaded."""

    class Pair(Store):
        def choose(self, role: Role, *, shapes: bool = False) -> Installed:
            return installed("large", 100)

        def draft_of(self, reference: Installed) -> Installed | None:
            return None if draft == "off" else installed("small", 10)

    class Unbuilt:
        source_name = "nothing"

        def __init__(self, *parts: object) -> None:
            made.extend(part for part in parts if isinstance(part, Engines))

    def load(model: Installed, config: Config) -> ScriptedLanguageModel:
        if model.name == broken:
            raise ModelError("the model needs more memory than there is")
        return ScriptedLanguageModel(clock, lambda _: "Yes.", prefill=0.01 * model.entry.size)

    made: list[Engines] = []
    monkeypatch.setattr(building, "Store", Pair)
    monkeypatch.setattr(building, "Assistant", Unbuilt)
    monkeypatch.setattr(building.registry, "load", load)
    clock = VirtualClock()
    bus = Bus(clock)
    EVENTS.clear()
    bus.subscribe(EVENTS.append)
    config = Config(
        models=Models(folder=str(folder)),
        slm=SlmSettings(draft=draft),
        skills=SkillsSettings(enabled=False),
    )
    audio = AudioIO(clips_source(clock, iter(()), "nothing"), quiet_sink(clock, "nothing"))
    building.build(SessionContext(config, clock, bus), audio)
    return made[0].agent()


def loaded() -> list[tuple[str, str]]:
    return [(event.role, event.model) for event in EVENTS if isinstance(event, ev.EngineReady)]


@pytest.mark.parametrize("draft", ["auto", "small"])
def test_both_models_are_loaded_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, draft: str
) -> None:
    """The language model first, under its own name; then the draft model."""
    assert isinstance(agent(tmp_path, monkeypatch, draft), DraftFirstAgent)
    assert loaded() == [("slm", "large"), ("draft", "small")]
    (started,) = (event for event in EVENTS if isinstance(event, ev.SessionStarted))
    assert (started.models["slm"], started.models["draft"]) == ("large", "small")


def test_one_model_answers_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does without any other."""
    assert not isinstance(agent(tmp_path, monkeypatch, "off"), DraftFirstAgent)
    assert loaded() == [("slm", "large")]


def test_a_draft_model_that_does_not_load_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notice says so; but the user who named it gets the error."""
    assert not isinstance(agent(tmp_path, monkeypatch, broken="small"), DraftFirstAgent)
    notices = [event.text for event in EVENTS if isinstance(event, ev.Notice)]
    assert any("replies are not drafted: the model needs" in text for text in notices)
    with pytest.raises(ModelError):
        agent(tmp_path, monkeypatch, "small", broken="small")
