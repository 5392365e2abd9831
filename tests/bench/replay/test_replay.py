"""A kept turn run again is the same turn, and what is different about it is told."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from edgevoice.audio import CAPTURE_RATE
from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.driver.run_state import RunState
from edgevoice.bench.replay.replay import AS_RECORDED, ReplayResult, load, made_with, replayed
from edgevoice.bench.replay.text import NOW, RECORDED, listing, moved, render
from edgevoice.bench.result import result as made
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.clock import SystemClock
from edgevoice.config import load as configured
from edgevoice.errors import EdgevoiceError
from edgevoice.recordings.folder import RecordingsFolder, named
from edgevoice.recordings.recorded_turn import read
from edgevoice.settings import Config, SlmSettings
from edgevoice.testing.scripted import LoudnessDetector, ScriptedLanguageModel, ScriptedRecognizer
from edgevoice.wav import WavWriter
from tests.bench.stage import Stage
from tests.command import edgevoice, message
from tests.conftest import ROOT
from tests.kept import STARTED, Kept, counted, file_of


def again(
    kept: Kept, number: int, change: Callable[[Stage], None] = lambda _: None, times: int = 1
) -> ReplayResult:
    """Run a kept turn again on virtual time, with engines that `change` may alter."""
    recording = load(file_of(kept, number), LoudnessDetector(), pytest.fail)
    stage = Stage(counted)
    stage.show.book = kept.show.book
    stage.show.recognizer = ScriptedRecognizer(stage.show.clock, stage.show.book)
    change(stage)
    turns = []
    with stage.interview() as one:
        for _ in range(times):
            one.wipe()
            one.forget(recording.question.history or ())
            turns.append(one.ask(recording.question))
    return replayed(recording, stage.show.config, dict(STARTED.models), turns, stage.show.events)


def slow_recognizer(stage: Stage) -> None:
    stage.show.recognizer = ScriptedRecognizer(stage.show.clock, stage.show.book, cost=0.6)


def test_a_turn_run_again_as_it_was_is_the_same_turn(kept: Kept) -> None:
    """Words, history, response time and every span; the model remembers what it remembered."""
    was, (now, timings) = read(file_of(kept, 2)), again(kept, 2).middle
    assert was.reply == "I was told 4 things."
    assert (now.transcript, now.reply) == (was.heard, was.reply)
    assert now.response_time == pytest.approx(was.response_time, abs=0.04)
    assert now.spans == pytest.approx(dict(was.spans), abs=0.04)
    assert timings is not None
    assert timings.response_time == now.response_time


def test_each_run_begins_where_the_turn_began(kept: Kept) -> None:
    """Nothing of the same question, asked before, is in the cache or in the history."""
    made = again(kept, 2, times=3)
    assert {turn.reply for turn, _ in made.runs} == {"I was told 4 things."}
    assert len({(turn.prompt_tokens, turn.reused_tokens) for turn, _ in made.runs}) == 1


def test_a_span_that_moved_says_by_how_much(kept: Kept) -> None:
    """A slower recognizer: its own span and the response time, and not those behind it."""
    made = again(kept, 1, slow_recognizer)
    _, *lines = moved(made.recording.turn(), [turn for turn, _ in made.runs])
    change = {
        found[1]: float(found[2])
        for line in lines
        if (found := re.match(r"(\w+ ?\w+) .* ([+-]\d+) ms$", line))
    }
    assert 100 < change["response time"] <= change["recognize"]
    assert abs(change["prefill"]) <= 40


def test_both_waterfalls_share_a_scale_and_fit_a_terminal(kept: Kept) -> None:
    """The longer one fills the width, the shorter one is as much shorter as it was quicker."""
    made = again(kept, 1, slow_recognizer)
    lines = list(render(made))
    assert max(map(len, lines)) <= 80
    assert all(line.isprintable() for line in lines)
    heads = [
        next(i for i, s in enumerate(lines) if s.startswith(f"{n} · ")) for n in (RECORDED, NOW)
    ]
    response_times = [line for line in lines if line.startswith("total ")]
    assert heads[0] < lines.index(response_times[0]) < heads[1] < lines.index(response_times[1])
    was, now = made.recording.turn().response_time, made.middle[0].response_time
    assert was is not None
    assert now is not None
    widths = [len(line[line.index("└") : line.index("┘") + 1]) for line in response_times]
    assert widths[0] / widths[1] == pytest.approx(was / now, abs=0.03)
    assert widths[1] == 80 - 12 - 8 - 2


def test_what_was_heard_and_said_then_and_now_stands_together(kept: Kept) -> None:
    """What is the same once, what differs twice; so with models and settings."""

    def change(stage: Stage) -> None:
        answer = "Something else\x1b[31m entirely."
        stage.show.slm = ScriptedLanguageModel(stage.show.clock, lambda _: answer)
        stage.show.config = Config(slm=SlmSettings(max_tokens=99))

    lines = list(render(again(kept, 1, change)))
    text = "\n".join(lines)
    assert "heard\n  recorded  what time is it\n  replayed  the same" in text
    assert "  recorded  I was told 2 things.\n  replayed  Something else entirely." in text
    assert "  recorded  slm.max_tokens=300\n  replayed  slm.max_tokens=99" in text
    assert "\x1b" not in text


def test_several_runs_tell_what_may_be_chance() -> None:
    """What was kept lies among the runs or beyond all of them; one run is no proof."""

    def turn(response_time: float, recognize: float) -> BenchTurn:
        spans = {"pause": response_time - recognize, "recognize": recognize}
        return BenchTurn(variant=AS_SET, question="q", response_time=response_time, spans=spans)

    runs = [turn(1.0, 0.5), turn(1.4, 0.5), turn(1.3, 0.52)]
    _, *rows = (line.split() for line in moved(turn(1.1, 0.2), runs))
    assert [" ".join(row) for row in rows] == [
        "response time 1100 ms 1300 ms +200 ms 1000 to 1400 ms",
        "pause 900 ms 780 ms -120 ms 500 to 900 ms",
        "recognize 200 ms 500 ms +300 ms 500 to 520 ms",
    ]
    assert any("--times 20" in line for line in moved(turn(1.1, 0.2), runs[:1]))
    assert not any("--times 20" in line for line in moved(turn(1.1, 0.2), runs))


def test_a_turn_without_an_answer_is_told_of_on_either_side() -> None:
    """And then there is no response time to compare."""
    silent = BenchTurn(variant=AS_SET, question="q", dropped="nothing said: a cough")
    spoken = BenchTurn(variant=AS_SET, question="q", response_time=1.0, spans={"pause": 1.0})
    assert list(moved(spoken, [silent])) == ["1 of 1 replay got no audible answer"]
    assert list(moved(silent, [spoken])) == []


def test_the_result_holds_both_as_the_bench_does(kept: Kept, tmp_path: Path) -> None:
    """Two variants of one question, which `bench report` and `bench compare` read."""
    again_ = again(kept, 1, slow_recognizer, times=2)
    run_state = RunState(
        BenchPlan(command="replay", config=again_.config, questions=(), source="kept"),
        SystemClock(),
    )
    run_state.turns = [turn for turn, _ in again_.runs]
    run_state.finished = True
    result = again_.beside(run_state.result())
    made.write(tmp_path / "r.json", result)
    found = made.read(tmp_path / "r.json")
    assert [variant.name for variant in found.variants] == [AS_SET, AS_RECORDED]
    assert [turn.variant for turn in found.turns] == [AS_SET, AS_SET, AS_RECORDED]
    assert found.turns[2].response_time == read(file_of(kept, 1)).response_time
    assert {turn.question for turn in found.turns} == {"turn-000001.wav"}
    done = edgevoice("bench", "report", tmp_path / "r.json")
    assert done.returncode == 0, done.stderr
    assert AS_RECORDED in done.stdout


def test_a_recording_that_was_cut_short_is_told_of_and_used(kept: Kept) -> None:
    """What is there is asked; that the question is another one now stands beside it."""
    file = file_of(kept, 1)
    told: list[str] = []
    sound = file.with_suffix(".wav")
    whole = sound.read_bytes()
    sound.write_bytes(whole[: 44 + int(0.9 * CAPTURE_RATE) * 2])
    recording = load(file, LoudnessDetector(), told.append)
    assert any("truncated" in line for line in told)
    assert any("the question is another one" in line for line in told)
    assert recording.question.speech_end == pytest.approx(0.9, abs=0.04)
    assert recording.turn().response_time == read(file).response_time


def test_what_cannot_be_run_again_says_what_to_do(kept: Kept) -> None:
    """No sound, no speech, no file: named, each with a remedy; nothing is changed."""
    file = file_of(kept, 1)
    sound = file.with_suffix(".wav")
    with WavWriter(sound, CAPTURE_RATE) as writer:
        writer.write(np.zeros(CAPTURE_RATE, dtype=np.float32))
    for spoil, told in (
        (lambda: None, "the recording contains no speech"),
        (lambda: sound.write_bytes(b""), "the file is empty"),
        (sound.unlink, "no such file"),
        (
            lambda: file.write_text('{"format": "edgevoice turn", "version": 1}'),
            "a damaged recorded",
        ),
        (lambda: file.write_text('{"format": "other"}'), "not a recorded turn"),
        (lambda: file.write_text("{"), "a damaged recorded"),
    ):
        spoil()
        with pytest.raises(EdgevoiceError, match=told) as error:
            load(file, LoudnessDetector(), lambda _: None)
        assert error.value.remedy


def test_a_turn_is_named_by_path_by_number_or_as_the_last(kept: Kept) -> None:
    """In a folder that is named, or the one that turns are kept in."""
    folder = kept.folder.path
    file = file_of(kept, 2)
    for words in ((str(file),), (str(file.with_suffix(".wav")),), (str(folder), "2"),
                  (str(folder), "last"), ("2",), ("last",)):  # fmt: skip
        assert named(words, str(folder)) == file


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "no turn was named"),
        (("{kept}",), "a folder was named, but no turn"),
        (("{kept}", "3"), "there is no turn 3"),
        (("{kept}", "first"), "there is no turn first"),
        (("{kept}/other",), "no such turn"),
        (("{kept}", "1", "2"), "one turn at a time, not 3"),
        (("last",), "no folder of recorded turns was named"),
        (("{kept}/none", "1"), "the folder of recorded turns cannot be read"),
        (("{empty}", "last"), "the folder has no turns"),
    ],
)
def test_a_turn_that_is_not_there_is_named_with_those_that_are(
    words: tuple[str, ...], told: str, kept: Kept, tmp_path: Path
) -> None:
    """And how to see them."""
    empty = tmp_path / "empty"
    empty.mkdir()
    places = {"kept": str(kept.folder.path), "empty": str(empty)}
    with pytest.raises(EdgevoiceError, match=told) as error:
        named([word.format(**places) for word in words], "")
    assert error.value.remedy


def test_models_and_settings_are_those_it_was_made_with(kept: Kept) -> None:
    """Not the user's own of today; what this version does not have is named and left out."""
    turn = read(file_of(kept, 1))
    told: list[str] = []
    older = replace(turn, settings={**turn.settings, "slm.mood": 3, "turn.silence_ms": 900})
    found = made_with(older, told.append)
    assert found["models.slm"] == "phi-3-mini"
    assert found["models.turn"] == "none"
    config = configured(flags=found).config
    assert config.turn.silence_ms == 900
    assert (
        config.slm.system_prompt == turn.settings["slm.system_prompt"] != Config().slm.system_prompt
    )
    assert told == ["settings that this version does not have, left out: slm.mood"]


