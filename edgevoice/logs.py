"""Names of loggers for --debug."""

from __future__ import annotations

ENGINES = "edgevoice.engines.messages"
"""Messages of the engines' libraries, thousands of lines, for `--debug=engine`."""
