"""Models, memory and CPU as one line, or with the devices as a panel."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from edgevoice.scene import DEVICE_WORDS, Scene

MODEL_ROWS = (("slm", "language"), ("stt", "transcription"), ("tts", "voice"))


class MachinePanel(Widget):
    """Models, devices, memory and CPU."""

    DEFAULT_CSS = """
    MachinePanel { height: 1; padding: 0 1; }
    """

    picture: reactive[tuple[tuple[tuple[str, str, str], ...], str]] = reactive(((), ""))
    """Key, label and value of each model and device; and the load of this process."""

    def show(self, scene: Scene) -> None:
        """Show the scene's models, devices and load."""
        rows = [(k, words, scene.models.get(k, "")) for k, words in MODEL_ROWS]
        for kind, words in DEVICE_WORDS.items():
            name = "lost" if kind in scene.lost else scene.devices.get(kind, "")
            rows.append((kind, words, name))
        self.picture = (tuple(rows), _load(scene))

    def render(self) -> Content:
        rows, load = self.picture
        width, height = self.content_size
        if height > 1:
            lines = [
                Content.assemble((f"{words:<14}", "$foreground-muted"), value or "–").truncate(
                    width, ellipsis=True
                )
                for _, words, value in rows
            ]
            lines.append(Content.assemble((f"{'load':<14}", "$foreground-muted"), load or "–"))
            return Content("\n").join(lines)
        parts: list[tuple[str, str]] = []
        for key, _, value in rows[: len(MODEL_ROWS)]:
            if value:
                parts += [
                    (f"{key} ", "$foreground-disabled"),
                    (f"{value}  ", "$foreground-muted"),
                ]
        right = Content.styled(load, "$foreground-muted")
        left = Content.assemble(*parts).truncate(max(0, width - len(load) - 2), ellipsis=True)
        return left + " " * max(1, width - left.cell_length - right.cell_length) + right


def devices(scene: Scene) -> str:
    """The names of microphone and speaker on one line."""
    names = (
        f"{words} {'lost' if kind in scene.lost else scene.devices.get(kind, '')}"
        for kind, words in DEVICE_WORDS.items()
        if kind in scene.devices or kind in scene.lost
    )
    return " · ".join(names)


def _load(scene: Scene) -> str:
    parts = []
    if scene.rss is not None:
        parts.append(f"{scene.rss / 2**30:.2f} GiB")
    if scene.cpu is not None:
        parts.append(f"cpu {scene.cpu:.0f} %")
    if scene.underruns:
        parts.append(f"underruns {scene.underruns}")
    if scene.overruns:
        parts.append(f"overruns {scene.overruns}")
    return "  ".join(parts)
