"""Sessions as lists of events: written by hand, or played by the pipeline on virtual time."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from edgevoice import events as ev
from edgevoice.events import Event

MODELS = {
    "vad": "silero-vad",
    "stt": "whisper-base",
    "slm": "qwen2.5-coder-1.5b",
    "tts": "en_US-joe-medium",
}


class Session:
    """Writes a session event by event; `at` moves its clock to seconds from the start."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._now = 0.0

    def at(self, t: float) -> Session:
        """Everything from now on happens at `t` seconds."""
        self._now = t
        return self

    def add(self, *events: Event) -> Session:
        """Stamp these as the bus would."""
        for event in events:
            stamped = msgspec.structs.replace(event, t=self._now, seq=len(self.events))
            self.events.append(stamped)
        return self

    def start(self) -> Session:
        """The first event."""
        return self.add(
            ev.SessionStarted(
                version="0.1.0",
                schema=ev.SCHEMA,
                wall="2025-01-01T12:00:00",
                platform="Linux x86_64",
                models=MODELS,
                input="Built-in microphone",
                output="Built-in speaker",
            )
        )

    def ready(self) -> Session:
        """Everything loads at once, and it listens."""
        self.start()
        for role, seconds in (("vad", 0.1), ("stt", 0.6), ("tts", 0.9), ("slm", 1.4)):
            self.at(seconds).add(
                ev.EngineLoading(role=role, model=MODELS[role]),  # type: ignore[arg-type]
                ev.EngineReady(role=role, model=MODELS[role], seconds=seconds),  # type: ignore[arg-type]
            )
        return self.add(
            ev.Ready(),
            ev.Level(dbfs=-52.0, speech=0.02),
            ev.Resources(cpu=12.0, rss=1_503_238_553),
        )

    def asked(self, turn: int, t: float, question: str, *, partial: str = "") -> Session:
        """The user speaks from `t` for 1.5 s and a half-second later the turn is committed."""
        self.at(t).add(
            ev.TurnStarted(turn=turn, origin="speech"),
            ev.SpeechStarted(turn=turn, at=t - 0.1),
            ev.Level(dbfs=-21.0, speech=0.97),
        )
        if partial:
            self.at(t + 0.9).add(ev.InterimTranscript(turn=turn, text=partial))
        end = t + 1.5
        self.at(end + 0.25).add(
            ev.SpeechPaused(turn=turn, at=end),
            ev.TranscriptionStarted(turn=turn, seconds=1.8, partial=False),
            ev.Level(dbfs=-55.0, speech=0.01),
        )
        self.at(end + 0.36).add(
            ev.FinalTranscript(
                turn=turn, text=question, language="en", no_speech=0.01, logprob=-0.2
            ),
            ev.PrefillStarted(turn=turn),
        )
        self.at(end + 0.47).add(ev.PrefillEnded(turn=turn, tokens=96, reused=84))
        self.at(end + 0.70).add(
            ev.SpeechEnded(turn=turn, at=end, seconds=2.1), ev.TurnCommitted(turn=turn)
        )
        return self

    def answered(
        self,
        turn: int,
        t: float,
        clauses: Iterable[str],
        *,
        spoken: int | None = None,
        lag: float = 0,
    ) -> Session:
        """The reply to a question asked at `t`; `spoken` characters of it are heard, or all."""
        clauses = list(clauses)
        end = t + 1.5
        index = 0
        for number, clause in enumerate(clauses):
            for word in clause.split(" "):
                self.at(end + 0.5 + 0.03 * index)
                text = word if index == 0 else f" {word}"
                self.add(ev.TokenGenerated(turn=turn, index=index, text=text))
                index += 1
            self.add(ev.ClauseReady(turn=turn, clause=number, text=clause, spoken=clause))
            self.add(ev.SynthesisStarted(turn=turn, clause=number))
            self.at(end + 0.62 + 0.03 * index).add(ev.FirstAudio(turn=turn, clause=number))
            self.add(ev.SynthesisEnded(turn=turn, clause=number, seconds=1.2))
        self.add(ev.GenerationEnded(turn=turn, tokens=index, reason="stop"))
        first = end + 0.86 + lag
        self.at(first + 0.02)
        length = len(" ".join(clauses))
        heard = length if spoken is None else spoken
        offset = 0
        for number, clause in enumerate(clauses):
            if offset >= heard:
                break
            begun = first + 1.2 * number
            self.at(begun + 0.02).add(
                ev.PlaybackStarted(turn=turn, clause=number, at=begun, audible_at=begun + 0.01)
            )
            offset += len(clause) + 1
            self.add(ev.PlaybackProgress(turn=turn, chars=min(heard, offset)))
        if spoken is None:
            whole = " ".join(clauses)
            self.at(first + 1.2 * len(clauses)).add(
                ev.PlaybackEnded(turn=turn, at=first + 1.2 * len(clauses)),
                ev.TurnCompleted(turn=turn, heard=whole, interrupted=False),
            )
        return self


