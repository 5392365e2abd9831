"""edgevoice: a voice assistant that runs on your own device, and shows where the time went."""

import os

__version__ = "0.1.0"

# ONNX Runtime's official builds report to their maker unless told not to before they are loaded:
# on Windows always, elsewhere from 1.29 on. Nothing here may open a connection, so it is told,
# whichever version is installed and whatever imports it first.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["ORT_TELEMETRY_DISABLED"] = "1"
