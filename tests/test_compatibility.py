"""What people already have keeps working: files of older versions, under the names of today."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edgevoice import compatibility
from edgevoice import events as ev
from edgevoice.bench.result import result
from edgevoice.bench.trace.trace_file import traced
from edgevoice.cli import unfinished
from edgevoice.config import keys, load
from edgevoice.config_file import remember
from edgevoice.errors import UsageError
from edgevoice.recordings import recorded_turn
from edgevoice.settings import Config
from edgevoice.timings import fold
from edgevoice.trace import read
from tests.command import edgevoice
from tests.conftest import ROOT

OLD = Path(__file__).with_name("old")


def test_a_trace_of_schema_1_is_the_same_conversation() -> None:
    """Every line is read, and each span is as long as under the new names."""
    new = ROOT / "docs" / "example-trace.jsonl"
    old = list(read(OLD / "trace-1.jsonl"))
    assert [type(event) for event in old] == [type(event) for event in read(new)]
    assert fold(old) == fold(read(new))


def test_a_tool_that_reads_what_it_can_leaves_nothing_of_it_out() -> None:
    """`bench trace` and the report take an old trace without a notice."""
    notices: list[str] = []
    assert len(traced(OLD / "trace-1.jsonl", notices.append)) == len(
        (OLD / "trace-1.jsonl").read_text().splitlines()
    )
    assert notices == []


def test_a_recorded_turn_of_version_1_holds_all_of_its_events() -> None:
    """It can be replayed: what was asked, what was answered and when."""
    turn = recorded_turn.read(OLD / "turn-1.json")
    assert turn.response_time == pytest.approx(0.709)
    assert len(turn.decoded_events()) == len(turn.events)
    assert {ev.FinalTranscript, ev.PrefillEnded, ev.ClauseReady, ev.FirstAudio} <= set(
        map(type, turn.decoded_events())
    )


@pytest.mark.parametrize(("old", "new"), compatibility.REASONS.items())
def test_a_turn_that_was_recorded_without_an_answer_has_its_reason(
    old: str, new: str, tmp_path: Path
) -> None:
    """What `replay --list` shows is what a new recording would show."""
    text = (OLD / "turn-1.json").read_text()
    file = tmp_path / "turn-000001.json"
    file.write_text(text.replace('"ending":"completed"', f'"ending":"{old}"'))
    assert recorded_turn.read(file).ending == new


@pytest.mark.parametrize(("old", "new"), compatibility.STAGES.items())
def test_a_stage_that_failed_has_its_name(old: str, new: str) -> None:
    """In a trace of either schema."""
    line = f'{{"type":"stage_failed","stage":"{old}","turn":null,"what":"w","remedy":"r"}}'
    assert f'"stage":"{new}"' in compatibility.event(line.encode()).decode()


def test_a_result_of_version_1_has_the_fields_of_today() -> None:
    """Turns, summaries, starts and findings of a soak, with every value."""
    found = result.read(OLD / "result-1.json")
    [summary] = [variant.summary for variant in found.variants]
    assert summary.response_time is not None
    assert (summary.response_time.n, summary.false_starts) == (11, 1)
    assert found.turns[1].response_time == pytest.approx(sum(found.turns[1].spans.values()))
    assert found.turns[3].false_starts == 1
    assert found.turns[4].transcript == "quest"
    assert found.starts[0].response_time == 0.7
    assert found.soak is not None
    assert (found.soak.findings[0].name, found.soak.findings[0].reason[:4]) == (
        "response time",
        "gap:",
    )


@pytest.mark.parametrize("data", [b"[]", b'{"name":[]}', b'{"turns":{"gap":[null,{"told":1}]}}'])
def test_a_damaged_result_of_version_1_is_changed_without_a_crash(data: bytes) -> None:
    """Its reader says what is wrong with it."""
    changed = msgspec.json.encode(compatibility.result(msgspec.json.decode(data)))
    assert b"gap" not in changed
    assert b"told" not in changed


@pytest.mark.parametrize("depth", [100, 700, 5000])
def test_an_old_result_that_is_nested_deeply_is_a_damaged_one(depth: int, tmp_path: Path) -> None:
    """However deeply, it is an error with a remedy."""
    inside = "[" * depth + "]" * depth
    file = tmp_path / "deep.json"
    file.write_text(f'{{"format": "edgevoice bench", "version": 1, "turns": {inside}}}')
    with pytest.raises(UsageError, match="a damaged result"):
        result.read(file)


def test_an_old_result_is_the_same_run_as_under_its_new_names(tmp_path: Path) -> None:
    """Settings as well, so that a comparison across the renaming warns of nothing else."""
    now = result.read(OLD / "result-1.json")
    result.write(tmp_path / "now.json", now)
    assert result.read(tmp_path / "now.json") == now
    done = edgevoice("bench", "compare", OLD / "result-1.json", tmp_path / "now.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("warning: ") == 1
    assert "A and B are the same run" in done.stdout


def test_a_budget_with_an_old_name_holds(tmp_path: Path) -> None:
    """It limits the same quantity, and the notice gives the new name."""
    for limit, code in (("30s", 0), ("1ms", 1)):
        done = edgevoice(
            *("bench", "compare", OLD / "result-1.json", OLD / "result-1.json"),
            *("--budget", f"gap.p95={limit}"),
        )
        assert done.returncode == code
        assert done.stderr.count("gap is now response_time") == 1
        assert "response time p95" in done.stdout


def test_every_old_event_has_a_name_that_exists_and_none_has_two_meanings() -> None:
    """An old name is never that of another event today."""
    assert set(compatibility.EVENTS.values()) <= ev.EVENT_TYPES
    assert not set(compatibility.EVENTS) & ev.EVENT_TYPES


@pytest.mark.parametrize("line", [b"", b'{"type":"spoken"', b'["type":"spoken"]', b'"type":"woke"'])
def test_text_that_is_no_event_is_left_as_it_is(line: bytes) -> None:
    """The reader of the file reports what is wrong."""
    assert compatibility.event(line) == line


def test_a_configuration_file_with_old_names_sets_the_same() -> None:
    """Every old name is read, and the notice gives each new one."""
    resolved = load(OLD / "config-1.toml", {})
    assert resolved.renamed == compatibility.SETTINGS
    default = msgspec.to_builtins(Config())
    now = msgspec.to_builtins(resolved.config)
    for key in compatibility.SETTINGS.values():
        section, name = key.split(".")
        assert now[section][name] != default[section][name], key
        assert resolved.origins[key].startswith("file ")


def test_old_names_of_settings_lead_to_settings_and_are_none_themselves() -> None:
    """An old name never means another setting today."""
    assert set(compatibility.SETTINGS.values()) <= set(keys())
    assert not set(compatibility.SETTINGS) & set(keys())
    assert not set(compatibility.SECTIONS) & {key.split(".")[0] for key in keys()}


def test_a_variable_with_an_old_name_is_understood() -> None:
    """Its notice names variables."""
    resolved = load(None, {"EDGEVOICE_KEEP_TURNS": "7"})
    assert resolved.config.recordings.turns == 7
    assert resolved.renamed == {"EDGEVOICE_KEEP_TURNS": "EDGEVOICE_RECORDINGS_TURNS"}


def test_a_new_name_wins_over_its_old_one(tmp_path: Path) -> None:
    """In the same place, in either order; another place counts as ever."""
    file = tmp_path / "config.toml"
    file.write_text("[recordings]\nturns = 1\n[keep]\nturns = 2\n")
    assert load(file, {}).config.recordings.turns == 1
    assert load(file, {"EDGEVOICE_KEEP_TURNS": "3"}).config.recordings.turns == 3


def test_a_choice_replaces_the_old_name_in_the_file(tmp_path: Path) -> None:
    """A file never says a setting twice."""
    file = tmp_path / "config.toml"
    file.write_text("[echo]\nown_words = true # mine\ncancel = 'on'\n")
    remember({"echo.self_speech": 0}, file)
    assert "own_words" not in file.read_text()
    assert "cancel = 'on'" in file.read_text()


def test_a_command_gives_one_notice_and_shows_new_names(tmp_path: Path) -> None:
    """Whatever says them: the file, a variable, `--set`."""
    file = tmp_path / "config.toml"
    file.write_text("[keep]\nturns = 2\n")
    shown = edgevoice(
        *("--config", file, "--set", "echo.own_words=false", "config", "show"),
        env={"EDGEVOICE_ADDRESS_MODE": "push"},
    )
    assert shown.stderr.count("old names still work") == 1
    for new in ("echo.self_speech", "recordings.turns", "EDGEVOICE_ACTIVATION_MODE"):
        assert f"is now {new}" in shown.stderr
    assert "own_words" not in shown.stdout
    assert "keep.turns" not in shown.stdout


def test_a_configuration_file_of_an_older_version_is_migrated(tmp_path: Path) -> None:
    """One notice; the settings, the comments and a copy of the file stay, and then it is quiet."""
    file = tmp_path / "config.toml"
    old = (OLD / "config-1.toml").read_text("utf-8") + "# The end.\n"
    file.write_text(old, "utf-8")
    before = load(file, {}).config
    done = edgevoice("--config", file, "config", "show")
    assert done.stderr.count("has the names of today now") == 1
    assert file.with_name("config.toml.old").read_text("utf-8") == old
    resolved = load(file, {})
    assert (resolved.config, resolved.renamed) == (before, {})
    assert "# The end." in file.read_text("utf-8")
    assert "[keep]" not in file.read_text("utf-8")
    assert edgevoice("--config", file, "config", "show").stderr == ""


def test_a_configuration_file_that_cannot_be_written_works_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a kiosk: only the notice about old names."""

    def full(path: Path, text: object) -> None:
        raise OSError(28, "the disk is full")

    monkeypatch.setattr("edgevoice.files.replace", full)
    file = tmp_path / "config.toml"
    file.write_text("[keep]\nturns = 2\n")
    done = edgevoice("--config", file, "config", "show")
    assert done.returncode == 0
    assert "keep.turns is now recordings.turns" in done.stderr
    assert "now; it was" not in done.stderr
    assert file.read_text() == "[keep]\nturns = 2\n"


