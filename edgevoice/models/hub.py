"""Download files from Hugging Face; no other module uses the hub.

Every failure (no network, a proxy, a missing repository) raises `Unavailable` within seconds, so
that the next source can be tried.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from edgevoice.models.assembly import Assembly, Unavailable, Unreachable

# Otherwise the hub's client sends telemetry.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

HUB_TIMEOUT = 8.0
"""Seconds the hub has to answer before the next source is tried."""


REFUSALS = {
    401: "accept the model's licence on its page, if it asks for that, and set HF_TOKEN",
    403: "accept the model's licence on its page, and set HF_TOKEN to a token that may read it",
    404: "the repository, the commit or the file is not there",
    429: "too many requests: wait some minutes, or set HF_TOKEN",
}
"""What a refusal means for the user, by its HTTP status."""


class HubFile(msgspec.Struct, frozen=True):
    """A file in a hub repository; `sha256` is empty for small files, which have only a git hash."""

    path: str
    size: int
    sha256: str
    git_hash: str


class HubRepository(msgspec.Struct, frozen=True):
    """A repository at one commit."""

    repo: str
    revision: str
    licence: str
    languages: tuple[str, ...]
    files: tuple[HubFile, ...]


class HubReference(msgspec.Struct, frozen=True):
    """A user's reference to the hub; `path` is empty for the whole repository."""

    repo: str
    revision: str
    path: str


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids to ask the hub."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def reference(text: str) -> HubReference | None:
    """Parse `owner/repo[@revision][/path]` or a link to a hub page; None if it is neither."""
    from huggingface_hub import constants

    if "://" in text:
        url = urlsplit(text)
        if url.hostname not in (urlsplit(constants.ENDPOINT).hostname, "hf.co"):
            return None
        pieces = [unquote(piece) for piece in url.path.split("/") if piece]
        if len(pieces) > 3 and pieces[2] in ("resolve", "blob", "tree", "raw"):
            return HubReference("/".join(pieces[:2]), pieces[3], "/".join(pieces[4:]))
        return HubReference("/".join(pieces[:2]), "main", "") if len(pieces) == 2 else None
    pieces = text.split("/")
    if len(pieces) < 2 or not all(pieces) or pieces[0] in (".", "..", "~"):
        return None
    name, _, revision = pieces[1].partition("@")
    if not name:
        return None
    return HubReference(f"{pieces[0]}/{name}", revision or "main", "/".join(pieces[2:]))


def repository(repo: str, revision: str) -> HubRepository:
    """The files of the repository at the commit of `revision`. Raises Unavailable."""
    with _failures():
        from huggingface_hub import HfApi

        info = HfApi().model_info(repo, revision=revision, files_metadata=True, timeout=HUB_TIMEOUT)
        card: dict[str, Any] = dict(vars(info.card_data)) if info.card_data else {}
        language = card.get("language") or []
        return HubRepository(
            repo=repo,
            revision=info.sha or revision,
            licence=str(card.get("license_name") or card.get("license") or ""),
            languages=(language,) if isinstance(language, str) else tuple(map(str, language)),
            files=tuple(
                HubFile(
                    path=file.rfilename,
                    size=file.size or 0,
                    sha256=file.lfs.sha256 if file.lfs else "",
                    git_hash=file.blob_id or "",
                )
                for file in info.siblings or []
            ),
        )


def fetch(repo: str, revision: str, path: str, assembly: Assembly) -> None:
    """Download the rest of the file into `assembly`. Raises Unavailable."""
    with _stream(repo, revision, path, assembly.at) as (start, blocks):
        if start != assembly.at:
            assembly.back_to(start)
        for block in blocks:
            assembly.add(block)


def read_small(repo: str, revision: str, file: HubFile) -> bytes:
    """The content of a small file, checked against its git hash. Raises Unavailable."""
    with _stream(repo, revision, file.path, 0) as (_, blocks):
        data = b"".join(blocks)
    git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    if len(data) != file.size or (not file.sha256 and git != file.git_hash):
        raise Unavailable(f"{file.path} does not match the hub's metadata")
    return data


@contextmanager
def reading(repo: str, revision: str, path: str) -> Iterator[Callable[[int], bytes]]:
    """A `read(n)` over the start of a file, which downloads no more than is read."""
    with _stream(repo, revision, path, 0) as (_, blocks):
        buffered = bytearray()

        def read(count: int) -> bytes:
            while len(buffered) < count and (block := next(blocks, b"")):
                buffered.extend(block)
            data = bytes(buffered[:count])
            del buffered[:count]
            return data

        yield read


@contextmanager
def _stream(
    repo: str, revision: str, path: str, start: int
) -> Iterator[tuple[int, Iterator[bytes]]]:
    """The file's bytes from `start` on, or from 0 if the server does not support ranges."""
    with ExitStack() as stack:
        with _failures():
            import huggingface_hub as hub
            from huggingface_hub.utils import (  # type: ignore[attr-defined]
                build_hf_headers,
                hf_raise_for_status,
            )

            url = hub.hf_hub_url(repo, path, revision=revision)
            headers = build_hf_headers()
            # With compression, a range would count compressed bytes.
            headers["Accept-Encoding"] = "identity"
            if start:
                headers["Range"] = f"bytes={start}-"
            request = hub.get_session().stream(
                "GET", url, headers=headers, timeout=HUB_TIMEOUT, follow_redirects=True
            )
            response = stack.enter_context(request)
            if response.status_code == 416:
                raise Unavailable("the hub has fewer bytes than are here already")
            hf_raise_for_status(response)
        # Outside `_failures`: errors of the caller, such as a full disk, are not the hub's.
        yield (start if response.status_code == 206 else 0), _guarded(response.iter_bytes())


def _guarded(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks; a broken connection raises Unavailable."""
    while True:
        with _failures():
            block = next(blocks, None)
        if block is None:
            return
        yield block


@contextmanager
def _failures() -> Iterator[None]:
    """Convert all exceptions of the hub's client to Unavailable."""
    try:
        yield
    except (Unavailable, GeneratorExit):
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        # Without a response the hub was not reached at all.
        response = getattr(error, "response", None)
        if response is None:
            raise Unreachable(reason) from error
        status = response.status_code
        raise Unavailable(f"{status}: {REFUSALS.get(status, reason)}") from error
