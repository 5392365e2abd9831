"""The hub, stood in for by a server on this machine that answers as it does."""

from __future__ import annotations

import hashlib
import json
import re
import time
from http.server import BaseHTTPRequestHandler

COMMIT = "c" * 40


class Hub:
    """What the server holds, and what it was asked."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.breaks_at = 0
        self.ranges = True
        self.status = 0
        """What it answers every request with; 0: the file."""
        self.drips_at = 0
        """Bytes after which it sends one at a time, several a second; 0: never."""
        self.silent = False
        """Whether it accepts connections and never answers."""
        self.redirects_to = ""
        """The address that it sends everybody to, who asks for a file."""
        self.tokens: list[str] = []
        """The tokens that it was shown."""
        self.lies = 0
        """Bytes that its metadata adds to each size."""
        self.more = b""
        """What it sends behind each file."""

    def metadata(self, repo: str) -> bytes:
        siblings = []
        for path, data in self.files.items():
            sibling = {"rfilename": path, "size": len(data) + self.lies}
            if len(data) > 10_000:
                digest = hashlib.sha256(data).hexdigest()
                sibling |= {
                    "blobId": "0" * 40,
                    "lfs": {"sha256": digest, "size": len(data) + self.lies, "pointerSize": 1},
                }
            else:
                git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
                sibling["blobId"] = git
            siblings.append(sibling)
        card = {"license": "mit", "language": "en"}
        return json.dumps(
            {"id": repo, "sha": COMMIT, "siblings": siblings, "cardData": card}
        ).encode()


def handler(world: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked_range = self.headers.get("Range", "")
            world.asked.append((self.path, asked_range))
            world.tokens.append(self.headers.get("Authorization", ""))
            if world.silent:
                self.rfile.read()
                return
            if self.path.startswith("/api/models/"):
                self.answer(200, world.metadata("/".join(self.path.split("/")[3:5])))
                return
            if world.redirects_to:
                self.send_response(302)
                self.send_header("Location", world.redirects_to + self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path = re.split("/resolve/[0-9a-f]{40}/", self.path)[-1]
            data = world.files.get(path)
            if world.status or data is None:
                self.answer(world.status or 404, b"no such file")
                return
            data += world.more
            start = int(asked_range[6:-1]) if asked_range and world.ranges else 0
            self.answer(206 if start else 200, data[start:], len(data) - start)

        def answer(self, code: int, data: bytes, length: int | None = None) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(length or len(data)))
            self.end_headers()
            if world.breaks_at and len(data) > world.breaks_at:
                self.wfile.write(data[: world.breaks_at])
                world.breaks_at = 0
                self.close_connection = True
                return
            if world.drips_at and len(data) > world.drips_at:
                self.wfile.write(data[: world.drips_at])
                self.wfile.flush()
                for at in range(world.drips_at, len(data)):
                    if not world.drips_at:
                        break
                    time.sleep(0.2)
                    try:
                        self.wfile.write(data[at : at + 1])
                    except OSError:
                        return
            else:
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
