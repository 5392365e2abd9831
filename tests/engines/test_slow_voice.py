"""A voice that cannot keep up with itself is reported before the conversation."""

from __future__ import annotations

import pytest

from edgevoice import events as ev
from edgevoice.build import build
from edgevoice.bus import Bus
from edgevoice.clock import SystemClock
from edgevoice.context import AudioIO, SessionContext
from edgevoice.open_devices import clips_source, quiet_sink
from edgevoice.settings import Config, Models, SlmSettings


def notices(config: Config) -> list[str]:
    """What is said while a session without any sound starts and ends."""
    clock = SystemClock()
    bus = Bus(clock)
    said: list[str] = []
    ready: list[ev.Ready] = []

    def note(event: ev.Event) -> None:
        if isinstance(event, ev.Notice) and not ready:
            said.append(event.text)
        if isinstance(event, ev.Ready):
            ready.append(event)

    bus.subscribe(note)
    source = clips_source(clock, iter(()), "nothing")
    audio = AudioIO(source, quiet_sink(clock, "nobody"))
    build(SessionContext(config, clock, bus), audio).run()
    return said


@pytest.mark.models
def test_a_slow_voice_is_reported_with_another_to_choose(parrot: None) -> None:
    """It takes longer for a word than the word lasts; the notice comes before Ready."""
    models = Models(slm="smollm2-135m", tts="polly")
    slm = SlmSettings(examples=False)
    slow = Config(models=models, slm=slm, engines={"parrot": {"work": 0.1}})
    assert [text for text in notices(slow) if "polly" in text and "--tts en_US-joe-medium" in text]
    quick = Config(models=models, slm=slm)
    assert not [text for text in notices(quick) if "polly" in text]
