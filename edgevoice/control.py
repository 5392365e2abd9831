"""Control a running session from other programs of the same user, for example `edgevoice ptt`.

Each session has a socket in the user's runtime folder, named after its process. A connection
carries one line as request and one as reply. Without Unix sockets, as in Python on Windows, the
file contains a local port and a token.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from edgevoice.errors import EdgevoiceError, SessionError, StorageError
from edgevoice.places import user_folder

LINE_TIMEOUT = 5.0
"""Seconds that each side waits for the other's line."""

LOADING_TIMEOUT = 1.0
"""Seconds that a loading session has to reply: loading a model holds the GIL for seconds."""

MAX_CONNECTIONS = 16
"""Maximum simultaneous connections; further ones are closed."""

MAX_LINE_BYTES, MAX_REPLY_BYTES = 200, 65_536
"""Maximum bytes of a request and of a reply."""

LOADING_SUFFIX = ".loading"
"""Suffix of the file next to a session's socket that exists while the session loads."""

UNIX = hasattr(socket, "AF_UNIX")


class Controlled(Protocol):
    """The part of a session that other programs can control."""

    @property
    def listens(self) -> bool: ...

    @property
    def talking(self) -> bool: ...

    @property
    def muted(self) -> bool: ...

    def talk(self, on: bool) -> None: ...

    def mute(self, on: bool) -> None: ...

    def interrupt(self) -> None: ...

    def new_conversation(self) -> None: ...

    def status(self) -> str: ...


def execute(session: Controlled, line: str) -> str:
    """Execute the command `line`; returns the new state as text. Raises SessionError."""
    if line.split() == ["status"]:
        return session.status()
    if not session.listens:
        raise _loading()
    match line.split():
        case ["ptt", "press" | "release" | "toggle" as how]:
            on = not session.talking if how == "toggle" else how == "press"
            if on and session.muted:
                raise SessionError("the microphone is muted", remedy="edgevoice mute off")
            session.talk(on)
            return "talking" if on else "not talking"
        case ["mute", "on" | "off" | "toggle" as how]:
            on = not session.muted if how == "toggle" else how == "on"
            session.mute(on)
            return "muted" if on else "listening"
        case ["stop"]:
            session.interrupt()
            return "stopped"
        case ["reset"]:
            session.new_conversation()
            return "a new conversation"
        case _:
            raise SessionError(
                f"the session does not know {line!r}",
                remedy="use one version of edgevoice for both",
            )


def _loading() -> SessionError:
    return SessionError("the session is still loading", remedy="try again in a moment")


def folder() -> Path:
    """The folder of this user's session sockets."""
    if not sys.platform.startswith("linux"):
        return user_folder("runtime")
    # A desktop shortcut and an SSH session may have different environment variables.
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    if runtime.is_dir():
        return runtime / "edgevoice"
    return user_folder("cache") / "run"


@contextlib.contextmanager
def controlled(session: Controlled) -> Iterator[Callable[[], None]]:
    """Make the session controllable during the block; call the yielded function once it has loaded.

    Raises StorageError.
    """
    own = _own_folder()
    list(_running())  # removes files of crashed sessions
    path = own / f"{os.getpid()}.sock"
    token = ""
    loading = path.with_suffix(LOADING_SUFFIX)

    def loaded() -> None:
        with contextlib.suppress(OSError):
            loading.unlink()

    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    try:
        loading.touch(mode=0o600)
        if UNIX:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(str(path))
            path.chmod(0o600)
        else:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.bind(("127.0.0.1", 0))
            token = secrets.token_hex(16)
            path.write_text(f"{listener.getsockname()[1]} {token}", "ascii")
        listener.listen(64)
        # File times have a step of some milliseconds, too coarse to find the newest session.
        now = time.time_ns()
        os.utime(path, ns=(now, now))
    except OSError as error:
        raise StorageError(
            f"`edgevoice ptt` cannot reach this session: {error.strerror or error}",
            where=str(path),
            remedy="set XDG_RUNTIME_DIR to a folder of your own with a short name",
        ) from None
    threading.Thread(
        target=_serve, args=(listener, session, token), name="control", daemon=True
    ).start()
    try:
        yield loaded
    finally:
        loaded()
        with contextlib.suppress(OSError):
            path.unlink()
        # On some systems closing alone does not end `accept`.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def ask(line: str, session: int | None = None) -> str:
    """Send `line` to the newest session, or to that of process `session`; returns its reply.

    Raises SessionError if there is no session, or if it rejects the command.
    """
    running = dict(_running())
    if session is not None and session not in running:
        raise SessionError(
            f"no session has process id {session}",
            remedy=f"choose one of {', '.join(map(str, running))}" if running else "edgevoice run",
        )
    if not running:
        raise SessionError("no session is running", remedy="start one: edgevoice run")
    pid = session if session is not None else list(running)[-1]
    loading = running[pid].with_suffix(LOADING_SUFFIX)
    timeout = LOADING_TIMEOUT if loading.exists() else LINE_TIMEOUT
    try:
        with _connected(running[pid]) as (connection, token):
            connection.sendall(f"{token} {line}\n".encode())
            answer = _line(connection, timeout, MAX_REPLY_BYTES)
    except OSError as error:
        if timeout < LINE_TIMEOUT:
            raise _loading() from None
        raise SessionError(
            f"the session does not reply: {error.strerror or error}",
            where=f"process {pid}",
            remedy="end it and start it again",
        ) from None
    word, _, text = answer.partition(" ")
    if word == "ok":
        return text
    what, _, remedy = text.partition("\t")
    raise SessionError(what or "the session ended meanwhile", remedy=remedy)


