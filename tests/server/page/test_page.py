"""The page in Chromium, with scripted engines: what it shows, sends and plays."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from edgevoice.server.serving import Server
from edgevoice.server.web import PAGE
from edgevoice.wav import pcm_file
from tests.server.page.conftest import DESKTOP, Opened, invitation
from tests.server.page.engines import ANSWER, QUESTION

pytestmark = [pytest.mark.devices, pytest.mark.slow]

AT_ONCE = 0.3
"""Seconds of sound that may be played after it was dropped."""


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """A second of sound, which is QUESTION."""
    time = np.arange(16_000) / 16_000
    path = tmp_path / "tone.wav"
    path.write_bytes(pcm_file((0.4 * np.sin(2 * np.pi * 300 * time)).astype(np.float32), 16_000))
    return path


def in_order(some: list[str], all_of_them: list[str]) -> bool:
    """Whether `some` is `all_of_them` with some left out."""
    rest = iter(all_of_them)
    return all(word in rest for word in some)


@pytest.mark.parametrize("colors", ["light", "dark"])
def test_a_typed_question_is_answered_and_its_words_are_marked(
    server: Server, opened: Opened, colors: str
) -> None:
    """A paired browser gets an answer to a typed question. Each word is marked while it is spoken,
    and the waterfall of the response time has the network in it."""
    page = opened(invitation(server), color_scheme=colors)
    page.shows(".connection.on")
    page.ask("What is the capital?")
    page.noted("turn", answered=True)
    assert page.captions == ["What is the capital?", ANSWER]
    assert in_order(page.marked, ANSWER.split())
    assert len(page.marked) > 2
    page.tab.click(".time")
    page.shows("#waterfall th", "Network")
    assert "#" not in page.tab.url


def test_a_spoken_question_is_answered_and_can_be_interrupted(
    server: Server, opened: Opened, tone: Path
) -> None:
    """Speech during a reply ends it: the page drops the sound that it had queued, at once."""
    page = opened(invitation(server), **DESKTOP)
    page.listening()
    page.say(tone)
    started = page.noted("started")
    page.shows(".user", QUESTION)
    page.say(tone)
    dropped = page.noted("replace", started["at"], count=0)
    silent = page.noted("replaced", dropped["at"])
    page.shows(".interrupted")
    # On the audio clock, so that it holds on a busy machine: up to two seconds were queued.
    assert silent["time"] - dropped["time"] < AT_ONCE
    cut = page.captions[1]
    assert ANSWER.startswith(cut)
    assert len(cut) < len(ANSWER)
    assert page.captions[2] == QUESTION


def test_the_conversation_survives_a_reload_and_a_lost_network(
    server: Server, opened: Opened, tone: Path
) -> None:
    """After a reload the conversation is there again. What was said while the network was lost is
    answered once it is back."""
    page = opened(invitation(server))
    page.shows(".connection.on")
    page.ask("What is the capital?")
    page.noted("turn")
    page.tab.reload()
    assert page.noted("welcome")["resumed"]
    page.shows(".assistant", ANSWER)
    page.listening()
    before = page.noted("microphone")["at"]
    page.tab.context.set_offline(True)
    lost = page.noted("lost", before)["at"]
    page.say(tone)
    page.shows('#talk[data-state="lost"]')
    page.tab.context.set_offline(False)
    assert page.noted("welcome", lost)["resumed"]
    page.noted("turn", lost, answered=True)
    assert page.captions == ["What is the capital?", ANSWER, QUESTION, ANSWER]


def test_push_to_talk_sends_what_is_said_while_the_key_is_held(
    server: Server, opened: Opened, tone: Path
) -> None:
    """With push-to-talk, sound is a question only while the space bar or the surface is held."""
    page = opened(invitation(server))
    page.listening()
    page.tab.click("#open-settings")
    page.tab.select_option("[name=mode]", "push-to-talk")
    page.tab.keyboard.press("Escape")
    page.shows("#talk", "Hold to talk")
    page.say(tone)
    page.tab.focus("#talk")
    page.tab.keyboard.down("Space")
    page.shows("#talk", "Release to send")
    page.say(tone)
    page.shows(".user", QUESTION)
    page.tab.keyboard.up("Space")
    page.noted("turn", answered=True)
    assert page.captions == [QUESTION, ANSWER]


def test_a_wrong_code_is_refused_and_a_typed_one_pairs(server: Server, opened: Opened) -> None:
    """The pairing screen says in the browser's language what is wrong, and takes the right code."""
    page = opened(f"{server.local_address()}#code=WRONG", locale="de-DE")
    page.shows("#pair-problem", "Der Code ist falsch")
    page.tab.fill("#code", server.code.code.lower())
    page.tab.keyboard.press("Enter")
    page.shows(".connection", "Verbunden")
    page.shows("#talk", "Tippen und sprechen")
    assert len(server.devices.all()) == 1


def test_an_address_without_microphone_says_why_and_what_to_do(opened: Opened) -> None:
    """Where the browser gives no microphone because the address is not secure, the page says so."""
    page = opened("about:blank", speaks=False)
    me = {"paired": True, "certificate": "http://192.0.2.1:8442/"}

    def answer(route: Any) -> None:
        path = urlsplit(route.request.url).path
        if path == "/me":
            route.fulfill(json=me)
        else:
            route.fulfill(path=PAGE / (path.strip("/") or "index.html"))

    page.tab.route("http://assistant.test/**", answer)
    page.tab.goto("http://assistant.test/")
    page.shows(".problem", "http://assistant.test is not one")
    page.shows(".problem a", me["certificate"])
