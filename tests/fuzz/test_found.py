"""What the fuzzers found, each with the right value or the right error."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edgevoice import config, trace
from edgevoice.agent.clauses import LONGEST_CLAUSE, ClauseCutter
from edgevoice.bench.corpus import corpus
from edgevoice.bench.scenarios import scenario_file
from edgevoice.bench.trace.trace_file import traced
from edgevoice.catalog import read
from edgevoice.engines.batches import BatchCosts
from edgevoice.engines.prompt_cache import PromptCache
from edgevoice.errors import ConfigError, EdgevoiceError, UsageError
from edgevoice.harmless import harmless
from edgevoice.languages import language_data
from edgevoice.languages.text_normalization import normalize
from edgevoice.messages import Clause
from edgevoice.models import whisper_file
from edgevoice.outside import MOST_BYTES, MOST_TOML, Malformed, from_json, from_toml
from edgevoice.outside import read as read_file
from tests.command import edgevoice, message
from tests.conftest import ROOT

LEVEL = b'{"type":"muted","t":1.5,"on":true}\n'


def cut(text: str) -> list[Clause]:
    cutter = ClauseCutter(4)
    return cutter.push(text) + cutter.flush()


@pytest.mark.parametrize("sign", ["- ", " ", "| a ", "`a ", "[a ", "\u3000"])
def test_text_without_a_break_is_cut_all_the_same(sign: str) -> None:
    """Blanks, rules and open markup make clauses of bounded length, and nothing is lost."""
    clauses = cut(sign * 4_000)
    assert "".join(clause.text for clause in clauses) == sign * 4_000
    assert max(len(clause.text) for clause in clauses) <= LONGEST_CLAUSE


def test_a_long_block_of_code_is_left_out_once() -> None:
    """However long it is, it is said once that it was left out, and what follows is said."""
    text = "```python\n" + "x = 1\n" * 5_000 + "```\nThat is all.\n"
    spoken = [clause.spoken for clause in cut(text) if clause.spoken]
    assert spoken == [language_data("en").signs.code, "That is all."]
    assert "".join(clause.text for clause in cut(text)) == text


def test_blanks_between_words_are_one() -> None:
    """Thousands of blanks in a heading or a table's rule are none that is said."""
    assert normalize("# A" + " " * 2_000 + "title" + " " * 2_000 + "x") == "A title x"
    assert normalize(" " * 2_000 + "|" + " " * 2_000 + "a") == "a"


def test_the_beginnings_of_many_commands_are_none() -> None:
    """A string for the terminal that never ends is text after a blank."""
    assert harmless("\x9d" * 40_000 + "a") == " " * 40_000 + "a"
    assert harmless("\x9d0;x\x9d0;y\x9cz") == " 0;xz"


def test_settings_of_many_keys_name_the_line_at_once(tmp_path: Path) -> None:
    """The first unknown key is told with its line, however many there are."""
    path = tmp_path / "config.toml"
    path.write_text("[tts]\nspeed = 1.2\n" + "".join(f"k{n} = {n}\n" for n in range(50_000)))
    with pytest.raises(ConfigError, match=r"unknown setting tts\.k0") as caught:
        config.load(path, {})
    assert caught.value.where == f"file {path}, line 3"


def test_a_variable_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    """It is named, and what it holds is shown so that it can be printed."""
    with pytest.raises(ConfigError, match=r"tts\.speed cannot be '1\ufffd': not UTF-8") as caught:
        config.load(environ={"EDGEVOICE_TTS_SPEED": os.fsdecode(b"1\xff")})
    assert caught.value.where == "EDGEVOICE_TTS_SPEED"


@pytest.mark.parametrize("costs", [{"1": {}}, {"0": {"8": 1}}, {"1": {"8": -1}}, {"1": {"0": 1}}])
def test_kept_costs_without_sense_are_left_out(tmp_path: Path, costs: object) -> None:
    """A cache that holds no usable cost is as good as none."""
    model = tmp_path / "model.gguf"
    model.write_bytes(b"model")
    kept = PromptCache(tmp_path / "kept", model, "1")
    kept.keep_costs({1: {8: 0.5}})
    (file,) = (tmp_path / "kept").iterdir()
    file.write_text(json.dumps(costs))
    assert kept.costs() == {}


def test_costs_of_batches_that_are_too_large_are_not_used() -> None:
    """With nothing else known, a prompt is cut as if nothing were."""
    costs = BatchCosts(64)
    costs.measured = {1: {600: 0.1}}
    assert costs.cut(10, 1) == [4, 4, 1, 1]
    costs.measured[2] = {1: 0.1, 8: 0.2}
    assert costs.cut(8, 1) == [8]


