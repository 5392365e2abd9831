"""A speaker gets the shortest buffer that it has played with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgevoice import events as ev
from edgevoice.devices import device_slot, output_latency
from edgevoice.places import user_folder
from edgevoice.protocols import Position
from tests.plugs import Mouth, Plugged


class Stuttering(Mouth):
    """Plays a gap once it is given sound."""

    def position(self) -> Position:
        return replace(super().position(), underruns=int(len(self.given) > 0))


def test_a_speaker_that_stutters_gets_a_longer_buffer() -> None:
    """Each gap lengthens the buffer of that speaker alone, up to a limit."""
    first = output_latency.of("old")
    assert output_latency.lengthen("old")
    assert output_latency.of("old") > first == output_latency.of("new")
    while output_latency.lengthen("old"):
        pass
    assert output_latency.of("old") == output_latency.LONGEST


def test_a_damaged_file_is_replaced() -> None:
    """Without what was remembered, every speaker begins with the shortest buffer."""
    path = user_folder("cache") / "speakers.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b'{"damaged": ')
    assert output_latency.of("damaged") == output_latency.SHORTEST
    assert output_latency.lengthen("damaged")
    assert output_latency.of("damaged") > output_latency.SHORTEST


def test_it_is_opened_again_after_the_reply() -> None:
    """A longer buffer takes effect while nobody speaks, and nothing of the reply is lost."""
    lengthened: list[str] = []
    show = Plugged("All right, my friend.")
    show.speaker.lengthen = lambda name: not lengthened.append(name)
    show.open_mouth = lambda desk, wanted: (Mouth if lengthened else Stuttering)(desk, wanted)
    show.speech(0.5, "go on", 1.0)
    show.hold(12.0)
    [turn] = show.all(ev.TurnCompleted)
    assert not turn.interrupted
    assert lengthened == [show.speaker.name]
    assert len(show.mouths) == 2
    assert not show.told


def test_a_longer_buffer_is_remembered_under_the_name_that_the_speaker_is_opened_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next start looks it up by that name; the screen shows another one."""
    monkeypatch.setattr(device_slot, "shown_name", lambda kind, name: f"the {name}")
    lengthened: list[str] = []
    show = Plugged("All right, my friend.")
    show.speaker.lengthen = lambda name: not lengthened.append(name)
    show.open_mouth = lambda desk, wanted: (Mouth if lengthened else Stuttering)(desk, wanted)
    show.speech(0.5, "go on", 1.0)
    show.hold(12.0)
    [name] = lengthened
    assert show.speaker.name == f"the {name}"
