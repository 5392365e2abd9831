"""Text from outside: its encoding, its marks, and file names that are no text."""

from __future__ import annotations

import codecs
import json
import os
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgevoice import files, trace
from edgevoice.encoding import decoded, json_bytes, well_formed
from edgevoice.events import DeviceRestored
from edgevoice.wav import WavWriter, read_speech
from tests.command import edgevoice, message, piped
from tests.hostile import COMMANDS

SAID = "Hello, Ärger 你好 👋\n"
BROKEN = os.fsdecode(b"b\xe4d.wav")

bytes_as_names = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="file names are always text here"
)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_text_is_read_in_the_encoding_that_its_mark_names(
    mark: bytes, encoding: str, size: int
) -> None:
    """The mark is no part of the text, and pieces may end anywhere."""
    data = mark + SAID.encode(encoding)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert "".join(decoded(pieces)) == SAID


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"a\0b", "ab"),
        (b"\0\0", ""),
        (b"caf\xe4 there", "caf\ufffd there"),
        (b"cut \xe4\xbd", "cut \ufffd"),
        (b"\xff", "\ufffd"),
        (b"\xef\xbb", "\ufffd"),
        ("Hi".encode("utf-16-le"), "Hi"),
    ],
)
def test_what_is_no_text_is_dropped_or_replaced(data: bytes, text: str) -> None:
    """NUL goes, wrong bytes are replaced, and what is text around them stays."""
    assert "".join(decoded([data])) == text


def test_text_comes_as_it_is_sent() -> None:
    """A piece that surely is no byte order mark is not held back."""
    pieces = decoded(iter([b"a", b"b"]))
    assert next(pieces) == "a"


def test_questions_may_begin_with_a_mark(tmp_path: Path) -> None:
    """An empty UTF-16 file is told to hold no questions, not to be something else than text."""
    path = tmp_path / "questions.txt"
    path.write_text("\n", "utf-16")
    assert "no questions" in message(edgevoice("demo", "--plain", "--questions", path), 2)


@pytest.mark.parametrize("data", [b"\0", b"\xef\xbb\xbf\n", "\n".encode("utf-16")])
@pytest.mark.parametrize("command", ["say", "ask"])
def test_a_pipe_without_text_is_empty_whatever_its_encoding(command: str, data: bytes) -> None:
    """NUL and byte order marks are no text to be spoken or asked."""
    done = piped(command, stdin=data)
    assert done.returncode == 2
    assert b"the text is empty" in done.stderr


@bytes_as_names
@pytest.mark.parametrize(
    "words",
    [
        ("run", "--plain", "--input", BROKEN),
        ("models", "add", BROKEN),
        ("models", "add", f"{BROKEN}.gguf"),
        ("models", "path", BROKEN),
        ("replay", BROKEN),
        ("bench", "trace", BROKEN),
        ("bench", "report", BROKEN),
        ("bench", "compare", BROKEN, BROKEN),
        ("--config", BROKEN, "config", "show"),
        ("--set", f"{BROKEN}=1", "config", "show"),
        ("--set", f"turn.patience={BROKEN}", "config", "show"),
        ("say", "hi", "--tts", BROKEN, "-o", "-"),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_a_name_that_is_no_text_is_told_as_any_other(
    words: tuple[str, ...], there: bool, elsewhere: Path
) -> None:
    """A wrong file is named so that it can be printed, and is never an unexpected error."""
    if there:
        (elsewhere / BROKEN).write_bytes(b"junk")
        (elsewhere / f"{BROKEN}.gguf").write_bytes(b"junk")
    done = edgevoice(*words)
    assert done.returncode in (1, 2), done
    assert "b\ufffdd.wav" in done.stderr
    assert "Traceback" not in done.stderr
    assert not COMMANDS.search(done.stderr)


@bytes_as_names
@pytest.mark.models
def test_a_name_that_is_no_text_costs_no_other_file(elsewhere: Path) -> None:
    """`transcribe` names the bad file, writes down the good ones, and exits with 1."""
    (elsewhere / BROKEN).write_bytes(b"junk")
    good = os.fsdecode(b"g\xf6\xf6d.wav")
    with WavWriter(good, 16_000) as file:
        file.write(np.zeros(16_000, dtype=np.float32))
    done = edgevoice("transcribe", "--json", BROKEN, good)
    assert done.returncode == 1
    assert "not a readable sound file" in done.stderr
    assert "b\ufffdd.wav" in done.stderr
    assert json.loads(done.stdout)["file"] == "g\ufffd\ufffdd.wav"


def test_a_page_or_a_table_holds_such_a_name_replaced(tmp_path: Path) -> None:
    """What a command writes for its user is UTF-8, whatever a file in it is called."""
    files.deliver(tmp_path / "page.html", ["<p>", BROKEN], "the page", "--html FILE")
    assert (tmp_path / "page.html").read_text("utf-8") == "<p>b\ufffdd.wav"


@bytes_as_names
def test_sound_is_read_from_and_written_to_such_a_name(tmp_path: Path) -> None:
    """The bytes of the name reach the system as they are."""
    path = tmp_path / BROKEN
    with WavWriter(path, 16_000) as file:
        file.write(np.full(1600, 0.5, dtype=np.float32))
    assert b"b\xe4d.wav" in os.listdir(os.fsencode(tmp_path))
    assert len(read_speech(path)) == 1600


def test_json_holds_such_a_name_replaced(tmp_path: Path) -> None:
    """A trace, a result or a record with such a name in it is JSON that anything reads."""
    path = tmp_path / "trace.jsonl"
    file = trace.TraceFile(path)
    file(DeviceRestored(kind="input", name=BROKEN))
    file.close()
    (found,) = trace.read(path)
    assert isinstance(found, DeviceRestored)
    assert found.name == "b\ufffdd.wav"

    class Record(msgspec.Struct):
        names: tuple[str, ...]
        raw: msgspec.Raw

    told = json_bytes({BROKEN: Record((BROKEN,), msgspec.Raw(b"[1]"))})
    assert json.loads(told) == {"b\ufffdd.wav": {"names": ["b\ufffdd.wav"], "raw": [1]}}
    assert well_formed("plain ✓") == "plain ✓"
