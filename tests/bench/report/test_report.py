"""A report shows all of its results, and nothing else, also to screen readers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.driver.run_state import RunState
from edgevoice.bench.report import text as report_text
from edgevoice.bench.report.charts import axis
from edgevoice.bench.report.page import page
from edgevoice.bench.report.report import Report, load, shown_turns, timings
from edgevoice.bench.result.result import AS_SET, BenchResult, BenchTurn, write
from edgevoice.bench.result.wording import WIDTH
from edgevoice.clock import SystemClock
from edgevoice.settings import Config, TurnSettings
from edgevoice.timings import SPANS
from edgevoice.waterfall import shares
from tests.bench.pages import Page
from tests.command import edgevoice, message
from tests.hostile import COMMANDS, EVIL

SHARES = (0.1, 0.25, 0.3, 0.2, 0.1, 0.0, 0.05)
ALIEN = "<script>alert(\"1\")</script> & 'two' </title> | `x`"


def answered(question: str, response_time: float, asked_at: float = 0.0, **more: Any) -> BenchTurn:
    """A turn with all spans, of which one is nothing."""
    return BenchTurn(
        **{
            "variant": AS_SET,
            "question": question,
            "response_time": response_time,
            "spans": {
                name: response_time * share for name, share in zip(SPANS, SHARES, strict=True)
            },
            "asked_at": asked_at,
            "transcript": question,
            "reply": f"The answer to {question}",
            "ttft": 0.21,
            "tokens_per_second": 12.5,
            "prompt_tokens": 80,
            "reused_tokens": 70,
            "reply_tokens": 7,
            **more,
        }
    )


TURNS = (
    answered("to warm up", 9.0, 1.0, warm_up=True),
    answered("first", 0.8123, 10.0, words=10, word_errors=1),
    answered("second", 0.5321, 20.0, underruns=2, words=10, word_errors=0),
    answered("third", 1.9876, 30.0),
    answered("interrupted by us", 0.3, 40.0, cut_off=True, transcript="interr"),
    BenchTurn(variant=AS_SET, question="not heard", dropped="no speech was noticed", asked_at=50.0),
    answered("fourth", 0.9, 60.0, false_starts=1),
)


def result(
    turns: Sequence[BenchTurn] = TURNS, variants: Sequence[str] = (AS_SET,), **more: Any
) -> BenchResult:
    """A result as a bench would have made it."""
    run_state = RunState(
        BenchPlan(
            command=more.pop("command", "run"),
            config=more.pop("config", Config()),
            questions=(),
            source="built-in, synthesized",
            left_out=["broken.wav"],
            variants=variants,
        ),
        SystemClock(),
    )
    run_state.models = more.pop("models", {"stt": "whisper-base", "slm": "qwen2.5-coder-0.5b"})
    run_state.turns = list(turns)
    run_state.finished = True
    return run_state.result()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """One result in a file."""
    write(tmp_path / "laptop.json", result())
    return tmp_path / "laptop.json"


def shown(path: Path, *others: Path) -> Report:
    return load([path, *others])


def test_the_page_has_every_turn_and_every_span_of_the_two_that_it_draws(saved: Path) -> None:
    """All questions and response times, and the waterfalls of the median and the worst turn."""
    found = Page(page(shown(saved)))
    table = next(t for t in found.named("table") if t.attributes.get("class") == "turns")
    for turn in TURNS[1:]:
        assert turn.question in table.words
        if turn.response_time is not None:
            assert f"{round(turn.response_time * 1000)} ms" in table.words
    falls = [t.words for t in found.named("table") if t.attributes.get("class") == "waterfall"]
    [column] = shown(saved).columns
    for fall, (_, turn) in zip(falls, shown_turns(column), strict=True):
        for name, milliseconds in shares(timings(turn)):
            assert re.search(rf"{name}\s.*\b{milliseconds} ms", fall)


def test_the_median_and_the_worst_turn_are_real_ones_that_count(saved: Path) -> None:
    """The middle one (of two the quicker), and the slowest; never a warm-up or a cut-off."""
    [column] = shown(saved).columns
    assert [(name, turn.question) for name, turn in shown_turns(column)] == [
        ("median turn", "first"),
        ("worst turn", "third"),
    ]


def test_a_median_is_shown_with_its_confidence_interval(tmp_path: Path) -> None:
    """From six turns on, in the headline and in the table."""
    write(tmp_path / "r.json", result([answered(str(n), 0.6 + 0.1 * n) for n in range(6)]))
    words = Page(page(load([tmp_path / "r.json"]))).words
    assert "the median lies between 600 and 1100 ms" in words
    assert "800 ms 600–1100" in words


def test_the_median_turn_took_as_long_as_the_headline_says(tmp_path: Path) -> None:
    """Of an odd and of an even number of turns, to the digit."""
    for many in (4, 5):
        turns = [answered(str(number), 0.5 + 0.1 * number) for number in range(many)]
        write(tmp_path / "r.json", result(turns))
        [column] = shown(tmp_path / "r.json").columns
        (_, median), _ = shown_turns(column)
        assert column.summary.response_time is not None
        assert column.summary.response_time.p50 == median.response_time


def test_percentiles_are_those_of_the_summary(saved: Path) -> None:
    """On the page and in the text; nothing is computed a second way."""
    report = shown(saved)
    [column] = report.columns
    drawn = Page(page(report))
    table = next(
        t for t in drawn.named("table") if t.words.startswith("Response time and its spans")
    )
    text = "\n".join(report_text.text(report))
    response_time = column.summary.response_time
    assert response_time is not None
    assert response_time.n == 4
    for name, f in {"response time": response_time, **column.summary.spans}.items():
        row = [f"{round(value * 1000)} ms" for value in (f.p50, f.p95, f.mean)]
        assert re.search(rf"\b{name} 4 .*" + ".*".join(row), table.words)
        assert re.search(rf"^{name} +" + " +".join(row), text, re.MULTILINE)
    card = next(e for e in drawn.named("div") if e.attributes.get("class") == "card")
    assert f"{round(response_time.p50 * 1000)} ms median response time" in card.words
    assert f"{round(response_time.p95 * 1000)} ms 95th percentile" in card.words
    assert "of 4 questions" in card.words


def test_the_page_needs_nothing_beside_itself(saved: Path) -> None:
    """No script, no frame, no style sheet, picture or font from anywhere; nothing runs."""
    text = page(shown(saved))
    found = Page(text)
    assert not {"script", "link", "iframe", "img", "object", "a"} & {e.name for e in found.all}
    for element in found.all:
        for name in element.attributes:
            assert name not in ("src", "href", "srcset", "style")
            assert not name.startswith("on")
    assert "http" not in text
    assert set(re.findall(r"url\((.*?)\)", text)) == {"#waiting"}
    assert "@import" not in text


def test_words_of_a_result_are_never_markup(tmp_path: Path) -> None:
    """Whatever a question, a reply, a model or a file is called, it is shown as it is."""
    turns = [answered(ALIEN, 0.5, reply=ALIEN, transcript=ALIEN, dropped="", word_errors=1)]
    alien = result([*turns, answered("plain", 0.7)], models={"slm": ALIEN})
    write(tmp_path / "a&amp;b.json", alien)
    write(tmp_path / "other.json", result())
    text = page(load([tmp_path / "a&amp;b.json", tmp_path / "other.json"]))
    assert "<script" not in text
    assert Page(text).words.count(ALIEN) >= 4


def test_no_word_of_a_result_commands_a_terminal(tmp_path: Path) -> None:
    """Control characters in transcripts and names do not reach the terminal."""
    turns = [answered(EVIL, 0.5, reply=EVIL, transcript=EVIL, word_errors=1)] * 2
    write(tmp_path / "evil.json", result(turns, models={"slm": EVIL, "stt": EVIL}))
    done = edgevoice("bench", "report", tmp_path / "evil.json")
    assert done.returncode == 0, done.stderr
    assert "evil" in done.stdout.replace("evil.json", "")
    assert not COMMANDS.search(done.stdout + done.stderr)


@pytest.mark.parametrize("many", [1, 2])
def test_every_picture_is_described_and_has_a_name_of_its_own(tmp_path: Path, many: int) -> None:
    """Screen readers get a title and a description; bars in a table need none."""
    for number in range(many):
        write(tmp_path / f"{number}.json", result())
    found = Page(page(load([tmp_path / f"{number}.json" for number in range(many)])))
    ids = [e.attributes["id"] for e in found.all if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    pictures = 0
    for svg in found.named("svg"):
        if svg.parent is not None and svg.parent.name == "svg":
            continue
        if svg.attributes.get("aria-hidden") == "true":
            continue
        pictures += 1
        assert svg.attributes["role"] == "img"
        named = str(svg.attributes["aria-labelledby"]).split()
        assert [e.name for e in svg.inside[:2]] == ["title", "desc"]
        assert [e.attributes["id"] for e in svg.inside[:2]] == named
        assert all(e.text for e in svg.inside[:2])
    assert pictures == (3 if many == 1 else 8)
    for region in (e for e in found.all if e.attributes.get("role") == "region"):
        assert region.attributes["tabindex"] == "0"
        assert region.attributes["aria-label"]
    assert all(t.inside[0].name == "caption" for t in found.named("table"))
    assert [e.attributes["lang"] for e in found.named("html")] == ["en"]


def test_every_span_has_a_colour_in_the_style(saved: Path) -> None:
    """No class that the page uses for a colour is missing from its style sheet."""
    found = Page(page(shown(saved)))
    [style] = [e.text for e in found.named("style")]
    used = {
        name
        for e in found.all
        for name in str(e.attributes.get("class") or "").split()
        if re.match(r"(span|other|line)-\d", name)
    }
    assert {f"span-{number}" for number in range(len(SPANS))} <= used
    for name in used:
        assert re.search(rf"\.{name} \{{", style), name


def test_a_shape_is_called_one_wherever_it_is_compared(tmp_path: Path) -> None:
    """In the headline, the tables and the text."""
    write(tmp_path / "shape.json", result(models={"slm": "shape-phi-3-mini"}))
    write(tmp_path / "real.json", result())
    report = load([tmp_path / "shape.json", tmp_path / "real.json"])
    found = Page(page(report))
    cards = [e.words for e in found.named("div") if e.attributes.get("class") == "card"]
    assert "its speed is real, its words are prescribed" in cards[0]
    assert "shape" not in cards[1]
    assert "shape (shape)" in report_text.text(report)[1]
    assert "shape-phi-3-mini (shape)" in found.words


def test_several_files_stand_side_by_side_with_what_they_differ_in(tmp_path: Path) -> None:
    """Each has a name of its own; what is the same in all of them is left out."""
    slower = [answered(f"q{i}", 1.0 + i / 10, i) for i in range(5)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write(tmp_path / "a" / "r.json", result())
    changed = Config(turn=TurnSettings(silence_ms=500))
    write(tmp_path / "b" / "r.json", result(slower, config=changed))
    report = load([tmp_path / "a" / "r.json", tmp_path / "b" / "r.json"])
    labels = [column.label for column in report.columns]
    assert len(set(labels)) == 2
    found = Page(page(report))
    section = next(e for e in found.named("section") if "Side by side" in e.words)
    for told in (*labels, "turn.silence_ms=500", "default", "1200 ms"):
        assert told in section.words
    assert "whisper-base" not in section.words
    assert "turn.silence_ms=500" in "\n".join(report_text.text(report))


def test_variants_of_one_file_stand_side_by_side(tmp_path: Path) -> None:
    """Also one with spans that this version does not have."""
    spans = {"silence": 0.7, "transcribe": 0.5, "reply": 1.0, "synthesize": 0.4, "output": 0.1}
    plain = [
        answered(q, 2.7, variant="plain sequence", spans=spans)
        for q in ("first", "second", "third")
    ]
    write(tmp_path / "r.json", result([*TURNS, *plain], (AS_SET, "plain sequence")))
    report = load([tmp_path / "r.json"])
    assert [column.label for column in report.columns] == [AS_SET, "plain sequence"]
    words = Page(page(report)).words
    assert "2700 ms = silence 700 ms + transcribe 500 ms" in words


def test_what_went_wrong_is_named(saved: Path) -> None:
    """Cut off, dropped, dry and misread questions and left out recordings, in every form."""
    report = shown(saved)
    words = Page(page(report)).words
    for kind, question, what in (
        ("cut off", "interrupted by us", "heard “interr”"),
        ("dropped", "not heard", "no speech was noticed"),
        ("underrun", "second", "2 times"),
        ("misread", "first", "1 of 10 words: “first”"),
    ):
        assert f"{kind} {question} {what}" in words
    assert "left out: broken.wav" in words
    text = "\n".join(report_text.text(report))
    for told in (
        "cut off, as set: interrupted by us",
        "dropped, as set: not heard",
        "underrun, as set: second",
    ):
        assert told in text


def test_temperature_is_drawn_only_where_it_was_measured(saved: Path) -> None:
    """Below the response time over the run, if the result has it."""
    assert "°C" not in page(shown(saved))
    held = json.loads(saved.read_text())
    held["samples"] = [
        {"t": 5.0 * i, "rss": 2**30, "cpu_seconds": i, "temperature": 40.0 + i, "later": 1}
        for i in range(12)
    ]
    saved.write_text(json.dumps(held))
    words = Page(page(shown(saved))).words
    assert "temperature 40 to 51 °C" in words


def test_what_a_newer_bench_tells_of_the_machine_is_shown(saved: Path) -> None:
    """Floors, confidence, rates and sensors where they are there; what is not is called so."""
    held = json.loads(saved.read_text())
    for turn in held["turns"]:
        turn["stt_rtf"] = 0.25
    held["roofline"] = {
        "memory": 2.5e10, "float32": 1e11, "int8": None, "cache": None,
        "floors": [
            {"stage": "decode", "per": "a token", "n": 4, "floor": 0.04, "measured": 0.05,
             "share": 0.8, "bound": "memory"},
            {"stage": "synthesize", "per": "a second of sound", "why": "no model"},
        ],
    }  # fmt: skip
    held["sensors"] = {"temperature": None, "energy": "RAPL"}
    held["idle"] = {"seconds": 6.0}  # a field of an older one, left out
    saved.write_text(json.dumps(held))
    words = Page(page(shown(saved))).words
    for told in (
        "recognition 4 0.250 0.250 0.250 s for each second of sound",
        "decode a token 40 ms 50 ms 80% memory",
        "synthesize a second of sound no model",
        "temperature not available",
    ):
        assert told in words, told


def test_a_result_without_an_answer_says_so(tmp_path: Path) -> None:
    """Without turns, or without replies: a sentence, no chart, no crash."""
    dropped = BenchTurn(variant=AS_SET, question="one", dropped="no speech was noticed")
    for turns, told in (((), "No question was asked"), ((dropped,), "Nothing was answered")):
        write(tmp_path / "r.json", result(turns))
        report = load([tmp_path / "r.json"])
        found = Page(page(report))
        assert told in found.words
        assert not [e for e in found.named("svg") if e.attributes.get("role") == "img"]
        assert "nothing was answered" in "\n".join(report_text.text(report))


def test_one_answer_is_drawn_once(tmp_path: Path) -> None:
    """It is the median and the worst turn."""
    write(tmp_path / "r.json", result([answered("alone", 0.5)]))
    found = Page(page(load([tmp_path / "r.json"])))
    assert "Only turn: 500 ms" in found.words
    assert len([t for t in found.named("table") if t.attributes.get("class") == "waterfall"]) == 1


def test_a_bench_without_a_gap_shows_its_spans(tmp_path: Path) -> None:
    """Without an answer to wait for: its time and word error rate, and no waterfall."""
    turns = [
        BenchTurn(variant=AS_SET, question=f"{i}.wav", spans={"recognize": 0.1 * i}, words=5,
             word_errors=i)
        for i in range(1, 4)
    ]  # fmt: skip
    write(tmp_path / "r.json", result(turns, command="stages"))
    report = load([tmp_path / "r.json"])
    words = Page(page(report)).words
    assert "200 ms to read a recording" in words
    assert "WER 40.0 % of 15 words" in words
    assert "Waterfall" not in words
    assert "40.0 %" in "\n".join(report_text.text(report))


def test_the_text_fits_80_columns(tmp_path: Path) -> None:
    """Whatever the files are called and however long a question is."""
    long = answered("a question that goes on and on " * 6, 0.6, 70.0)
    for name in ("short", "a name that is longer than a column of the table may be"):
        write(tmp_path / f"{name}.json", result([*TURNS, long]))
    report = load(sorted(tmp_path.glob("*.json")))
    lines = report_text.text(report)
    assert max(map(len, lines)) <= WIDTH
    assert sum("worst turn: third" in line for line in lines) == 2
    write(tmp_path / "s.json", result([*TURNS], (AS_SET, "b" * 90), command="run"))
    assert max(map(len, report_text.text(load([tmp_path / "s.json"])))) <= WIDTH


def test_a_waterfall_in_text_adds_up_to_its_response_time(saved: Path) -> None:
    """The milliseconds that are printed are those of the response time beneath them."""
    lines = report_text.text(shown(saved))
    for name, response_time in (("median turn: first", 812), ("worst turn: third", 1988)):
        at = lines.index(name) + 1
        rows = [int(line.split()[-2]) for line in lines[at : at + len(SPANS)]]
        assert sum(rows) == response_time
        assert re.fullmatch(rf"total .* {response_time} ms", lines[at + len(SPANS)])


@given(
    response_times=st.lists(st.just(0.0) | st.floats(1e-6, 1e4), min_size=1, max_size=5),
    said=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40),
)
def test_any_result_can_be_shown(
    tmp_path_factory: pytest.TempPathFactory, response_times: list[float], said: str
) -> None:
    """However quick, slow or odd: the page is whole and holds every question."""
    path = tmp_path_factory.mktemp("any") / "r.json"
    write(
        path,
        result(
            [answered(said, response_time, at) for at, response_time in enumerate(response_times)]
        ),
    )
    report = load([path])
    Page(page(report))
    assert report_text.text(report)


@given(st.floats(0, 1e5, allow_nan=False), st.integers(2, 8))
def test_an_axis_holds_what_it_is_for(longest: float, lines: int) -> None:
    """From nothing to the longest, with a few round numbers within it."""
    scale = axis(longest, lines)
    assert scale.top >= longest
    assert scale.ticks[0] == 0
    assert len(scale.ticks) <= lines + 1
    assert scale.ticks[-1] <= scale.top
    assert 0 <= scale.share(longest) <= 1


def test_files_that_cannot_be_shown_are_named_and_the_rest_is(saved: Path) -> None:
    """Missing, damaged, of a newer version, another kind: each with its reason; exit code 0."""
    folder = saved.parent
    (folder / "newer.json").write_text('{"format": "edgevoice bench", "version": 99}')
    (folder / "odd.json").write_text('{"format": "edgevoice bench", "version": "x"}')
    (folder / "cut.json").write_text(saved.read_text()[:-200])
    (folder / "other.json").write_text("[1, 2]")
    bad = [folder / f"{name}.json" for name in ("none", "newer", "odd", "cut", "other")]
    target = folder / "page.html"
    done = edgevoice("bench", "report", bad[0], saved, *bad[1:], "--html", target)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    words = Page(target.read_text("utf-8")).words
    for path, why in zip(
        bad,
        ("cannot be read", "newer edgevoice", "damaged", "damaged", "not a result of the bench"),
        strict=True,
    ):
        assert re.search(rf"not shown: {why}.*\n?.*{path.name}|{why}.*{path.name}", done.stderr)
        assert path.name in words
    assert "third" in words


def test_without_a_file_that_can_be_shown_it_fails(tmp_path: Path) -> None:
    """One message that names each, and exit code 2; nothing on standard output, no page."""
    (tmp_path / "a.json").write_text("{}")
    for files in ([tmp_path / "a.json"], [tmp_path / "a.json", tmp_path / "b.json"]):
        done = edgevoice("bench", "report", *files, "--html", tmp_path / "page.html")
        told = message_with_list(done) if len(files) > 1 else message(done, 2)
        for file in files:
            assert file.name in told
        assert not done.stdout
        assert not (tmp_path / "page.html").exists()


def message_with_list(done: Any) -> str:
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.count("edgevoice: ") == 1
    assert done.stderr.splitlines()[-1].startswith("  fix: ")
    return str(done.stderr)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "no result was named"),
    ],
)
def test_what_makes_no_sense_is_told(words: tuple[str, ...], told: str) -> None:
    """One message, a remedy, exit code 2."""
    assert told in message(edgevoice("bench", "report", *words), 2)


def test_a_page_that_cannot_be_written_is_told(saved: Path) -> None:
    """A remedy, and what was there is left."""
    done = edgevoice("bench", "report", saved, "--html", saved.parent)
    assert "the page cannot be written" in message(done)
