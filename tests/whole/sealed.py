"""Run a module's `main` with the network forbidden and every file opened for writing noted.

    python sealed.py REPORT edgevoice.cli run --plain …

The network is forbidden twice: Python's own sockets by an audit hook, and, on Linux, those of any
library by a system-call filter that kills the process at `socket(AF_INET…)`. REPORT lists, one a
line, the files that were opened for writing.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import platform
import struct
import sys

SOCKET_CALL = {"x86_64": 41, "aarch64": 198}
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def forbid_sockets() -> None:
    """Raise on any internet socket made from Python."""

    def hook(event: str, args: tuple[object, ...]) -> None:
        # A path is a socket of this machine's: `edgevoice stop` reaches a session through one.
        if event in ("socket.connect", "socket.bind") and isinstance(args[1], (str, bytes)):
            return
        if event in ("socket.connect", "socket.getaddrinfo", "socket.bind", "socket.sendto"):
            raise RuntimeError(f"the network was touched: {event} {args[1:]!r}")

    sys.addaudithook(hook)


def forbid_internet_calls() -> None:
    """Have the kernel kill this process if anything in it makes an internet socket."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in SOCKET_CALL:
        return
    load, jump, give = 0x20, 0x15, 0x06  # BPF: load a word, jump if equal, return
    kill, allow = 0x80000000, 0x7FFF0000
    program = [
        (load, 0, 0, 4),  # the architecture
        (jump, 0, 6, AUDIT_ARCH[machine]),
        (load, 0, 0, 0),  # the system call
        (jump, 0, 4, SOCKET_CALL[machine]),
        (load, 0, 0, 16),  # its first argument, the family
        (jump, 1, 0, 2),  # AF_INET
        (jump, 0, 1, 10),  # AF_INET6
        (give, 0, 0, kill),
        (give, 0, 0, allow),
    ]
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    buffer = ctypes.create_string_buffer(code)

    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    spec = Program(len(program), ctypes.cast(buffer, ctypes.c_void_p))
    if libc.prctl(22, 2, ctypes.byref(spec), 0, 0):  # PR_SET_SECCOMP, a filter
        raise OSError(ctypes.get_errno(), "the system-call filter was refused")


def note_writes(report: str) -> None:
    """Append the path of every file opened for writing to `report`."""
    out = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event == "open" and isinstance(args[0], str | bytes):
            path, mode, flags = args
            writes = any(c in str(mode or "") for c in "wax+") or (
                isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
            )
            if writes:
                os.write(out, os.fsencode(path) + b"\n")  # type: ignore[type-var]

    sys.addaudithook(hook)


if __name__ == "__main__":
    _, report, module, *sys.argv[1:] = sys.argv
    sys.dont_write_bytecode = True
    forbid_sockets()
    forbid_internet_calls()
    note_writes(report)
    importlib.import_module(module).main()
