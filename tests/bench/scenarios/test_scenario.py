"""Scenario files say who speaks when and what must come of it; a wrong one is told by its field."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice.audio import CAPTURE_RATE, dbfs
from edgevoice.bench.scenarios.noises import NOISE_LEVEL, noise
from edgevoice.bench.scenarios.scenario import Scenario, variants
from edgevoice.bench.scenarios.scenario_file import SHIPPED, listed, parsed, read
from edgevoice.errors import ConfigError
from tests.conftest import ROOT

HEAD = 'format = "edgevoice scenario"\nversion = 1\nmeans = "It is so."\n'
FILE = Path("talk.toml")


def of(body: str) -> Scenario:
    return parsed(HEAD + body, FILE)


def test_a_scenario_is_what_its_file_says() -> None:
    """Settings by section, a room, steps in order; it is called after its file."""
    made = of(
        "listen = 2\n"
        "[settings.turn]\nbarge_in_ms = 300\n"
        "[room]\necho = true\ndelay_ms = 80\nlevel_db = -12\n"
        '[[step]]\nsay = "What time is it?"\n'
        '[[step]]\nnoise = "cough"\nafter = "reply"\nwait = 1.5\n'
        "[expect]\nfalse_starts = 0\n"
    )
    assert (made.name, made.listen) == ("talk", 2.0)
    assert made.changes == {"turn.barge_in_ms": 300}
    assert made.room.acoustics is not None
    assert made.room.acoustics.delay == pytest.approx(0.08)
    assert [(s.source, s.role, s.after, s.wait) for s in made.step] == [
        ("say", "question", "answered", 0.0),
        ("noise", "nothing", "reply", 1.5),
    ]
    assert (made.expect.false_starts, made.expect.cut_offs) == (0, 0)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("x = = 2", "at line 4"),
        ("nope = 1\nlisten = 1", "nope"),
        ('[[step]]\nsay = "a"\n[[step]]\nsay = "b"\nwait = -1', "step[1].wait"),
        ('[[step]]\nsay = "a"\n\n[[step]]\nfoo = "b"', "foo"),
        ('[[step]]\nsay = "a"\ntype = "b"', "step[0] needs one of"),
        ("[[step]]\nwait = 1", "needs one of say"),
        ('[[step]]\nsay = "a"\nwords = 3', 'step[0].words goes with after = "reply"'),
        ('[[step]]\nsay = "a"\nafter = "step"', "step[0].after"),
        ('[[step]]\nsay = "a"\npart = "begun"', "step[0] is begun"),
        ('[[step]]\nnoise = "thunder"', "rain"),
        ('[[step]]\nsay = "a"\nafter = "lunch"', "reply_end"),
        ('[room]\necho = true\ndelay_ms = [20, "x"]\n[[step]]\nsay = "a"', "room.delay_ms"),
        ('[room]\nnoise = "rain"\nfile = "a.wav"\n[[step]]\nsay = "a"', "more than one"),
        (
            '[settings.turn]\nbarge_in_m = 3\n[[step]]\nsay = "a"',
            "settings.turn.barge_in_m: there is no such setting",
        ),
        ('[settings.turn]\nbarge_in = "x"\n[[step]]\nsay = "a"', "default is True"),
        ('[expect]\nanswers = "a"\n[[step]]\nsay = "x"', "expect.answers"),
        ("", "nothing to do"),
    ],
)
def test_what_is_wrong_is_told_with_its_field(body: str, words: str) -> None:
    """Syntax, unknown fields, wrong values, and what makes no sense together."""
    with pytest.raises(ConfigError) as caught:
        of(body)
    assert caught.value.where == "talk.toml"
    assert words in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = 1", "not a scenario"),
        ('format = "edgevoice bench"\nversion = 1', "not a scenario"),
        ('format = "edgevoice scenario"\nversion = 2', "version 2"),
    ],
)
def test_another_file_and_a_newer_one_are_refused(text: str, words: str) -> None:
    """Before anything is made of what is in it."""
    with pytest.raises(ConfigError, match=words):
        parsed(text, FILE)


def test_several_delays_and_levels_are_as_many_scenarios() -> None:
    """Each named after its own; a room without echo is one."""
    body = "[room]\necho = {}\ndelay_ms = [20, 250]\nlevel_db = [-30, -3]\n[[step]]\nsay = 'a'"
    made = variants(of(body.format("true")))
    assert [v.name for v in made] == [
        "talk (20 ms, -30 dB)",
        "talk (20 ms, -3 dB)",
        "talk (250 ms, -30 dB)",
        "talk (250 ms, -3 dB)",
    ]
    assert [v.room.level_db for v in made] == [-30.0, -3.0, -30.0, -3.0]
    assert len(variants(of(body.format("false")))) == 1


def test_scenarios_are_named_by_file_folder_or_as_they_ship(tmp_path: Path) -> None:
    """What is not there is an error that lists those that are."""
    file = tmp_path / "a.toml"
    file.write_text(HEAD + "listen = 1")
    assert listed([tmp_path]) == listed([file]) == [file]
    shipped = sorted(SHIPPED.glob("*.toml"))
    assert listed([]) == shipped
    assert listed([Path(shipped[0].stem)]) == shipped[:1]
    with pytest.raises(ConfigError, match=shipped[0].stem):
        listed([tmp_path / "b.toml"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no scenario"):
        listed([tmp_path / "empty"])


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.toml")), ids=lambda file: file.stem)
def test_those_that_ship_can_be_read(file: Path) -> None:
    """Each says in a sentence what it promises."""
    assert read(file).means.endswith(".")


@pytest.mark.parametrize(
    "kind", ["white", "pink", "hum", "rain", "keyboard", "cough", "door", "music", "babble"]
)
def test_noises_are_the_same_every_time_and_equally_loud(kind: str) -> None:
    """As long as asked for, and never beyond full scale."""
    voices = noise("cough", 3.0, seed=5)
    one, same = (noise(kind, 2.5, 1, voices) for _ in range(2))  # type: ignore[arg-type]
    assert len(one) == 2.5 * CAPTURE_RATE
    assert (one == same).all()
    assert abs(one).max() <= 1.0
    sounding = one[abs(one) > abs(one).max() / 1000]
    assert dbfs(sounding) <= NOISE_LEVEL + 0.5
    assert dbfs(sounding) >= NOISE_LEVEL - 12.0


def test_a_scenario_of_an_older_edgevoice_is_read() -> None:
    """Settings with old names are those of today."""
    made = read(ROOT / "tests" / "old" / "scenario-1.toml")
    assert made.changes == {"activation.mode": "wake", "activation.earcons": "off"}
    assert [step.role for step in made.step] == ["nothing", "question", "question"]
