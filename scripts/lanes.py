"""Run all tests that protect a user, in two lanes one after the other: lanes.py [PYTEST OPTION ...]

Tests with sound devices run in real time and have the machine to themselves: beside the others, one
in fifty failed. The other tests run in parallel.
Coverage of the first lane goes to `.coverage-devices`. Exits with 1 if a lane fails.
"""

from __future__ import annotations

import os
import subprocess
import sys

PYTEST = (sys.executable, "-m", "pytest")
DEVICES = (*PYTEST, "-m", "devices and not long")
OTHERS = (*PYTEST, "-n", "auto", "--dist", "worksteal", "-m", "not devices and not long")


def main(options: list[str]) -> int:
    env = {**os.environ, "COVERAGE_FILE": ".coverage-devices"}
    others = subprocess.run([*OTHERS, *options], check=False).returncode
    devices = subprocess.run([*DEVICES, *options], env=env, check=False).returncode
    return int(any((others, devices)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
