"""edgevoice: a voice assistant that runs on your own device, and shows where the time went.

`from edgevoice import Config, open_assistant` is the Python API; README.md has a quick start.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# ONNX Runtime's official builds send telemetry (on Windows always, elsewhere since 1.29), unless
# these variables are set before it is imported. edgevoice must not open connections.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["ORT_TELEMETRY_DISABLED"] = "1"

if TYPE_CHECKING:
    from edgevoice.api import AnsweredTurn, open_assistant
    from edgevoice.assistant import Assistant
    from edgevoice.errors import EdgevoiceError
    from edgevoice.protocols import Agent
    from edgevoice.settings import Config

_HOMES = {
    "Agent": "edgevoice.protocols",
    "AnsweredTurn": "edgevoice.api",
    "Assistant": "edgevoice.assistant",
    "Config": "edgevoice.settings",
    "EdgevoiceError": "edgevoice.errors",
    "open_assistant": "edgevoice.api",
}
"""Where each public name is defined. It is imported on first use: `import edgevoice` stays fast."""

__all__ = ["Agent", "AnsweredTurn", "Assistant", "Config", "EdgevoiceError", "open_assistant"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'edgevoice' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
