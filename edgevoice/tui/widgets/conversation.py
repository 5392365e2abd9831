"""The conversation: scrolls, and follows its end unless the user has scrolled back.

It is drawn line by line, not as one widget per exchange, and only changed rows are wrapped again.
The screen shares the cores and the GIL with the models.
"""

from __future__ import annotations

import re

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from edgevoice.exchange import Exchange
from edgevoice.scene import Remark, Scene, SceneRow
from edgevoice.tui.widgets.machine import devices

GUTTER = 12
TIME_WIDTH = 9
"""Cells for a turn's response time, at the right of the first line of its reply."""
NARROW = 48
"""Width in cells below which names stand above the text, not beside it."""
TINY, WIDE = 56, 110
"""Width in cells below which only the conversation is shown, and from which panels stand beside
it."""
PLAYED_MARK = "▸"
"""Separates what was played of a reply from the rest."""
MAX_UNPLAYED = 80
"""Most characters shown of the part of an interrupted reply that was not played."""
REMARK_NAMES = {"note": "", "notice": "note", "failure": "! failed"}


class Conversation(ScrollView, can_focus=False):
    """Exchanges and remarks, oldest first; a bar marks the exchange in the waterfall."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Conversation { scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._scene = Scene()
        self._selected: int | None = None
        self._seen: tuple[object, ...] = ()
        self._wrapped: dict[SceneRow, tuple[tuple[int, int, bool], list[Strip]]] = {}
        self._lines: list[Strip] = []
        self._gutters: dict[tuple[str, str, bool, int], Strip] = {}
        self._blank = Strip([])
        self._starts: dict[int, int] = {}
        self._following = True
        self._newest: int | None = None
        """The newest turn with a reply."""
        self._seen_reply: int | None = None
        """The newest turn with a reply when the end was last in view."""
        self._devices = ""

    def show(self, scene: Scene, selected: int | None) -> None:
        """Show the scene; `selected` is the turn selected for the waterfall, if any."""
        self._scene, self._selected = scene, selected
        # In wide terminals the panel names the devices.
        if (named := devices(scene) if TINY <= self.app.size.width < WIDE else "") != self._devices:
            self._devices = named
            self.border_subtitle = Content(named).markup
        waiting: tuple[int, ...] = ()
        if not scene.ready:
            waiting = tuple(int(scene.loaded_for(role)) for role in scene.pending)
        loaded = (scene.ready, len(scene.loading), len(scene.pending), waiting)
        seen = (scene.revision, selected, loaded, self.scrollable_content_region.size)
        if seen != self._seen:
            self._seen = seen
            self._newest = _newest_reply(scene)
            self._lay_out()
            if self._following:
                self._seen_reply = self._newest

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._redraw()

    def on_resize(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        self._wrapped.clear()
        self._gutters.clear()
        if self.is_mounted:
            self._blank = Strip.blank(self.scrollable_content_region.width, self.rich_style)
            self._lines.clear()
            self._lay_out()
            self.refresh()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        follow = self._following
        lines: list[Strip] = []
        self._starts.clear()
        if not self._scene.ready or not self._scene.rows:
            lines += self._wrap(self._intro(), width)
        wrapped = {}
        for row in self._scene.rows:
            if lines and not (isinstance(row, Remark) and row.kind == "note" and lines[-1].text):
                lines.append(self._blank)
            selected = isinstance(row, Exchange) and row.turn == self._selected
            key = (row.revision, width, selected)
            cached = self._wrapped.get(row)
            strips = (
                cached[1] if cached and cached[0] == key else self._strips(row, width, selected)
            )
            wrapped[row] = (key, strips)
            if isinstance(row, Exchange):
                self._starts[row.turn] = len(lines)
            lines += strips
        self._wrapped = wrapped
        before, self._lines = self._lines, lines
        self.virtual_size = Size(width, len(lines))
        if follow:
            self.scroll_end(animate=False, immediate=True, x_axis=False)
        # Drawing is slow, and a new token changes only a line or two.
        same = 0
        for old, new in zip(before, lines, strict=False):
            if old is not new and old != new:
                break
            same += 1
        self.refresh_lines(same, max(len(before), len(lines)) - same)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._following = new_value >= self.max_scroll_y
        if self._following:
            self._seen_reply = self._newest

    @property
    def following(self) -> bool:
        """Whether the view follows the end of the conversation."""
        return self._following

    @property
    def new_below(self) -> bool:
        """Whether a reply has come since the user scrolled back."""
        return not self._following and self._newest not in (None, self._seen_reply)

    def reveal(self, turn: int) -> None:
        """Scroll to the exchange of this turn."""
        start = self._starts.get(turn)
        if start is not None:
            self.scroll_to(y=max(0, start - 1), animate=False)

    def render_line(self, y: int) -> Strip:
        at = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if 0 <= at < len(self._lines):
            return self._lines[at].crop(0, width)
        return self._blank

    def _wrap(self, content: Content, width: int) -> list[Strip]:
        return Visual.to_strips(self, content, max(1, width), None, self.visual_style, pad=True)

    def _strips(self, row: SceneRow, width: int, selected: bool) -> list[Strip]:
        if isinstance(row, Remark):
            return self._entry(REMARK_NAMES[row.kind], _remark(row), width, row.kind, False)
        name = f"you {self._scene.asked_in(row)}".rstrip()
        strips = self._entry(name, _question(row), width, "you", selected)
        if reply := _reply(row):
            timing = self._scene.timing(row.turn)
            seconds = timing.response_time if timing else None
            strips += self._entry("edgevoice", reply, width, "edgevoice", selected, seconds)
        return strips

    def _entry(
        self,
        name: str,
        text: Content,
        width: int,
        kind: str,
        selected: bool,
        response_time: float | None = None,
    ) -> list[Strip]:
        style = NAME_STYLES[kind]
        if width < NARROW:
            title = [self._gutter(name, style, selected, width)] if name else []
            bar = self._gutter("", style, selected, 2)
            return title + [Strip.join([bar, line]) for line in self._wrap(text, width - 2)]
        margin = TIME_WIDTH if width >= 60 else 0
        body = self._wrap(text, width - GUTTER - margin)
        if response_time is not None and margin:
            label = f"{round(response_time * 1000)} ms".rjust(TIME_WIDTH)
            time = self._wrap(Content.styled(label, "$foreground-muted"), TIME_WIDTH)
            body[0] = Strip.join([body[0], *time])
        names = [name, *[""] * (len(body) - 1)]
        return [
            Strip.join([self._gutter(each, style, selected, GUTTER), line])
            for each, line in zip(names, body, strict=True)
        ]

    def _gutter(self, name: str, style: str, selected: bool, width: int) -> Strip:
        """The left end of a line: a bar if its turn is selected, and the speaker's name."""
        key = (name, style, selected, width)
        if key not in self._gutters:
            bar = Content.styled("▌ " if selected else "  ", "$primary")
            self._gutters[key] = self._wrap(bar + Content.styled(name, style), width)[0]
        return self._gutters[key]

    def _intro(self) -> Content:
        scene = self._scene
        if scene.ready:
            return Content.assemble(
                ("  Say something.\n\n", "bold"),
                ("  Nothing you say leaves this device.\n", "$foreground-muted"),
                ("  Press / to type a question, ? for all keys.", "$foreground-muted"),
            )
        lines = [Content.styled("  Loading the models", "bold")]
        for role, loading in scene.loading.items():
            ready, lasted = loading.seconds is not None, scene.loaded_for(role)
            seconds = f"{lasted:.1f} s" if ready else f"{int(lasted)} s …" if lasted >= 1 else "…"
            lines.append(
                Content.assemble(
                    (f"  {'✓' if ready else '◇'} {ROLE_TITLES[role]:<17}", "$foreground-muted"),
                    (f"{loading.model}  ", "" if ready else "$foreground-muted"),
                    (f"{'ready in ' if ready else 'loading '}{seconds}", "$foreground-muted"),
                )
            )
        return Content("\n").join(lines)


