"""The page of the plain-HTTP port: only the certificate, and how to install it."""

from __future__ import annotations

import html

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from edgevoice.server.certificates import Authority
from edgevoice.server.web import Guard

TEXT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>edgevoice: certificate</title>
<h1>Let this device trust your edgevoice</h1>
<p>A browser gives a page the microphone only over a trusted connection. Install the certificate of
your own edgevoice once. It is valid for local networks only.</p>
<p>Check that this fingerprint (SHA-256) is the one that <code>edgevoice serve</code> shows:</p>
<p><code>{fingerprint}</code></p>
<h2>iPhone and iPad</h2>
<ol><li>Open <a href="/ca.mobileconfig">the profile</a> in Safari, and allow the download.</li>
<li>Settings → General → VPN &amp; PairedDevice Management: install it.</li>
<li>Settings → General → About → Certificate Trust Settings: turn it on.</li></ol>
<h2>Android</h2>
<ol><li>Save <a href="/ca.crt">the certificate</a>.</li>
<li>Settings → Security → Encryption &amp; credentials → Install a certificate →
CA certificate.</li>
<li>Choose the file. Android then says that the network may be monitored.</li></ol>
<h2>Computer</h2>
<p>Save <a href="/ca.crt">the certificate</a>, and add it to the trusted authorities of the browser
or the system.</p>
<h2>Then</h2>
<p>Scan the QR code of <code>edgevoice serve</code>, or open <a href="{address}">{address}</a>.</p>
</html>
"""


def certificate_site(authority: Authority, secure_port: int) -> ASGIApp:
    """The application of the plain-HTTP port; the page itself is at `secure_port`."""

    async def page(request: Request) -> Response:
        name = request.headers["host"].rsplit(":", 1)[0]
        address = html.escape(f"https://{name}:{secure_port}/", quote=True)
        return HTMLResponse(TEXT.format(fingerprint=authority.fingerprint, address=address))

    async def certificate(request: Request) -> Response:
        return Response(
            authority.der,
            headers={"content-disposition": 'attachment; filename="edgevoice-ca.crt"'},
            media_type="application/x-x509-ca-cert",
        )

    async def profile(request: Request) -> Response:
        return Response(authority.mobileconfig(), media_type="application/x-apple-aspen-config")

    async def fingerprint(request: Request) -> Response:
        return PlainTextResponse(authority.fingerprint + "\n")

    routes = [
        Route("/", page),
        Route("/ca.crt", certificate),
        Route("/ca.mobileconfig", profile),
        Route("/fingerprint", fingerprint),
    ]
    return Guard(Starlette(routes=routes), loopback=False)
