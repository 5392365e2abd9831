"""The names of loggers that --debug sets the levels of."""

from __future__ import annotations

ENGINES = "edgevoice.engines.messages"
"""What the libraries of the engines have to say: thousands of lines, for `--debug=engine`."""
