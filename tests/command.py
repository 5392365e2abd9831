"""edgevoice as a user runs it, and what every failure must look like."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from edgevoice.cli import run_command
from edgevoice.engines.registry import load as _load
from edgevoice.models.store import Installed
from edgevoice.settings import Config, SttSettings
from tests.conftest import ROOT
from tests.processes import PATIENCE

LIMITED = str(Path(__file__).with_name("limited.py"))

Done = subprocess.CompletedProcess[str]

SMALL = ("--set", "models.slm=qwen2.5-coder-0.5b")
"""Options for a language model that answers rightly."""
QUICK = (
    *("--set", "models.slm=smollm2-135m", "--set", "models.stt=whisper-tiny.en"),
    *("--set", "slm.max_tokens=16"),
)
"""Options for models that start quickly, where any answer will do."""


def edgevoice(*words: str | Path, stdin: str = "", env: Mapping[str, str] | None = None) -> Done:
    """Run a command line in this process, as the program runs it in its own; in the environment
    `env`, if one is given."""
    with mock.patch.dict(os.environ, env or {}, clear=env is not None):
        done = piped(*words, stdin=stdin.encode())
    return Done(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


_recognizers: dict[tuple[Path, SttSettings], Any] = {}


def _engine(model: Installed, config: Config, variant: str = "") -> Any:
    """As registry.load; one recognizer serves all command lines, as it keeps nothing of a file."""
    if model.entry.role != "stt" or variant:
        return _load(model, config, variant)
    wanted = model.path, config.stt
    if wanted not in _recognizers:
        _recognizers[wanted] = _load(model, config)
    return _recognizers[wanted]


def piped(*words: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The same with bytes on its standard streams, which are no terminal."""
    given = [str(word) for word in words]
    out, err = io.BytesIO(), io.BytesIO()
    with (
        mock.patch("edgevoice.engines.registry.load", _engine),
        mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8")),
        contextlib.redirect_stdout(io.TextIOWrapper(out, "utf-8", write_through=True)),
        contextlib.redirect_stderr(io.TextIOWrapper(err, "utf-8", write_through=True)),
    ):
        code = run_command(given)
        made = out.getvalue(), err.getvalue()
    return subprocess.CompletedProcess(given, code, *made)


def edgevoice_process(
    *words: str | Path,
    stdin: str = "",
    env: dict[str, str] | None = None,
    limits: tuple[str, ...] = (),
    patience: float = PATIENCE,
) -> Done:
    """Run it to its end in a process of its own, where that is what is tested; `limits` are the
    words that limited.py takes before the command."""
    before = [sys.executable, LIMITED, *limits] if limits else []
    command = [*before, sys.executable, "-m", "edgevoice", *map(str, words)]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=patience, env=env, check=False
    )


def said(text: str, wav: Path) -> Path:
    """`text` as a sound file, said alike in every run."""
    done = edgevoice("--set", "tts.variation=0", "say", text, "-o", wav)
    assert done.returncode == 0, done.stderr
    return wav


def message(done: Done, code: int = 1) -> str:
    """The one message of a failure: exit code, one `edgevoice:` line, a remedy, no traceback."""
    lines = done.stderr.splitlines()
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    assert [line for line in lines if line.startswith("edgevoice: ")] == lines[:1], done.stderr
    assert lines[1].startswith("  fix: "), done.stderr
    return done.stderr


class Talk:
    """A running `edgevoice run --plain`, whose lines can be waited for."""

    def __init__(
        self, env: dict[str, str] | None, *arguments: str | Path, models: tuple[str, ...]
    ) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "edgevoice", *models),
                *("run", "--plain", *map(str, arguments)),
            ],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._arrived = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._arrived:
                self.lines.append(line.rstrip())
                self._arrived.notify_all()

    def end(self) -> int:
        """Wait for its end and return its exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def expect(self, start: str, count: int = 1) -> str:
        """The `count`th line beginning with `start`, once it is there."""

        def found() -> list[str]:
            return [line for line in self.lines if line.startswith(start)]

        with self._arrived:
            there = self._arrived.wait_for(
                lambda: len(found()) >= count or self.process.poll() is not None, PATIENCE
            )
            assert there, (start, self.lines)
            assert len(found()) >= count, (start, self.lines)
            return found()[count - 1]


@contextmanager
def talking(
    env: dict[str, str] | None, *arguments: str | Path, models: tuple[str, ...] = SMALL
) -> Iterator[Talk]:
    """A conversation that ends with the block, and does not outlive it."""
    talk = Talk(env, *arguments, models=models)
    try:
        yield talk
    finally:
        talk.process.terminate()
        try:
            talk.end()
        finally:
            talk.process.kill()
