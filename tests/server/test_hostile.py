"""Bad input from the network: each gets a clear end, and none disturbs a conversation."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from edgevoice.server import connection as server_connection
from edgevoice.server import protocol, sockets
from edgevoice.server.limits import Bucket, Buckets
from edgevoice.server.serving import Server
from edgevoice.testing.scripted import Phrasebook
from tests.server.hosting import PATIENCE, Client, asked, paired, scripted, serving

HELLO = json.dumps({"type": "hello"})

MESSAGES: list[Any] = [
    {"type": "talk", "pressed": True},
    {"type": "text", "text": "hello"},
    {"type": "stop"},
    {"type": "mute", "on": True},
    {"type": "settings", "voice": "eva"},
    {"type": "new"},
    {"type": "position", "stream": 1, "taken": 5, "since": 0, "number": 0, "starved": 0, "sent": 1},
    {"type": "ping", "at": 1.5},
    {"type": "pong", "at": 1.5},
    {"type": "capture", "on": False},
]


def opened(server: Server, token: str, **more: Any) -> connect:
    """A connection without the client of the other tests."""
    return connect(
        server.local_address().replace("http", "ws") + "v1/session",
        subprotocols=[protocol.SUBPROTOCOL],  # type: ignore[list-item]
        additional_headers={"authorization": f"Bearer {token}"},
        compression=None,
        open_timeout=PATIENCE,
        ping_interval=None,
        **more,
    )


def last_word(socket: ClientConnection) -> tuple[str, int]:
    """The code of the error message, and the close code."""
    code = ""
    try:
        while True:
            data = socket.recv(timeout=PATIENCE)
            message = json.loads(data) if isinstance(data, str) else {}
            code = message["code"] if message.get("type") == "error" else code
    except ConnectionClosed as closed:
        return code, closed.rcvd.code if closed.rcvd else 1006


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["no json"], "bad_message"),
        (["{}"], "bad_message"),
        (['{"type":"talk","pressed":true}'], "bad_hello"),
        ([b"\0" * 10], "bad_hello"),
        (['{"type":"hello","version":2}'], "bad_hello"),
        ([HELLO, HELLO], "bad_message"),
        ([HELLO, '{"type":"fly"}'], "bad_message"),
        ([HELLO, '{"type":"text","text":7}'], "bad_message"),
        ([HELLO, '{"type":"text","text":"' + "x" * 5000 + '"}'], "bad_message"),
        ([HELLO, '{"type":"ping","at":1e400}'], "bad_message"),
        ([HELLO, "[" * 9000], "bad_message"),
        ([HELLO, b""], "bad_message"),
        ([HELLO, b"\0" * 9], "bad_message"),
        ([HELLO, b"\0" * 11], "bad_message"),
        ([HELLO, b"\xff" * 10], "bad_message"),
    ],
)
def test_a_malformed_message_is_answered_with_its_error(
    tmp_path: Path, messages: list[str | bytes], code: str
) -> None:
    """The connection is closed with a reason, and the server serves the next one."""
    with serving(tmp_path) as server:
        token = paired(server)
        with opened(server, token) as socket:
            for message in messages:
                socket.send(message)
            assert last_word(socket) == (code, 4000)
        with Client(server, token) as client:
            client.wait("welcome")


def test_an_oversized_message_ends_the_connection(tmp_path: Path) -> None:
    """It is not even read to its end."""
    with serving(tmp_path) as server, opened(server, paired(server)) as socket:
        socket.send(HELLO)
        socket.send(b"\0" * (1 << 20))
        assert last_word(socket)[1] == 1009


def test_too_many_messages_end_the_connection(tmp_path: Path) -> None:
    """A flood of a paired device is cut off."""
    with serving(tmp_path) as server, opened(server, paired(server)) as socket:
        socket.send(HELLO)
        with contextlib.suppress(ConnectionClosed):
            for _ in range(5000):
                socket.send('{"type":"pong","at":0}')
        assert last_word(socket)[0] == "too_many"


def test_a_client_that_stops_reading_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it does not read is not kept without end, and another conversation goes on."""
    monkeypatch.setattr(server_connection, "MAX_QUEUED", 50_000)
    build = scripted(Phrasebook(), "Yes. " * 3000)
    with serving(tmp_path, build) as server, Client(server, paired(server, "other")) as other:
        other.wait("ready")
        small = socket.socket()
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        small.connect(("127.0.0.1", server.ports[0]))
        with opened(server, paired(server), sock=small) as stuck:
            stuck.send(json.dumps({"type": "hello", "rate": 48_000}))
            stuck.send(json.dumps({"type": "text", "text": "go on"}))
            played = {"type": "position", "stream": 1, "sent": 0.0, "time": 0.0, "starved": -1}
            played |= dict.fromkeys(("taken", "since", "number"), 2**40)
            end = time.monotonic() + 2 * PATIENCE
            while server.lobby.connections("2"):
                assert time.monotonic() < end
                time.sleep(0.05)
                with contextlib.suppress(ConnectionClosed, OSError):
                    stuck.send(json.dumps(played))
        other.send("text", text="hello")
        other.wait("spoken")


