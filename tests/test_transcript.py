"""The transcript, and the summary at the end."""

from __future__ import annotations

from pathlib import Path

from edgevoice import events as ev
from edgevoice.timings import Timings
from edgevoice.transcript import markdown, summary
from tests.sessions import conversation, failed


def test_a_transcript_says_what_was_heard() -> None:
    """Answered turns have their number and response time; failures their fix; nothing is lost when
    a new conversation begins."""
    session = failed().at(30.0).add(ev.ConversationCleared())
    assert "".join(markdown(session.events)).splitlines() == [
        "# Conversation of 2025-01-01 12:00",
        "",
        "## Turn 1 · 870 ms",
        "",
        "**You:** Tell me about the moon.",
        "",
        "**edgevoice:** The moon goes around the earth, and always *(interrupted)*",
        "",
        "> no words recognized: a cough",
        "",
        "**You:** How far away is it?",
        "",
        "*(no reply: the context is full)*",
        "",
        "> agent: the context is full Fix: --set slm.context=8192",
        "",
        "> new conversation",
    ]


def test_the_summary_counts_answered_turns() -> None:
    """The turn that is being answered counts; each file is named once, with its whole path."""
    timings = Timings()
    assert summary(timings, []) == ["no turns"]
    for event in conversation().events:
        timings.add(event)
    file = Path("trace.jsonl")
    assert summary(timings, [file, file]) == [
        "3 turns, median response time 1025 ms",
        f"written: {file.absolute()}",
    ]
