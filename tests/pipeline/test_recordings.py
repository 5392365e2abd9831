"""Kept turns: what was heard and what came of it, only when asked for, and never at a price."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice import files
from edgevoice.assistant import Assistant
from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Samples
from edgevoice.context import Resume
from edgevoice.devices.simulated import SimulatedSink
from edgevoice.errors import EdgevoiceError
from edgevoice.history import History
from edgevoice.protocols import ChatMessage
from edgevoice.recordings import turn_recorder
from edgevoice.recordings.folder import RecordingsFolder
from edgevoice.recordings.recorded_turn import VERSION, RecordedTurn, read
from edgevoice.recordings.turn_recorder import TurnRecorder
from edgevoice.settings import Config, TurnSettings
from edgevoice.testing.scripted import ScriptedRecognizer
from edgevoice.timings import fold
from edgevoice.wav import read_speech
from tests.kept import STARTED, Kept, file_of

FIXED = Config(turn=TurnSettings(silence_ms=700))


def sound(folder: Path, turn: RecordedTurn) -> Samples:
    return read_speech(folder / turn.audio)


def voiced(samples: Samples) -> tuple[float, float]:
    """From when to when something is heard, in seconds."""
    loud = np.flatnonzero(samples)
    return loud[0] / CAPTURE_RATE, (loud[-1] + 1) / CAPTURE_RATE


def test_a_recording_holds_the_silence_before_and_after_what_was_said(tmp_path: Path) -> None:
    """From half a second before the first voiced sample to where the turn was over."""
    kept = Kept(tmp_path, config=FIXED)
    kept.show.hear((2.0, "what time is it", 1.0))
    (turn,) = kept.run()
    samples = sound(tmp_path, turn)
    (started,), (ended,) = (kept.show.all(kind) for kind in (ev.SpeechStarted, ev.SpeechEnded))
    first, end = voiced(samples)
    frame = FRAME_SAMPLES / CAPTURE_RATE
    assert turn.began == pytest.approx(started.at - 0.5, abs=frame)
    assert first == pytest.approx(0.5, abs=2 * frame)
    assert end - first == pytest.approx(1.0)
    assert turn.speech_end == pytest.approx(ended.at - turn.began)
    assert end == pytest.approx(turn.speech_end, abs=frame)
    assert len(samples) / CAPTURE_RATE == pytest.approx(turn.speech_end + 0.7, abs=2 * frame)
    assert turn.seconds == len(samples) / CAPTURE_RATE


def test_what_came_of_it_stands_beside_it(tmp_path: Path) -> None:
    """Words, models, settings, version, and events from which its timings can be read again."""
    kept = Kept(tmp_path, "It is noon.", FIXED)
    kept.show.hear((0.2, "what time is it", 1.0))
    (turn,) = kept.run()
    (timings,) = fold(kept.show.events)
    assert (turn.heard, turn.reply, turn.spoken) == (
        "what time is it",
        "It is noon.",
        "It is noon.",
    )
    assert turn.ending == "completed"
    assert turn.models == STARTED.models
    assert turn.edgevoice == "0.1.0"
    assert turn.started.startswith("2026-01-01T12:00:00.")
    assert turn.settings["turn.silence_ms"] == 700
    assert turn.response_time == timings.response_time
    assert turn.spans == {span.name: span.seconds for span in timings.spans}
    assert fold(turn.decoded_events()) == [timings]
    own = [event for event in kept.show.events if getattr(event, "turn", None) == 0]
    assert turn.decoded_events() == own


def test_a_turn_that_the_user_went_on_with_is_one_recording(tmp_path: Path) -> None:
    """Both halves and the pause between them, and the events of the attempt that was taken back."""
    settings = TurnSettings(silence_ms=1200, pause_ms=200)
    kept = Kept(tmp_path, config=Config(turn=settings))
    kept.show.hear((0.5, "please turn off", 1.0), (2.2, "the lights", 0.8))
    (turn,) = kept.run()
    assert turn.heard == "please turn off the lights"
    first, end = voiced(sound(tmp_path, turn))
    assert end - first == pytest.approx(2.5)
    cancelled = [e for e in turn.decoded_events() if isinstance(e, ev.TurnCancelled)]
    assert [event.reason for event in cancelled] == ["resumed"]
    assert len(fold(turn.decoded_events())) == 1


def test_the_history_is_what_the_model_was_asked_with(tmp_path: Path) -> None:
    """Also what was typed in between, of which there is no recording."""
    kept = Kept(tmp_path, lambda messages: f"Answer {len(messages)}.")
    kept.show.hear((0.2, "one", 1.0))
    kept.show.hear((9.0, "two", 1.0))
    kept.show.at(6.0, lambda assistant: assistant.say("typed"))
    one, two = kept.run()
    assert one.past == ()
    assert two.past == (
        ChatMessage("user", "one"),
        ChatMessage("assistant", "Answer 2."),
        ChatMessage("user", "typed"),
        ChatMessage("assistant", "Answer 4."),
    )
    assert two.history[0].role == "system"
    asked = kept.show.slm.asked[-1]  # type: ignore[attr-defined]
    assert [(m.role, m.text) for m in asked[:-1]] == [(m.role, m.text) for m in two.history]


def test_an_interrupted_turn_is_kept_with_what_was_heard_of_it(tmp_path: Path) -> None:
    """And the one that interrupted it knows of that, in its own recording from its beginning."""
    kept = Kept(tmp_path, "This is a long answer that goes on for quite a while, for once.")
    kept.show.hear((0.2, "tell me", 1.0), (4.0, "and now this", 1.0))
    one, two = kept.run()
    assert (one.heard, one.ending) == ("tell me", "barge_in")
    assert one.spoken
    assert one.reply.startswith(one.spoken)
    assert one.spoken != one.reply
    assert two.past == (
        ChatMessage("user", "tell me"),
        ChatMessage("assistant", one.spoken, interrupted=True),
    )
    assert two.heard == "and now this"
    first, end = voiced(sound(tmp_path, two))
    assert end - first == pytest.approx(1.0)


def test_a_cough_and_a_failure_are_kept_as_what_they_were(tmp_path: Path) -> None:
    """What was not answered is what one wants to run again."""
    kept = Kept(tmp_path, config=FIXED)
    show = kept.show
    broken = {"oh no": RuntimeError("the recognizer fell over")}
    show.recognizer = ScriptedRecognizer(show.clock, show.book, results=broken)
    show.hear((0.2, "", 0.5))
    show.hear((0.2, "oh no", 1.0))
    show.hear((0.2, "what time is it", 1.0))
    cough, failed, answered = kept.run()
    assert (cough.ending, cough.heard, cough.response_time) == ("no_speech", "", None)
    assert (failed.ending, failed.heard) == ("failed", "")
    assert any(isinstance(event, ev.StageFailed) for event in failed.decoded_events())
    assert answered.ending == "completed"


def test_nothing_is_kept_of_what_is_said_while_the_microphone_is_muted(tmp_path: Path) -> None:
    """Not even what was begun before, nor of the silence before the next question."""
    kept = Kept(tmp_path, config=FIXED)
    kept.show.hear((0.2, "this is private", 3.0), (4.2, "what time is it", 1.0))
    kept.show.at(2.0, lambda assistant: assistant.mute(True))
    kept.show.at(4.5, lambda assistant: assistant.mute(False))
    (turn,) = kept.run()
    assert turn.heard == "what time is it"
    samples = sound(tmp_path, turn)
    assert "private" not in kept.show.book.read(samples)
    first, end = voiced(samples)
    assert end - first == pytest.approx(1.0)


def test_the_user_is_told_where_it_is_kept_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    """Once, at the start; the folder and its files are the user's own."""
    folder = tmp_path / "deep" / "kept"
    kept = Kept(folder)
    kept.show.hear((0.2, "one", 1.0))
    kept.show.hear((0.2, "two", 1.0))
    kept.run()
    assert kept.notices == [f"turns are recorded in {folder}, with sound and text"]
    if os.name == "posix":
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, *sorted(folder.iterdir()))]
        assert modes == [0o700, *[0o600] * 4]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX ones")
