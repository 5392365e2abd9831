"""What a skill of the user's own does: a command, a call to the local network, or a line of a file.

Its failure is told in one sentence, and what it prints is cut to what can be spoken.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import random
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgevoice.skills.own import HttpCall, OwnIntent

LONGEST_OUTPUT = 400
"""Characters of an output that are spoken."""
MOST_OUTPUT_BYTES = 64 * 1024
KEPT_VARIABLES = (
    *("PATH", "HOME", "LANG", "SYSTEMROOT"),
    *("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"),
)
"""Environment that a command gets."""

_log = logging.getLogger(__name__)


class SkillFailed(Exception):
    """The skill could not do it."""


def done(intent: OwnIntent, folder: Path, slots: Mapping[str, str], chosen: random.Random) -> str:
    """Do what the intent says; returns its output. Raises SkillFailed."""
    try:
        if intent.command:
            return _short(_run(intent, folder, slots))
        if intent.http:
            return _short(_called(intent.http, intent.seconds, folder, slots))
        if intent.lines:
            lines = (folder / intent.lines).read_text("utf-8").splitlines()
            return chosen.choice([line for line in lines if line.strip()] or [""])
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        _log.debug("the skill in %s failed", folder, exc_info=True)
        raise SkillFailed from error
    return ""


def _short(text: str) -> str:
    """As much as can be spoken, up to a whole word."""
    words = " ".join(text.split())
    if len(words) <= LONGEST_OUTPUT:
        return words
    return words[:LONGEST_OUTPUT].rsplit(" ", 1)[0] + " …"


def _run(intent: OwnIntent, folder: Path, slots: Mapping[str, str]) -> str:
    # A slot is one argument, and never an option.
    said = {name: value.lstrip("-") for name, value in slots.items()} | {"python": sys.executable}
    arguments = [argument.format_map(_Fields(said)) for argument in intent.command]
    ran = subprocess.run(
        arguments,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=intent.seconds,
        check=True,
        env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
    )
    return ran.stdout[:MOST_OUTPUT_BYTES].decode("utf-8", "replace")


def _called(call: HttpCall, seconds: float, folder: Path, slots: Mapping[str, str]) -> str:
    quoted = {name: urllib.parse.quote(value, safe="") for name, value in slots.items()}
    url = call.url.format_map(_Fields(quoted))
    _check_local(url)
    token = (folder / call.token_file).read_text("utf-8").strip() if call.token_file else ""
    headers = {
        name: value.format_map(_Fields({"token": token})) for name, value in call.headers.items()
    }
    body = _with_slots(call.body, slots)
    data = body.encode() if body else None
    if data and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data, headers, method=call.method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    with opener.open(request, timeout=seconds) as answer:
        return str(answer.read(MOST_OUTPUT_BYTES).decode("utf-8", "replace"))


def _with_slots(body: str, slots: Mapping[str, str]) -> str:
    """JSON with slots in its strings; braces that are no slot stay."""
    for name, value in slots.items():
        body = body.replace("{" + name + "}", json.dumps(value)[1:-1])
    return body


def _check_local(url: str) -> None:
    """Raise ValueError if the address is not in the local network."""
    parts = urllib.parse.urlsplit(url)
    for *_, address in socket.getaddrinfo(parts.hostname, parts.port or 80):
        found = ipaddress.ip_address(str(address[0]).split("%")[0])
        if not (found.is_private or found.is_loopback or found.is_link_local):
            raise ValueError(f"{parts.hostname} is not in the local network")


class _Fields(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An address in the local network must not lead out of it."""

    def redirect_request(self, *asked: Any, **more: Any) -> None:
        return None
