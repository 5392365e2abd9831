"""Who may connect: pairing, tokens, foreign pages, and what each refusal says."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from edgevoice.errors import UsageError
from edgevoice.server import protocol
from edgevoice.server.addresses import is_own, lan_addresses
from edgevoice.server.certificates import authority, leaf_context
from edgevoice.server.devices import PairedDevices
from edgevoice.server.serving import Server
from tests.server.hosting import PATIENCE, Client, asked, paired, serving


def refused(server: Server, path: str = "v1/session", **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and answer to an attempt to open the WebSocket."""
    with pytest.raises(InvalidStatus) as caught:
        connect(
            server.local_address().replace("http", "ws") + path,
            subprotocols=[protocol.SUBPROTOCOL],  # type: ignore[list-item]
            additional_headers={k.replace("_", "-"): v for k, v in headers.items()},
            open_timeout=PATIENCE,
        ).__enter__()
    response = caught.value.response
    return response.status_code, json.loads(response.body or b"{}")


def test_a_code_pairs_one_device(tmp_path: Path) -> None:
    """A code is used up, however it is written; the token is only stored as a hash."""
    with serving(tmp_path) as server:
        code = server.code.code
        typed = f" {code[:4].lower()}-{code[4:]} "
        status, headers, answer = asked(
            server, "/pair", {"code": typed, "name": "my\nphone \x1b[2J", "token": True}
        )
        assert status == 200
        assert answer["name"] == "myphone [2J"
        cookie = headers["set-cookie"]
        for attribute in ("HttpOnly", "SameSite=strict", "Path=/"):
            assert attribute in cookie
        assert server.code.code != code
        status, _, again = asked(server, "/pair", {"code": code, "name": "thief"})
        assert (status, again["code"]) == (403, "wrong_code")
        stored = tmp_path / "devices.json"
        assert answer["token"] not in stored.read_text()
        assert oct(stored.stat().st_mode)[-3:] == "600"
        status, _, me = asked(server, "/me", headers={"cookie": cookie.split(";")[0]})
        assert (me["paired"], me["name"]) == (True, "myphone [2J")


def test_codes_cannot_be_guessed(tmp_path: Path) -> None:
    """After a few wrong tries an address has to wait, and the code is still valid later."""
    with serving(tmp_path) as server:
        statuses = [asked(server, "/pair", {"code": f"WRONG{n}"})[0] for n in range(8)]
        assert statuses[:5] == [403] * 5
        assert 429 in statuses[5:]
        status, headers, answer = asked(server, "/pair", {"code": "WRONG"})
        assert (status, answer["code"]) == (429, "too_many")
        assert int(headers["retry-after"]) >= 1


def test_without_a_token_nothing_but_the_page_is_served(tmp_path: Path) -> None:
    """Also on this machine."""
    with serving(tmp_path) as server:
        assert refused(server)[0] == 401
        assert refused(server, authorization="Bearer nonsense")[1]["code"] == "not_paired"
        for path, method in (("/invite", "GET"), ("/leave", "POST")):
            assert asked(server, path, method=method)[0] == 401
        assert asked(server, "/me")[2]["paired"] is False
        assert asked(server, "/../devices.json")[0] == 404


def test_a_revoked_token_is_worthless_at_once(tmp_path: Path) -> None:
    """The connection is closed, and the token is refused from then on."""
    with serving(tmp_path) as server:
        token = paired(server, "phone")
        with Client(server, token) as client:
            client.wait("welcome")
            # As another process does it.
            (gone,) = PairedDevices(tmp_path / "devices.json").revoke("phone")
            assert gone.name == "phone"
            assert client.wait("error")["code"] == "revoked"
            assert client.wait_closed() == 4000
        assert refused(server, authorization=f"Bearer {token}")[0] == 401
        with pytest.raises(UsageError):
            PairedDevices(tmp_path / "devices.json").revoke("phone")


def test_a_device_can_leave_and_invite_another(tmp_path: Path) -> None:
    """A paired device shows the next code, and can forget itself."""
    with serving(tmp_path) as server:
        token = {"authorization": f"Bearer {paired(server)}"}
        _, _, invitation = asked(server, "/invite", headers=token)
        assert invitation["code"] == server.code.code
        assert invitation["url"].endswith(f"#code={server.code.code}")
        assert invitation["svg"].startswith("<svg")
        assert asked(server, "/leave", {}, token)[0] == 200
        assert asked(server, "/invite", headers=token)[0] == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:1234", 200),
        ("[::1]:8440", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("192.168.1.5", 421),
        ("localhost@evil.example", 421),
        ("localhost:80:80", 421),
        ("", 421),
    ],
)
def test_another_name_for_this_machine_is_refused(tmp_path: Path, host: str, status: int) -> None:
    """A page can rebind its own name to this machine, but it cannot change the Host header."""
    with serving(tmp_path) as server:
        assert asked(server, "/me", headers={"host": host})[0] == status


