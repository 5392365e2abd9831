"""Settings for kinds of machines, which every other source of settings overrides."""

from __future__ import annotations

from collections.abc import Mapping

PROFILES: Mapping[str, Mapping[str, str]] = {
    "phone": {
        "power.watch": "true",
        "power.fast_cores": "true",
        "slm.lock_memory": "false",
        "slm.context": "2048",
        "slm.draft": "off",
    },
    "laptop-battery": {"power.watch": "true", "slm.draft": "off"},
}
"""Name → `section.key` → value. A phone's system kills a program that holds too much memory."""
