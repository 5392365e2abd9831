"""How many threads each engine runs, where its settings leave that open.

Never more than there are cores: one more is not a little slower but many times, because barriers
spin until the scheduler gives the waiting thread its turn.
"""

from __future__ import annotations

from edgevoice.settings import SttSettings, TtsSettings


def of_recognizer(settings: SttSettings, cores: int) -> int:
    """Half of the cores: the decoder gains nothing by more, and the language model takes in the
    words of one look while the next one is read."""
    return settings.threads or max(1, cores // 2)


def of_voice(settings: TtsSettings) -> int:
    """One for a voice that is decoded in pieces: a second gains next to nothing there, and takes
    the language model's core."""
    return settings.threads or 1