def test_names_in_the_network_are_addresses_or_the_own_name() -> None:
    """An address cannot be rebound; a foreign name can."""
    own = socket.gethostname().split(".")[0].lower()
    for host in ("192.168.1.5:8441", "[fd00::2]:8441", own, f"{own}.local:8441", "localhost"):
        assert is_own(host, loopback=False)
    for host in ("evil.example", f"{own}.evil.example", "local", ".local", "[::1", "[::1]x"):
        assert not is_own(host, loopback=False)


def test_another_origin_is_refused(tmp_path: Path) -> None:
    """A foreign page can neither pair nor open a session, even from a paired browser."""
    with serving(tmp_path) as server:
        token = paired(server)
        bearer = f"Bearer {token}"
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1"):
            status, answer = refused(server, authorization=bearer, origin=origin)
            assert (status, answer["code"]) == (403, "wrong_origin")
            assert asked(server, "/pair", {"code": "A"}, {"origin": origin})[0] == 403
        own = server.local_address().rstrip("/")
        assert asked(server, "/me", headers={"origin": own})[0] == 200
        # A form of another page sends no JSON.
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert asked(server, "/pair", b"code=A", form)[0] == 415


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * 5000, 413),
        (b"", 400),
        (b"{}", 400),
        (b'{"code":7}', 400),
        (b"[" * 4000, 400),
        (b'{"code":"\xff"}', 400),
        (b'{"code":"\\ud800"}', 400),
    ],
)
def test_a_malformed_pairing_gets_a_status(tmp_path: Path, body: bytes, status: int) -> None:
    """An oversized or broken body is refused, and the server goes on."""
    with serving(tmp_path) as server:
        assert asked(server, "/pair", body, method="POST")[0] == status
        assert asked(server, "/me")[0] == 200


def test_the_websocket_is_at_one_place_with_one_protocol(tmp_path: Path) -> None:
    """Anything else is a clear refusal."""
    with serving(tmp_path) as server:
        bearer = f"Bearer {paired(server)}"
        assert refused(server, "elsewhere", authorization=bearer)[0] == 404
        with pytest.raises(InvalidStatus) as caught:
            connect(
                server.local_address().replace("http", "ws") + "v1/session",
                additional_headers={"authorization": bearer},
            ).__enter__()
        assert caught.value.response.status_code == 400


def test_the_network_is_served_with_a_certificate_for_local_networks_only(tmp_path: Path) -> None:
    """HTTPS by an own authority; the plain port has only the certificate."""
    with serving(tmp_path, lan=True) as server:
        own = server.authority
        assert own is not None
        tls = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(own.der))
        address = f"https://127.0.0.1:{server.ports[1]}/me"
        with urllib.request.urlopen(address, context=tls, timeout=PATIENCE) as answer:
            assert json.load(answer)["paired"] is False
            assert answer.headers["content-security-policy"]
        plain = f"http://127.0.0.1:{server.ports[2]}"
        with urllib.request.urlopen(f"{plain}/ca.crt", timeout=PATIENCE) as answer:
            assert answer.read() == own.der
        with urllib.request.urlopen(plain, timeout=PATIENCE) as answer:
            assert own.fingerprint in answer.read().decode()
        with urllib.request.urlopen(f"{plain}/ca.mobileconfig", timeout=PATIENCE) as answer:
            assert b"com.apple.security.root" in answer.read()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{plain}/me", timeout=PATIENCE)
    for name in ("ca.key", "ca.pem", "leaf.pem"):
        assert oct((tmp_path / name).stat().st_mode)[-3:] == "600"


def test_certificates_last_as_long_as_phones_accept(tmp_path: Path) -> None:
    """The authority stays; the server's certificate is for all addresses, and for 825 days at
    most."""
    made = authority(tmp_path, "desk")
    assert authority(tmp_path, "desk").fingerprint == made.fingerprint
    constraints = made.certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    leaf_context(tmp_path, made, lan_addresses(), "desk")
    pem = (tmp_path / "leaf.pem").read_bytes()
    leaf = x509.load_pem_x509_certificates(pem)[0]
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days <= 825
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"localhost", "desk", "desk.local"}
    assert set(names.get_values_for_type(x509.IPAddress)) >= set(lan_addresses())
    # After a renaming, the authority still signs only what it may.
    leaf_context(tmp_path, made, [], "tower")
    leaf = x509.load_pem_x509_certificates((tmp_path / "leaf.pem").read_bytes())[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"localhost", "tower.local"}


def test_a_damaged_authority_is_made_anew(tmp_path: Path) -> None:
    """A broken file does not keep the server from starting."""
    first = authority(tmp_path, "desk").fingerprint
    (tmp_path / "ca.key").write_bytes(b"broken")
    assert authority(tmp_path, "desk").fingerprint != first
