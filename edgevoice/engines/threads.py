"""How many threads each engine runs if its settings leave that open.

Never more than there are cores: one more makes an engine many times slower, because threads spin
at barriers (cpu-2026-11).
"""

from __future__ import annotations

from edgevoice.settings import SttSettings, TtsSettings


def of_recognizer(settings: SttSettings, cores: int) -> int:
    """The transcriber's threads: stt.threads, or half of the cores.

    Its decoder gains nothing from more, and the language model prefills on the other half.
    """
    return settings.threads or max(1, cores // 2)


def of_voice(settings: TtsSettings) -> int:
    """The threads of a voice that streams: tts.threads, or 1.

    A second thread gains almost nothing and takes the language model's core.
    """
    return settings.threads or 1
