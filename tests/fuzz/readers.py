"""Every reader of a file or text that somebody else wrote, with valid inputs to begin from.

A reader takes the input, a file that holds it, and random numbers for what else can be varied. It
returns, or raises one of the program's own errors; anything else is a fault of the reader.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from random import Random
from unittest import mock
from urllib.parse import urlsplit

import msgspec
import numpy as np

from edgevoice import catalog, config, config_file, control, trace
from edgevoice.agent.clauses import ClauseCutter
from edgevoice.bench.compare import budgets
from edgevoice.bench.corpus import corpus
from edgevoice.bench.replay.replay import last, made_with
from edgevoice.bench.result import result
from edgevoice.bench.roofline import costs
from edgevoice.bench.scenarios import scenario_file
from edgevoice.catalog import Catalog
from edgevoice.cli.text import given_text
from edgevoice.devices import output_latency
from edgevoice.engines import wake
from edgevoice.engines.batches import BatchCosts
from edgevoice.engines.chat_template import ChatTemplate, TemplateRefused
from edgevoice.engines.llama_file import check_memory, checked
from edgevoice.engines.plain_text import TOKEN_BREAK, broken, parts
from edgevoice.engines.prompt_cache import PromptCache, measured
from edgevoice.errors import EdgevoiceError
from edgevoice.fit import starter
from edgevoice.harmless import harmless, harmless_event, harmless_json, one_line
from edgevoice.history import History
from edgevoice.metrics.prometheus import Exposition, MetricsServer
from edgevoice.models import ct2, kinds, whisper_file
from edgevoice.models.gguf import NotGguf, read_header, read_pairs
from edgevoice.outside import Malformed
from edgevoice.places import user_folder
from edgevoice.protocols import ChatMessage
from edgevoice.recordings import recorded_turn as kept_turn
from edgevoice.settings import WakeSettings
from edgevoice.skills import own
from edgevoice.skills.answering import BuiltInSkills, Facts
from edgevoice.skills.skills import Skills
from edgevoice.skills.timers import Timers
from edgevoice.timings import fold
from edgevoice.wav import read_speech
from tests.command import edgevoice
from tests.fuzz import mutations, valid
from tests.hostile import COMMANDS, EVIL
from tests.models.ct2_file import model_bin

NAMED = (EdgevoiceError, Malformed, TemplateRefused, NotGguf, ct2.NotCt2, costs.UnknownCosts)
"""The errors that a reader may end in."""

STUCK = 20.0
"""Seconds without an answer after which a server hangs."""

Mutate = Callable[[Random, bytes, list[bytes]], bytes]
Read = Callable[[bytes, Path, Random], object]


@dataclass(frozen=True, slots=True)
class Reader:
    """`share` says how many inputs of a whole run are for this reader, in proportion."""

    read: Read
    seeds: Callable[[], Sequence[bytes]]
    mutate: Mutate
    share: float = 1.0


class Unexpected(Exception):
    """A command ended with the message for what nobody foresaw."""


def ended(*words: str | Path) -> None:
    """Run a command, which may fail, but not in an unforeseen way."""
    done = edgevoice(*words)
    if done.returncode not in (0, 1, 2):
        raise Unexpected(done.stderr)
    assert not COMMANDS.search(re.sub("\r?\n|\t", "", done.stdout + done.stderr))


# Configuration, environment, catalog


def read_config(data: bytes, path: Path, random: Random) -> None:
    config.load(path, {})
    config_file.remember({"tts.speed": 2}, path)
    config.load(path, {})


def read_environment(data: bytes, path: Path, random: Random) -> None:
    text = os.fsdecode(data.replace(b"\0", b""))
    environ = dict(line.partition("=")[::2] for line in text.split("\n"))
    flags = {random.choice(list(config.keys())): value for value in environ.values()}
    for given in ((environ, {}), ({}, flags)):
        with contextlib.suppress(EdgevoiceError):
            config.load(None, *given)


def read_catalog(data: bytes, path: Path, random: Random) -> None:
    catalog.read(path)
    known = Catalog.load(own=path)
    mine = next(entry for entry in known if not known.is_own(entry.name))
    for entry in known:
        for mirror in entry.mirrors:
            mirror.numbered()
        assert all(".." not in file.path_in_repo.split("/") for file in entry.files)
    catalog.append(path, msgspec.structs.replace(mine, name="another"))
    assert "another" in [entry.name for entry in catalog.read(path)]
    catalog.discard(path, "another")


# Traces, recorded turns, results, scenarios, budgets


def read_trace(data: bytes, path: Path, random: Random) -> None:
    if random.random() < 0.2:
        ended("bench", "trace", path, "--out", "-")
        trace.recover(path)
        return
    for event in trace.read(path):
        harmless_event(event)


def read_kept_turn(data: bytes, path: Path, random: Random) -> None:
    turn = kept_turn.read(path)
    last(fold(kept_turn.timed(turn.decoded_events())))
    list(turn.past)
    if random.random() < 0.2:
        ended("replay", "--list", path.parent)
    config.load(environ={}, flags=made_with(turn, lambda _: None))


VIEWS = ((), ("--html", "-"))


def read_result(data: bytes, path: Path, random: Random) -> None:
    found = result.read(path)
    if random.random() < 0.5:
        ended("bench", "report", path, *random.choice(VIEWS))
    else:
        right = path.with_suffix(".right")
        right.write_bytes(valid.results()[0])
        both = [path, right] if random.random() < 0.5 else [right, path]
        ended("bench", "compare", *both, "--json", "-", "--budget", "first_audio.p95=900ms")
    assert found.format == result.FORMAT


def read_budget(data: bytes, path: Path, random: Random) -> None:
    budget = budgets.parse(os.fsdecode(data))
    budgets.check([budget], valid.summary())


def read_scenario(data: bytes, path: Path, random: Random) -> None:
    scenario_file.read(path)


def read_manifest(data: bytes, path: Path, random: Random) -> None:
    (path.parent / corpus.MANIFEST).write_bytes(data)
    corpus.listed(path.parent, lambda _: None)


def read_skill(data: bytes, path: Path, random: Random) -> None:
    folder = path.parent / "skill"
    folder.mkdir(exist_ok=True)
    for name in ("lines.txt", "jokes.txt", "witze.txt"):
        (folder / name).write_text("a line\n")
    (folder / own.FILE).write_bytes(data)
    own.OwnSkill(folder).match("turn on the kitchen", "en")


def read_timers(data: bytes, path: Path, random: Random) -> None:
    timers = Timers(path, lambda: 1e9)
    timers.due()
    for timer in timers.all():
        timers.lengthen(timer, 60)


def read_utterance(data: bytes, path: Path, random: Random) -> None:
    built_in = BuiltInSkills(Timers(None, lambda: 1e9), Facts(lambda: datetime(2026, 12, 1, 12)))
    languages = ("en", "de", "fr")
    skills = Skills(languages, built_in, frozenset(built_in.groups()))
    language = random.choice(languages)
    found = skills.understood(data.decode("utf-8", "replace"), language)
    assert found is None or found.answer()


# Models


def read_voice(data: bytes, path: Path, random: Random) -> None:
    kind = kinds.voice(data, b"\x08\x09", 1000, "voice.onnx")
    one_line(kind.title)


def read_whisper_file(data: bytes, path: Path, random: Random) -> None:
    from tokenizers import Tokenizer

    name = random.choice(list(whisper_file.FILE_TYPES))
    if name == "config.json":
        kinds.whisper(["model.bin", "config.json", "tokenizer.json"], data, b"", 1, "folder")
    whisper_file.read(name, data)
    if name == "tokenizer.json":
        try:
            tokenizer = Tokenizer.from_buffer(data)
        except Exception:  # which the program takes for a damaged model
            return
        tokenizer.decode([0, 1, 90])


def read_gguf(data: bytes, path: Path, random: Random) -> None:
    source = io.BytesIO(data)
    with contextlib.suppress(NotGguf):
        read_pairs(source.read)
    source.seek(0)
    with contextlib.suppress(*NAMED):
        costs.thinking(read_header(source.read))
    with contextlib.suppress(EdgevoiceError):
        check_memory(path, checked(path), random.choice((256, 4096)))
    source.seek(0)
    kinds.gguf(source.read, len(data), "a.gguf", complete=random.random() < 0.8)


def read_ct2(data: bytes, path: Path, random: Random) -> None:
    costs.hearing(ct2.stored(path), 1.5, 30.0, False)


PIECES = [
    "{% for m in messages %}", "{% for a in range(99999) %}", "{% endfor %}", "{% if true %}",
    "{% endif %}", "{% set x = x * 2 %}", "{% set x = messages %}", "{% set x = 'a' * 9999 %}",
    "{% macro f(a) %}", "{{ f(f) }}", "{% endmacro %}", "{{ x }}", "{{ m.content }}",
    "{{ x|join(x) }}", "{{ x.__class__ }}", "{{ 9 ** 9 ** 9 }}", "{{ x|tojson }}",
    "{{ x|map('upper')|list }}", "{% set ns = namespace(a=[]) %}",
    "{% set ns.a = [ns.a, ns.a] %}", "{{ ns.a }}", "{% break %}", "{{ x|replace('a', x) }}",
    "{{ '%99999999s' % 1 }}", "{{ '{:>9999999}'.format(1) }}", "{{ x[::-1] }}",
    "{% filter upper %}", "{% endfilter %}", "{% call f(1) %}", "{% endcall %}",
    "{% include 'a' %}", "{{ x|sort|reverse|unique|groupby('a') }}", "{{ x|sum(start=[]) }}",
    "{{ x.split('a')|length }}", "{{ messages|selectattr('role')|list }}", "{{ ''.join(x) }}",
    "{{ x|indent(9999999) }}", "{{ x is sameas x }}", "{{ loop.index }}", "{{ [x]*99999 }}",
    "{{ cycler(1,2).next() }}", "{#", "{{ joiner(x)() }}", "{{ x|batch(2)|list }}",
    "{{ x|round(2,'floor') }}", "{{ x|int(base=x) }}", "{{ x|dictsort }}", "{{ x|items|list }}",
    "{{ x|attr('a') }}", "{{ x|striptags }}", "{{ x|truncate }}",
    "{% for a in messages recursive %}", "{{ loop(messages) }}", "{% extends 'a' %}",
    "{% block a %}", "{% endblock %}", "{{ self.a() }}", "{% raw %}", "{% endraw %}",
    "{{ caller() }}", "{% import x as y %}", "{{ '1' ~ x ~ x ~ x }}", "{{ x|wordcount }}",
    "{{ x|title|escape|safe }}", "{{ x|last|first|min|max }}",
]  # fmt: skip


def _changed_template(random: Random, data: bytes, others: list[bytes]) -> bytes:
    if random.random() < 0.5:
        return mutations.changed_text(random, data, others)
    source = data.decode()
    for _ in range(random.choice((1, 2, 6))):
        pieces = random.choices(PIECES, k=random.choice((1, 2, 5)))
        repeated = "".join(pieces) * random.choice((1, 1, 1, 20))
        at = random.choice((0, len(source), source.find("{", random.randrange(len(source)))))
        source = source[:at] + repeated + source[at:]
    if random.random() < 0.05:
        opened = random.choice(("(", "[", "{{ -", "{% if 1 %}", "not ", "~1", "|e", "1+", ".a"))
        source = "{{ " + opened * random.choice((100, 5000)) + source
    return source.encode("utf-8", "surrogatepass")


def read_template(data: bytes, path: Path, random: Random) -> None:
    template = ChatTemplate(data.decode("utf-8", "replace"), "<s>", "</s>")
    template.render(
        [ChatMessage("system", "a"), ChatMessage("user", EVIL), ChatMessage("user", "c")]
    )


def read_wake_word(data: bytes, path: Path, random: Random) -> None:
    named = path.with_suffix(".json")
    named.write_bytes(data)
    path.with_suffix(".tflite").write_bytes(b"\x1c\0\0\0TFL3")
    word = wake.find(WakeSettings(word=str(random.choice((named, path.with_suffix(".tflite"))))))
    assert 0 < word.cutoff < 1
    assert word.window > 0


# Sound


def _changed_sound(random: Random, data: bytes, others: list[bytes]) -> bytes:
    if random.random() < 0.4:
        at = random.randrange(min(len(data), 80))
        edge = random.choice(
            (0, 1, 2, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, random.getrandbits(32))
        )
        return data[:at] + struct.pack("<I", edge) + data[at + 4 :]
    head = random.choice((44, 100, len(data)))
    return mutations.changed_bytes(random, data[:head], others) + data[head:]


def read_sound(data: bytes, path: Path, random: Random) -> None:
    samples = read_speech(path)
    assert np.isfinite(samples).all()


# Caches


def read_cache(data: bytes, path: Path, random: Random) -> None:
    starter.read(path)
    with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": str(path.parent)}):
        speakers = user_folder("cache") / "speakers.json"
        speakers.parent.mkdir(exist_ok=True)
        speakers.write_bytes(data)
        for device in ("Headset", "a"):
            assert output_latency.SHORTEST <= output_latency.of(device) <= output_latency.LONGEST
    model = path.parent / "model.gguf"
    model.write_bytes(b"model")
    folder = path.parent / "kept"
    shutil.rmtree(folder, ignore_errors=True)
    kept = PromptCache(folder, model, "1")
    kept.keep_costs({1: {8: 0.5}})
    kept.keep([1, 2], b"state")
    files = {file.suffix: file for file in folder.iterdir()}
    files[".json"].write_bytes(data)
    files[".kv"].write_bytes(data)
    assert kept.state([1, 2]) is None
    found = BatchCosts(512)
    found.measured = kept.costs()
    assert measured(folder, model) == found.measured
    for threads in (1, 2, 4):
        assert sum(found.cut(100, threads, 0.5)) == 100


# What comes while it runs


class Session:
    """What a session does when it is told to."""

    listens, talking, muted = True, False, False

    def talk(self, on: bool) -> None: ...
    def mute(self, on: bool) -> None: ...
    def interrupt(self) -> None: ...


def read_control(data: bytes, path: Path, random: Random) -> None:
    if not control.UNIX:
        return
    with (
        mock.patch.dict(os.environ, {"XDG_RUNTIME_DIR": str(path.parent)}),
        control.controlled(Session()),
        socket.socket(socket.AF_UNIX) as connection,
    ):
        connection.settimeout(5)
        connection.connect(str(control.folder() / f"{os.getpid()}.sock"))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data[:100_000])
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
        assert control.ask("stop") == "stopped"


@lru_cache(maxsize=1)
def _metrics() -> MetricsServer:
    return MetricsServer(Exposition(), "127.0.0.1", 0)


def read_request(data: bytes, path: Path, random: Random) -> None:
    address = urlsplit(_metrics().url)
    where = address.hostname or "", address.port or 0
    with contextlib.redirect_stderr(io.StringIO()) as told:
        with (
            socket.create_connection(where, timeout=STUCK) as connection,
            contextlib.suppress(BrokenPipeError, ConnectionResetError),
        ):
            connection.sendall(data[:100_000])
            with contextlib.suppress(OSError):  # the server has closed it
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            assert not answer.startswith(b"HTTP/1.0 500")
        with socket.create_connection(where, timeout=STUCK) as connection:
            connection.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
            with connection.makefile("rb") as answered:
                assert answered.read(12) == b"HTTP/1.0 200"
    assert told.getvalue() == ""


NO_MODELS = [
    word for role in ("vad", "stt", "slm", "tts", "turn") for word in ("--set", f"models.{role}=no")
]


def read_command_line(data: bytes, path: Path, random: Random) -> None:
    ended(*NO_MODELS, *os.fsdecode(data.replace(b"\0", b"")).split("\n"))


NAMES = ("<|im_end|>", "<|im_start|>", "</s>")


def names(text: str) -> set[str]:
    return {name for name in NAMES if name in text}


def read_question(data: bytes, path: Path, random: Random) -> None:
    with mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8")):
        question = "".join(given_text((), "edgevoice ask")).strip()
    (message, *_) = History("Be brief.").asking(question)[-1:]
    plain = broken(message.text, names)
    assert not names(plain)
    prompt = _template().render([ChatMessage("user", plain)])
    pieces = list(parts(prompt, names))
    assert "".join(piece for piece, _ in pieces) == prompt.replace(TOKEN_BREAK, "")
    marks = "".join(piece for piece, control in pieces if control)
    assert [marks.count(name) for name in NAMES] == [1, 2, 0]


@lru_cache(maxsize=1)
def _template() -> ChatTemplate:
    return ChatTemplate(valid.TEMPLATES[0].decode())


def read_reply(data: bytes, path: Path, random: Random) -> None:
    text = data.decode("utf-8", random.choice(("replace", "surrogateescape")))
    language = random.choice(("en", "de", "fr", "ja", "pt-BR", ""))
    cutter = ClauseCutter(random.choice((None, 0, 4)), language)
    step = random.choice((1, 3, 50, 10**9))
    pieces = [text[at : at + step] for at in range(0, len(text), step)]
    clauses = [clause for piece in pieces for clause in cutter.push(piece)] + cutter.flush()
    assert "".join(clause.text for clause in clauses) == text
    assert [clause.start for clause in clauses[1:]] == [clause.end for clause in clauses[:-1]]
    for shown in (harmless(text), one_line(text), harmless_json(msgspec.json.encode(
        text.encode("utf-8", "replace").decode()).decode())):  # fmt: skip
        assert not COMMANDS.search(re.sub("\r?\n|\t", "", shown))


READERS: dict[str, Reader] = {
    "configuration": Reader(read_config, valid.config_files, mutations.changed_toml),
    "environment": Reader(read_environment, valid.variables, mutations.changed_text),
    "catalog": Reader(read_catalog, valid.catalogs, mutations.changed_toml),
    "trace": Reader(read_trace, valid.traces, mutations.changed_lines),
    "recorded turn": Reader(read_kept_turn, valid.kept_turns, mutations.changed_json),
    "result": Reader(read_result, valid.results, mutations.changed_json),
    "budget": Reader(read_budget, valid.budgets, mutations.changed_text),
    "scenario": Reader(read_scenario, valid.scenarios, mutations.changed_toml),
    "skill": Reader(read_skill, valid.skills, mutations.changed_toml),
    "timers": Reader(read_timers, valid.timers, mutations.changed_json),
    "utterance": Reader(read_utterance, valid.utterances, mutations.changed_text),
    "manifest": Reader(read_manifest, valid.manifests, mutations.changed_text),
    "voice": Reader(read_voice, valid.voices, mutations.changed_json),
    "recognizer": Reader(read_whisper_file, valid.whisper_files, mutations.changed_json),
    "GGUF": Reader(read_gguf, valid.ggufs, mutations.changed_bytes),
    "wake word": Reader(read_wake_word, valid.wake_words, mutations.changed_json),
    "CTranslate2": Reader(read_ct2, lambda: [model_bin()], mutations.changed_bytes),
    "chat template": Reader(read_template, lambda: valid.TEMPLATES, _changed_template),
    "sound": Reader(read_sound, valid.sounds, _changed_sound),
    "cache": Reader(read_cache, valid.caches, mutations.changed_json),
    "control": Reader(read_control, valid.control_lines, mutations.changed_text),
    "metrics request": Reader(read_request, lambda: valid.REQUESTS, mutations.changed_text),
    "command line": Reader(read_command_line, valid.command_lines, mutations.changed_text),
    "question": Reader(read_question, valid.texts, mutations.changed_text),
    "reply": Reader(read_reply, valid.texts, mutations.changed_text),
}
