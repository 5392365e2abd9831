"""What an unattended session does by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice import events as ev
from edgevoice.kiosk.status import KioskStatus
from edgevoice.settings import KioskSettings
from tests.kiosk.museum import Museum

RESET = 45


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return Museum(tmp_path, KioskSettings(reset_s=RESET))


def cleared(museum: Museum) -> list[float]:
    return [event.t for event in museum.show.all(ev.ConversationCleared)]


def test_what_a_visitor_said_is_forgotten_after_a_silence(museum: Museum) -> None:
    """Counted from the last word of the reply; nothing of it is left, not even in memory."""
    museum.at(5, lambda: museum.session.say("My name is Anna."))
    museum.run(120)
    ended = museum.show.all(ev.TurnCompleted)[0].t
    [forgotten] = cleared(museum)
    assert RESET <= forgotten - ended < RESET + 2
    assert "Anna" not in museum.session.transcript()
    assert not any("Anna" in repr(event) for event in museum.session.recorder.events)
    assert not any("Anna" in text for text in museum.texts)


def test_nobody_is_forgotten_while_the_assistant_speaks(tmp_path: Path) -> None:
    """A reply that is longer than the silence is heard to its end."""
    long = " ".join(f"Word {n}," for n in range(400)) + " and that is all."
    museum = Museum(tmp_path, KioskSettings(reset_s=5), long)
    museum.at(5, lambda: museum.session.say("Tell me everything."))
    museum.run(900)
    [done] = museum.show.all(ev.TurnCompleted)
    assert not done.interrupted
    assert done.t > 60
    assert [done.t + 5 <= t < done.t + 7 for t in cleared(museum)] == [True]


def test_without_visitors_nothing_is_forgotten_again_and_again(museum: Museum) -> None:
    """A silent room leaves the log empty."""
    museum.run(1000)
    assert cleared(museum) == []
    assert museum.texts == ["ready"]


def test_a_goodbye_is_answered_and_then_the_visitor_is_forgotten(museum: Museum) -> None:
    """At once, without the silence; in the visitor's language."""
    museum.at(5, lambda: museum.session.say("My name is Anna."))
    museum.at(20, lambda: museum.session.say("Okay, bye bye!"))
    museum.run(60)
    answers = museum.show.all(ev.TurnCompleted)
    assert [event.heard for event in answers] == ["All right.", "All right."]
    assert len(cleared(museum)) == 1
    assert answers[-1].t <= cleared(museum)[0] < answers[-1].t + 2


def test_a_goodbye_inside_a_sentence_is_none(museum: Museum) -> None:
    """Only a whole utterance counts."""
    museum.at(5, lambda: museum.session.say("How do you say goodbye in French?"))
    museum.run(30)
    assert cleared(museum) == []


def test_the_supervisor_hears_of_work_only(museum: Museum) -> None:
    """Readiness once, then a sign of life every second, and the end."""
    museum.run(30)
    told = museum.supervisor.told
    assert told.count("READY=1") == 1
    assert 25 <= told.count("WATCHDOG=1") <= 31
    assert told[-1] == "STOPPING=1"


def test_failures_without_an_answer_open_the_engines_again(museum: Museum) -> None:
    """Three in a row; afterwards the kiosk answers."""

    class Broken:
        calls = 0

    answer = museum.show.slm.reply

    def failing(messages, cancelled):  # type: ignore[no-untyped-def]
        Broken.calls += 1
        if Broken.calls <= 3:
            raise RuntimeError("the model is broken")
        return answer(messages, cancelled)

    museum.show.slm.reply = failing  # type: ignore[method-assign]
    for time in (5, 15, 25, 60):
        museum.at(time, lambda: museum.session.say("Why?"))
    museum.run(90)
    assert len(museum.built) == 2
    assert [event.heard for event in museum.show.all(ev.TurnCompleted)][-1] == "All right."
    assert museum.attendant.failure is None
    assert any("opened again" in text for text in museum.texts)


def test_a_microphone_that_stops_is_opened_again_and_then_left_to_the_supervisor(
    museum: Museum,
) -> None:
    """The smallest step first; the second time the process ends with an error."""

    class Dead:
        name = "dead microphone"
        rate = 16_000

        def __init__(self, idle: object) -> None:
            self.closed = False

        def read(self) -> None:
            museum.show.clock.wait(lambda: self.closed)

        def close(self) -> None:
            self.closed = True

        def overruns(self) -> int:
            return 0

        def time_of(self, index: int) -> float:
            return 0.0

        def index_of(self, time: float) -> int:
            return 0

    museum.show.source = Dead  # type: ignore[assignment]
    museum.run(500)
    assert len(museum.built) == 2
    assert museum.attendant.failure is not None
    assert "no sound has come from the microphone" in museum.attendant.failure.what
    assert museum.show.clock.now() < 60


def test_the_microphone_is_off_outside_the_hours(tmp_path: Path) -> None:
    """The session is built again when it opens and when it closes."""
    museum = Museum(tmp_path, KioskSettings(hours="tu 10:00-10:10"))
    seen: list[tuple[float, bool]] = []
    for time in (30, 90, 600, 700):
        museum.at(time, lambda time=time: seen.append((time, museum.attendant.is_open)))  # type: ignore[misc]
    museum.run(800)
    assert seen == [(30, False), (90, True), (600, True), (700, False)]
    assert len(museum.built) == 3
    assert "closed: the microphone is off" in museum.texts


def test_the_status_has_numbers_and_no_words(museum: Museum) -> None:
    """What a fleet asks for."""
    found = []
    museum.at(5, lambda: museum.session.say("My name is Anna."))
    museum.at(30, lambda: found.append(museum.status()))
    museum.run(40)
    [status] = found
    assert (status["ready"], status["open"], status["answered"]) == (True, True, 1)
    assert "Anna" not in repr(status)
    assert status["problem"] == ""


def test_counters_outlive_the_process(museum: Museum, tmp_path: Path) -> None:
    """They go on after a restart; a damaged file begins at zero."""
    museum.at(5, lambda: museum.session.say("Why?"))
    museum.run(40)
    assert KioskStatus(tmp_path / "kiosk.json", 0.0).counters["answered"] == 1
    (tmp_path / "kiosk.json").write_text('{"answered": "many"')
    assert KioskStatus(tmp_path / "kiosk.json", 0.0).counters["answered"] == 0


def test_a_full_disk_stops_no_conversation(museum: Museum, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the counters are not kept."""

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edgevoice.kiosk.status.replace_bytes", full)
    museum.at(5, lambda: museum.session.say("Why?"))
    museum.run(200)
    assert [event.heard for event in museum.show.all(ev.TurnCompleted)] == ["All right."]
