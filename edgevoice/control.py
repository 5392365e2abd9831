"""A running session, as other programs of the same user reach it: `edgevoice ptt` and its like.

Each session has a socket of its own in the user's runtime folder, named after its process. One line
is asked and one is answered, and the connection is over. Where there are no Unix sockets, as in
Python on Windows, the file holds a port of this machine alone and a token to show there.
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

PATIENCE = 5.0
"""Seconds that either side waits for the other's line."""

LOADING_PATIENCE = 1.0
"""Seconds that a session has to answer while it loads: onnxruntime holds the interpreter's lock
meanwhile, for seconds, and no thread of the session can answer."""

MOST_CLIENTS = 16
"""That are served at once; others are turned away."""

LONGEST = 200
"""Characters of a line."""

LOADING = ".loading"
"""The ending of the file beside a session's socket that says that it still loads."""

UNIX = hasattr(socket, "AF_UNIX")


class Controlled(Protocol):
    """What of a session can be steered from outside."""

    @property
    def listens(self) -> bool: ...

    @property
    def talking(self) -> bool: ...

    @property
    def muted(self) -> bool: ...

    def talk(self, on: bool) -> None: ...

    def mute(self, on: bool) -> None: ...

    def interrupt(self) -> None: ...


def obey(session: Controlled, line: str) -> str:
    """Do what `line` asks of the session; returns what is so now. Raises SessionError."""
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
        case _:
            raise SessionError(
                f"the session does not know {line!r}", remedy="it may be of another version"
            )


def _loading() -> SessionError:
    return SessionError("the session is still loading", remedy="try again in a moment")


def folder() -> Path:
    """Where the sockets of this user's sessions are."""
    if not sys.platform.startswith("linux"):
        return user_folder("runtime")
    # A shortcut of the desktop and a session begun over SSH need not have the same variables.
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    if runtime.is_dir():
        return runtime / "edgevoice"
    return user_folder("cache") / "run"


@contextlib.contextmanager
def controlled(session: Controlled) -> Iterator[Callable[[], None]]:
    """Let the session be steered as long as the block lasts; what it gives is to be called when
    everything is loaded. Raises StorageError."""
    own = _own_folder()
    list(_running())  # Clears away what sessions that crashed have left.
    path = own / f"{os.getpid()}.sock"
    token = ""
    loading = path.with_suffix(LOADING)

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
        # The system's own times are some milliseconds coarse, and tell no newest of two.
        now = time.time_ns()
        os.utime(path, ns=(now, now))
    except OSError as error:
        raise StorageError(
            f"`edgevoice ptt` will not reach this session: {error.strerror or error}",
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
        # Wakes the thread that waits in accept, which closing alone does not everywhere.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def ask(line: str, session: int | None = None) -> str:
    """Ask the newest session, or the one of process `session`; returns its answer.

    Raises SessionError where there is none, or it cannot do it.
    """
    running = dict(_running())
    if session is not None and session not in running:
        raise SessionError(
            f"no session runs as process {session}",
            remedy=f"choose one of {', '.join(map(str, running))}" if running else "edgevoice run",
        )
    if not running:
        raise SessionError("no session is running", remedy="start one: edgevoice run")
    pid = session if session is not None else list(running)[-1]
    loading = running[pid].with_suffix(LOADING)
    patience = LOADING_PATIENCE if loading.exists() else PATIENCE
    try:
        with _connected(running[pid]) as (connection, token):
            connection.sendall(f"{token} {line}\n".encode())
            answer = _line(connection, patience)
    except OSError as error:
        if patience < PATIENCE:
            raise _loading() from None
        raise SessionError(
            f"the session does not answer: {error.strerror or error}",
            where=f"process {pid}",
            remedy="end it and start it again",
        ) from None
    word, _, text = answer.partition(" ")
    if word == "ok":
        return text
    what, _, remedy = text.partition("\t")
    raise SessionError(what or "the session ended meanwhile", remedy=remedy)


def _serve(listener: socket.socket, session: Controlled, token: str) -> None:
    """Serve several clients at once, so that one that sends nothing keeps no other waiting."""
    free, one = threading.Semaphore(MOST_CLIENTS), threading.Lock()

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
        return f"ok {obey(session, line)}"
    except EdgevoiceError as error:
        return f"no {error.what}\t{error.remedy}"


def _line(connection: socket.socket, patience: float = PATIENCE) -> str:
    data = b""
    end = time.monotonic() + patience
    while b"\n" not in data and len(data) < LONGEST:
        connection.settimeout(max(0.001, end - time.monotonic()))
        more = connection.recv(LONGEST)
        if not more:
            break
        data += more
    return data.decode("utf-8", "replace").partition("\n")[0]


def _running() -> Iterator[tuple[int, Path]]:
    """The sessions that can be reached, oldest first; removes what others have left behind."""
    found = []
    for path in folder().glob("*.sock"):
        with contextlib.suppress(OSError, ValueError):
            found.append((path.stat().st_mtime_ns, int(path.stem), path))
    for _, pid, path in sorted(found):
        try:
            with _connected(path):
                yield pid, path
        except (ConnectionRefusedError, FileNotFoundError, ValueError):
            for left in (path, path.with_suffix(LOADING)):
                with contextlib.suppress(OSError):
                    left.unlink()
        except OSError:
            continue


@contextlib.contextmanager
def _connected(path: Path) -> Iterator[tuple[socket.socket, str]]:
    token = ""
    with socket.socket(socket.AF_UNIX if UNIX else socket.AF_INET) as connection:
        connection.settimeout(PATIENCE)
        if UNIX:
            connection.connect(str(path))
        else:
            port, token = path.read_text("ascii").split()
            connection.connect(("127.0.0.1", int(port)))
        yield connection, token


def _own_folder() -> Path:
    """The folder, which nobody else may look into or have made for us."""
    own = folder()
    try:
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = own.lstat()
    except OSError as error:
        raise StorageError(
            f"`edgevoice ptt` will not reach this session: {error.strerror}",
            where=str(own),
            remedy="set XDG_RUNTIME_DIR to a folder of your own",
        ) from None
    others = stat.S_IRWXG | stat.S_IRWXO
    if hasattr(os, "getuid") and (
        not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & others
    ):
        raise StorageError(
            "`edgevoice ptt` will not reach this session: its folder is open to others",
            where=str(own),
            remedy=f"chmod 700 {own}, or set XDG_RUNTIME_DIR to a folder of your own",
        )
    return own
