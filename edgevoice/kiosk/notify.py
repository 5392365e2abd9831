"""Report readiness and liveness to systemd, by sd_notify(3)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Sends messages to the socket that `environ` names; without one it does nothing."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        pid = environ.get("WATCHDOG_PID", "")
        mine = not pid or pid == str(os.getpid())
        micros = environ.get("WATCHDOG_USEC", "")
        self.watchdog = int(micros) / 1e6 if mine and micros.isdigit() else 0.0
        """Seconds after which systemd restarts a service that has not said WATCHDOG=1; 0: never."""

    def __call__(self, *lines: str) -> None:
        """Send lines such as READY=1; a supervisor that has gone is ignored."""
        if not self._address or not hasattr(socket, "AF_UNIX"):
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            pass