def test_recorded_turns_of_an_older_version_are_migrated(tmp_path: Path) -> None:
    """Each once, with the same content; a damaged one stays as it is."""
    old = tmp_path / "turn-000001.json"
    old.write_bytes((OLD / "turn-1.json").read_bytes())
    before = recorded_turn.read(old)
    damaged = tmp_path / "turn-000002.json"
    damaged.write_text('{"version":1')
    assert unfinished.migrate(str(tmp_path)).endswith("today's format: 1")
    assert b'"version":2' in old.read_bytes()
    after = recorded_turn.read(old)
    assert after.decoded_events() == before.decoded_events()
    assert (after.settings, after.spans, after.history) == (
        before.settings,
        before.spans,
        before.history,
    )
    assert damaged.read_text() == '{"version":1'
    assert unfinished.migrate(str(tmp_path)) == ""


def test_a_recorded_turn_holds_its_settings_under_the_names_of_today(tmp_path: Path) -> None:
    """Of either version, so that a replay sets them."""
    old = (OLD / "turn-1.json").read_text()
    new = old.replace('"version":1', '"version":2').replace('"gap":', '"response_time":')
    for text in (old, new):
        file = tmp_path / "turn-000001.json"
        file.write_text(text)
        assert set(recorded_turn.read(file).settings) <= set(keys())


def test_an_option_with_an_old_name_is_understood(tmp_path: Path) -> None:
    """The notice names the new option, whatever becomes of the session."""
    done = edgevoice("run", "--keep-audio", tmp_path, "--input", "no such microphone")
    assert done.stderr.count("--keep-audio is now --record-turns") == 1
    assert "--keep-audio" not in edgevoice("run", "--help").stdout


def test_an_old_name_is_varied_in_a_sweep_under_its_new_one(tmp_path: Path) -> None:
    """Its notice comes with that of the other old names, and the axis is no unknown setting."""
    done = edgevoice(
        *("--set", "echo.own_words=false", "--set", f"models.folder={tmp_path}"),
        *("bench", "run", "--sweep", "turn.shortest_ms=100,200"),
    )
    assert "turn.shortest_ms is now turn.min_silence_ms" in done.stderr
    assert done.stderr.count("old names still work") == 1
    assert "unknown setting" not in done.stderr
