"""The Python quick start of the README."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edgevoice import AnsweredTurn, open_assistant
from edgevoice.engines.piper import Piper
from edgevoice.errors import NoDeviceError
from edgevoice.events import EngineReady
from edgevoice.open_devices import Devices
from edgevoice.player import Player
from edgevoice.protocols import (
    Agent,
    AgentOutput,
    Cancelled,
    ChatMessage,
    Committed,
    Token,
)
from edgevoice.settings import Config, Models, SlmSettings

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def quick_start() -> str:
    """The README's Python example."""
    blocks: list[str] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 1
    return blocks[0]


def no_speaker(self: Devices, config: object) -> Player:
    raise NoDeviceError("this test plays nothing")


@pytest.mark.models
@pytest.mark.slow
def test_the_quick_start_holds_a_conversation(
    steady_voice: Piper,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It prints the transcript, a reply and the response time of a question from a sound file."""
    pieces = [p.samples for p in steady_voice.synthesize("What is two plus two?", lambda: False)]
    file = tmp_path / "question.wav"
    soundfile.write(file, np.concatenate(pieces), steady_voice.rate)
    monkeypatch.setattr(Devices, "sink", no_speaker)
    monkeypatch.setattr(sys, "argv", ["quick_start.py", str(file)])
    # With an empty cache the example replies would be evaluated for seconds.
    quick = Config(models=Models(slm="qwen2.5-coder-0.5b"), slm=SlmSettings(examples=False))
    monkeypatch.setattr("edgevoice.Config", lambda: quick)

    exec(compile(quick_start(), "README.md", "exec"), {})

    printed = capsys.readouterr().out
    assert re.search(r"^you: .*\b(two|2)\b", printed, re.MULTILINE)
    assert re.search(r"^edgevoice: .*\w", printed, re.MULTILINE)
    assert re.search(r"^response time: \d+\.\d\d s$", printed, re.MULTILINE)


@pytest.mark.models
@pytest.mark.slow
def test_an_agent_of_ones_own_answers_through_the_python_interface(
    steady_voice: Piper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets the recognized question, and no language model is loaded."""

    class Parrot(Agent):
        def respond(
            self, conversation: Sequence[ChatMessage], cancelled: Cancelled, committed: Committed
        ) -> Iterator[AgentOutput]:
            yield Token(f"You said: {conversation[-1].text}")

    pieces = [p.samples for p in steady_voice.synthesize("What is two plus two?", lambda: False)]
    file = tmp_path / "question.wav"
    soundfile.write(file, np.concatenate(pieces), steady_voice.rate)
    monkeypatch.setattr(Devices, "sink", no_speaker)
    turns: list[AnsweredTurn] = []
    assistant = open_assistant(files=[file], on_turn=turns.append, agent=Parrot())
    loaded: list[str] = []
    assistant.bus.subscribe(
        lambda event: loaded.append(event.role) if isinstance(event, EngineReady) else None
    )
    assistant.run()
    (turn,) = turns
    assert turn.reply == f"You said: {turn.question}"
    assert sorted(set(loaded) - {"turn"}) == ["stt", "tts", "vad"]


def test_the_quick_start_is_short() -> None:
    """It fits into fifteen lines."""
    assert len(quick_start().splitlines()) <= 15


def test_importing_the_package_loads_nothing_heavy() -> None:
    """The public names are imported on first use."""
    code = "import sys, edgevoice; assert {'Config', 'Assistant'} <= set(edgevoice.__all__); "
    code += "sys.exit(bool({'numpy', 'msgspec', 'onnxruntime'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
