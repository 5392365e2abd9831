"""A report as one HTML page that needs nothing beside itself: no network, no script."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from edgevoice.bench.report import tables as tables
from edgevoice.bench.report.charts import STYLES, curves, span_class, stacks, strips
from edgevoice.bench.report.markup import Markup, tag
from edgevoice.bench.report.report import Report, ReportColumn, ReportSource, shown_turns
from edgevoice.bench.report.trend import described, trend
from edgevoice.bench.report.wording import (
    Trouble,
    counts,
    device_words,
    differing,
    facts,
    ms,
    troubles,
)
from edgevoice.bench.result.result import Figures
from edgevoice.bench.result.text import counted
from edgevoice.bench.soak.text import headline
from edgevoice.waterfall import MEANING

SHAPE = "the shape of a model: its speed is real, its words are given"


def page(report: Report) -> str:
    """The whole document."""
    style = (files("edgevoice.bench.report") / "report.css").read_text("utf-8")
    body = [
        _patterns(),
        tag("header", tag("h1", "Latency profile"), _problems(report), *_headlines(report)),
        *_side_by_side(report),
        *_soaks(report),
    ]
    for number, column in enumerate(report.columns):
        body.append(_column(f"c{number}", column, alone=len(report.columns) == 1))
    body += [*_devices(report), _how_to_read(report), _all_turns(report)]
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("title", f"Latency profile: {', '.join(s.name for s in report.sources)}"),
        # Ours, and holds no text of a result: a style element is not to be escaped.
        tag("style", Markup(style)),
    ]
    whole = tag("html", tag("head", *head), tag("body", tag("main", *body)), lang="en")
    return f"<!DOCTYPE html>\n{whole}\n"


def _problems(report: Report) -> Markup | None:
    if not report.problems:
        return None
    told = [tag("li", error.what, f" ({error.where})") for error in report.problems]
    return tag("div", tag("p", "Not shown:"), tag("ul", *told), class_="note", role="note")


def _headlines(report: Report) -> list[Markup]:
    cards = [_headline(column, len(report.columns) == 1) for column in report.columns]
    return [tag("div", *cards, class_="cards")]


def _headline(column: ReportColumn, alone: bool) -> Markup:
    gap, result = column.summary.gap, column.result
    parts: list[Markup | None] = [] if alone else [tag("p", column.label, class_="label")]
    if gap is None:
        spent = column.summary.spans.get("recognize")
        told = "no answer to measure" if spent is None else f"{ms(spent.p50)} to read a recording"
        parts.append(tag("p", told, class_="none"))
    else:
        parts += [
            tag("p", tag("b", ms(gap.p50)), tag("span", " median gap"), class_="figure"),
            tag(
                "p",
                tag("b", ms(gap.p95)),
                tag("span", " 95th percentile"),
                class_="figure second",
            ),
            tag("p", f"of {counted(gap.n, 'question')}, mean {ms(gap.mean)}", class_="small"),
            _confidence(gap),
        ]
    parts.append(tag("p", ", ".join(column.models), class_="small"))
    if shapes := column.shapes:
        parts.append(tag("p", f"{', '.join(shapes)}: {SHAPE}", class_="shape"))
    cores = counted(result.machine.usable_cores, "core")
    parts.append(tag("p", f"{result.machine.cpu}, {cores}", class_="small"))
    if result.interrupted:
        parts.append(tag("p", "stopped before its end", class_="shape"))
    return tag("div", *parts, class_="card")


def _side_by_side(report: Report) -> list[Markup]:
    """What is only there where there is something to compare."""
    columns = report.columns
    if len(columns) < 2:
        return []
    parts = [tag("h2", "Side by side"), tables.comparison(report)]
    if ratios := [tag("p", tables.ratio(s)) for s in report.sources if s.result.ratio]:
        parts += ratios
    if different := differing(report):
        labels = [column.label for column in columns]
        parts += [tag("h3", "In what they differ"), tables.facts(labels, different)]
    timed = {c.label: c.summary.spans for c in columns if c.gaps and c.summary.spans}
    if timed:
        title = "Mean gap, by what held up the answer"
        parts += [tag("h3", title), _figure(stacks("stacks", title, timed))]
        parts.append(tables.spans_of(report))
    gaps = {column.label: column.gaps for column in columns if column.gaps}
    if gaps:
        title = "Share of answers by their gap"
        parts += [tag("h3", title), _figure(curves("curves", title, gaps)), _legend(list(gaps))]
    return [tag("section", *parts)]


def _soaks(report: Report) -> list[Markup]:
    """The verdict of each soak, with its reasons and its course."""
    parts = []
    for source in report.sources:
        if (soak := source.result.soak) is None:
            continue
        name = "Endurance" if len(report.sources) == 1 else f"Endurance: {source.name}"
        reasons = [tag("li", finding.told) for finding in soak.findings]
        told = tag("p", tag("b", headline(soak)))
        course = tables.windows(soak.windows) if soak.windows else None
        parts.append(tag("section", tag("h2", name), told, tag("ul", *reasons), course))
    return parts


def _column(key: str, column: ReportColumn, alone: bool) -> Markup:
    title = "Where the time goes" if alone else column.label
    parts = [tag("h2", title, id=key), tag("p", " · ".join(counts(column)))]
    if not column.timed:
        why = "Nothing was answered: there is no gap to show."
        parts.append(tag("p", why if column.turns else "No question was asked.", class_="none"))
    falls = [tables.waterfall(name, turn) for name, turn in shown_turns(column)]
    if falls:
        parts.append(tag("div", *falls, class_="two"))
    parts += _distributions(key, column)
    rates = tables.rates_of(column)
    parts += [tag("h3", "Rates"), rates] if rates else []
    samples = column.source.result.samples
    drawn = trend(f"{key}-trend", "Gap over the run", column.turns, samples)
    if drawn is not None:
        told = tag("p", described(column.turns, samples), class_="small")
        parts += [tag("h3", "Over the run"), _figure(drawn), told]
    parts += _troubles(troubles(column), column)
    parts += [tag("h3", "What was measured"), tables.facts([column.label], _lists(facts(column)))]
    return tag("section", *parts)


def _distributions(key: str, column: ReportColumn) -> list[Markup]:
    timed, found = column.timed, column.summary
    values = {name: [turn.spans.get(name, 0.0) for turn in timed] for name in found.spans}
    figures: dict[str, Figures] = dict(found.spans)
    parts: list[Markup] = []
    if column.gaps and found.gap is not None:
        values, figures = {"gap": column.gaps, **values}, {"gap": found.gap, **figures}
        title = "Share of answers by their gap"
        curve = curves(f"{key}-curve", title, {column.label: column.gaps})
        parts = [tag("div", tag("h3", title), _figure(curve), tables.figures(figures))]
    if not values:
        return []
    title = "Every turn, span by span"
    dots = strips(f"{key}-strips", title, values, figures)
    parts.append(tag("div", tag("h3", title), _figure(dots)))
    if not column.gaps:
        parts.append(tables.figures(figures))
    return [tag("div", *parts, class_="two")]


def _confidence(gap: Figures) -> Markup | None:
    if gap.p50_low is None or gap.p50_high is None:
        return None
    between = f"{round(gap.p50_low * 1000)} and {round(gap.p50_high * 1000)} ms"
    told = f"with 95 % confidence the median lies between {between}"
    return tag("p", told, class_="small")


def _devices(report: Report) -> list[Markup]:
    """What each file tells of its machine: the least time of each stage, and what it took."""
    parts = []
    for source in report.sources:
        told = _device(source)
        if told and len(report.sources) > 1:
            parts.append(tag("h3", source.name))
        parts += told
    return [tag("section", tag("h2", "The machine and its limits"), *parts)] if parts else []


def _device(source: ReportSource) -> list[Markup]:
    device, parts = source.result, []
    if device.roofline is not None and device.roofline.floors:
        parts.append(tables.roofline(device.roofline))
    if lines := device_words(device):
        parts.append(tag("ul", *(tag("li", line) for line in lines)))
    return parts


def _troubles(found: Sequence[Trouble], column: ReportColumn) -> list[Markup]:
    left_out = [tag("li", f"left out: {name}") for name in column.result.left_out]
    if not found and not left_out:
        return [tag("h3", "What went wrong"), tag("p", "Nothing.")]
    items = [
        tag("li", tag("b", t.kind), f" {t.question} ", tag("span", t.what, class_="small"))
        for t in found
    ]
    return [tag("h3", "What went wrong"), tag("ul", *items, *left_out)]


def _lists(words: dict[str, str]) -> dict[str, list[str]]:
    return {name: [told] for name, told in words.items()}


def _how_to_read(report: Report) -> Markup:
    terms = []
    for name in report.spans:
        swatch = tag(
            "svg",
            tag("rect", width="100%", height="100%", class_=f"bar {span_class(name)}"),
            tag("rect", width="100%", height="100%", class_="hatch")
            if "waits" in span_class(name)
            else None,
            width=26.0,
            height=14.0,
            aria_hidden="true",
        )
        terms += [
            tag("dt", swatch, f" {name}"),
            tag("dd", MEANING.get(name, tables.PLAIN.get(name, ""))),
        ]
    return tag(
        "section",
        tag("h2", "How to read this"),
        tag("p", tables.HOW),
        tag("dl", *terms),
        class_="reading",
    )


def _all_turns(report: Report) -> Markup:
    parts = [tag("h2", "All turns")]
    for column in report.columns:
        if len(report.columns) > 1:
            parts.append(tag("h3", column.label))
        parts.append(tables.turns(column))
    return tag("section", *parts)


def _legend(labels: Sequence[str]) -> Markup:
    items = [
        tag(
            "li",
            tag(
                "svg",
                tag("path", d="M0 8 H40", class_=f"curve line-{number % STYLES}"),
                width=40.0,
                height=16.0,
                aria_hidden="true",
            ),
            f" {label}",
        )
        for number, label in enumerate(labels)
    ]
    return tag("ul", *items, class_="legend")


def _figure(drawn: Markup) -> Markup:
    return tag("figure", drawn)


def _patterns() -> Markup:
    """The hatching of the spans in which nobody works; every picture on the page uses it."""
    line = tag("path", d="M-2 8 L8 -2 M2 12 L12 2", class_="hatching")
    pattern = tag("pattern", line, id="waiting", width=10.0, height=10.0,
                  patternUnits="userSpaceOnUse")  # fmt: skip
    return tag(
        "svg", tag("defs", pattern), width=0.0, height=0.0, aria_hidden="true", class_="away"
    )