def _serve(listener: socket.socket, session: Controlled, token: str) -> None:
    """Serve several clients at once, so that an idle client does not delay others."""
    free, one = threading.Semaphore(MAX_CONNECTIONS), threading.Lock()

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            shown, _, line = _line(connection).partition(" ")
            if secrets.compare_digest(shown.encode(), token.encode()):
                with one:
                    answer = _answer(session, line)
                connection.sendall(f"{answer}\n".encode())
        free.release()

    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        if free.acquire(blocking=False):
            threading.Thread(target=serve, args=(connection,), name="control", daemon=True).start()
        else:
            connection.close()


def _answer(session: Controlled, line: str) -> str:
    try:
        return f"ok {execute(session, line)}"
    except EdgevoiceError as error:
        return f"no {error.what}\t{error.remedy}"


def _line(
    connection: socket.socket, timeout: float = LINE_TIMEOUT, most: int = MAX_LINE_BYTES
) -> str:
    data = b""
    end = time.monotonic() + timeout
    while b"\n" not in data and len(data) < most:
        connection.settimeout(max(0.001, end - time.monotonic()))
        more = connection.recv(most)
        if not more:
            break
        data += more
    return data.decode("utf-8", "replace").partition("\n")[0]


def _running() -> Iterator[tuple[int, Path]]:
    """The reachable sessions, oldest first; removes files of ended sessions."""
    found = []
    for path in folder().glob("*.sock"):
        with contextlib.suppress(OSError, ValueError):
            found.append((path.stat().st_mtime_ns, int(path.stem), path))
    for _, pid, path in sorted(found):
        try:
            with _connected(path):
                yield pid, path
        except (ConnectionRefusedError, FileNotFoundError, ValueError):
            for left in (path, path.with_suffix(LOADING_SUFFIX)):
                with contextlib.suppress(OSError):
                    left.unlink()
        except OSError:
            continue


@contextlib.contextmanager
def _connected(path: Path) -> Iterator[tuple[socket.socket, str]]:
    token = ""
    with socket.socket(socket.AF_UNIX if UNIX else socket.AF_INET) as connection:
        connection.settimeout(LINE_TIMEOUT)
        if UNIX:
            connection.connect(str(path))
        else:
            port, token = path.read_text("ascii").split()
            connection.connect(("127.0.0.1", int(port)))
        yield connection, token


def _own_folder() -> Path:
    """The folder, created and readable only by this user. Raises StorageError otherwise."""
    own = folder()
    try:
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = own.lstat()
    except OSError as error:
        raise StorageError(
            f"`edgevoice ptt` cannot reach this session: {error.strerror}",
            where=str(own),
            remedy="set XDG_RUNTIME_DIR to a folder of your own",
        ) from None
    others = stat.S_IRWXG | stat.S_IRWXO
    if hasattr(os, "getuid") and (
        not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & others
    ):
        raise StorageError(
            "`edgevoice ptt` cannot reach this session: other users can open its folder",
            where=str(own),
            remedy=f"chmod 700 {own}, or set XDG_RUNTIME_DIR to a folder of your own",
        )
    return own
