"""Recordings that are a conversation: turns that `edgevoice run --record-turns` has kept.

Each is asked after what had really been said before it. So every model is asked the same thing, a
question that goes back to an earlier answer makes sense, and a turn that is missing or left out
costs no other one its meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgevoice.bench.corpus.corpus import CorpusRow, Notice
from edgevoice.errors import EdgevoiceError
from edgevoice.recordings.folder import TURN_FILE
from edgevoice.recordings.recorded_turn import RecordedTurn, read


def with_history(rows: Sequence[CorpusRow], notice: Notice) -> tuple[list[CorpusRow], list[str]]:
    """The recordings, those of kept turns with what is known of them.

    Beside them the names of kept turns that cannot be used, each told to `notice`.
    """
    found: list[CorpusRow] = []
    left_out: list[str] = []
    for row in rows:
        file = row.file.with_suffix(".json")
        if not file.is_file():
            found.append(row)
            continue
        try:
            kept = read(file)
        except EdgevoiceError as error:
            if not TURN_FILE.fullmatch(row.file.name):
                # Somebody else's notes on a recording.
                found.append(row)
                continue
            notice(f"{error.what} ({file}): left out")
            left_out.append(row.file.name)
            continue
        if kept.heard or row.said:
            found.append(known(row, kept))
        else:
            notice(f"no words were heard in {row.file} when it was kept: left out")
            left_out.append(row.file.name)
    return found, left_out


def known(row: CorpusRow, kept: RecordedTurn) -> CorpusRow:
    """A recording, with what is known of its turn; what a manifest says of it comes first."""
    return replace(
        row,
        said=row.said or kept.heard,
        reference=row.reference if row.said else "pseudo",
        kind=row.kind or "kept",
        speech_end=kept.speech_end if row.speech_end is None else row.speech_end,
        reply=kept.reply,
        history=kept.past,
    )