def test_a_folder_that_others_can_look_into_is_told_of(tmp_path: Path) -> None:
    """It is the user's, and stays as it is."""
    tmp_path.chmod(0o755)
    kept = Kept(tmp_path)
    kept.show.hear((0.2, "one", 1.0))
    assert len(kept.run()) == 1
    assert kept.notices[0].endswith(f"other users can read this folder: chmod 700 {tmp_path}")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_the_oldest_turns_make_room(tmp_path: Path) -> None:
    """By number and by size; numbers go on, and other files are left alone."""
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    kept = Kept(tmp_path, turns=2)
    for _ in range(4):
        kept.show.hear((0.2, "one", 1.0))
    kept.run()
    assert list(kept.folder.turns()) == [3, 4]
    assert len(list(tmp_path.iterdir())) == 5
    assert other.read_text() == "mine"

    small = RecordingsFolder(tmp_path, megabytes=1)
    half = np.zeros(250_000, dtype=np.float32)
    for _ in range(3):
        small.put(kept.turns()[-1], half)
    assert list(small.turns()) == [7]
    small.put(kept.turns()[-1], np.zeros(2_000_000, dtype=np.float32))
    assert list(small.turns()) == [8]


def test_a_full_disk_is_told_once_and_the_conversation_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing half is left behind, and turns are kept again once there is room."""
    full, whole = [True, True, False], files.replace_bytes

    def write(path: Path, *args: object, **more: object) -> None:
        if path.suffix == ".wav" and full.pop(0):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(path, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "replace_bytes", write)
    kept = Kept(tmp_path, "It is noon.")
    for name in ("one", "two", "three"):
        kept.show.hear((0.2, name, 1.0))
    turns = kept.run()
    assert kept.show.heard == ["It is noon."] * 3
    assert [turn.heard for turn in turns] == ["three"]
    assert len(list(tmp_path.iterdir())) == 2
    told = [text for text in kept.notices if "could not be recorded" in text]
    assert len(told) == 1
    assert "No space left on device" in told[0]


def test_a_folder_that_cannot_be_made_costs_no_turn(tmp_path: Path) -> None:
    """Told once, at the start."""
    (tmp_path / "file").write_text("in the way")
    kept = Kept(tmp_path / "file" / "kept", "It is noon.")
    kept.show.hear((0.2, "one", 1.0))
    kept.show.hear((0.2, "two", 1.0))
    with pytest.raises(EdgevoiceError, match="cannot be read"):
        kept.run()
    assert kept.show.heard == ["It is noon."] * 2
    (told,) = kept.notices
    assert "Not a directory" in told
    assert kept.show.all(ev.Notice)[0].t < kept.show.all(ev.TurnStarted)[0].t


def test_what_fails_after_the_session_is_told_by_who_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trace ends with the end of the session."""

    def write(path: Path, *args: object, **more: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(files, "replace_bytes", write)
    kept = Kept(tmp_path, "This is a long answer that goes on for quite a while, for once.")
    kept.show.hear((0.2, "one", 1.0))
    kept.show.at(4.0, Assistant.close)
    kept.run()
    assert isinstance(kept.show.events[-1], ev.SessionEnded)
    assert "could not be recorded" in kept.keeper.unreported or any(
        "could not be recorded" in text for text in kept.notices
    )


def test_a_turn_that_the_end_of_the_session_cuts_short_is_kept(tmp_path: Path) -> None:
    """With what was heard of the answer until then."""
    kept = Kept(tmp_path, "This is a long answer that goes on for quite a while, for once.")
    kept.show.hear((0.2, "tell me", 1.0))
    kept.show.at(4.0, Assistant.close)
    (turn,) = kept.run()
    assert (turn.heard, turn.ending) == ("tell me", "shutdown")
    assert turn.response_time is not None


def test_files_are_written_by_a_thread_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the ears nor the speaker wait for a disk."""
    writers, whole = set(), files.replace_bytes

    def write(path: Path, *args: object, **more: object) -> None:
        writers.add(threading.current_thread().name)
        whole(path, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "replace_bytes", write)
    kept = Kept(tmp_path)
    kept.show.hear((0.2, "one", 1.0))
    kept.run()
    assert writers == {"turn recorder"}


def test_a_disk_that_stalls_costs_turns_and_not_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits is bounded; it is told, and later turns are kept whole."""
    monkeypatch.setattr(turn_recorder, "MAX_BACKLOG", 150)
    kept = Kept(tmp_path, "It is noon.", FIXED)
    whole, waited = kept.folder.put, []

    def put(turn: RecordedTurn, samples: Samples) -> Path:
        if not waited:
            waited.append(True)
            kept.show.clock.sleep(8.0)
            assert kept.keeper.waiting <= 150
        return whole(turn, samples)

    kept.folder.put = put  # type: ignore[method-assign]
    for name in ("one", "two", "three", "four", "five"):
        kept.show.hear((0.2, name, 1.0), (2.5, "", 0.0))
    turns = kept.run()
    assert kept.show.heard == ["It is noon."] * 5
    assert (turns[0].heard, turns[-1].heard) == ("one", "five")
    assert len(turns) < 5
    assert any("the disk is too slow" in text for text in kept.notices)
    for turn in turns:
        first, end = voiced(sound(tmp_path, turn))
        assert end - first == pytest.approx(1.0)


def test_a_change_of_models_is_a_change_in_what_is_kept(tmp_path: Path) -> None:
    """Turns go on being numbered and kept, each with the models and settings it was made with."""
    kept = Kept(tmp_path, "It is noon.")
    show, history = kept.show, History("")
    source = show.source
    with TurnRecorder(show.clock, show.bus, kept.folder) as tap:
        for number, (text, model, silence) in enumerate((("one", "a", 0), ("two", "b", 500))):
            config = show.config = Config(turn=TurnSettings(silence_ms=silence))
            show.clips = []
            show.hear((0.2, text, 1.0))
            heard = tap.tap(source, config, history)
            show.source = heard  # type: ignore[assignment]
            show.sink = SimulatedSink(show.clock, 16_000, "virtual speaker")
            assistant = show.assemble(Resume(history, number))
            show.bus.emit(ev.SessionStarted(**{**fields(STARTED), "models": {"slm": model}}))
            assistant.run()
    one, two = kept.turns()
    assert [(turn.turn, turn.heard, turn.models["slm"]) for turn in (one, two)] == [
        (0, "one", "a"),
        (1, "two", "b"),
    ]
    assert (one.settings["turn.silence_ms"], two.settings["turn.silence_ms"]) == (0, 500)
    assert len(two.past) == 2


def fields(event: ev.Event) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def test_two_sessions_in_one_folder_take_no_number_twice(tmp_path: Path) -> None:
    """Nor does one that was removed by hand in between bring an older one back."""
    for name in ("one", "two"):
        kept = Kept(tmp_path)
        kept.show.hear((0.2, name, 1.0))
        kept.run()
    assert {n: read(file).heard for n, file in kept.folder.turns().items()} == {1: "one", 2: "two"}
    (tmp_path / "turn-000003.wav").write_bytes(b"another one is writing this")
    file = kept.folder.put(kept.turns()[-1], np.zeros(FRAME_SAMPLES, dtype=np.float32))
    assert file.name == "turn-000004.json"


KILLED = """
import os, sys
from pathlib import Path
import numpy as np
from edgevoice.recordings.folder import RecordingsFolder
from edgevoice.recordings.recorded_turn import read

def replace(*_, left=[int(sys.argv[3])], really=os.replace):
    if not left[0]:
        os._exit(9)
    left[0] -= 1
    really(*_)

os.replace = replace
RecordingsFolder(Path(sys.argv[2])).put(read(Path(sys.argv[1])), np.zeros(16_000, np.float32))
"""
"""Keeps a turn and is killed before the file with the given number gets its name, from 0 on."""


@pytest.mark.parametrize(
    ("named", "left"),
    [
        (0, {"turn-000001.unfinished.json", "turn-000001.unfinished.wav"}),
        (1, {"turn-000001.json", "turn-000001.wav"}),
    ],
)
def test_what_a_killed_session_left_of_a_turn_is_saved(
    named: int, left: set[str], tmp_path: Path
) -> None:
    """A whole turn is one like the others; of another one, each file has a name to be found by."""
    kept = Kept(tmp_path / "before")
    kept.show.hear((0.2, "one", 1.0))
    kept.run()
    command = [sys.executable, "-c", KILLED, file_of(kept, 1), tmp_path / "kept", str(named)]
    assert subprocess.run(command, timeout=60).returncode == 9
    folder = RecordingsFolder(tmp_path / "kept")
    folder.recover()
    assert {path.name for path in folder.path.iterdir()} == left
    assert [read(file).heard for file in folder.turns().values()] == ["one"] * named
    assert folder.recover() == []


def test_a_reader_of_the_same_version_skips_events_it_does_not_know(tmp_path: Path) -> None:
    """An event that was added does not change the version; a changed meaning does, and is told."""
    kept = Kept(tmp_path)
    kept.show.hear((0.2, "one", 1.0))
    (turn,) = kept.run()
    (file,) = kept.folder.turns().values()
    data = json.loads(file.read_text())
    data["events"].append({"type": "of_tomorrow", "t": 1.0, "seq": 1, "turn": 0})
    data["mood"] = "of tomorrow"
    file.write_text(json.dumps(data))
    assert read(file).decoded_events() == turn.decoded_events()
    file.write_text(json.dumps({**data, "version": VERSION + 1}))
    with pytest.raises(EdgevoiceError, match="written by a newer edgevoice") as error:
        read(file)
    assert "update edgevoice" in error.value.remedy
