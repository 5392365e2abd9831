"""Files from Hugging Face: the only module that talks to the hub.

Whatever goes wrong there (no network, a proxy, a repository that is gone) is `Unavailable`, so
that the next source can be tried; it is found out within seconds.
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

# The hub's client asks the hub about the program it runs in, and tells, unless it is told not to.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

TIMEOUT = 8.0
"""Seconds the hub has to answer before the next source is tried."""


class HubFile(msgspec.Struct, frozen=True):
    """A file in a hub repository. `sha256` is empty for small files, which git hashes instead."""

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
    """What a user may write for a place on the hub; `path` is empty for the whole repository."""

    repo: str
    revision: str
    path: str


def reference(text: str) -> HubReference | None:
    """Understand `owner/repo[@revision][/path]` or a link to a hub page; None if it is neither."""
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
    """What the repository holds at `revision`, which is pinned to its commit."""
    with _failures():
        from huggingface_hub import HfApi

        info = HfApi().model_info(repo, revision=revision, files_metadata=True, timeout=TIMEOUT)
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
    """Bring the rest of the file into `assembly`, from the bytes that are in it already."""
    with _stream(repo, revision, path, assembly.at) as (start, blocks):
        if start != assembly.at:
            assembly.back_to(start)
        for block in blocks:
            assembly.add(block)


def read_small(repo: str, revision: str, file: HubFile) -> bytes:
    """A small file whole, checked against the git hash that the hub gives for it."""
    with _stream(repo, revision, file.path, 0) as (_, blocks):
        data = b"".join(blocks)
    git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    if len(data) != file.size or (not file.sha256 and git != file.git_hash):
        raise Unavailable(f"{file.path} is not what the hub's metadata says")
    return data


@contextmanager
def reading(repo: str, revision: str, path: str) -> Iterator[Callable[[int], bytes]]:
    """A `read(n)` over the start of a file, fetching no more of it than is read."""
    with _stream(repo, revision, path, 0) as (_, blocks):
        kept = bytearray()

        def read(count: int) -> bytes:
            while len(kept) < count and (block := next(blocks, b"")):
                kept.extend(block)
            data = bytes(kept[:count])
            del kept[:count]
            return data

        yield read


@contextmanager
def _stream(
    repo: str, revision: str, path: str, start: int
) -> Iterator[tuple[int, Iterator[bytes]]]:
    """The file's bytes from `start` on, or from 0 where the server does not do ranges."""
    with ExitStack() as stack:
        with _failures():
            import huggingface_hub as hub
            from huggingface_hub.utils import (  # type: ignore[attr-defined]
                build_hf_headers,
                hf_raise_for_status,
            )

            url = hub.hf_hub_url(repo, path, revision=revision)
            headers = build_hf_headers()
            # Compressed, a range would count other bytes than the file's.
            headers["Accept-Encoding"] = "identity"
            if start:
                headers["Range"] = f"bytes={start}-"
            request = hub.get_session().stream(
                "GET", url, headers=headers, timeout=TIMEOUT, follow_redirects=True
            )
            response = stack.enter_context(request)
            if response.status_code == 416:
                raise Unavailable("the hub has fewer bytes than are here already")
            hf_raise_for_status(response)
        # What fails in the caller's hands, a full disk say, is not the hub's failure.
        yield (start if response.status_code == 206 else 0), _guarded(response.iter_bytes())


def _guarded(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks, a connection that breaks being `Unavailable` and nothing else."""
    while True:
        with _failures():
            block = next(blocks, None)
        if block is None:
            return
        yield block


@contextmanager
def _failures() -> Iterator[None]:
    """Turn whatever the hub's client raises, and it has many kinds, into Unavailable."""
    try:
        yield
    except (Unavailable, GeneratorExit):
        raise
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        # An error without a response means that the hub was not reached at all.
        kind = Unavailable if getattr(error, "response", None) is not None else Unreachable
        raise kind(reason[0][:200]) from error
