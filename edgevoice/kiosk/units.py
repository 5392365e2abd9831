"""The files that make a system start and supervise a kiosk: systemd, launchd, Windows' tasks."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

UNIT = "edgevoice-kiosk"
LABEL = "org.edgevoice.kiosk"
CHECK_TIMEOUT = 60.0
"""Seconds that systemd's own check may take."""

SERVICE = """\
# Written by `edgevoice kiosk init`.
[Unit]
Description=edgevoice kiosk
After=sound.target pipewire.service pulseaudio.service
StartLimitIntervalSec=600
StartLimitBurst=30

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
Environment=HF_HUB_OFFLINE=1
{user}# Ready and alive mean work: sound arrives, turns move on. See docs/kiosk.md.
TimeoutStartSec=120
WatchdogSec=30
Restart=always
RestartSec=5
SuccessExitStatus=143
UMask=0077
LimitMEMLOCK=infinity
OOMPolicy=stop

# No network but this machine's own, nothing to write but its own folders.
IPAddressDeny=any
IPAddressAllow=localhost
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
{home}ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
LockPersonality=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictRealtime=no
CapabilityBoundingSet=
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy={target}
"""

TASK = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers><LogonTrigger><Enabled>true</Enabled></LogonTrigger></Triggers>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <RestartOnFailure><Interval>PT1M</Interval><Count>999</Count></RestartOnFailure>
  </Settings>
  <Actions><Exec><Command>{program}</Command><Arguments>{arguments}</Arguments></Exec></Actions>
</Task>
"""


def service(words: Sequence[str], user: str, writable: Sequence[Path]) -> str:
    """A systemd unit that runs the command `words`.

    With a `user` it is a unit of the system, for that user; else one of the user's own, in which
    the kernel enforces no IPAddressDeny. Only `writable` folders can be written.
    """
    command = " ".join(_quoted(word) for word in words)
    paths = " ".join(_quoted(f"-{path}") for path in writable)
    account = f"User={user}\nSupplementaryGroups=audio\n" if user else ""
    return SERVICE.format(
        command=command,
        user=account,
        home=f"ProtectHome=read-only\nReadWritePaths={paths}\n",
        target="multi-user.target" if user else "default.target",
    )


def agent(words: Sequence[str]) -> str:
    """A launchd agent that runs the command `words`."""
    entry = {
        "Label": LABEL,
        "ProgramArguments": list(words),
        "RunAtLoad": True,
        "KeepAlive": True,
        "ThrottleInterval": 5,
        "Umask": 0o077,
        "EnvironmentVariables": {"HF_HUB_OFFLINE": "1"},
    }
    return plistlib.dumps(entry).decode()


def task(words: Sequence[str]) -> str:
    """A task for Windows' Task Scheduler that runs the command `words`."""
    program, *arguments = words
    return TASK.format(
        program=escape(program), arguments=escape(subprocess.list2cmdline(arguments))
    )


def complaints(unit: Path) -> str | None:
    """What systemd finds wrong with a unit file; None where it cannot be asked."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "verify", "--man=no", str(unit)],
            capture_output=True,
            text=True,
            timeout=CHECK_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # An unknown key is only a warning to systemd; what it says of other units does not matter.
    lines = (done.stderr + done.stdout).splitlines()
    own = [line for line in lines if unit.name in line]
    return "\n".join(own or lines) if own or done.returncode else ""


def _quoted(word: str) -> str:
    """A word of a systemd setting: % begins a specifier, and blanks end a word."""
    word = word.replace("%", "%%").replace("$", "$$")
    plain = not any(c in word for c in " \t\"'\\;")
    return word if plain else '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
