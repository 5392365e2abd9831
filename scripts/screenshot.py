"""Show a trace on the screen and save the screen as a picture.

    python scripts/screenshot.py docs/example-trace.jsonl docs/screen.svg [WIDTH HEIGHT [UNTIL]]

UNTIL is the session time of the picture, in seconds; by default the end of the trace.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from edgevoice.bus import Subscriber
from edgevoice.events import SessionEnded
from edgevoice.trace import read
from edgevoice.tui.app import EdgevoiceApp
from edgevoice.tui.commands import Commands


async def picture(trace: Path, width: int, height: int, until: float) -> str:
    """The screen as SVG, without addresses of fonts."""
    events = [e for e in read(trace) if e.t <= until and not isinstance(e, SessionEnded)]

    def subscribe(subscriber: Subscriber) -> Callable[[], None]:
        for event in events:
            subscriber(event)
        return lambda: None

    # No key is pressed, so the commands are not used.
    app = EdgevoiceApp(cast(Commands, None), subscribe)
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause()
        app.drain()
        await pilot.pause()
        svg = app.export_screenshot(title="edgevoice")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    source, target, *size = sys.argv[1:]
    numbers = [float(n) for n in size] + [110, 30, float("inf")][len(size) :]
    svg = asyncio.run(picture(Path(source), int(numbers[0]), int(numbers[1]), numbers[2]))
    Path(target).write_text(svg, "utf-8")
