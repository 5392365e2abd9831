"""The top line: the assistant's state and the level of the microphone."""

from __future__ import annotations

import time
from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from edgevoice.scene import DEVICE_WORDS, AssistantState, Scene

STATE_SHAPES: dict[AssistantState, str] = {
    "loading": "◇",
    "asleep": "◌",
    "listening": "○",
    "hearing": "●",
    "thinking": "◆",
    "speaking": "▶",
    "paused": "‖",
    "muted": "×",
    "ended": "■",
}
"""A shape for each state, to recognize it without colour."""

STATE_COLOURS: dict[AssistantState, str] = {
    "loading": "$foreground-muted",
    "asleep": "$foreground-muted",
    "listening": "$text-success",
    "hearing": "$text-accent",
    "thinking": "$text-secondary",
    "speaking": "$text-primary",
    "paused": "$text-accent",
    "muted": "$text-warning",
    "ended": "$foreground-muted",
}

STATE_WORDS: dict[AssistantState, tuple[str, str]] = {
    "loading": ("loading", ""),
    "asleep": ("asleep", ""),
    "listening": ("listening", "speak, or press / to type"),
    "hearing": ("hearing you", ""),
    "thinking": ("thinking", "esc stops it"),
    "speaking": ("speaking", "esc stops it"),
    "paused": ("paused: listening to you", "esc stops it"),
    "muted": ("muted", "m to unmute, / to type"),
    "ended": ("ended", "q to quit"),
}
"""Each state in words, and a hint what the user can do."""

FLOOR_DB = -60.0


def meter(dbfs: float, cells: int) -> int:
    """How many of `cells` are lit at this level, from -60 dBFS to full scale."""
    return max(0, min(cells, round((dbfs - FLOOR_DB) / -FLOOR_DB * cells)))


@dataclass(frozen=True, slots=True)
class _Picture:
    state: AssistantState = "loading"
    hint: str = ""
    mic: str = "on"
    voice: bool = False
    dbfs: int = -120
    cells: int = 4


class Status(Widget):
    """The state on the left, as shape, word and colour; the level meter on the right."""

    DEFAULT_CSS = """
    Status { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    picture: reactive[_Picture] = reactive(_Picture())

    def show(self, scene: Scene, talking: bool) -> None:
        """Show the scene; `talking` while push-to-talk is on."""
        self.picture = _Picture(
            state=scene.state,
            hint=", ".join(filter(None, (_timer(scene, time.time()), _hint(scene, talking)))),
            mic="lost" if "input" in scene.lost else "off" if scene.muted else "on",
            voice=scene.speech >= 0.5,
            dbfs=round(scene.dbfs),
            cells=max(4, min(24, self.size.width // 5)),
        )

    def render(self) -> Content:
        picture, width = self.picture, self.content_size.width
        shape, word = STATE_SHAPES[picture.state], STATE_WORDS[picture.state][0]
        colour = STATE_COLOURS[picture.state]
        if picture.mic == "lost" and picture.state in ("listening", "asleep"):
            shape, word, colour = STATE_SHAPES["muted"], "no microphone", STATE_COLOURS["muted"]
        left = Content.styled(f"{shape} {word}", f"bold {colour}")
        right = _microphone(picture, width)
        room = width - left.cell_length - right.cell_length - 2
        if picture.hint and room > 12:
            hint = Content.styled(f"   {picture.hint}", "$foreground-muted")
            left += hint.truncate(room, ellipsis=True)
        return left + " " * max(1, width - left.cell_length - right.cell_length) + right


def _timer(scene: Scene, now: float) -> str:
    """The next timer, with the time that is left; `now` in seconds since 1970."""
    if not scene.timers or scene.state in ("loading", "ended"):
        return ""
    timer = scene.timers[0]
    name = f"{timer.kind} {timer.name}".strip() if timer.kind != "timer" else timer.name
    if timer.rings:
        return f"{name} rings, say stop"
    left = timer.due - now if timer.left is None else timer.left
    minutes, seconds = divmod(max(0, round(left)), 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    more = f" and {len(scene.timers) - 1} more" if len(scene.timers) > 1 else ""
    return f"{name} {clock}{more}" + (", paused" if timer.left is not None else "")


def _hint(scene: Scene, talking: bool) -> str:
    state = scene.state
    hint = STATE_WORDS[state][1]
    if state == "loading" and scene.loading:
        if not scene.pending:
            return "warming up"
        return f"{len(scene.loading) - len(scene.pending)} of {len(scene.loading)} models ready"
    if state == "ended" and scene.ended:
        return f"{scene.ended.replace('_', ' ')}, {hint}"
    if scene.pending:
        return f"loading {', '.join(scene.loading[role].model for role in scene.pending)}"
    if state == "listening" and not scene.ready:
        return "warming up"
    if "input" in scene.lost and state in ("listening", "asleep"):
        return "press / to type"
    if talking and state == "hearing":
        return "release space, or tap it, when you have finished"
    if state == "speaking" and scene.live and scene.live.quieter:
        return "quieter: are you speaking?"
    if state == "asleep":
        return f'say "{scene.word}", or hold space' if scene.word else "hold space to talk"
    if not scene.speaks:
        hint = f"{hint}, v to speak replies".removeprefix(", ")
    return "microphone muted" if scene.muted and state != "muted" else hint


def _microphone(picture: _Picture, width: int) -> Content:
    if picture.mic != "on":
        return Content.styled(f"mic {picture.mic}", "bold $text-warning")
    lit = meter(picture.dbfs, picture.cells)
    loud = "$text-error" if picture.dbfs > -3 else "$text-warning" if picture.dbfs > -9 else None
    return Content.assemble(
        ("mic ", "$foreground-muted"),
        ("━" * lit, loud or "$text-success"),
        ("─" * (picture.cells - lit), "$foreground-disabled"),
        (
            f" {picture.dbfs if picture.dbfs > -100 else '–':>4} dB" if width >= 60 else "",
            "$foreground-muted",
        ),
        ((" voice" if picture.voice else " quiet") if width >= 76 else "", "$foreground-muted"),
    )


class Banner(Widget):
    """A banner about lost devices, until they are back."""

    DEFAULT_CSS = """
    Banner { height: auto; padding: 0 1; background: $error; color: $text; text-style: bold;
             display: none; }
    """

    text: reactive[str] = reactive("", layout=True)

    def show(self, scene: Scene) -> None:
        """Show the lost devices; hide the banner if there are none."""
        self.text = "\n".join(
            f"! {DEVICE_WORDS[kind]} lost: {lost.name}" + (f"\n  {lost.remedy}" * bool(lost.remedy))
            for kind, lost in scene.lost.items()
        )
        self.display = bool(self.text)

    def render(self) -> Content:
        return Content(self.text)


class DownloadLine(Widget):
    """A line about a model that is downloaded in the background; hidden without one."""

    DEFAULT_CSS = """
    DownloadLine { height: 1; padding: 0 1; color: $foreground-muted; display: none; }
    """

    text: reactive[str] = reactive("")

    def show(self, scene: Scene) -> None:
        """Show the download of the scene."""
        self.text = scene.download.text if scene.download else ""
        self.display = bool(self.text)

    def render(self) -> Content:
        return Content(self.text)
