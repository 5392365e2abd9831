"""Text on the command line that looks like an option."""

from __future__ import annotations

import click
import pytest

from edgevoice.cli.text import TextCommand, given_text
from tests.command import edgevoice, message, piped


def taken(*words: str) -> dict[str, object]:
    """The text and the options that a command like `say` gets from `words`."""
    found: dict[str, object] = {}

    @click.command(cls=TextCommand)
    @click.argument("words", nargs=-1)
    @click.option("-o", "--output")
    @click.option("--speed", type=float)
    @click.option("--say", is_flag=True)
    def command(**given: object) -> None:
        found.update({name: value for name, value in given.items() if value not in (None, False)})

    command.main(list(words), standalone_mode=False)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "-5 degrees",
        "-5",
        "-.5",
        "- one\n- two",
        "-€5",
        "-five of them",
        "--no, really",
        "-5=5",
        "-",
        "-on the dot",
        "-once upon a time",
    ],
)
def test_text_that_begins_with_a_minus_is_text(text: str) -> None:
    """It looks like no option, so it is text, and options around it still work."""
    assert taken(text) == {"words": (text,)}
    expected = {"words": (text, "today"), "output": "x.wav", "say": True}
    assert taken("--say", text, "-o", "x.wav", "today") == expected
    assert taken("--", text) == {"words": (text,)}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("-o", "-5.wav", "hi"), {"output": "-5.wav", "words": ("hi",)}),
        (("--output=my file.wav", "hi"), {"output": "my file.wav", "words": ("hi",)}),
        (("-omy file.wav", "hi"), {"output": "my file.wav", "words": ("hi",)}),
        (("-omy folder/a.raw", "hi"), {"output": "my folder/a.raw", "words": ("hi",)}),
        (("-o-", "hi"), {"output": "-", "words": ("hi",)}),
        (("--speed", "-1", "hi"), {"speed": -1.0, "words": ("hi",)}),
        (("--", "--speed", "-1"), {"words": ("--speed", "-1")}),
    ],
)
def test_options_and_their_values_stay_options(
    words: tuple[str, ...], expected: dict[str, object]
) -> None:
    """The value of an option may look like text, and all after -- is text."""
    assert taken(*words) == expected


def test_a_word_is_no_option_with_its_value_behind_it() -> None:
    """-once is not -o with the file nce; the message explains --."""
    for word in ("-once", "-o'clock"):
        assert "edgevoice say -- TEXT" in message(edgevoice("say", word), 2)


@pytest.mark.parametrize("command", ["say", "ask"])
@pytest.mark.parametrize("word", ["--sped", "-x", "---"])
def test_a_mistyped_option_is_no_text_and_the_message_names_the_dashes(
    command: str, word: str
) -> None:
    """An unknown option is an error, which explains --."""
    assert f"edgevoice {command} -- TEXT" in message(edgevoice(command, word, "hi"), 2)


@pytest.mark.models
@pytest.mark.parametrize("text", ["-5 degrees", "-5"])
def test_a_negative_number_is_spoken(text: str) -> None:
    """`say "-5 degrees"` speaks the text."""
    done = piped("say", text, "-o", "-")
    assert done.returncode == 0, done.stderr


def test_undecodable_arguments_become_text() -> None:
    """A byte that is not UTF-8 is replaced before it reaches a voice or a model."""
    assert "".join(given_text(("caf\udce4", "open"), "")) == "caf\ufffd open"