@pytest.mark.parametrize("draft", ["", "small"])
def test_the_draft_model_is_that_of_the_recording(kept: Kept, draft: str) -> None:
    """A turn without one is run again without one."""
    turn = read(file_of(kept, 1))
    models = {**turn.models, **({"draft": draft} if draft else {})}
    told: list[str] = []
    assert made_with(replace(turn, models=models), told.append)["slm.draft"] == (draft or "off")
    assert told == []


def test_a_list_shows_what_is_kept_in_a_line_each(kept: Kept) -> None:
    """Number, time, response time and words; a file that cannot be read is one of them."""
    kept.folder.path.joinpath("turn-000003.json").write_text("{")
    one, two, three = listing(kept.folder.turns())
    assert one.split()[0] == "1"
    assert one.endswith("what time is it")
    assert f"{round((read(file_of(kept, 2)).response_time or 0) * 1000)} ms" in two
    assert "turn 2 " in two
    assert "a damaged recorded" in three
    assert max(map(len, (one, two, three))) <= 80


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (("kept", "9"), "there is no turn 9", 2),
        (("kept", "1", "foo.bar=3"), "unknown setting foo.bar", 2),
        (("kept", "1", "turn.silence_ms=soon"), "turn.silence_ms cannot be", 2),
        (("kept", "1", "--out", "nowhere/r.json"), "no such folder for the result", 1),
        (("kept", "1"), "edgevoice models pull silero-vad", 1),
        (("--list", "nowhere"), "cannot be read", 2),
        (("kept", "1", "--list", "kept"), "takes no turn", 2),
    ],
)
def test_the_command_names_what_is_wrong_before_it_loads_anything(
    words: tuple[str, ...], told: str, code: int, kept: Kept, tmp_path: Path
) -> None:
    """One message, a remedy, an exit code; a model that is not there among them."""
    models = tmp_path / "models"
    models.mkdir()
    env = {**os.environ, "EDGEVOICE_MODELS_FOLDER": str(models), "PYTHONPATH": str(ROOT)}
    places = [str(tmp_path / word) if word in ("kept", "nowhere") else word for word in words]
    assert told in message(edgevoice("replay", *places, env=env), code)


