"""A language is one data file in the form of the schema, and needs nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgevoice.catalog import Catalog
from edgevoice.cli.settings import field_docs
from edgevoice.errors import ConfigError
from edgevoice.languages import UNKNOWN, codes, every, language_data, read
from edgevoice.languages.schema import Language, Mathematics
from edgevoice.transcription.spoken_language import LANGUAGE_CODES
from edgevoice.words import words
from tests.conftest import ROOT

NEEDED = (
    *("name", "answer_in", "unclear", "backchannels.listening", "backchannels.stopping"),
    *("sentences.dangling", "sentences.fillers", "sentences.leading", "sentences.connectives"),
    *("sentences.polite", "sentences.interrogatives", "sentences.auxiliaries"),
    *("sentences.subordinators", "sentences.commands", "sentences.short_commands"),
    *("sentences.going_on", "sentences.wishes", "sentences.thinking", "sentences.numbers"),
    *("hallucinations.phrases", "signs.code", "signs.dot", "signs.at", "signs.to", "signs.scales"),
    *("signs.coins", "signs.about", "signs.number", "signs.slash", "signs.section", "signs.by"),
    *("signs.foreign", "signs.reasoned", "signs.emergency", "signs.per", "signs.hundredths"),
    *("signs.number_abbreviations", "signs.name_abbreviations", "signs.clock.minutes"),
    *("signs.fractions.rule", "signs.fractions.and_half", "signs.roman.rulers"),
    *(f"signs.mathematics.{name}" for name in Mathematics.__struct_fields__),
)
"""What a language has that the catalog offers a voice for."""

LATIN = """
name = "Latin"
answer_in = "Responde Latine."

[sentences]
interrogatives = ["quis", "quid"]
auxiliaries = ["est"]
going_on = ["perge"]

[backchannels]
listening = ["ita"]
stopping = ["tace"]

[hallucinations]
phrases = ["gratias spectatoribus"]

[clauses]
never_last = ["cos"]

[signs]
dot = "punctum"
at = "apud"
abbreviations = { "s.p.q.r." = "senatus populusque romanus" }
measures = { "°C" = ["gradus Celsius", "gradus Celsius"] }
"""
SPOKEN = """
import json, sys
sys.path.insert(0, sys.argv[1])
import edgevoice
from edgevoice.agent.clauses import ClauseCutter
from edgevoice.languages.text_normalization import normalize
from edgevoice.protocols import Transcript
from edgevoice.settings import SttSettings
from edgevoice.transcription.spoken_language import leads, listed, named
from edgevoice.turn_taking.backchannels import is_backchannel, is_stop
from edgevoice.turn_taking.completeness import completeness_of
from edgevoice.turn_taking.continuation import wants_more
from edgevoice.turn_taking.hallucinations import is_nobody
assert edgevoice.__file__.startswith(sys.argv[1]), edgevoice.__file__
cutter = ClauseCutter(None, "la")
clauses = cutter.push("Marcus cos. Tullius adest. Vale.") + cutter.flush()
doubtful = Transcript("Gratias spectatoribus.", no_speech=0.5)
print(json.dumps({
    "known": [listed("la"), named("la"), leads(["la"])],
    "question": completeness_of("Quid est hoc", "la").name,
    "understood": [is_backchannel("Ita, ita.", "la"), is_stop("Tace!", "la"),
                   wants_more("Perge.", "la"), bool(is_nobody(doubtful, 1.0, 1.0, SttSettings()))],
    "clauses": [clause.spoken for clause in clauses],
    "said": normalize("a@b.it, S.P.Q.R. 20 °C", "la"),
}))
"""


def structs(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """A struct, and those that are its fields."""
    yield kind
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from structs(field.type)


def at(language: Language, place: str) -> Any:
    """The value of the field at a dotted place."""
    return reduce(getattr, place.split("."), language)


def lists(table: dict[str, Any], place: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every list of a data file with its dotted place."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from lists(value, f"{place}{name}.")
        elif isinstance(value, list):
            yield f"{place}{name}", value


@pytest.mark.parametrize("kind", structs(Language))
def test_every_field_is_explained(kind: type[msgspec.Struct]) -> None:
    """Whoever adds a language reads what belongs into each field."""
    explained = field_docs(kind)
    assert [name for name in kind.__struct_fields__ if not explained.get(name)] == []


@pytest.mark.parametrize("code", codes())
def test_every_file_has_the_form_of_the_schema(code: str) -> None:
    """It is read without an error, has a name, and is named after a code that Whisper knows."""
    assert language_data(code).name
    assert code in LANGUAGE_CODES


def test_names_are_of_one_language_each() -> None:
    """A name given in place of a code is understood, so no two languages have the same."""
    names = [language.name for language in every()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("code", codes())
def test_words_are_written_as_they_are_compared(code: str) -> None:
    """In lower case, each once, without blanks at their ends; otherwise they would never match."""
    file = ROOT / "edgevoice" / "languages" / f"{code}.toml"
    for place, listed in lists(msgspec.toml.decode(file.read_bytes())):
        if place.startswith("signs."):
            continue
        assert len(set(listed)) == len(listed), place
        for word in listed:
            assert word == word.lower(), place
            assert word.lstrip() == word, place
            assert word.rstrip() == word or place == "hallucinations.credit_starts", place


@pytest.mark.parametrize("code", codes())
def test_made_up_phrases_are_whole_transcripts_without_marks(code: str) -> None:
    """They are compared with the words of a transcript, and the answers are among them."""
    made_up = language_data(code).hallucinations
    assert {" ".join(words(phrase)) for phrase in made_up.phrases} == made_up.phrases
    assert made_up.answers <= made_up.phrases


@pytest.mark.parametrize("code", codes())
def test_what_is_said_for_signs_is_plain_text(code: str) -> None:
    """It is put into a pattern's replacement, where a backslash would mean something else."""
    assert "\\" not in msgspec.json.encode(language_data(code).signs).decode()


