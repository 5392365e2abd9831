"""Which languages are spoken, and which of the voices that are here says each of them."""

from __future__ import annotations

import pytest

from edgevoice.catalog import Entry
from edgevoice.errors import ModelError
from edgevoice.models.store import Store
from edgevoice.models.voices import best, instead_of, languages, voices
from edgevoice.settings import Config, Models, SttSettings
from tests.models.conftest import ENTRIES, VOICE_ENTRY, World
from tests.models.test_store import variant

GERMAN = variant(VOICE_ENTRY, "german", languages=("de_DE",), rank=10)
SILENT = variant(VOICE_ENTRY, "absent", languages=("fr_FR",), rank=20)
MUTE = variant(VOICE_ENTRY, "own", languages=(), rank=10)


def store(world: World, language: str, voice: str = "", *more: Entry) -> Store:
    """A store with an English and a German voice; a French one is known but not here."""
    for name in {"german", voice} - {""}:
        if not (world.folder / name).exists():
            world.put(VOICE_ENTRY)
            (world.folder / "voice").rename(world.folder / name)
    world.put(VOICE_ENTRY)
    made = world.store(entries=(*ENTRIES, GERMAN, SILENT, MUTE, *more))
    folder = made.config.models.folder
    made.config = Config(
        models=Models(folder=folder, tts=voice), stt=SttSettings(language=language)
    )
    return made


def spoken(store: Store) -> dict[str, str]:
    return {language: voice.name for language, voice in voices(store).items()}


def test_each_language_has_the_voice_that_is_for_it(world: World) -> None:
    """The main language's comes first, whichever that is."""
    assert spoken(store(world, "en,de")) == {"en": "voice", "de": "german"}
    assert list(spoken(store(world, "de,en"))) == ["de", "en"]


def test_a_language_whose_voice_is_not_here_has_none(world: World) -> None:
    """It is spoken all the same, and what to pull for it is known."""
    made = store(world, "en,fr")
    assert languages(made) == ("en", "fr")
    assert spoken(made) == {"en": "voice"}
    assert best(made, "fr") == "absent"
    assert best(made, "cy") == ""


def test_the_main_language_has_a_voice_whatever_is_here(world: World) -> None:
    """A voice for another language is better than silence."""
    assert spoken(store(world, "fr,de")) == {"fr": "voice", "de": "german"}


def test_a_named_voice_speaks_what_it_is_for(world: World) -> None:
    """Named for a second language it leaves the main one to another; alone it speaks that too."""
    assert spoken(store(world, "en,de", "german")) == {"en": "voice", "de": "german"}
    assert spoken(store(world, "en", "german")) == {"en": "german"}
    assert spoken(store(world, "en", "own")) == {"en": "own"}


def test_auto_is_every_language_with_a_voice(world: World) -> None:
    """The best voice's language is the main one, or that of the voice that is named."""
    assert languages(store(world, "auto")) == ("en", "de")
    assert languages(store(world, "auto", "german")) == ("de", "en")


def test_auto_is_what_a_named_recognizer_knows(world: World) -> None:
    """One that is for English only is no reason for an error where no language is named."""
    english = variant(ENTRIES[1], "english", languages=("en",), rank=90)
    made = store(world, "auto", "", english)
    made.config = Config(
        models=Models(folder=made.config.models.folder, stt="english"),
        stt=SttSettings(language="auto"),
    )
    assert languages(made) == ("en",)


def test_without_any_voice_the_one_to_pull_is_named(world: World) -> None:
    """No voice at all is an error, with the command that mends it."""
    made = world.store(entries=ENTRIES)
    with pytest.raises(ModelError, match="no voice model is installed") as caught:
        voices(made)
    assert caught.value.remedy == "edgevoice models pull voice"


def test_instead_of_a_slow_voice_one_of_another_kind_is_chosen(world: World) -> None:
    """A present one first, for the same language; the slow voice's own kind is as slow."""
    slow = variant(VOICE_ENTRY, "slow", languages=("fr_FR",), format="kokoro")
    made = store(world, "en", "", slow)
    assert instead_of(made, slow) == "absent"
    assert instead_of(made, variant(slow, "other", languages=("de_DE",))) == "german"
    assert instead_of(made, variant(slow, "other", languages=("it_IT",))) == ""
