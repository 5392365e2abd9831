"""A recorded turn beside its replay, as plain text of at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from edgevoice.bench.replay.replay import ReplayResult
from edgevoice.bench.result.result import BenchTurn
from edgevoice.bench.result.wording import WIDTH, counted, ms, table, wrapped
from edgevoice.errors import EdgevoiceError
from edgevoice.harmless import one_line
from edgevoice.recordings.recorded_turn import read
from edgevoice.timings import TurnTimings
from edgevoice.waterfall import render_waterfall

RECORDED, NOW = "recorded", "replayed"
_NAME = 10

LEAST_RUNS = 3  # of fewer it is said that they may be chance


def render(made: ReplayResult) -> Iterator[str]:
    """Differences, transcripts and replies, both waterfalls, and what moved."""
    recording = made.recording
    kept, question = recording.turn(), recording.question
    (now, after), before = made.middle, recording.timings()
    source = recording.kept
    parts = [str(recording.file), _date(source.started), f"edgevoice {source.edgevoice}"]
    if source.ending != "completed":
        parts.append(source.ending.replace("_", " "))
    if len(made.runs) > 1:
        parts.append(f"replayed {len(made.runs)} times, the median run is shown")
    yield from _wrapped(" · ".join(parts))
    yield from _pair("models", _listed(source.models, " "), _listed(made.models, " "))
    changed = {k: v for k, v in made.different.items() if not k.startswith("models.")}
    if changed:
        then, new = ({k: pair[side] for k, pair in changed.items()} for side in (0, 1))
        yield from _pair("set", _listed(then, "="), _listed(new, "="))
    yield from _wrapped(f"after {counted(len(question.history or ()), 'message')}, as recorded")
    yield ""
    yield from _pair("heard", kept.transcript, now.transcript)
    yield from _pair("said", kept.reply, now.reply)
    whole = max(kept.response_time or 0.0, now.response_time or 0.0)
    for name, turn, timings in ((RECORDED, kept, before), (NOW, now, after)):
        yield ""
        yield from _fall(name, turn, timings, whole)
    yield ""
    yield from moved(kept, [turn for turn, _ in made.runs])


def _listed(values: Mapping[str, object], sign: str) -> str:
    return ", ".join(f"{name}{sign}{values[name]}" for name in sorted(values))


def _pair(what: str, then: str, now: str) -> Iterator[str]:
    """Two values, one above the other."""
    yield what
    same = "the same" if now == then else now or "nothing"
    for name, text in ((RECORDED, then or "nothing"), (NOW, same)):
        yield from wrapped(one_line(text), f"  {name:<{_NAME}}", " " * (_NAME + 2))


def _fall(name: str, turn: BenchTurn, timings: TurnTimings | None, whole: float) -> list[str]:
    if timings is None:
        return _wrapped(f"{name} · no answer was audible: {turn.dropped}")
    return render_waterfall(timings, WIDTH, name, whole)


def moved(kept: BenchTurn, runs: Sequence[BenchTurn]) -> Iterator[str]:
    """The response time and each span then and now, of `runs` of the same recording."""
    answered = [turn for turn in runs if turn.response_time is not None]
    if lost := len(runs) - len(answered):
        yield f"{lost} of {counted(len(runs), 'replay')} got no audible answer"
    if any(turn.cut_off for turn in runs):
        yield "replayed, the answer began before the last of what was said: see turn.patience"
    if kept.response_time is None or not answered:
        return
    names = dict.fromkeys(name for turn in (kept, *answered) for name in turn.spans)
    rows = [_row("response time", kept.response_time, [t.response_time or 0.0 for t in answered])]
    for name in names:
        now = [turn.spans.get(name, 0.0) for turn in answered]
        rows.append(_row(name, kept.spans.get(name, 0.0), now))
    yield from table(("", RECORDED, NOW, "change", "all replays"), rows)
    if len(answered) < LEAST_RUNS:
        yield from wrapped(
            "one turn, and some of it chance: --times 20 --out FILE, and `edgevoice bench compare` "
            "tells what is more than that"
        )


def _row(name: str, then: float, now: Sequence[float]) -> list[str]:
    middle = median(now)
    between = f"{round(min(now) * 1000)} to {ms(max(now))}" if len(now) > 1 else ""
    return [name, ms(then), ms(middle), ms(middle - then, "+"), between]


def _date(started: str) -> str:
    return started[:19].replace("T", " ")


def _wrapped(text: str) -> list[str]:
    return wrapped(one_line(text))


def listing(files: Mapping[int, Path]) -> Iterator[str]:
    """The recorded turns of a folder: number of the file, time, turn of its session, response time
    and transcript of each."""
    for number, file in files.items():
        try:
            kept = read(file)
        except EdgevoiceError as error:
            text = error.what
        else:
            response_time = "" if kept.response_time is None else ms(kept.response_time)
            heard = kept.heard or f"({kept.ending.replace('_', ' ')})"
            turn = f"turn {kept.number}" if kept.number else ""
            text = f"{_date(kept.started)}  {turn:<8} {response_time:>8}  {heard}"
        yield one_line(f"{number:>6}  {text}")[:WIDTH]
