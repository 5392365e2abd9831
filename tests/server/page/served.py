"""The server with scripted engines: it needs no models, and every tone that it hears is a question.

`python -m tests.server.page.served` serves it, to try the page in a browser.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import uvicorn
from msgspec.structs import replace

from edgevoice.agent.language_model_agent import LanguageModelAgent
from edgevoice.assistant import Assistant
from edgevoice.audio import Audio, Mark, Samples
from edgevoice.context import AudioIO, Engines, Resume, SessionContext
from edgevoice.protocols import Cancelled, Effort, Transcript
from edgevoice.server.conversation import Build, Offers, Voice
from edgevoice.server.devices import Devices, PairingCode
from edgevoice.server.lobby import Lobby
from edgevoice.server.web import Site
from edgevoice.settings import Config
from edgevoice.synthesis.alignment import word_spans
from edgevoice.testing.scripted import LoudnessDetector, ScriptedLanguageModel

QUESTION = "What is the capital of Italy?"
"""What is recognized in every sound."""

ANSWER = (
    "Rome is the capital of Italy. It lies on the river Tiber, in the middle of the country. "
    "People have lived there for almost three thousand years, and it has long been called the "
    "eternal city. Would you like to hear more about it?"
)

CONFIG = Config()
SCRIPTED = replace(
    CONFIG,
    slm=replace(CONFIG.slm, system_prompt="Answer.", examples=False),
    echo=replace(CONFIG.echo, cancel="off"),
)


@dataclass
class OneQuestion:
    """Recognizes the same question in every sound."""

    def transcribe(
        self,
        samples: Samples,
        effort: Effort = "final",
        languages: Mapping[str, float] | None = None,
    ) -> Transcript:
        return Transcript(QUESTION, logprob=-0.1)


@dataclass
class Humming:
    """Says each word as a hum of its own pitch."""

    rate: int = 16_000
    second_per_char: float = 0.05

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        a_char = self.second_per_char * self.rate
        sound = np.zeros(int(len(text) * a_char), dtype=np.float32)
        marks = []
        for begin, end in word_spans(text):
            first, last = int(begin * a_char), int(end * a_char)
            time = np.arange(last - first) / self.rate
            pitch = 160 + 20 * (sum(map(ord, text[begin:end])) % 8)
            sound[first:last] = 0.3 * np.sin(2 * np.pi * pitch * time)
            marks.append(Mark(begin, end, first, last))
        yield Audio(sound, self.rate).marked(marks)


def build(context: SessionContext, io: AudioIO, resume: Resume) -> Assistant:
    """The assistant of a client."""
    slm = ScriptedLanguageModel(context.clock, lambda _: ANSWER, token=0.02, prefill=0.0)
    return Assistant(
        context,
        io,
        Engines(
            LoudnessDetector,
            OneQuestion,
            lambda: LanguageModelAgent(slm, context.config),
            {"en": Humming},
            lambda: None,
            lambda: None,
            "",
            faint_detector=lambda: None,
        ),
        resume,
    )


def offers(config: Config) -> Offers:
    """What there is to choose."""
    voices = [Voice("hum", "Hum", "en"), Voice("brumm", "Brumm", "de")]
    return Offers(["en", "de"], voices, config.models.tts or "hum")


@dataclass
class Served:
    """A running server."""

    address: str
    code: PairingCode
    devices: Devices


@contextlib.contextmanager
def served(folder: Path, build: Build = build, config: Config = SCRIPTED) -> Iterator[Served]:
    """Serve on a free port of this machine; paired devices are kept in `folder`."""
    devices, code = Devices(folder / "devices.json"), PairingCode()
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"

    async def serve() -> None:
        lobby = Lobby(config, build, offers, devices, capacity=2)
        site = Site(lobby, devices, code, lambda c: f"{address}#code={c}", lambda _: None, True, port)
        server = uvicorn.Server(uvicorn.Config(site.app, log_level="error", ws="websockets-sansio"))
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        task = asyncio.create_task(server.serve([listening]))
        started.set()
        while not done.is_set() and not task.done():
            lobby.step()
            await asyncio.sleep(0.1)
        lobby.close()
        server.should_exit = True
        await task
        while lobby.sessions:
            lobby.step()
            await asyncio.sleep(0.02)

    started, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    try:
        yield Served(address, code, devices)
    finally:
        done.set()
        thread.join()


def main() -> None:
    """Serve until Enter is pressed."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as server:
        input(f"{server.address}#code={server.code.code}  (Enter ends) ")


if __name__ == "__main__":
    main()
