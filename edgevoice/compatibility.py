"""What older versions of edgevoice wrote, in today's names.

Schema 1 of traces, and version 1 of recorded turns with the same events in them, had other names
for events, for reasons why a turn was cancelled and for stages. No old name has a new meaning.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

EVENTS = {
    "partial_heard": "interim_transcript",
    "recognized": "final_transcript",
    "end_judged": "end_of_turn_scored",
    "recognition_started": "transcription_started",
    "clause_cut": "clause_ready",
    "synthesis_ready": "first_audio",
    "spoken": "playback_progress",
    "reply_held": "playback_paused",
    "reply_resumed": "playback_resumed",
    "reply_ducked": "playback_ducked",
    "reply_ended": "generation_ended",
    "prompt_begun": "prefill_progress",
    "prompt_started": "prefill_started",
    "prompt_ready": "prefill_ended",
    "token_made": "token_generated",
    "woke": "activated",
    "slept": "deactivated",
    "addressed_by": "activation_mode",
    "device_found": "device_restored",
    "pace_changed": "speaker_tempo_changed",
}
REASONS = {"nothing_said": "no_speech", "told_to_stop": "stop_command"}
STAGES = {
    "ears": "capture",
    "judge": "end_of_turn",
    "scribe": "transcription",
    "mind": "agent",
    "voice": "synthesis",
    "speaker": "playback",
}

_RENAMED = {**EVENTS, "turn_cancelled": "turn_cancelled", "stage_failed": "stage_failed"}
_TYPE = re.compile(rb'"type":\s*"([a-z_]+)"')


def event(line: bytes) -> bytes:
    """One event as JSON, whatever version wrote it, with the names of today.

    Text that is no such event is returned as it is.
    """
    found = _TYPE.search(line)
    if not found or found[1].decode() not in _RENAMED:
        return line
    try:
        told: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return line
    if not isinstance(told, dict) or not isinstance(told.get("type"), str):
        return line
    told["type"] = _RENAMED.get(told["type"], told["type"])
    for name, new in (("reason", REASONS), ("stage", STAGES)):
        if isinstance(value := told.get(name), str):
            told[name] = new.get(value, value)
    return msgspec.json.encode(told)
