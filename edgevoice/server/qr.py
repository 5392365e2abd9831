"""QR codes of addresses, for a terminal and for the page."""

from __future__ import annotations

import io

import segno


def text(address: str) -> str:
    """A QR code of block characters, two rows in each line."""
    out = io.StringIO()
    segno.make(address, error="l").terminal(out, compact=True)
    return out.getvalue()


def svg(address: str) -> str:
    """A QR code as SVG."""
    out = io.BytesIO()
    segno.make(address, error="m").save(out, kind="svg", xmldecl=False, scale=4, light="#fff")
    return out.getvalue().decode()
