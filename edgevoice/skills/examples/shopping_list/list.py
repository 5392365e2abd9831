"""Keeps a shopping list in a file beside this program: add TEXT, read, clear."""

import sys
from pathlib import Path

LIST = Path(__file__).with_name("list.txt")


def main() -> None:
    """Do what the first argument says."""
    lines = LIST.read_text("utf-8").splitlines() if LIST.exists() else []
    if sys.argv[1] == "add":
        LIST.write_text("\n".join([*lines, sys.argv[2]]) + "\n", "utf-8")
    elif sys.argv[1] == "clear":
        LIST.unlink(missing_ok=True)
    else:
        print(", ".join(lines) or "–")


main()
