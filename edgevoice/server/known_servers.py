"""The servers that this machine is paired with, and how it pairs with one."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import platform
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from edgevoice import files
from edgevoice.encoding import json_bytes
from edgevoice.errors import SessionError, StorageError, UsageError
from edgevoice.outside import Malformed, from_json, read

LOCAL_PORT, SECURE_PORT = 8440, 8441

CERTIFICATE_OFFSET = 1
"""From the HTTPS port to the port with the certificate."""

TIMEOUT = 10.0

MAX_ANSWER = 65_536
"""Bytes of an answer that are read."""


class Known(Struct, frozen=True):
    """A paired server: our token, and the certificate of its authority as PEM; empty without
    TLS."""

    token: str
    authority: str = ""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A server's address, with a pairing code and the beginning of its authority's SHA-256."""

    base: str
    code: str = ""
    fingerprint: str = ""

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.base.startswith("https")


def place(text: str) -> ServerAddress:
    """The server that a user names: HOST, HOST:PORT, or the address that `edgevoice serve` shows.

    Raises UsageError.
    """
    given = text.strip() if "://" in text else f"//{text.strip()}"
    try:
        parts = urlsplit(given)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or (parts.scheme and parts.scheme not in ("http", "https")):
        raise UsageError(
            f"{text!r} is not the address of a server",
            remedy="use the address that `edgevoice serve --lan` shows",
        )
    local = _is_loopback(host)
    scheme = parts.scheme or ("http" if local else "https")
    if scheme == "http" and not local:
        raise UsageError(
            "another machine is reached by https only", where=text, remedy=f"https://{host}:8441"
        )
    named = f"[{host}]" if ":" in host else host
    port = port or (LOCAL_PORT if scheme == "http" else SECURE_PORT)
    fragment = parse_qs(parts.fragment)
    code, ca = fragment.get("code", [""])[0], fragment.get("ca", [""])[0]
    return ServerAddress(f"{scheme}://{named}:{port}", code, re.sub(r"[^0-9A-F]", "", ca.upper()))


def context(known: Known) -> ssl.SSLContext | None:
    """TLS that trusts the server's own authority only; None without TLS."""
    return ssl.create_default_context(cadata=known.authority) if known.authority else None


class KnownServers:
    """The paired servers, in a file that only the owner can read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, base: str) -> Known | None:
        """The server at this address. Raises StorageError."""
        return self._read().get(base)

    def pair(self, where: ServerAddress, trust: Callable[[str], bool]) -> Known:
        """Pair with a server by its code.

        `trust` is asked with a fingerprint if the address has none. Raises SessionError and
        StorageError.
        """
        if not where.code:
            raise SessionError(
                "this machine is not paired with that server",
                where=where.base,
                remedy="use the whole address that `edgevoice serve` shows there, in quotes",
            )
        authority = _authority(where, trust) if where.secure else ""
        tls = context(Known("", authority))
        body = {"code": where.code, "name": platform.node() or "computer", "token": True}
        answer = _request(f"{where.base}/pair", body, tls)
        known = Known(str(answer.get("token", "")), authority)
        self._write({**self._read(), where.base: known})
        return known

    def _read(self) -> dict[str, Known]:
        try:
            return from_json(read(self._path), dict[str, Known])
        except FileNotFoundError:
            return {}
        except (Malformed, OSError) as error:
            raise StorageError(
                f"the list of servers cannot be read: {error}",
                where=str(self._path),
                remedy="remove the file, and pair again",
            ) from None

    def _write(self, servers: dict[str, Known]) -> None:
        try:
            files.replace_bytes(self._path, [json_bytes(servers)], private=True)
        except OSError as error:
            raise StorageError(
                f"the list of servers cannot be written: {error.strerror}",
                where=str(self._path),
                remedy="free some space, and check who owns the folder",
            ) from None


def _authority(where: ServerAddress, trust: Callable[[str], bool]) -> str:
    """The certificate of the server's authority as PEM, if its fingerprint is right."""
    parts = urlsplit(where.base)
    port = (parts.port or SECURE_PORT) + CERTIFICATE_OFFSET
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    der = _fetch(f"http://{host}:{port}/ca.crt", None, None)
    found = hashlib.sha256(der).hexdigest().upper()
    shown = ":".join(found[n : n + 2] for n in range(0, len(found), 2))
    right = found.startswith(where.fingerprint) if len(where.fingerprint) >= 32 else trust(shown)
    if not right:
        raise SessionError(
            "the certificate is not the one that `edgevoice serve` shows",
            where=where.base,
            remedy="compare the fingerprints, and use the address shown there",
        )
    return ssl.DER_cert_to_PEM_cert(der)


def _request(address: str, body: dict[str, Any], tls: ssl.SSLContext | None) -> dict[str, Any]:
    try:
        found = from_json(_fetch(address, json.dumps(body).encode(), tls), dict[str, Any])
    except Malformed:
        raise SessionError("the server's answer is not understood", where=address) from None
    return found


def _fetch(address: str, body: bytes | None, tls: ssl.SSLContext | None) -> bytes:
    request = urllib.request.Request(address, body, {"content-type": "application/json"})
    # No proxy: the server is in the house.
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if tls is not None:
        handlers.append(urllib.request.HTTPSHandler(context=tls))
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT) as answer:
            data: bytes = answer.read(MAX_ANSWER)
            return data
    except urllib.error.HTTPError as error:
        with error:
            text = error.read(MAX_ANSWER)
        raise refused(address, text, error.code) from None
    except (OSError, ValueError) as error:
        raise unreachable(address, error) from None


def refused(address: str, body: bytes, status: int) -> SessionError:
    """The server answers with an error of HTTP `status`, and says in `body` what is wrong."""
    try:
        said = from_json(body, dict[str, str])
    except Malformed:
        said = {}
    what = said.get("text") or f"the server answers {status}"
    return SessionError(what, where=address, remedy=said.get("remedy", ""))


def unreachable(address: str, error: Exception) -> SessionError:
    """The server does not answer."""
    reason = getattr(error, "reason", error)
    return SessionError(
        f"the server cannot be reached: {reason or type(error).__name__}",
        where=address,
        remedy="start it there: edgevoice serve --lan",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
