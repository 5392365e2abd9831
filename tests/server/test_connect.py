"""`edgevoice run --connect`: the models of another machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.clock import SystemClock
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.errors import SessionError, UsageError
from edgevoice.open_devices import clips_source
from edgevoice.player import Player
from edgevoice.server.known_servers import KnownServers, place
from edgevoice.server.protocol import REPLY_RATE
from edgevoice.server.remote_session import Here, RemoteSession, Wishes
from edgevoice.testing.scripted import Phrasebook
from tests.server.hosting import scripted, serving


def test_a_question_is_answered_by_another_machine(tmp_path: Path) -> None:
    """A recorded question goes to the server; the reply is played here, and all events come."""
    book = Phrasebook()
    with serving(tmp_path, scripted(book, "Paris is the capital."), lan=True) as server:
        clock = SystemClock()
        bus = Bus(clock)
        events: list[ev.Event] = []
        bus.subscribe(events.append)
        assert server.authority is not None
        ca = server.authority.fingerprint.replace(":", "")[:32]
        where = place(f"https://127.0.0.1:{server.ports[1]}/#code={server.code.code}&ca={ca}")
        known = KnownServers(tmp_path / "servers.json").pair(where, lambda fingerprint: False)
        sink = SimulatedSink(clock, REPLY_RATE, "speaker")
        clips = iter([book.speech("what is the capital", 1.2)])
        here = Here(clips_source(clock, clips, "files"), sink, Player(clock, sink))
        session = RemoteSession(clock, bus, where, known, here, Wishes())
        session.run()
    (done,) = (e for e in events if isinstance(e, ev.TurnCompleted))
    assert done.heard == "Paris is the capital."
    assert {type(e) for e in events} >= {ev.Ready, ev.FinalTranscript, ev.PlaybackStarted}
    assert isinstance(events[-1], ev.SessionEnded)
    assert "Paris is the capital." in session.transcript()


def test_a_false_certificate_is_not_trusted(tmp_path: Path) -> None:
    """The fingerprint in the address must be that of the certificate; without one it is asked."""
    with serving(tmp_path, lan=True) as server:
        base = f"https://127.0.0.1:{server.ports[1]}/#code={server.code.code}"
        asked: list[str] = []
        servers = KnownServers(tmp_path / "servers.json")
        with pytest.raises(SessionError, match="certificate is not the one"):
            servers.pair(place(base + "&ca=" + "0" * 32), lambda fingerprint: True)
        with pytest.raises(SessionError, match="certificate is not the one"):
            servers.pair(place(base), lambda fingerprint: bool(asked.append(fingerprint)))
        assert server.authority is not None
        assert asked == [server.authority.fingerprint]
        assert servers.pair(place(base), lambda fingerprint: True).token
        assert oct((tmp_path / "servers.json").stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("192.168.1.5", "https://192.168.1.5:8441"),
        ("desk.local:9441", "https://desk.local:9441"),
        ("localhost", "http://localhost:8440"),
        ("[fd00::2]", "https://[fd00::2]:8441"),
        ("https://192.168.1.5:8441/#code=AB", "https://192.168.1.5:8441"),
    ],
)
def test_a_server_is_named_by_host_or_address(given: str, base: str) -> None:
    """HOST alone means the usual port, and TLS unless it is this machine."""
    assert place(given).base == base


@pytest.mark.parametrize("given", ["", "ftp://x", "http://192.168.1.5", "a:b:c", "https://:9"])
def test_what_is_no_server_is_refused(given: str) -> None:
    """Another machine is not reached without TLS."""
    with pytest.raises(UsageError):
        place(given)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error says how to start it."""
    with pytest.raises(SessionError) as caught:
        KnownServers(tmp_path / "s.json").pair(place("http://127.0.0.1:9/#code=A"), lambda f: True)
    assert "edgevoice serve --lan" in caught.value.remedy