@pytest.mark.parametrize(
    "code",
    sorted(
        {code[:2] for entry in Catalog.load() for code in entry.languages if entry.role == "tts"}
    ),
)
def test_a_language_that_the_catalog_has_a_voice_for_is_complete(code: str) -> None:
    """Turn-taking, clauses, signs and the voice's own sentences work in it."""
    language = language_data(code)
    assert [place for place in NEEDED if not at(language, place)] == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('name = "Latin"\nhello = "ave"', "hello is not known"),
        ('name = "Latin"\n[sentences]\nfilers = ["em"]', "filers is not known in sentences"),
        ('answer_in = "Responde Latine."', "name is missing"),
        ('name = "Latin"\n[sentences]\nfillers = "em"', "sentences.fillers must be a list"),
        ('name = "Latin"\n[signs.coins]\n"$" = ["dollar"]', "signs.coins"),
        ("name = Latin", ""),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_of_the_fault(
    text: str, why: str, tmp_path: Path
) -> None:
    """A misspelled field is an error that names the file, the field and the explanations."""
    file = tmp_path / "la.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        read(file)
    assert why in raised.value.what
    assert raised.value.where == str(file)
    assert "schema.py" in raised.value.remedy


def test_a_language_without_a_file_has_no_words() -> None:
    """It works without them, and a code never leads to another file."""
    assert all(language_data(code) is UNKNOWN for code in ("xx", "", "auto", "../languages/de"))
    assert language_data("de-AT") is language_data("de_DE") is language_data("de")


def test_one_new_file_is_a_new_language(tmp_path: Path) -> None:
    """Beside the others, in a package that is a zip, it is enough for all parts that need words."""
    package = tmp_path / "package.zip"
    with zipfile.ZipFile(package, "w") as archive:
        for file in (ROOT / "edgevoice").rglob("*"):
            if file.suffix in (".py", ".toml") and file.name != "la.toml":
                archive.write(file, file.relative_to(ROOT))
        archive.writestr("edgevoice/languages/la.toml", LATIN)
    done = subprocess.run(
        [sys.executable, "-c", SPOKEN, str(package)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "known": [["la"], "Latin", {"la": "Responde Latine."}],
        "question": "COMMAND",
        "understood": [True, True, True, True],
        "clauses": ["Marcus cos. Tullius adest.", "Vale."],
        "said": "a apud b punctum it, senatus populusque romanus 20 gradus Celsius",
    }
