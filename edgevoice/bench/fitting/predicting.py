"""The gap that a set of models will have: the sum of its spans, over usual questions and replies.

Each stage's time is measured; how much of it a turn takes is reckoned here, and all the numbers
that are taken for usual stand at the top. The length of the first clause is not one of them: the
assistant's own rule for it is followed, with each built-in reply, at the model's speed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from statistics import median

from msgspec.structs import replace

from edgevoice.agent.clauses import ClauseCutter
from edgevoice.agent.speech_rate import ASIDE, BREATH, CutPlan, SpeechRate
from edgevoice.bench.corpus.corpus import REPLIES
from edgevoice.bench.fitting.record import Hearing, How, Prediction, Speaking, Strain, Thinking
from edgevoice.bench.fitting.thinking import on, scaled
from edgevoice.engines.batches import interpolated
from edgevoice.engines.batches import plan as cut
from edgevoice.settings import Config
from edgevoice.timings import SPANS, percentile
from edgevoice.turn_taking.patience import limits

SEEN = 0.036
"""Seconds after the last voiced sample at which a silence has been seen and is read: about a frame
of 32 ms."""
MICROPHONE = 0.039
"""Seconds by which a microphone is later than what it hears."""
MARK = 1
"""Tokens of the question mark."""
LATE = (1, 2, 3)
"""Words that were said after the last glance, a token each."""
WHOLE = (4, 7, 11)
"""Words of a question, where none are evaluated while it is spoken."""
CLOSING = 5
"""Tokens that close a question and open the reply, where the model's template is not here."""
GLANCES = 0.5
"""Seconds from one glance at what is being said to the next."""
DEVICE = 0.010
"""Seconds that a speaker adds to the delay it was asked for."""
QUIET = 0.005
"""Seconds until sound is audible where there is no speaker."""
RANGE = (0.1, 0.9)
"""Between these quantiles lies what is told as the range."""
DOUBTS: Mapping[How, float] = {
    "measured": 0.0,
    "shape": 0.0,
    "part of a shape": 0.1,
    "by size": 0.2,
    "by the machine's speed": 0.5,
}
"""By what share of a span its prediction may be off, by where it comes from."""

Few = tuple[int, int, int]
_PIECES = re.compile(r"\s*(?:\w+(?:['’]\w+)?|[^\w\s])")


def predict(
    slm: Thinking,
    stt: Hearing,
    tts: Speaking,
    config: Config,
    cores: int,
    strain: Strain | None = None,
    devices: bool = True,
) -> Prediction:
    """What the gap of these models will be on so many cores, with or without sound devices."""
    if strain is not None:
        slm = replace(slm, batches=scaled(slm.batches, strain.think))
        first = {length: seconds * strain.speak for length, seconds in tts.first.items()}
        tts = replace(tts, first=first)
    reading = [seconds * (strain.recognize if strain else 1.0) for seconds in _read(stt)]
    threads = config.slm.threads or cores
    costs = on(slm.batches, threads)
    writing = on(slm.batches, max(1, threads - tts.threads))[1]
    clauses = first_clauses(costs[1], writing, tts, config)
    tails = tail(slm, config)
    curve = interpolated(dict(sorted(costs.items())), max(costs))
    begun = [_prefill(curve, tokens) for tokens in tails]
    waits = _wait(config)
    seen = SEEN + (MICROPHONE if devices else 0.0)
    output = (config.audio.latency_ms / 1000 + DEVICE) if devices else QUIET
    sums: list[float] = []
    parts: list[dict[str, float]] = []
    for read, prefill, (tokens, chars) in itertools.product(reading, begun, clauses):
        made = {
            "pause": seen if config.turn.speculate else waits,
            "recognize": max(read, config.turn.pause_ms / 1000 - seen),
            "prefill": prefill,
            "first clause": (tokens - 1) * costs[1],
            "synthesize": first_sound(tts, chars),
        }
        so_far = sum(made.values())
        made["confirm"] = max(0.0, waits - so_far)
        made["output"] = output
        parts.append(made)
        sums.append(sum(made.values()))
    spans = {name: median(made[name] for made in parts) for name in SPANS}
    doubt = DOUBTS[slm.how] * (spans["prefill"] + spans["first clause"])
    doubt += DOUBTS[stt.how] * spans["recognize"] + DOUBTS[tts.how] * spans["synthesize"]
    low, high = (percentile(sums, q) or 0.0 for q in RANGE)
    lengths = sorted(tokens for tokens, _ in clauses)
    few, many = (round(percentile([float(n) for n in lengths], q) or 0) for q in RANGE)
    return Prediction(
        gap=median(sums),
        low=max(0.0, low - doubt),
        high=high + doubt,
        spans=spans,
        tail=tails,
        clause=(few, round(median(lengths)), many),
    )


