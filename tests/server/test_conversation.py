"""Conversations of clients, over a real socket."""

from __future__ import annotations

from pathlib import Path

from edgevoice.testing.scripted import Phrasebook
from tests.server.hosting import Client, paired, scripted, serving


def test_a_spoken_question_is_answered(tmp_path: Path) -> None:
    """A client says a question, sees both captions, and hears the reply."""
    book = Phrasebook()
    with serving(tmp_path, scripted(book, "Paris is the capital.")) as server:
        with Client(server, paired(server)) as client:
            client.wait("welcome")
            client.wait("ready")
            client.said.put(book.speech("what is the capital", 1.2))
            heard = client.wait("heard", final=True)
            assert heard["text"] == "what is the capital"
            done = client.wait("turn")
            assert done["answered"] and not done["interrupted"]
            assert done["heard"] == client.reply(done["turn"]) == "Paris is the capital."
            assert abs(client.played).max() > 0.4
            names = [span["name"] for span in done["spans"]]
            assert names[-2:] == ["network", "output"]
