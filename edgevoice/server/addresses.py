"""This machine's addresses in the local network, and which names a request may call it by."""

from __future__ import annotations

import ipaddress
import socket

import psutil

PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
"""The networks that a certificate is for: they do not reach beyond the house."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def lan_addresses() -> list[Address]:
    """The private addresses of this machine, the most usual one first; without loopback."""
    found: list[Address] = []
    for name, infos in psutil.net_if_addrs().items():
        for info in infos:
            if info.family not in (socket.AF_INET, socket.AF_INET6) or "%" in info.address:
                continue
            address = ipaddress.ip_address(info.address)
            if is_private(address) and not address.is_loopback:
                found.append(address)
                if name.startswith(("docker", "br-", "veth", "virbr")):
                    found.insert(0, found.pop())
    usual = _usual_address()
    return sorted(
        dict.fromkeys(reversed(found)), key=lambda a: (a != usual, a.version, a.is_link_local)
    )


def is_private(address: Address) -> bool:
    """Whether the address belongs to a local network."""
    return any(address in network for network in PRIVATE if network.version == address.version)


def host_name() -> str:
    """This machine's name, in lower case, without a domain."""
    return socket.gethostname().split(".")[0].lower()


def is_own(host: str, loopback: bool) -> bool:
    """Whether a request may call this machine by `host`, a Host header.

    An address cannot be rebound to another machine, but any other name can. `loopback`: the request
    must come from this machine.
    """
    name = without_port(host)
    if name is None:
        return False
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        if loopback:
            return name == "localhost"
        return name in ("localhost", host_name(), f"{host_name()}.local")
    return address.is_loopback if loopback else True


def without_port(host: str) -> str | None:
    """The name or address in a Host header, in lower case; None if it is malformed."""
    name, bracket, rest = host.strip().lower().partition("]")
    if bracket:
        ok = name.startswith("[") and (not rest or (rest[1:].isdigit() and rest[0] == ":"))
        return name[1:] if ok else None
    name, colon, port = name.partition(":")
    if not name or (colon and not port.isdigit()):
        return None
    return name.removesuffix(".")


def _usual_address() -> Address | None:
    """The address that packets to other networks come from. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return ipaddress.ip_address(probe.getsockname()[0])
