"""The user's own pronunciations."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice.config import load
from edgevoice.languages.lexicon import Lexicon
from tests.command import piped


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Siobhan runs nginx.", "[[ʃɪvˈɔːn]] runs engine x."),
        ("siobhan's NGINX", "[[ʃɪvˈɔːn]]'s engine x"),
        ("Nginxes and annginx", "Nginxes and annginx"),
        ("New York City", "the Big Apple"),
    ],
)
def test_whole_words_are_said_as_the_user_wants(text: str, said: str) -> None:
    """In any case of letters; longer entries first."""
    words = {
        "Siobhan": "/ʃɪvˈɔːn/",
        "nginx": "engine x",
        "New York": "York",
        "New York City": "the [Big] Apple",
    }
    assert Lexicon(words).applied(text) == said
    assert Lexicon({}).applied(text) == text


def test_the_lexicon_is_a_table_of_the_configuration(tmp_path: Path) -> None:
    """What it makes of a text is shown too."""
    file = tmp_path / "config.toml"
    file.write_text('[tts.lexicon]\nnginx = "engine x"\n')
    assert load(file).config.tts.lexicon == {"nginx": "engine x"}
    done = piped("--config", file, "say", "--show", "nginx has 5 km")
    assert done.stdout.decode() == "engine x has 5 kilometers\n"
