"""The questions of the first start."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from edgevoice.cli.first_start import is_first
from edgevoice.errors import PullError
from edgevoice.tui.first_start import Choices, FirstStartApp


class Machine:
    """Two languages; the second voice cannot be had."""

    def __init__(self, offer: str = "", offers: bool = False) -> None:
        self.offer, self.offers = offer, offers
        self.status = "playing …"
        self.level = self.loudest = -20.0
        self.heard: list[tuple[str, str]] = []

    def languages(self) -> Choices:
        return [("en", "English"), ("de", "German")]

    def voices(self, language: str) -> Choices:
        return [("joe", "Joe"), ("alba", "Alba · 63 MB")]

    def listen(self, language: str, voice: str) -> None:
        self.heard.append((language, voice))
        if voice == "alba":
            raise PullError("no source has it", remedy="check the network")

    def open_microphone(self) -> str:
        return "USB headset"

    def offers_reference(self, language: str) -> bool:
        return self.offers and language == "en"

    def reference(self) -> str:
        return self.offer


def asked(
    *keys: str, machine: Machine | None = None
) -> tuple[dict[str, str] | None, Machine, list[str]]:
    """What these keys choose, and the texts after each of them."""
    machine, texts = machine or Machine(), []
    app = FirstStartApp(machine)

    async def run() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            for key in keys:
                await pilot.press(key)
                for thread in threading.enumerate():
                    if thread.name == "background":
                        thread.join()
                await pilot.pause()
                if app.is_running:
                    app.update()
                    await pilot.pause()
                if app.is_running:
                    texts.append(str(app.screen.query_one("#state").render()))  # type: ignore[attr-defined]

    asyncio.run(run())
    return app.return_value, machine, texts


def test_three_keys_take_the_defaults() -> None:
    """Enter at each question; the last one shows the microphone's name and its level."""
    chosen, machine, texts = asked("enter", "enter", "enter")
    assert chosen == {"stt.language": "en"}
    assert texts[1].startswith("USB headset\n━━━")
    assert machine.heard == []


def test_a_voice_is_listened_to_and_chosen() -> None:
    """Space plays the selected voice; a failure is shown with its remedy, and Escape skips."""
    chosen, machine, texts = asked("down", "enter", "space", "down", "space", "enter", "escape")
    assert chosen == {"stt.language": "de", "models.tts": "alba"}
    assert machine.heard == [("de", "joe"), ("de", "alba")]
    assert texts[4] == "no source has it: check the network"


def test_ctrl_c_leaves_without_a_choice() -> None:
    """Nothing is returned that could be written."""
    assert asked("down", "enter", "ctrl+c")[0] is None


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("enter",) * 4, "yes"),
        (("enter", "enter", "enter", "down", "enter"), "no"),
        (("enter", "enter", "enter", "escape"), None),
    ],
)
def test_the_reference_model_is_offered_last(keys: tuple[str, ...], answer: str | None) -> None:
    """Yes and no are written; after Escape the setting stays as it is."""
    chosen, _, _ = asked(*keys, machine=Machine("Phi-3: 2.4 GB", offers=True))
    assert chosen is not None
    assert chosen.get("models.reference") == answer


@pytest.mark.parametrize(
    ("keys", "machine"),
    [
        (("down", "enter", "enter", "enter"), Machine("Phi-3: 2.4 GB", offers=True)),
        (("enter", "enter", "enter"), Machine("", offers=True)),
    ],
)
def test_a_reference_model_that_does_not_suit_is_not_offered(
    keys: tuple[str, ...], machine: Machine
) -> None:
    """Another language, or a machine that is measured to be too slow: three questions are all."""
    chosen, _, _ = asked(*keys, machine=machine)
    assert chosen is not None
    assert "models.reference" not in chosen


@pytest.mark.parametrize("origin", ["EDGEVOICE_STT_LANGUAGE", "--set stt.language"])
def test_only_an_untouched_machine_is_asked(origin: str, tmp_path: Path) -> None:
    """A configuration file, a variable or an option means that somebody has chosen already."""
    file = tmp_path / "config.toml"
    assert is_first({"stt.language": "default"}, file)
    assert not is_first({"stt.language": origin}, file)
    file.touch()
    assert not is_first({"stt.language": "default"}, file)
