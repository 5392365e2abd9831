"""The entry point: `python -m edgevoice` is `edgevoice`."""

import signal


def main() -> None:
    """Run the command line; Ctrl-C during the imports ends the program without a traceback."""
    default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if default:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from edgevoice.cli import main as run

    if default:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


if __name__ == "__main__":
    main()
