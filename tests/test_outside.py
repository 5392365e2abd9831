"""JSON and TOML of other programs: whatever is wrong with them is one error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice import catalog, config, trace
from edgevoice.bench.scenarios import scenario_file
from edgevoice.bench.trace.trace_file import traced
from edgevoice.catalog import Mirror
from edgevoice.engines.prompt_cache import PromptCache
from edgevoice.errors import ConfigError, EdgevoiceError
from edgevoice.models import voice_file
from edgevoice.outside import Malformed, converted, from_json, from_toml
from edgevoice.recordings import recorded_turn

DEEP = 100_000
JSON = {
    "bad UTF-8": b'{"a": "\xe4\xff"}',
    "nesting": b'{"a": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "nested objects": b'{"a": ' * DEEP + b"1" + b"}" * DEEP,
    "1e308": b'{"a": 1e308}',
    "1e999": b'{"a": 1e999}',
    "many digits": b'{"a": ' + b"9" * 10_000 + b"}",
    "a list": b"[1, 2]",
    "null": b"null",
    "nothing": b"",
    "half": b'{"a": [1,',
    "NaN": b'{"a": NaN}',
    "zeros": bytes(100),
}
TOML = {
    "bad UTF-8": b'a = "\xe4\xff"',
    "nesting": b"a = " + b"[" * DEEP + b"]" * DEEP,
    "tables": b"a." * 5000 + b"b = 1",
    "1e308": b"a = 1e308",
    "inf": b"a = inf",
    "nan": b"a = nan",
    "many digits": b"a = " + b"9" * 10_000,
    "half": b"a = [",
    "zeros": bytes(100),
}


@pytest.mark.parametrize("what", JSON)
def test_json_that_is_no_plain_object_is_malformed(what: str) -> None:
    """Depth, digits, encodings and types each end in the one error."""
    with pytest.raises(Malformed):
        from_json(JSON[what], dict[str, list[dict[str, Any]]])


@pytest.mark.parametrize("what", TOML)
def test_toml_that_is_no_plain_table_is_malformed(what: str) -> None:
    """Depth, digits, encodings and types each end in the one error."""
    with pytest.raises(Malformed):
        converted(from_toml(TOML[what]), dict[str, str])


class Line(msgspec.Struct):
    gap: int
    name: Annotated[str, msgspec.Meta(max_length=3)] = ""
    kind: Literal["slow", "fast"] = "slow"
    spans: dict[str, float] = {}
    pair: tuple[int, int] = (0, 0)
    share: Annotated[float, msgspec.Meta(gt=0, le=0.5)] = 0.5
    more: int | None = None


class Page(msgspec.Struct, forbid_unknown_fields=True):
    lines: list[Line]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{}", "gap is missing in lines[0]"),
        ('{"gap": "soon"}', "lines[0].gap must be a whole number, not text"),
        ('{"gap": 1.5}', "lines[0].gap must be a whole number, not a number"),
        ('{"gap": null}', "lines[0].gap must be a whole number, not empty"),
        ('{"gap": 1, "name": "long"}', "lines[0].name must be text of at most 3 characters"),
        ('{"gap": 1, "kind": "idle"}', "lines[0].kind cannot be 'idle'"),
        ('{"gap": 1, "spans": {"a": []}}', "lines[0].spans[…] must be a number, not a list"),
        ('{"gap": 1, "pair": [1]}', "lines[0].pair must be a list of exactly 2 entries"),
        ('{"gap": 1, "share": 0}', "lines[0].share must be a number, more than 0"),
        ('{"gap": 1, "share": 0.75}', "lines[0].share must be a number, at most 0.5"),
        (
            '{"gap": 1, "more": true}',
            "lines[0].more must be a whole number or empty, not true or false",
        ),
        ("3", "lines[0] must be a table, not a whole number"),
        ("oh", "it is not valid JSON at byte 11"),
        ("{", "it ends too early"),
    ],
)
def test_what_is_wrong_is_told_in_plain_english(line: str, told: str) -> None:
    """The place and what belongs there, without the words of programmers."""
    with pytest.raises(Malformed) as caught:
        from_json(f'{{"lines": [{line}{"" if line == "{" else "]}"}'.encode(), Page)
    assert str(caught.value) == told


def test_the_place_of_what_is_wrong_is_known() -> None:
    """Names and numbers lead to it, to a field that is not known as well."""
    places = {b'{"lines": [{"gap": "x"}]}': ("lines", 0, "gap"), b'{"more": 1}': ("more",)}
    for data, place in places.items():
        with pytest.raises(Malformed) as caught:
            from_json(data, Page)
        assert caught.value.place == place
    assert str(caught.value) == "more is not known"


def test_plain_values_are_read_as_they_are() -> None:
    """Times in nanoseconds, small and large numbers, digits in text, and a byte order mark."""
    values = {"a": [1_790_000_000_000_000_000, 2.5e-300, 1e19, -3], "b": "9" * 50 + "1e308"}
    data = msgspec.json.encode(values)
    assert from_json(data, dict[str, Any]) == values
    assert from_json(b"\xef\xbb\xbf" + data, dict[str, Any]) == values
    assert from_toml(b"\xef\xbb\xbfa = [1.5, 2]") == {"a": [1.5, 2]}


@given(st.binary(max_size=60))
def test_no_bytes_are_anything_worse_than_malformed(data: bytes) -> None:
    """Whatever a file holds, reading it ends in a value or in the one error."""
    for read in (lambda: from_json(data, dict[str, int]), lambda: from_toml(data)):
        try:
            read()
        except Malformed:
            pass


READERS: dict[str, Callable[[Path], object]] = {
    "trace": lambda path: list(trace.read(path)),
    "a trace as far as it goes": lambda path: traced(path, lambda _: None),
    "recorded turn": recorded_turn.read,
    "catalog": catalog.read,
    "configuration": config.load,
    "scenario": scenario_file.read,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("data", [*JSON.values(), *TOML.values()], ids=[*JSON, *TOML])
def test_no_file_of_others_ends_a_command_with_a_traceback(
    tmp_path: Path, reader: str, data: bytes
) -> None:
    """Each kind of file that a command reads gives an error that names it."""
    path = tmp_path / "file"
    path.write_bytes(data or b"{")
    with pytest.raises(EdgevoiceError) as caught:
        READERS[reader](path)
    assert str(path) in caught.value.where


@pytest.mark.parametrize("text", ["nan", "inf", "1e308", "-inf"])
@pytest.mark.parametrize("key", ["tts.speed", "slm.temperature"])
def test_a_setting_is_a_number_that_can_be_reckoned_with(key: str, text: str) -> None:
    """Variables and flags are converted, and what no range holds is refused, too."""
    with pytest.raises(ConfigError, match=key):
        config.load(environ={}, flags={key: text})


@pytest.mark.parametrize("data", JSON.values(), ids=list(JSON))
def test_a_damaged_cache_is_left_out_and_made_again(tmp_path: Path, data: bytes) -> None:
    """What was measured is not known any more, and can be kept again."""
    model = tmp_path / "model.gguf"
    model.write_bytes(b"model")
    kept = PromptCache(tmp_path / "kept", model, "1")
    kept.keep_costs({1: {8: 0.5}})
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(data)
    assert kept.costs() == {}
    kept.keep_costs({1: {8: 0.5}})
    assert kept.costs() == {1: {8: 0.5}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"audio": {"sample_rate": "22050"}},
        {"audio": {"sample_rate": 0}},
        {"audio": {"sample_rate": 10**12}},
        {"audio": []},
        {"phoneme_id_map": {"a": "b"}},
        {"phoneme_id_map": {"a": [-1]}},
        {"num_speakers": "many"},
        {"inference": {"length_scale": 0}},
        {"inference": {"noise_w": 1e300}},
    ],
)
def test_a_voice_of_wrong_types_is_refused(wrong: dict[str, Any]) -> None:
    """What a voice is computed with is checked before it is used."""
    right: dict[str, Any] = {"audio": {"sample_rate": 22050}, "phoneme_id_map": {"a": [1]}}
    assert voice_file.read(msgspec.json.encode(right)).audio.sample_rate == 22050
    with pytest.raises(Malformed):
        voice_file.read(msgspec.json.encode(right | wrong))


def mirror(**changes: str) -> Mirror:
    plain = {"file": "a.gguf", "client": "pip", "package": "a-b", "version": "1.0", "member": "a/b"}
    return msgspec.convert(plain | changes, Mirror)


@pytest.mark.parametrize(
    "changes",
    [
        {"package": "../x"},
        {"package": "/etc/passwd"},
        {"package": "--index-url=x"},
        {"package": "a{n.__class__}"},
        {"package": "a{n:999999999}"},
        {"package": "a b"},
        {"package": "a\n"},
        {"package": "a==1;x"},
        {"version": "../1"},
        {"version": "1.0 --x"},
        {"version": ""},
        {"member": "../../etc/passwd"},
        {"member": "/etc/passwd"},
        {"member": "a/../../b"},
        {"member": "a/{n!r}"},
        {"member": "a{"},
        {"member": "a\\b"},
        {"backend": "../../x"},
        {"backend": "a/b"},
        {"backend": ".a"},
        {"backend": "a..b"},
        {"backend": "a.b\n"},
        {"file": "a.gguf\n"},
    ],
)
def test_a_mirror_names_a_package_and_nothing_else(changes: dict[str, str]) -> None:
    """No path, no option, no format string but the part's number."""
    with pytest.raises(msgspec.ValidationError):
        mirror(**changes)


def test_the_mirrors_of_packages_are_named_as_packages_are() -> None:
    """Scopes, parts and modules of real packages are allowed."""
    assert mirror(package="@own/a.b", client="npm").package == "@own/a.b"
    assert mirror(backend="setuptools.build_meta").backend == "setuptools.build_meta"
    (part,) = mirror(package="a{n}", member="a{n:02}/x.{i}").numbered()
    assert (part.package, part.member) == ("a1", "a01/x.0")
