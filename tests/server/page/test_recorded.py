"""Recorded questions to the page in Chromium, answered by real models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from edgevoice.engines.pool import EnginePool
from edgevoice.server.serving import Options, Server
from edgevoice.server.shared import offers, sharing
from edgevoice.settings import Config
from tests.server.page.conftest import Opened, invitation

# Long, because the smallest recognizer now and then takes the question for no words.
pytestmark = [pytest.mark.long, pytest.mark.devices, pytest.mark.models, pytest.mark.slow]

SMALL = "smollm2-135m", "whisper-tiny.en"

AT_ONCE = 0.3
"""Seconds of sound that may be played after it was dropped."""


@pytest.fixture(scope="module")
def assistant(
    starter_models: dict[str, Path],
    model_path: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """A server with real models."""
    for name in SMALL:
        model_path(name)
    config = Config()
    config = replace(
        config,
        # The smallest: what is tested is how sound and words come and go.
        models=replace(config.models, slm=SMALL[0], stt=SMALL[1]),
        slm=replace(config.slm, examples=False),
    )
    pool = EnginePool(hold=True)
    options = Options(tmp_path_factory.mktemp("serve"), 0)
    server = Server(options, config, sharing(pool), offers)
    server.start()
    yield server
    server.stop()
    pool.close()


def test_a_recorded_question_interrupts_a_reply(
    assistant: Server, opened: Opened, shared: Path
) -> None:
    """Somebody who speaks during a reply is heard: the rest of it is dropped at once, and the new
    question is answered."""
    page = opened(invitation(assistant))
    page.listening()
    page.ask("Tell me a long story about the sea.")
    started = page.noted("started")
    page.say(shared / "speech" / "gcp-brooklyn.wav")
    dropped = page.noted("replace", started["at"], count=0)
    silent = page.noted("replaced", dropped["at"])
    assert silent["time"] - dropped["time"] < AT_ONCE
    ended = page.noted("turn", started["at"], interrupted=True)
    page.noted("turn", ended["at"], answered=True)
    page.shows(".assistant .interrupted")
    assert "bridge" in page.captions[2].lower()  # a small model hears "brochlin"
    assert page.captions[3]
