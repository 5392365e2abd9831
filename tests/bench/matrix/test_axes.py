"""A sweep is every combination of its values, and what is no setting is named."""

from __future__ import annotations

import pytest

from edgevoice.bench.matrix.axes import axes, cells, setting
from edgevoice.config import keys
from edgevoice.errors import ConfigError, UsageError

KNOWN = set(keys())


def test_every_combination_is_measured_once() -> None:
    """In the order of the values, those of the last key next to each other, each with its name."""
    found = axes(["slm=a,b,a", "llm.threads=1, 2"], KNOWN)
    assert [cell.label for cell in cells(found)] == [
        "slm=a llm.threads=1",
        "slm=a llm.threads=2",
        "slm=b llm.threads=1",
        "slm=b llm.threads=2",
    ]
    assert list(cells(found))[-1].settings == {"models.slm": "b", "slm.threads": "2"}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        *(("slm", "models.slm"), ("llm", "models.slm"), ("stt", "models.stt")),
        *(("voice", "models.tts"), ("tts", "models.tts"), ("turn", "models.turn")),
        *(("llm.threads", "slm.threads"), ("voice.speed", "tts.speed")),
        *(("turn.patience", "turn.patience"), ("models.vad", "models.vad")),
    ],
)
def test_a_key_may_be_called_by_its_role(name: str, key: str) -> None:
    """And every name that is offered is a setting."""
    assert setting(name) == key
    assert key in KNOWN


def test_a_key_that_is_no_setting_is_refused_before_anything_is_measured() -> None:
    """With the nearest one there is."""
    with pytest.raises(ConfigError, match=r"unknown setting slm\.thread") as error:
        axes(["slm.thread=1,2", "slm=a,b"], KNOWN)
    assert error.value.remedy == "did you mean slm.threads?"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        *((["slm"], "KEY=VALUE"), (["=a"], "KEY=VALUE"), (["slm="], "KEY=VALUE")),
        *((["slm=a,,b"], "KEY=VALUE"), (["slm=a", "llm=b"], "models.slm is varied twice")),
    ],
)
def test_what_cannot_be_read_is_told(given: list[str], told: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(UsageError, match=told):
        axes(given, KNOWN)
