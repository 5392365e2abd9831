"""The reference model comes in the background of a conversation, which opens no socket itself."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from edgevoice.engines.cpu_budget import cores
from edgevoice.fit.starter import Speed, keep
from edgevoice.models.machine import total_memory
from tests.conftest import ROOT
from tests.models.conftest import content
from tests.models.loopback_hub import Hub, handler
from tests.processes import PATIENCE, until
from tests.terminal import Terminal

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(os.name != "posix", reason="terminals and signals are POSIX ones"),
]

FILE = "Phi-3-mini-4k-instruct-q4.gguf"
DATA = content("reference", 3_000_000)
MODELS = ("smollm2-135m", "silero-vad", "whisper-tiny.en", "en_US-joe-medium")
SEALED = """
from tests.whole.sealed import forbid_sockets
forbid_sockets()
from edgevoice.cli import main
main()
"""


@pytest.fixture
def checkout(model_path: Callable[[str], Path], tmp_path: Path) -> Path:
    """A checkout with small models, whose catalog has a small file as the reference model."""
    (tmp_path / "edgevoice").symlink_to(ROOT / "edgevoice")
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "sealed_edgevoice.py").write_text(SEALED)
    (tmp_path / "models").mkdir()
    for name in MODELS:
        model_path(name)
        (tmp_path / "models" / name).symlink_to(ROOT / "models" / name)
    catalog = (ROOT / "models" / "catalog.toml").read_text("utf-8")
    digest = hashlib.sha256(DATA).hexdigest()
    line = f'{{ name = "{FILE}", size = {len(DATA)}, sha256 = "{digest}" }}'
    catalog = re.sub(rf'{{ name = "{re.escape(FILE)}".*}}', line, catalog)
    about, _, rest = catalog.partition('name = "smollm2-135m"')
    catalog = about + 'name = "smollm2-135m"' + rest.replace("rank = 0", "rank = 1", 1)
    (tmp_path / "models" / "catalog.toml").write_text(catalog, "utf-8")
    speed = Speed(cores.all, total_memory(), 0.01, 0.001)
    keep(Path(os.environ["XDG_CACHE_HOME"]) / "edgevoice" / "speed.json", speed)
    return tmp_path


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub on this machine that has the file."""
    made = Hub("")
    made.files = {FILE: DATA}
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(made)) as listening:
        listening.daemon_threads = True
        made.endpoint = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.drips_at = 0
        listening.shutdown()
        thread.join()


def environment(checkout: Path, hub: Hub) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(checkout), str(ROOT))),
        "HF_ENDPOINT": hub.endpoint,
        "EDGEVOICE_MODELS_TURN": "none",
    }


def talk(checkout: Path, hub: Hub, answer: str) -> Terminal:
    """A typed conversation as plain lines in a terminal, whose process may open no socket."""
    words = ("--set", f"models.reference={answer}", "run", "--quiet", "--plain")
    return Terminal(*words, env=environment(checkout, hub), cwd=checkout, module="sealed_edgevoice")


def wait_for(terminal: Terminal, text: str) -> None:
    try:
        until(lambda: text.encode() in terminal.shown or terminal.process.poll() is not None)
    except AssertionError:
        raise AssertionError(terminal.shown.decode(errors="replace")) from None
    assert text.encode() in terminal.shown, terminal.shown.decode(errors="replace")


def piped(checkout: Path, hub: Hub, *words: str) -> str:
    """The output of a command line without a terminal."""
    command = [sys.executable, "-m", "edgevoice", *words]
    return subprocess.run(
        command,
        cwd=checkout,
        env=environment(checkout, hub),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    ).stdout


def test_it_is_resumed_and_used_from_the_next_conversation_on(checkout: Path, hub: Hub) -> None:
    """The first conversation ends in the middle of a slow download, the second one completes it."""
    hub.drips_at = 1_500_000
    first = talk(checkout, hub, "yes")
    wait_for(first, "downloading phi-3-mini: 5")
    first.type("\x04")
    assert first.end() == 0
    assert b"the next conversation continues" in first.shown
    hub.drips_at = 0
    asked = len(hub.asked)
    second = talk(checkout, hub, "yes")
    wait_for(second, "phi-3-mini is downloaded: the next conversation uses it")
    second.type("\x04")
    assert second.end() == 0
    assert re.fullmatch(r"bytes=1[0-9]{6}-", hub.asked[asked][1])
    assert (checkout / "models" / "phi-3-mini" / FILE).read_bytes() == DATA
    listed = piped(checkout, hub, "models", "list", "--json")
    assert [m["name"] for m in json.loads(listed) if m["runs"] and m["role"] == "slm"] == [
        "phi-3-mini"
    ]


def test_a_hub_that_has_no_such_file_is_one_note(checkout: Path, hub: Hub) -> None:
    """The conversation goes on."""
    hub.files = {}
    terminal = talk(checkout, hub, "yes")
    wait_for(terminal, "phi-3-mini is not downloaded: no source has")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert b"edgevoice models pull phi-3-mini" in terminal.shown


@pytest.mark.parametrize(
    ("answer", "variables"),
    [
        ("ask", {}),
        ("no", {}),
        ("yes", {"HF_HUB_OFFLINE": "1"}),
        ("yes", {"EDGEVOICE_AUDIO_WAIT": "true"}),
    ],
)
def test_unasked_refused_offline_and_kiosk_starts_fetch_nothing(
    answer: str,
    variables: dict[str, str],
    checkout: Path,
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The hub is not asked for anything."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    terminal = talk(checkout, hub, answer)
    wait_for(terminal, "ready: ")
    terminal.type("\x04")
    assert terminal.end() == 0
    assert hub.asked == []


def test_a_start_without_a_terminal_fetches_nothing(checkout: Path, hub: Hub) -> None:
    """Not even where the settings say yes."""
    words = ("--set", "models.reference=yes", "run", "--quiet", "--plain")
    assert "ready: " in piped(checkout, hub, *words)
    assert hub.asked == []
