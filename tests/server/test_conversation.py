"""Conversations of clients, over a real socket."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgevoice.server.lobby import Patience
from edgevoice.server.serving import Server
from edgevoice.testing.scripted import Phrasebook
from tests.server.hosting import PATIENCE, Client, paired, scripted, serving

STORY = (
    "Once upon a time there was a king who had three daughters and a very old castle by the sea."
)


@contextlib.contextmanager
def answering(folder: Path, book: Phrasebook, answer: str, capacity: int = 4) -> Iterator[Server]:
    """A server whose replies are all the same."""
    patience = Patience(short_grace=0.1)
    with serving(folder, scripted(book, answer), capacity=capacity, patience=patience) as server:
        yield server


def until(done: object) -> None:
    """Wait until `done()` is true."""
    end = time.monotonic() + PATIENCE
    while not done():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.devices  # sound in real time
def test_a_spoken_question_is_answered(tmp_path: Path) -> None:
    """A client says a question, sees both captions, and hears the reply."""
    book = Phrasebook()
    with (
        answering(tmp_path, book, "Paris is the capital.") as server,
        Client(server, paired(server)) as client,
    ):
        client.wait("welcome")
        client.wait("ready")
        client.said.put(book.speech("what is the capital", 1.2))
        heard = client.wait("heard", final=True)
        assert heard["text"] == "what is the capital"
        done = client.wait("turn")
        assert (done["answered"], done["interrupted"]) == (True, False)
        assert done["heard"] == client.reply(done["turn"]) == "Paris is the capital."
        assert abs(client.played).max() > 0.4
        names = [span["name"] for span in done["spans"]]
        assert names[-2:] == ["network", "output"]
        total = sum(span["ms"] for span in done["spans"])
        assert total == pytest.approx(done["response_ms"], abs=1.0)
        assert client.wait("spoken", chars=len("Paris is the capital."))


def test_a_typed_question_is_answered_without_a_microphone(tmp_path: Path) -> None:
    """A client that sends no sound types, and hears the reply."""
    with (
        answering(tmp_path, Phrasebook(), "All right.") as server,
        Client(server, paired(server), capture=False) as client,
    ):
        client.sends_sound = False
        client.wait("ready")
        client.send("text", text="hello")
        assert client.wait("heard", final=True)["text"] == "hello"
        assert client.wait("turn")["heard"] == "All right."


@pytest.mark.devices  # sound in real time
def test_speech_interrupts_the_reply_and_the_history_has_what_was_heard(tmp_path: Path) -> None:
    """By the client's own report of what it played, not by what was sent ahead."""
    book = Phrasebook()
    with (
        answering(tmp_path, book, STORY) as server,
        Client(server, paired(server)) as client,
    ):
        client.wait("ready")
        client.send("text", text="tell me a story")
        client.wait("spoken")
        client.said.put(book.speech("no stop that now please and listen", 1.5))
        first = client.wait("turn")
        assert first["interrupted"]
        assert STORY.startswith(first["heard"])
        assert 0 < len(first["heard"]) < len(STORY)
        client.wait("turn", after=client.messages.index(first) + 1)
        client.send("settings", mode="push-to-talk")
        history = client.wait("welcome", mode="push-to-talk")["history"]
        assert history[1] == {"role": "assistant", "text": first["heard"], "interrupted": True}


def test_a_lost_connection_loses_neither_turn_nor_conversation(tmp_path: Path) -> None:
    """The reply waits for the client, and goes on where it was heard last."""
    with answering(tmp_path, Phrasebook(), STORY) as server:
        token = paired(server)
        first = Client(server, token)
        session = first.wait("welcome")["session"]
        first.wait("ready")
        first.send("text", text="tell me a story")
        first.wait("spoken")
        first.drop()
        with Client(server, token, resume=session) as second:
            welcome = second.wait("welcome")
            assert (welcome["session"], welcome["resumed"]) == (session, True)
            assert second.wait("reply")["from"] == 0
            done = second.wait("turn")
            assert (done["heard"], done["interrupted"]) == (STORY, False)
        with Client(server, token, resume=session) as third:
            said = [(m["role"], m["text"]) for m in third.wait("welcome")["history"]]
            assert said == [("user", "tell me a story"), ("assistant", STORY)]


def test_an_ended_conversation_is_taken_up_again(tmp_path: Path) -> None:
    """Its text is kept after its session has ended."""
    with answering(tmp_path, Phrasebook(), "Yes.", capacity=1) as server:
        token, other = paired(server), paired(server, "other")
        with Client(server, token) as client:
            session = client.wait("welcome")["session"]
            client.wait("ready")
            client.send("text", text="are you there")
            client.wait("turn")
        # Another device needs the place: the session without client ends.
        with Client(server, other) as guest:
            guest.wait("queued", place=1)
            guest.wait("welcome")
        with Client(server, token, resume=session) as client:
            welcome = client.wait("welcome")
            assert [m["text"] for m in welcome["history"]] == ["are you there", "Yes."]
        with Client(server, other, resume=session) as guest:
            assert guest.wait("welcome")["history"] == []


def test_a_full_machine_says_the_place_in_the_queue(tmp_path: Path) -> None:
    """Clients wait in order, and are admitted when a place is free."""
    with answering(tmp_path, Phrasebook(), "Yes.", capacity=1) as server:
        token = paired(server)
        talking = Client(server, token)
        talking.wait("welcome")
        with Client(server, token) as second, Client(server, token) as third:
            second.wait("queued", place=1)
            third.wait("queued", place=2)
            talking.close()
            second.wait("welcome")
            third.wait("queued", place=1)


def test_a_second_page_takes_over(tmp_path: Path) -> None:
    """The first one is told, and closed."""
    with answering(tmp_path, Phrasebook(), "Yes.") as server:
        token = paired(server)
        with Client(server, token) as first:
            session = first.wait("welcome")["session"]
            with Client(server, token, resume=session) as second:
                assert first.wait("error")["code"] == "taken_over"
                assert second.wait("welcome")["session"] == session
                second.send("text", text="hello")
                second.wait("turn")


def test_settings_change_and_the_conversation_goes_on(tmp_path: Path) -> None:
    """The change is announced by another welcome, with a new stream."""
    with (
        answering(tmp_path, Phrasebook(), "Yes.") as server,
        Client(server, paired(server)) as client,
    ):
        before = client.wait("welcome")
        client.wait("ready")
        client.send("text", text="one")
        client.wait("turn")
        client.send("settings", voice="eva", mode="push-to-talk")
        after = client.wait("welcome", stream=before["stream"] + 1)
        assert (after["voice"], after["mode"]) == ("eva", "push-to-talk")
        assert [m["text"] for m in after["history"]] == ["one", "Yes."]
        at = client.messages.index(after)
        client.wait("state", after=at, state="asleep")
        client.send("text", text="two")
        client.wait("state", after=at, state="speaking")
        assert client.wait("turn", turn=1)["heard"] == "Yes."


def test_stop_mute_and_a_new_conversation_reach_the_session(tmp_path: Path) -> None:
    """What the client presses has its effect."""
    with (
        answering(tmp_path, Phrasebook(), STORY) as server,
        Client(server, paired(server)) as client,
    ):
        client.wait("ready")
        client.send("text", text="hello there")
        client.wait("spoken")
        client.send("stop")
        assert client.wait("turn")["interrupted"]
        client.send("mute", on=True)
        client.wait("state", state="muted")
        at = len(client.messages)
        client.send("new")
        client.wait("notice", after=at, text="new conversation")
