"""Run all tests that protect a user, in two lanes beside each other: lanes.py [PYTEST OPTION ...]

Tests with sound devices run in real time, one after the other. They often wait. The other tests
run in parallel meanwhile, on the processor time that is left: their niceness is the highest.
Coverage of the first lane goes to `.coverage-devices`. Exits with 1 if a lane fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

PYTEST = (sys.executable, "-m", "pytest")
DEVICES = (*PYTEST, "-m", "devices and not long")
OTHERS = (*PYTEST, "-n", "auto", "--dist", "worksteal", "-m", "not devices and not long")
YIELDING = ("nice", "-n", "19") if os.name == "posix" else ()


def main(options: list[str]) -> int:
    env = {**os.environ, "COVERAGE_FILE": ".coverage-devices"}
    with tempfile.TemporaryFile() as output:
        with (
            subprocess.Popen([*DEVICES, *options], env=env, stdout=output, stderr=output) as one,
            subprocess.Popen([*YIELDING, *OTHERS, *options]) as other,
        ):
            try:
                codes = [other.wait(), one.wait()]
            except KeyboardInterrupt:
                # Ctrl-C reaches the lanes as well, and they end by themselves.
                codes = [other.wait(), one.wait()]
        output.seek(0)
        print(flush=True)
        sys.stdout.buffer.write(output.read())
        sys.stdout.flush()
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