def tail(slm: Thinking, config: Config) -> Few:
    """Tokens that remain to be evaluated when the question is known: few, middle, many."""
    closing = CLOSING if slm.closing is None else slm.closing
    few, middle, many = LATE if config.slm.prefill_ahead else WHOLE
    return closing + MARK + few, closing + MARK + middle, closing + MARK + many


def first_clauses(
    token: float, writing: float, tts: Speaking, config: Config
) -> tuple[tuple[int, int], ...]:
    """Tokens and characters up to where the first clause of each built-in reply is cut.

    A token takes `token` seconds while nothing is heard, and `writing` beside the voice.
    """
    lengths = sorted(tts.first)
    beginning = max(0.0, first_sound(tts, lengths[-1]) - ASIDE) / lengths[-1]
    words = config.tts.first_clause_words
    return _cut(
        round(token, 4), round(writing, 4), round(beginning, 5), round(tts.saying, 4), words
    )


@lru_cache
def _cut(
    token: float, writing: float, beginning: float, saying: float, words: int
) -> tuple[tuple[int, int], ...]:
    found = []
    for reply in REPLIES:
        pacing = SpeechRate()
        pieces = _PIECES.findall(reply)
        # As after some turns: the rates of this machine, and not those to begin with.
        pacing.wrote(len(reply), len(pieces) * writing)
        pacing.said(len(reply), ASIDE + len(reply) * beginning, BREATH + len(reply) * saying)
        found.append(_first(ClauseCutter(words, timing=CutPlan(pacing)), pieces, token))
    return tuple(found)


def _first(cutter: ClauseCutter, pieces: Sequence[str], token: float) -> tuple[int, int]:
    for number, piece in enumerate(pieces, 1):
        for clause in cutter.push(piece, number * token):
            if clause.spoken:
                return number, len(clause.spoken)
    # It is the whole reply, and its end is a token as well.
    return len(pieces) + 1, sum(len(clause.spoken) for clause in cutter.flush())


def first_sound(tts: Speaking, chars: int) -> float:
    """Seconds until a clause of so many characters is heard, on straight lines between those
    that were measured."""
    lengths = sorted(tts.first)
    costs = [tts.first[length] for length in lengths]
    if len(lengths) == 1 or chars <= lengths[0]:
        return costs[0]
    # Beyond the longest, on the last line.
    n = next((n for n, length in enumerate(lengths) if chars <= length), len(lengths) - 1)
    slope = (costs[n] - costs[n - 1]) / (lengths[n] - lengths[n - 1])
    return max(costs[0], costs[n] + slope * (chars - lengths[n]))


def _prefill(curve: Sequence[float], tokens: int) -> float:
    return sum(curve[size - 1] for size in cut(tokens, curve))


def _read(stt: Hearing) -> list[float]:
    """How long reading a question takes, ten times: as often as a glance is still under way when
    the voice stops, that is beside it."""
    often = round(10 * min(1.0, stt.alone / GLANCES))
    return [stt.alone] * (10 - often) + [stt.beside] * often


def _wait(config: Config) -> float:
    """Seconds of silence that a clear question must be followed by."""
    return (config.turn.silence_ms or limits(config.turn)[0]) / 1000
