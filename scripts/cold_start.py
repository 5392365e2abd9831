"""Print how long `edgevoice --help` takes, and which imports take most of it.

make cold-start
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time

RUNS = 9
COMMAND = [sys.executable, "-m", "edgevoice", "--help"]
TARGET = 0.3


def one_run() -> float:
    began = time.perf_counter()
    subprocess.run(COMMAND, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def slowest_imports(count: int = 8) -> list[tuple[float, str]]:
    """The slowest imports: milliseconds of each module itself, without its own imports."""
    traced = [COMMAND[0], "-X", "importtime", *COMMAND[1:]]
    report = subprocess.run(traced, check=True, capture_output=True, text=True).stderr
    lines = re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", report)
    return sorted(((int(took) / 1000, name) for took, name in lines), reverse=True)[:count]


def main() -> int:
    one_run()  # the first run compiles
    times = sorted(one_run() for _ in range(RUNS))
    print(
        f"edgevoice --help: median {statistics.median(times):.3f} s, "
        f"{times[0]:.3f} to {times[-1]:.3f} s in {RUNS} runs (target: under {TARGET} s)"
    )
    for took, name in slowest_imports():
        print(f"  {took:6.1f} ms  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
