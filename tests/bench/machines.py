"""Machines made of files: what Linux would show of them below /sys and /proc."""

from __future__ import annotations

from pathlib import Path


def tree(root: Path, files: dict[str, object]) -> Path:
    """Write each file with its text, below `root`."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


LAPTOP = {
    "sys/class/thermal/thermal_zone0/type": "acpitz",
    "sys/class/thermal/thermal_zone0/temp": 27800,
    "sys/class/thermal/thermal_zone1/type": "x86_pkg_temp",
    "sys/class/thermal/thermal_zone1/temp": 61000,
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": 1_800_000,
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": 2_200_000,
    "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": 3,
    "sys/class/powercap/intel-rapl:0/name": "package-0",
    "sys/class/powercap/intel-rapl:0/energy_uj": 1_000_000,
    "sys/class/powercap/intel-rapl:0/max_energy_range_uj": 10_000_000,
    "sys/class/powercap/intel-rapl:0:0/name": "core",
    "sys/class/powercap/intel-rapl:0:0/energy_uj": 900_000,
    "sys/class/powercap/intel-rapl:1/name": "psys",
    "sys/class/powercap/intel-rapl:1/energy_uj": 7_000_000,
}
"""A laptop with an Intel processor, whose counters everybody may read."""


BOARD = {
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": 70100,
    "sys/class/thermal/cooling_device0/type": "cpufreq-cpu0",
    "sys/class/thermal/cooling_device0/cur_state": 0,
    "sys/class/thermal/cooling_device1/type": "pwm-fan",
    "sys/class/thermal/cooling_device1/cur_state": 3,
}
"""A board with an ARM processor and a fan."""

CACHES = {
    "sys/devices/system/cpu/cpu0/cache/index0/level": 1,
    "sys/devices/system/cpu/cpu0/cache/index0/type": "Data",
    "sys/devices/system/cpu/cpu0/cache/index0/size": "32K",
    "sys/devices/system/cpu/cpu0/cache/index1/level": 1,
    "sys/devices/system/cpu/cpu0/cache/index1/type": "Instruction",
    "sys/devices/system/cpu/cpu0/cache/index1/size": "64K",
    "sys/devices/system/cpu/cpu0/cache/index2/level": 2,
    "sys/devices/system/cpu/cpu0/cache/index2/type": "Unified",
    "sys/devices/system/cpu/cpu0/cache/index2/size": "512K",
    "sys/devices/system/cpu/cpu0/cache/index2/shared_cpu_list": "0",
    "sys/devices/system/cpu/cpu0/cache/index3/level": 3,
    "sys/devices/system/cpu/cpu0/cache/index3/type": "Unified",
    "sys/devices/system/cpu/cpu0/cache/index3/size": "16M",
    "sys/devices/system/cpu/cpu0/cache/index3/shared_cpu_list": "0-1",
    "sys/devices/system/cpu/cpu1/cache/index3/level": 3,
    "sys/devices/system/cpu/cpu1/cache/index3/type": "Unified",
    "sys/devices/system/cpu/cpu1/cache/index3/size": "16M",
    "sys/devices/system/cpu/cpu1/cache/index3/shared_cpu_list": "0-1",
}
