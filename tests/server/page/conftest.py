"""A browser without a window, the page in it, and somebody who speaks to it."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edgevoice.server.serving import Server
from tests.server.hosting import serving
from tests.server.page.engines import humming

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

PATIENCE = 300_000
"""Milliseconds after which something that was waited for never happens."""

FLAGS = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--no-sandbox",
    "--disable-dev-shm-usage",
)

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}

WITNESS = """
// Words are marked for a moment only.
window.marked = [];
addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
  for (const mark of document.querySelectorAll("mark:not(:empty)")) {
    const word = mark.textContent.trim();
    if (word && word !== marked.at(-1)) marked.push(word);
  }
}).observe(document.body, { subtree: true, childList: true, characterData: true }));
"""

MICROPHONE = """
// A microphone that hears what the test says, and silence otherwise.
const microphone = {};
window.say = async (wav) => {
  const bytes = Uint8Array.from(atob(wav), (letter) => letter.charCodeAt(0));
  const source = microphone.context.createBufferSource();
  source.buffer = await microphone.context.decodeAudioData(bytes.buffer);
  source.connect(microphone.output);
  source.start();
};
if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async () => {
  microphone.context = new AudioContext();
  microphone.output = microphone.context.createMediaStreamDestination();
  return microphone.output.stream;
};
"""


@dataclass
class Page:
    """The page in a tab, and what went wrong in it."""

    tab: Any
    wrong: list[str] = field(default_factory=list)

    def say(self, wav: Path) -> None:
        """Speak a recording into the microphone."""
        self.tab.evaluate("wav => say(wav)", base64.b64encode(wav.read_bytes()).decode())

    def shows(self, selector: str, text: str = "") -> None:
        """Wait until an element that matches has this text in it."""
        self.tab.locator(selector, has_text=text).first.wait_for()

    def listening(self) -> None:
        """Open the microphone once the models are loaded, and wait until the assistant listens."""
        self.noted("state", state="listening")
        self.tab.click("#talk")
        self.shows('#talk[data-state="listening"]')

    def ask(self, question: str) -> None:
        """Type a question."""
        self.tab.fill("#question", question)
        self.tab.press("#question", "Enter")

    @property
    def log(self) -> list[dict[str, Any]]:
        """The page's own log."""
        return list(self.tab.evaluate("edgevoice.log"))

    def noted(self, what: str, after: float = 0.0, **details: Any) -> dict[str, Any]:
        """The first entry of the page's log of this kind, later than `after` ms; waits for it."""
        try:
            found = self.tab.wait_for_function(
                """([what, after, details]) => edgevoice.log.find((entry) =>
                  entry.what === what && entry.at > after &&
                  Object.entries(details).every(([key, value]) => entry[key] === value))""",
                arg=[what, after, details],
            )
        except playwright.TimeoutError:
            pytest.fail(f"the page never noted {what} {details} after {after}: {self.log[-20:]}")
        return dict(found.json_value())

    @property
    def captions(self) -> list[str]:
        """The captions, each without its button."""
        return list(self.tab.locator("#captions li p").all_inner_texts())

    @property
    def marked(self) -> list[str]:
        """The words that were marked while they were spoken, in order."""
        return list(self.tab.evaluate("marked"))


Opened = Callable[..., Page]


@contextmanager
def browsing(*more: str) -> Iterator[Any]:
    """Chromium without a window."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=[*FLAGS, *more])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for the tests of a module."""
    with browsing() as running:
        yield running


@pytest.fixture
def opened(browser: Any) -> Iterator[Opened]:
    """Opens an address in a tab; nothing may go wrong in it. Its microphone is the test's."""
    pages = []

    def opened(address: str, speaks: bool = True, **device: Any) -> Page:
        context = browser.new_context(**{"locale": "en-US", **PHONE, **device})
        context.set_default_timeout(PATIENCE)
        context.add_init_script(WITNESS)
        if speaks:
            context.add_init_script(MICROPHONE)
        page = Page(context.new_page())
        pages.append(page)
        page.tab.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.tab.on(
            "console",
            lambda line: (
                page.wrong.append(line.text) if "Content Security Policy" in line.text else None
            ),
        )
        page.tab.goto(address)
        return page

    yield opened
    for page in pages:
        page.tab.context.close()
    assert not [wrong for page in pages for wrong in page.wrong]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that answers every sound."""
    with serving(tmp_path, humming) as running:
        yield running


def invitation(server: Server) -> str:
    """The address that pairs a device."""
    return f"{server.local_address()}#code={server.code.code}"
