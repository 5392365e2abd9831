"""Numbers of a real conversation, as somebody who collects them gets them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.command import said, talking
from tests.metrics.collector import collecting
from tests.metrics.test_prometheus import fetched, parsed

pytestmark = pytest.mark.models

QUESTION = "What is the capital of Italy?"
SERVED = "note: metrics for Prometheus at "
SENT = "note: OpenTelemetry sends traces to "


def test_a_conversation_is_served_and_sent_while_it_goes_on(
    starter_models: dict[str, Path], tmp_path: Path
) -> None:
    """When the second question is read, the first turn can be fetched; at the end both were sent,
    stage by stage, and neither question nor answer is in a byte of it."""
    wav = said(QUESTION, tmp_path / "question.wav")
    with collecting() as collector:
        env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        options = ("--metrics", "127.0.0.1:0", "--otel", "--output", tmp_path / "reply.wav")
        with talking(env, *options, "--input", wav, wav) as talk:
            url = talk.expect(SERVED).removeprefix(SERVED)
            assert talk.expect(SENT).startswith(SENT + collector.url)
            talk.expect("you:", count=2)
            text = fetched(url)
            assert talk.end() == 0, talk.lines
        samples = parsed(text)
        assert samples["edgevoice_turns_total"] == {("outcome=answered",): 1.0}
        assert samples["edgevoice_response_time_seconds_count"] == {("origin=speech",): 1.0}
        assert samples["edgevoice_ready"] == {(): 1.0}
        assert samples["process_resident_memory_bytes"][()] > 100e6
        spans = collector.spans()
        assert spans.count("turn") == spans.count("recognize") == spans.count("play") == 2
        assert {"listen", "confirm", "chat qwen2.5-coder-0.5b", "prefill", "decode"} < set(spans)
        everything = b"".join([text.encode(), *(body for _, body in collector.requests)])
    assert any("Rome" in line for line in talk.lines)
    for word in (b"Rome", b"capital", b"Italy"):
        assert word not in everything
