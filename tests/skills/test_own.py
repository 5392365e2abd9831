"""Skills of the user's own: their files, what they do, and the commands for them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from edgevoice.errors import ConfigError
from edgevoice.skills.own import EXAMPLE_SKILLS, OwnSkill, folder
from tests.command import edgevoice
from tests.skills.rehearsing import SkilledRehearsal


def skill(folder: Path, text: str) -> OwnSkill:
    """A skill with this file."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "skill.toml").write_text(text, "utf-8")
    return OwnSkill(folder)


def asked(show: SkilledRehearsal, own: OwnSkill, *questions: str) -> list[str]:
    """What a session with a skill answers to questions."""
    show.use(own)
    for question in questions:
        show.hear((0.5, question, 1.6))
    show.run()
    return show.heard


@pytest.mark.parametrize("name", sorted(each.name for each in EXAMPLE_SKILLS.iterdir()))
def test_the_examples_are_correct(name: str) -> None:
    """Each has sentences in English and in German."""
    assert OwnSkill(EXAMPLE_SKILLS / name).languages() == ["de", "en"]


def test_a_command_gets_what_was_said_as_one_argument(tmp_path: Path) -> None:
    """No shell, no options: whatever the words are."""
    own = skill(
        tmp_path / "echo",
        """
        title = "Echo"
        [intents.say]
        sentences.en = ["shout {text}"]
        answers.en = ["{output}"]
        command = ["{python}", "-c", "import sys; print(len(sys.argv), sys.argv[1])", "{text}"]
        """,
    )
    said = asked(SkilledRehearsal(), own, "shout two words; rm -rf $HOME")
    assert said == ["2 two words rm -rf $HOME"] or said[0].startswith("2 two words")


def test_a_skill_that_fails_says_so_in_a_sentence(tmp_path: Path) -> None:
    """The session goes on."""
    own = skill(
        tmp_path / "broken",
        """
        title = "Broken thing"
        [intents.fail]
        sentences.en = ["fail please"]
        answers.en = ["never said"]
        command = ["/nowhere/at/all"]
        """,
    )
    said = asked(SkilledRehearsal(), own, "fail please", "what time is it")
    assert said[0] == "Sorry, that didn't work: Broken thing."
    assert len(said) == 2


class Home(BaseHTTPRequestHandler):
    """The documented interface of Home Assistant's services."""

    calls: ClassVar[list[tuple[str, str, dict[str, str]]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.calls.append((self.path, self.headers["Authorization"], json.loads(body)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def home() -> Iterator[int]:
    """The port of a double of Home Assistant."""
    server = HTTPServer(("127.0.0.1", 0), Home)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_home_assistant_switches_a_light(tmp_path: Path, home: int) -> None:
    """By its REST API, with the token from a file; the answer waits for it."""
    text = (EXAMPLE_SKILLS / "home_assistant" / "skill.toml").read_text("utf-8")
    place = tmp_path / "home_assistant"
    place.mkdir()
    (place / "token").write_text("secret\n")
    own = skill(place, text.replace("homeassistant.local:8123", f"127.0.0.1:{home}"))
    assert asked(SkilledRehearsal(), own, "turn off the kitchen light") == ["It's off."]
    assert Home.calls == [
        ("/api/services/light/turn_off", "Bearer secret", {"entity_id": "light.kitchen"})
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("title = 1", "cannot be used"),
        ('title="A"\n[intents.a]\nsentences.en=["(a"]\nanswers.en=["b"]', "bracket"),
        ('title="A"\n[intents.a]\nsentences.en=["a"]\nanswers.en=["{b}"]', "{b}"),
        ('title="A"\n[intents.a]\nsentences.xx=["a"]\nanswers.xx=["b"]', "no language"),
        ('title="A"\n[intents.a]\nsentences.en=["a {b}"]\nanswers.en=["b"]', "no such list"),
        ('title="A"\n[intents.a]\nsentences.en=["a"]\nanswers.de=["b"]', "no answers"),
    ],
)
def test_a_wrong_skill_is_an_error_that_says_what(tmp_path: Path, text: str, what: str) -> None:
    """It names the file."""
    with pytest.raises(ConfigError) as failed:
        skill(tmp_path / "a", text)
    assert what in str(failed.value)
    assert "skill.toml" in str(failed.value)


def test_the_commands_begin_check_add_and_list_skills() -> None:
    """And `ask` uses them."""
    assert "skills check" in edgevoice("skills", "new", "greeting").stdout
    assert "greeting: correct" in edgevoice("skills", "check").stdout
    assert "added shopping_list" in edgevoice("skills", "add", "shopping_list").stdout
    assert edgevoice("skills", "add", "shopping_list").returncode == 2
    listed = edgevoice("skills", "list").stdout
    assert "Shopping list" in listed
    assert "timers" in listed
    assert edgevoice("ask", "say hello to Anna").stdout in ("Hello, Anna.\n", "Anna, hello.\n")
    assert edgevoice("ask", "add two eggs to my shopping list").returncode == 0
    assert edgevoice("ask", "what's on the shopping list").stdout == "Two eggs\n"
    assert (folder() / "shopping_list" / "list.txt").read_text("utf-8") == "two eggs\n"