def test_a_step_without_a_source_is_named(tmp_path: Path) -> None:
    """The scenario is refused with the step."""
    path = tmp_path / "s.toml"
    path.write_text(
        'format = "edgevoice scenario"\nversion = 1\nmeans = "A pause."\n[[step]]\nsay = "Is it"\n'
        'part = "begun"\n[[step]]\nwait = 0.9\n'
    )
    with pytest.raises(
        ConfigError, match=r"step\[0\] is begun, and no step after it goes on"
    ) as caught:
        scenario_file.read(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("a.wav\t1e999", "speech_end_s"),
        ("a.wav\tnan", "speech_end_s"),
        ("x" * 200_000, "field larger"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_told(tmp_path: Path, row: str, what: str) -> None:
    """Times beyond all reckoning and endless lines are named."""
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    (tmp_path / "manifest.tsv").write_text(f"file\tspeech_end_s\n{row}\n")
    with pytest.raises(UsageError, match=what):
        corpus.listed(tmp_path, lambda _: None)


def test_a_recording_of_too_long_a_name_is_not_there(tmp_path: Path) -> None:
    """It is left out as any other that is missing."""
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    name = "x" * 300
    (tmp_path / "manifest.tsv").write_text(f"file\na.wav\n{name}\n")
    rows, missing = corpus.listed(tmp_path, lambda _: None)
    assert ([row.file.name for row in rows], missing) == (["a.wav"], [name])


@pytest.mark.parametrize(
    "words", [("bench", "report"), ("models", "add"), ("replay",), ("bench", "trace")]
)
def test_a_file_of_too_long_a_name_is_an_ordinary_error(words: tuple[str, ...]) -> None:
    """Whatever command it is given to."""
    done = edgevoice(*words, "x" * 300)
    message(done, done.returncode)
    assert done.returncode in (1, 2)


def test_a_line_of_a_trace_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is longer is named, or left out, and the lines behind it are read."""
    monkeypatch.setattr(trace, "MAX_EVENT_BYTES", 100)
    path = tmp_path / "trace.jsonl"
    path.write_bytes(LEVEL + b'{"type":"muted","a":"' + b"x" * 1000 + b'"}\n' + LEVEL)
    with pytest.raises(EdgevoiceError, match="more than 100 bytes") as caught:
        list(trace.read(path))
    assert caught.value.where == f"{path}, line 2"
    told: list[str] = []
    assert len(traced(path, told.append)) == 2
    assert told == [f"1 line is no event, the first is line 2 of {path}: left out"]


def test_files_have_a_limit(tmp_path: Path) -> None:
    """JSON and TOML of any size are read no further than that."""
    with pytest.raises(Malformed, match="more than 33,554,432 bytes"):
        from_json(b" " * (MOST_BYTES + 1), dict)
    with pytest.raises(Malformed, match="more than 1,048,576 bytes"):
        from_toml(" " * (MOST_TOML + 1))
    path = tmp_path / "file"
    path.write_bytes(b"x" * 11)
    assert read_file(path, 11) == b"x" * 11
    with pytest.raises(Malformed, match="more than 10 bytes"):
        read_file(path, 10)


ENTRY = """
[[model]]
name = "mine"
role = "slm"
format = "gguf"
title = "Mine"
repo = "{repo}"
revision = "{revision}"
files = [{{ name = "a.gguf", size = 1, sha256 = "{sha}", hub_path = "{path}" }}]
"""


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "../a.gguf"},
        {"path": "/a.gguf"},
        {"path": "a/../b.gguf"},
        {"path": "a//b.gguf"},
        {"path": "{n}.gguf"},
        {"path": "%s.gguf"},
        {"path": "*.gguf"},
        {"path": "-a"},
        {"repo": "../a"},
        {"repo": "a/.."},
        {"repo": "a"},
        {"repo": "a/b/c"},
        {"repo": "a/{n}"},
        {"repo": "/a/b"},
        {"revision": "../x"},
        {"revision": "a..b"},
        {"revision": "{n}"},
    ],
    ids=str,
)
def test_a_place_on_the_hub_is_a_name_and_no_path_elsewhere(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    """Neither absolute nor upwards, no pattern and no format string."""
    right = {"repo": "an-owner/a.b_c", "revision": "main", "path": "a b/c (1).gguf"}
    right["sha"] = "0" * 64
    path = tmp_path / "catalog.toml"
    path.write_text(ENTRY.format(**right))
    (entry,) = read(path)
    assert entry.main.path_in_repo == "a b/c (1).gguf"
    path.write_text(ENTRY.format(**right | wrong))
    with pytest.raises(ConfigError, match="the catalog is not valid"):
        read(path)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("config.json", {"suppress_ids": [-1]}),
        ("config.json", {"lang_ids": [2**40]}),
        ("config.json", {"alignment_heads": [[1]]}),
        ("tokenizer.json", {"model": {"vocab": {}}}),
        ("tokenizer.json", {"model": {"vocab": {"a": -1}}}),
        ("tokenizer.json", {"model": {"vocab": {"a": 0}, "continuing_subword_prefix": "##"}}),
        ("tokenizer.json", {"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 2**31}]}),
        ("preprocessor_config.json", {"feature_size": 10**9}),
        ("preprocessor_config.json", {"chunk_length": 10**6}),
        ("preprocessor_config.json", {"sampling_rate": 8000}),
        ("vocabulary.json", []),
        ("vocabulary.json", [1]),
    ],
)
def test_files_beside_a_recognizer_are_checked_before_native_code_reads_them(
    tmp_path: Path, name: str, wrong: object
) -> None:
    """Ids beyond any vocabulary, sizes without sense and wrong types are named with the file."""
    (tmp_path / name).write_text(json.dumps(wrong))
    with pytest.raises(Malformed, match=name):
        whisper_file.check(tmp_path)


@pytest.mark.models
@pytest.mark.parametrize("name", ["whisper-base", "whisper-tiny.en"])
def test_the_files_of_real_recognizers_pass(name: str) -> None:
    """What is checked is what such models have."""
    whisper_file.check(ROOT / "models" / name)
