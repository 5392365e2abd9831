"""The thread plan: how many threads each stage runs in each part of a turn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgevoice.engines import prompt_cache
from edgevoice.engines.threads import of_recognizer, of_voice
from edgevoice.settings import Config

THREAD_COLUMNS = ("recognizer", "turn detector", "language model", "voice")
NO_THREADS = "-"


def threads(config: Config, cores: int) -> dict[str, tuple[str, ...]]:
    """For each part of a turn, the threads of each of THREAD_COLUMNS on `cores` cores.

    A range means that the language model uses the cores that other stages leave free. Cores kept
    busy by other programs reduce it further, down to one.
    """
    recognizer, voice = of_recognizer(config.stt, cores), of_voice(config.tts)

    def model(least: int, most: int) -> str:
        if config.slm.threads:
            return str(config.slm.threads)
        least = max(1, least) if config.slm.adapt_threads else cores
        most = max(1, most) if config.slm.adapt_threads else cores
        return str(most) if least == most else f"{least} to {most}"

    return {
        "you speak": (
            str(recognizer),
            NO_THREADS,
            model(cores - recognizer, cores - 1),
            NO_THREADS,
        ),
        "you pause": (str(recognizer), "1", model(cores - recognizer, cores), NO_THREADS),
        "it speaks": (NO_THREADS, NO_THREADS, model(cores - voice, cores), str(voice)),
    }


def table(config: Config, cores: int) -> list[str]:
    """The plan in lines of columns."""
    rows: list[tuple[str, ...]] = [("threads while", *THREAD_COLUMNS)]
    rows += [(part, *each) for part, each in threads(config, cores).items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def rates(measured: Mapping[int, Mapping[int, float]]) -> list[str]:
    """The measured speed of a language model, in words; `measured`: threads → batch → seconds."""
    lines = []
    for number, costs in sorted(measured.items()):
        said = [f"{1000 * costs[1]:.0f} ms a token"] if 1 in costs else []
        prompts = [size for size in costs if size > 1]
        if prompts:
            best = min(prompts, key=lambda size: costs[size] / size)
            said.append(f"{best / costs[best]:.0f} tokens of a prompt a second, {best} at once")
        if said:
            lines.append(f"{number} thread{'s' if number > 1 else ''}: {'; '.join(said)}")
    return lines


def measured(name: str, path: Path) -> list[str]:
    """The measured speed of the language model at `path` when it last ran here; may be empty."""
    costs = prompt_cache.measured(prompt_cache.default_folder(), path)
    return [f"{name} on {line}" for line in rates(costs)]