ROLE_TITLES = {
    "vad": "speech detection",
    "stt": "transcription",
    "slm": "language model",
    "draft": "draft model",
    "tts": "voice",
    "turn": "end of turn",
}
NAME_STYLES = {
    "you": "bold $foreground-muted",
    "edgevoice": "bold $text-primary",
    "note": "$foreground-muted",
    "notice": "bold $text-secondary",
    "failure": "bold $text-error",
}


def _newest_reply(scene: Scene) -> int | None:
    exchanges = (row for row in reversed(scene.rows) if isinstance(row, Exchange))
    return next((row.turn for row in exchanges if row.committed and row.reply), None)


def _tidy(text: str) -> str:
    return re.sub(r"\s*\n\s*", "\n", text)


def _question(row: Exchange) -> Content:
    if row.final or row.phase == "over":
        return Content(row.question or "(no words recognized)")
    return Content.styled(f"{row.question} …".lstrip(), "italic $foreground-muted")


def _reply(row: Exchange) -> Content:
    """A committed reply: the played part, a mark, the rest, and how it ended."""
    played, rest = _tidy(row.heard.lstrip()), _tidy(row.unheard.rstrip())
    if not played:
        rest = rest.lstrip()
    parts: list[tuple[str, str]] = []
    if row.committed and (played or rest):
        parts.append((played, ""))
        if rest and row.phase == "over" and len(rest) > MAX_UNPLAYED:
            rest = rest[:MAX_UNPLAYED].rstrip() + " …"
        if rest:
            space = " " if played and not played[-1].isspace() else ""
            parts += [
                (f"{space}{PLAYED_MARK} ", "bold $text-accent"),
                (rest.lstrip(), "$foreground-muted"),
            ]
        if row.phase != "over" and not row.written:
            parts.append((" …", "$foreground-muted"))
    elif row.phase == "thinking":
        parts.append(("…", "$foreground-muted"))
    if row.paused:
        parts.append(("  (paused)", "$text-warning"))
    if row.ending == "interrupted":
        parts.append(("  (interrupted)", "$text-warning"))
    elif row.ending in ("failed", "shutdown") and not played:
        reason = f": {row.detail}" if row.detail else ""
        parts.append((f"(no reply{reason})", "$text-error"))
    return Content.assemble(*parts)


def _remark(row: Remark) -> Content:
    times = f" ×{row.count}" if row.count > 1 else ""
    body = Content.styled(row.text + times, "$foreground-muted" if row.kind == "note" else "")
    if row.remedy:
        body += Content.assemble("\n", ("fix: ", "bold"), row.remedy)
    return body
