"""What older versions of edgevoice wrote, in today's names.

Schema 1 of traces, and version 1 of recorded turns with the same events in them, had other names
for events, for reasons why a turn was cancelled and for stages. Version 1 of bench results had
other fields. Settings and budgets had other names, too. No old name has a new meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

_T = TypeVar("_T")

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
SETTINGS = {
    "address.mode": "activation.mode",
    "address.follow_up_seconds": "activation.follow_up_seconds",
    "address.interrupt": "activation.interrupt",
    "address.earcons": "activation.earcons",
    "address.close_between": "activation.close_between",
    "echo.own_words": "echo.self_speech",
    "keep.audio": "recordings.folder",
    "keep.turns": "recordings.turns",
    "keep.megabytes": "recordings.megabytes",
    "slm.keep_state": "slm.prompt_cache",
    "turn.shortest_ms": "turn.min_silence_ms",
    "turn.longest_ms": "turn.max_silence_ms",
    "turn.hold_ms": "turn.pause_playback_ms",
    "turn.sure_ms": "turn.stop_playback_ms",
}
SECTIONS = {"address": "activation", "keep": "recordings"}
OPTIONS = {"--keep-audio": "--record-turns"}
RESULT_FIELDS = {
    "gap": "response_time",
    "replaced": "false_starts",
    "recognized": "transcript",
    "told": "reason",
}
BUDGETS = {"gap": "response_time"}

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


def result(found: Any) -> Any:
    """A result of version 1 of the bench, decoded from JSON, with the fields of today."""
    if isinstance(found, list):
        return [result(each) for each in found]
    if not isinstance(found, dict):
        return found
    if found.get("name") == "gap":
        # A finding of a soak.
        found = {**found, "name": "response time"}
    return {RESULT_FIELDS.get(name, name): result(value) for name, value in found.items()}


def recorded_turn(found: dict[str, Any]) -> dict[str, Any]:
    """A recorded turn of version 1, decoded from JSON, with the response time under its name."""
    return {"response_time" if name == "gap" else name: value for name, value in found.items()}


def settings(given: Mapping[str, _T]) -> dict[str, _T]:
    """Settings by `section.key`, under the names of today. A new name wins over its old one."""
    current = {key: value for key, value in given.items() if key not in SETTINGS}
    old = {SETTINGS[key]: value for key, value in given.items() if key in SETTINGS}
    return {**old, **current}


def notice(old: Mapping[str, str]) -> str:
    """One sentence for the old names that a user still writes; `old` maps each to its new name."""
    names = ", ".join(f"{name} is now {new}" for name, new in sorted(old.items()))
    return f"old names still work for a while: {names}"
