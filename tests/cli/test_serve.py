"""`edgevoice serve`: the devices it knows, and what it says when it cannot start."""

from __future__ import annotations

import builtins
import socket
from pathlib import Path
from typing import Any

import pytest

from edgevoice.server.devices import PairedDevices
from tests.command import edgevoice


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PairedDevices:
    """The paired devices of the user."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return PairedDevices(tmp_path / "edgevoice" / "serve" / "devices.json")


def test_devices_are_listed_and_revoked(known: PairedDevices) -> None:
    """By name or number; nothing is printed that could pass for them."""
    assert "no device is paired" in edgevoice("serve", "devices").stderr
    known.pair("phone")
    known.pair("tablet")
    listed = edgevoice("serve", "devices").stdout.splitlines()
    assert [line.split()[:2] for line in listed] == [["1", "phone"], ["2", "tablet"]]
    assert "revoked: tablet" in edgevoice("serve", "devices", "--revoke", "2").stdout
    assert [device.name for device in known.all()] == ["phone"]
    wrong = edgevoice("serve", "devices", "--revoke", "tablet")
    assert wrong.returncode == 2
    assert "edgevoice serve devices" in wrong.stderr


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is an extra of edgevoice."""
    importing = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "edgevoice.server.known_servers":
            raise ModuleNotFoundError("no websockets", name="websockets")
        return importing(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    result = edgevoice("run", "--connect", "localhost")
    assert result.returncode == 2
    assert "edgevoice[serve]" in result.stderr


def test_a_server_that_cannot_be_reached_is_named(known: PairedDevices) -> None:
    """With the address that was tried, and how to start it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = edgevoice("run", "--connect", f"http://127.0.0.1:{port}/#code=ABCD", "--plain")
    assert result.returncode == 1
    assert str(port) in result.stderr
    assert "edgevoice serve --lan" in result.stderr


def test_what_a_remote_session_cannot_do_is_said() -> None:
    """Models and their settings are on the other machine."""
    result = edgevoice("run", "--connect", "localhost", "--quiet")
    assert result.returncode == 2
    assert "--connect cannot be combined" in result.stderr