def test_half_open_connections_end_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that says nothing, or stops saying anything, holds its place only for a while."""
    monkeypatch.setattr(server_connection, "HELLO_TIMEOUT", 0.2)
    monkeypatch.setattr(server_connection, "SILENT_TIMEOUT", 0.4)
    monkeypatch.setattr(sockets, "REQUEST_TIMEOUT", 0.2)
    with serving(tmp_path) as server:
        token = paired(server)
        with opened(server, token) as silent:
            assert last_word(silent) == ("bad_hello", 4000)
        with opened(server, token) as gone:
            gone.send(HELLO)
            assert last_word(gone)[1] == 1006
        with socket.create_connection(("127.0.0.1", server.ports[0]), PATIENCE) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            assert b"408" in raw.recv(100)


def test_a_thousand_connections_leave_a_conversation_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are too many are told so, and a running conversation answers meanwhile."""
    monkeypatch.setattr(sockets, "REQUEST_TIMEOUT", 1.0)
    with (
        serving(tmp_path, scripted(Phrasebook(), "All right.")) as server,
        Client(server, paired(server)) as client,
    ):
        client.wait("ready")
        answers: Counter[bytes] = Counter()
        for turn in range(10):
            client.send("text", text="hello")
            with ExitStack() as stack:
                address = ("127.0.0.1", server.ports[0])
                opened = [socket.create_connection(address, PATIENCE) for _ in range(100)]
                for raw in opened:
                    stack.enter_context(raw)
                for raw in opened:
                    answers[raw.recv(100)[9:12]] += 1
            assert client.wait("turn", turn=turn)["heard"] == "All right."
        assert answers.keys() == {b"503", b"408"}
        assert answers[b"503"] > 500


def test_no_word_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of what was said, not even with logs of everything."""
    caplog.set_level(0)
    with (
        serving(tmp_path, scripted(Phrasebook(), "Secret answer.")) as server,
        Client(server, paired(server)) as client,
    ):
        client.wait("ready")
        client.send("text", text="secret question")
        client.wait("turn")
        client.send("text", text=" " * 5000)
        client.wait_closed()
    logged = " ".join(
        record.getMessage() for record in caplog.records if "client" not in record.name
    )
    assert "ecret" not in logged


def test_a_bucket_allows_a_burst_and_then_a_rate() -> None:
    """Each key has its own, and the oldest are forgotten."""
    now = [0.0]
    bucket = Bucket(2.0, 3.0, lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    assert bucket.wait() == pytest.approx(0.5)
    now[0] = 1.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    buckets = Buckets(1.0, 1.0, lambda: now[0])
    assert buckets.of("a").take()
    assert buckets.of("b").take()
    assert not buckets.of("a").take()
    for number in range(2000):
        buckets.of(str(number))
    assert buckets.of("a").take()


def mutated(dice: random.Random) -> str | bytes:
    """A message that is nearly right, or not at all."""
    if dice.random() < 0.2:
        size = dice.choice([0, 1, 7, 8, 9, 10, 72, 1032])
        return dice.choice([dice.randbytes(size), protocol.SOUND_HEADER.pack(512) + bytes(size)])
    message: Any = dict(dice.choice(MESSAGES))
    if dice.random() < 0.1:
        message = dice.choice([[], 3, None, "x", {}, [message]])
    elif dice.random() < 0.6:
        key = dice.choice([*message, "extra"])
        message[key] = dice.choice(
            [None, -1, 2**70, 1e300, "", "\ud800", "x" * 300, [], {}, True, 0.5, -(2**48), 2**47]
        )
    text = json.dumps(message)
    if dice.random() < 0.3:
        at = dice.randrange(len(text))
        text = text[:at] + chr(dice.choice([0, 34, 92, 123, 233, 0x1F600])) + text[at + 1 :]
    return text


def read_all(dice: random.Random, count: int) -> Iterator[str]:
    """How `count` mutated messages are read."""
    for _ in range(count):
        message = mutated(dice)
        try:
            if isinstance(message, str):
                yield type(protocol.read_text(message)).__name__
            else:
                protocol.read_sound(message)
                yield "sound"
        except protocol.BadMessage:
            yield "bad"


@pytest.mark.parametrize("count", [5000, pytest.param(100_000, marks=pytest.mark.long)])
def test_any_message_is_understood_or_refused(count: int) -> None:
    """There is no other error."""
    kinds = set(read_all(random.Random(1), count))
    assert {"bad", "sound", "Text", "PlayedReport"} <= kinds


@pytest.mark.parametrize("count", [300, pytest.param(100_000, marks=pytest.mark.long)])
def test_a_fuzzed_server_goes_on(tmp_path: Path, count: int) -> None:
    """Each bad message ends its connection, and a conversation goes on beside it."""
    dice = random.Random(1)
    with (
        serving(tmp_path, scripted(Phrasebook(), "All right."), capacity=2) as server,
        Client(server, paired(server, "other")) as other,
    ):
        other.wait("ready")
        token = paired(server)
        sent = 0
        while sent < count:
            with opened(server, token) as socket, contextlib.suppress(ConnectionClosed):
                socket.send(HELLO)
                for _ in range(200):
                    sent += 1
                    message = mutated(dice)
                    if isinstance(message, str):
                        message = message.encode("utf-8", "replace").decode()
                    socket.send(message)
                    with contextlib.suppress(TimeoutError):
                        socket.recv(timeout=0)
        assert server.failure is None
        other.send("text", text="hello")
        assert other.wait("turn")["heard"] == "All right."
        assert asked(server, "/me")[0] == 200
