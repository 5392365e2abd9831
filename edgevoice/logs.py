"""Logs for --debug, and the names of loggers."""

from __future__ import annotations

from edgevoice.harmless import harmless

ENGINES = "edgevoice.engines.messages"
"""Messages of the engines' libraries, thousands of lines, for `--debug=engine`."""


def show_logs(engines: bool) -> None:
    """Print the program's logs to standard error, with `engines` also those of the libraries.

    They hold text of models and files, so they are made safe for a terminal.
    """
    import logging  # not at the top, which would slow `--help`

    class SafeFormatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return harmless(super().format(record))

    printer = logging.StreamHandler()
    printer.setFormatter(SafeFormatter("%(name)s: %(message)s"))
    logging.basicConfig(handlers=[printer])
    logging.getLogger("edgevoice").setLevel(logging.DEBUG)
    logging.getLogger(ENGINES).setLevel(logging.DEBUG if engines else logging.WARNING)
