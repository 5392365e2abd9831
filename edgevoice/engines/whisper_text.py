"""What a transcript's own text says of it: segments between timestamps, and repetitions."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence

import numpy as np

from edgevoice.protocols import Segment, Transcript
from edgevoice.words import plain, words

MAX_COMPRESSION = 2.4
MAX_CHARACTERS_PER_SECOND = 60
"""More than any speaker reaches; fast speech has 35."""
TIMESTAMP = 0.02
"""Seconds from one timestamp token to the next."""


def segments(
    ids: Sequence[int], first_time: int, decode: Callable[[list[int]], str], seconds: float
) -> tuple[list[Segment], bool]:
    """The texts between timestamps, in seconds of the clip, and whether text came after its end.

    `first_time` is the token of timestamp 0, and `decode` makes text of the others.
    """
    found: list[Segment] = []
    start, tokens = 0.0, list[int]()
    for token in [*ids, first_time + round(seconds / TIMESTAMP)]:
        if token < first_time:
            tokens.append(token)
            continue
        time = min((token - first_time) * TIMESTAMP, seconds)
        text = decode(tokens).strip()
        if found and len(text) > MAX_CHARACTERS_PER_SECOND * (seconds - start):
            # In the silence after the clip the decoder repeats the text.
            return found, True
        if text:
            # Rounded down, so that no segment ends after its clip.
            found.append(Segment(text, _hundredths(start), _hundredths(max(start, time))))
        start, tokens = time, []
    return found, False


def _hundredths(seconds: float) -> float:
    return math.floor(seconds * 100 + 1e-6) / 100


def compression(text: str) -> float:
    """How many times smaller the text is when compressed."""
    data = text.encode("utf-8")
    return len(data) / len(zlib.compress(data)) if data else 1.0


def repeats(transcript: Transcript) -> bool:
    """Whether the text repeats itself."""
    return transcript.compression > MAX_COMPRESSION or repeats_after(words(transcript.text)) > 0


def joined(parts: Sequence[tuple[Transcript, float]]) -> Transcript:
    """One transcript from those of a clip's parts, each with its start in seconds."""
    spoken = [part for part, _ in parts if part.text] or [parts[0][0]]
    return Transcript(
        " ".join(part.text for part in spoken),
        parts[0][0].language,
        min(part.no_speech for part in spoken),
        float(np.mean([part.logprob for part in spoken])),
        max(part.compression for part in spoken),
        tuple(
            Segment(s.text, s.start + offset, s.end + offset)
            for part, offset in parts
            for s in part.segments
        ),
        all(part.sure for part in spoken),
        certainty=parts[0][0].certainty,
    )


def said_once(transcript: Transcript) -> Transcript:
    """The transcript without a repetition of the whole text."""
    said = transcript.text.split()
    period = repeats_after([plain(word) for word in said])
    if not period:
        return transcript
    text = " ".join(said[:period])
    return Transcript(
        text,
        transcript.language,
        transcript.no_speech,
        transcript.logprob,
        compression(text),
        (Segment(text, 0.0, transcript.segments[-1].end),) if transcript.segments else (),
    )


def repeats_after(words: list[str]) -> int:
    """The number of words after which a text repeats itself; 0 if it does not.

    One word in five may differ, and the last repetition may be incomplete.
    """
    for period in range(1, len(words)):
        again = len(words) - period
        same = sum(words[i] == words[i + period] for i in range(again))
        if again >= min(3, period) and same >= 0.8 * again:
            return period
    return 0
