"""Run a command as a user with less: without root's right to write and read everything, with
a disk that takes no more than so many bytes a file, or as what its terminal takes along.

    python limited.py rights COMMAND…
    python limited.py disk BYTES COMMAND…
    python limited.py terminal COMMAND…
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_CAPBSET_DROP, OVERRIDE, READ_SEARCH = 24, 1, 2


def drop_rights() -> None:
    """Without these two capabilities root, too, is bound by a file's permissions, once it execs."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (OVERRIDE, READ_SEARCH):
            if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "the right could not be given up")


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "rights":
        drop_rights()
    elif what == "terminal":
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    else:
        import resource

        limit = int(rest.pop(0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        # Python keeps compiled modules that such a limit has cut short.
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.execvp(rest[0], rest)