@pytest.mark.models
def test_a_real_conversation_is_kept_and_run_again(
    tmp_path: Path, starter_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small models: `run --record-turns`, `replay` with a setting, and the same as a corpus."""
    monkeypatch.setenv("EDGEVOICE_MODELS_STT", "whisper-tiny.en")
    folder, out = tmp_path / "kept", tmp_path / "r.json"
    questions = []
    for number, text in enumerate(("What is the capital of France?", "How many live there?")):
        questions.append(tmp_path / f"{number}.wav")
        said = edgevoice("--set", "tts.variation=0", "say", text, "-o", questions[-1])
        assert said.returncode == 0
    small = ("--slm", "qwen2.5-coder-0.5b")
    words = ("run", "--plain", *small, "--record-turns", folder, "--output", tmp_path / "o.wav")
    talked = edgevoice(*words, "--input", *questions)
    assert talked.returncode == 0, talked.stderr
    assert f"note: turns are recorded in {folder}" in talked.stdout
    one, two = (read(file) for file in RecordingsFolder(folder).turns().values())
    assert "capital" in one.heard.lower()
    assert [said.role for said in two.history] == ["system", "user", "assistant"]

    done = edgevoice("replay", folder, "2", "slm.max_tokens=40", "--out", out, "--warm-up", "0")
    assert done.returncode == 0, done.stderr
    assert "replayed  slm.max_tokens=40" in done.stdout
    assert "all replays" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    result = json.loads(out.read_text())
    now, was = result["turns"]
    assert result["command"] == "replay"
    assert (now["variant"], was["variant"]) == (AS_SET, AS_RECORDED)
    assert now["transcript"].lower()[:8] == two.heard.lower()[:8]
    # The bench has a date and time of its own, which may have a few tokens more or less.
    assert now["prompt_tokens"] == pytest.approx(was["prompt_tokens"], abs=4)
    assert now["reused_tokens"] < now["prompt_tokens"] - 1
    assert was["response_time"] == pytest.approx(two.response_time)

    assert "phi-9" in message(edgevoice("replay", folder, "2", "--slm", "phi-9"))
    words = ("bench", "run", "--corpus", folder, *small, "--warm-up", "0", "--json", "-")
    measured = edgevoice(*words)
    assert measured.returncode == 0, measured.stderr
    asked = json.loads(measured.stdout)["turns"]
    assert [turn["question"] for turn in asked] == ["turn-000001.wav", "turn-000002.wav"]
    assert asked[1]["prompt_tokens"] > asked[0]["prompt_tokens"]
