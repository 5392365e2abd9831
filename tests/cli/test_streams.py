"""Standard streams of services, cron and redirects: no encoding loses a line."""

from __future__ import annotations

import io
import os

import pytest

from edgevoice.cli import echo
from edgevoice.cli.streams import prepare_streams
from edgevoice.plain import LineWriter, PlainPrinter
from tests.command import edgevoice_process
from tests.sessions import conversation


def prepared(encoding: str, monkeypatch: pytest.MonkeyPatch) -> io.TextIOWrapper:
    """Standard output and error of the program, in `encoding`."""
    both = io.TextIOWrapper(io.BytesIO(), encoding, write_through=True)
    monkeypatch.setattr("sys.stdout", both)
    monkeypatch.setattr("sys.stderr", both)
    prepare_streams()
    return both


def written(stream: io.TextIOWrapper) -> str:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode(stream.encoding)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_conversation_is_whole_in_every_encoding(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each plain line is written, even with characters that the stream cannot encode."""
    stream = prepared(encoding, monkeypatch)
    lines: list[str] = []
    with LineWriter(stream) as write:
        for each in (lines.append, write):
            printer = PlainPrinter(each, waterfall=True)
            for event in conversation().events:
                printer(event)
    assert write.failure is None
    assert len(written(stream).splitlines()) == len(lines)


@pytest.mark.parametrize(
    ("encoding", "text", "shown"),
    [
        ("ascii", "loading …", "loading ..."),
        ("ascii", "✓ 5 × 3 → “no”", '+ 5 x 3 -> "no"'),
        ("ascii", "Café, naïve, Ärger", "Cafe, naive, Arger"),
        ("ascii", "你好 👋", "?? ?"),
        ("latin-1", "Café ✓", "Café +"),
        ("utf-8", "Café ✓ 你好", "Café ✓ 你好"),
        ("utf-8", "b\udce4d.wav", "b\ufffdd.wav"),
        ("ascii", "b\udce4d.wav", "b?d.wav"),
    ],
)
def test_a_character_that_cannot_be_encoded_is_replaced(
    encoding: str, text: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sign becomes a similar one, a letter loses its accent, the rest is a question mark."""
    stream = prepared(encoding, monkeypatch)
    echo(text)
    assert written(stream) == f"{shown}\n"


@pytest.mark.parametrize("words", [("models", "list"), ("config", "show"), ("--help",)])
def test_commands_work_where_output_is_ascii(words: tuple[str, ...]) -> None:
    """A command on an ASCII stream prints its result and exits with 0."""
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = edgevoice_process(*words, env=ascii_only)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert done.stderr == ""