def conversation() -> Session:
    """Three questions: the first two answered, the third being answered."""
    session = Session().ready()
    session.asked(0, 3.0, "What is the capital of France?", partial="What is the cap")
    session.answered(0, 3.0, ["Paris is the capital of France,", "and its largest city."])
    session.asked(1, 12.0, "How many people live there?")
    session.answered(
        1, 12.0, ["About two million in the city", "and twelve in its surroundings."], lag=0.31
    )
    session.asked(2, 22.0, "And what should I see first?")
    session.answered(
        2,
        22.0,
        ["Walk along the river in the evening,", "then see the old islands",
         "with the cathedral, which is open again."],
        spoken=62, lag=0.12,
    )  # fmt: skip
    return session.add(
        ev.Level(dbfs=-47.0, speech=0.03), ev.Resources(cpu=148.0, rss=1_717_986_918)
    )


def patient() -> Session:
    """It was too soon once, and waits longer since."""
    session = Session().ready()
    session.asked(0, 3.0, "What is the capital of France?")
    session.answered(0, 3.0, ["Paris is the capital of France,", "and its largest city."])
    session.add(ev.SpeakerTempoChanged(turn=0, factor=1.35, shortest_ms=270, longest_ms=2430))
    session.asked(1, 12.0, "How many people live there?")
    return session.answered(1, 12.0, ["About two million in the city."])


def paused() -> Session:
    """The user speaks into the third reply, which waits for what that comes to."""
    session = conversation().at(26.2).add(ev.PlaybackDucked(turn=2))
    session.at(26.4).add(
        ev.TurnStarted(turn=3, origin="speech", interrupts=2), ev.SpeechStarted(turn=3, at=26.1)
    )
    session.at(26.5).add(ev.PlaybackPaused(turn=2, by=3, at=26.51))
    return session.add(ev.Level(dbfs=-24.0, speech=0.9))


def asleep() -> Session:
    """It waits for its wake word, after an exchange."""
    session = Session().ready().add(ev.ActivationMode(mode="wake", word="hey jarvis"))
    session.at(2.8).add(ev.Activated(by="wake_word"))
    session.asked(0, 3.0, "What is the capital of France?")
    session.answered(0, 3.0, ["Paris is the capital of France,", "and its largest city."])
    return session.at(20.0).add(ev.Deactivated(), ev.Level(dbfs=-54.0, speech=0.0))


def loading() -> Session:
    """Two engines are there, three are on their way."""
    session = Session().start()
    session.at(0.1).add(ev.EngineLoading(role="vad", model=MODELS["vad"]))
    session.add(ev.EngineLoading(role="stt", model=MODELS["stt"]))
    session.add(ev.EngineLoading(role="slm", model=MODELS["slm"]))
    session.add(ev.EngineLoading(role="draft", model="qwen2.5-coder-0.5b"))
    session.add(ev.EngineLoading(role="tts", model=MODELS["tts"]))
    session.at(0.2).add(ev.EngineReady(role="vad", model=MODELS["vad"], seconds=0.1))
    return session.at(0.9).add(ev.EngineReady(role="tts", model=MODELS["tts"], seconds=0.8))


def hearing() -> Session:
    """One exchange is over, and the user is speaking again."""
    session = Session().ready()
    session.add(
        ev.Notice(
            text="qwen2.5-coder-1.5b answers; `edgevoice models pull phi-3-mini` brings the "
            "reference model"
        )
    )
    session.asked(0, 3.0, "What is the capital of France?")
    session.answered(0, 3.0, ["Paris is the capital of France,", "and its largest city."])
    session.at(12.0).add(
        ev.TurnStarted(turn=1, origin="speech"),
        ev.SpeechStarted(turn=1, at=11.9),
        ev.InterimTranscript(turn=1, text="And how many people"),
    )
    return session.add(ev.Level(dbfs=-18.0, speech=0.98), ev.Resources(cpu=61.0, rss=1_610_612_736))


def failed() -> Session:
    """A reply was cut short, an engine failed, and the microphone is gone."""
    session = Session().ready()
    session.asked(0, 3.0, "Tell me about the moon.")
    session.answered(
        0,
        3.0,
        ["The moon goes around the earth,", "and always shows it the same side."],
        spoken=len("The moon goes around the earth, and always"),
    )
    session.at(7.5).add(ev.TurnStarted(turn=1, origin="speech"), ev.SpeechStarted(turn=1, at=7.4))
    session.add(ev.TurnCancelled(turn=0, reason="barge_in"))
    session.add(ev.PlaybackEnded(turn=0, at=7.5))
    session.add(
        ev.TurnCompleted(
            turn=0, heard="The moon goes around the earth, and always", interrupted=True
        )
    )
    session.add(ev.TurnCancelled(turn=1, reason="no_speech", detail="a cough"))
    session.asked(2, 12.0, "How far away is it?")
    session.add(
        ev.StageFailed(
            stage="agent",
            turn=2,
            what="the context is full",
            remedy="--set slm.context=8192",
        ),
        ev.TurnCancelled(turn=2, reason="failed", detail="the context is full"),
        ev.TurnCompleted(turn=2, heard="", interrupted=True),
    )
    return session.at(20.0).add(
        ev.DeviceLost(
            kind="input", name="USB headset", remedy="plug it in again, or press d for another"
        )
    )
