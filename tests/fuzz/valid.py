"""Valid inputs of each reader, to be changed."""

from __future__ import annotations

import io
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edgevoice import config, trace
from edgevoice import events as ev
from edgevoice.bench.result import result
from edgevoice.bench.scenarios import scenario_file
from edgevoice.catalog import packaged_path
from edgevoice.engines.cpu_budget import cores
from edgevoice.fit.starter import Speed
from edgevoice.models.machine import total_memory
from edgevoice.recordings import recorded_turn as kept_turn
from edgevoice.settings import Config
from edgevoice.skills.own import EXAMPLE_SKILLS
from edgevoice.skills.timers import Timer
from tests import kept as conversations
from tests.bench import simulated
from tests.conftest import ROOT
from tests.models.conftest import gguf


def config_files() -> list[bytes]:
    defaults = msgspec.to_builtins(Config())
    whole = "".join(
        f"[{section}]\n" + "".join(f"{k} = {toml(v)}\n" for k, v in keys.items() if v is not None)
        for section, keys in defaults.items()
    )
    return [
        whole.encode(),
        b'# mine\n[tts]\nspeed = 1.2\n[slm]\nsystem_prompt = """Be\nbrief."""\n',
    ]


def toml(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def variables() -> list[bytes]:
    return [
        f"EDGEVOICE_{key.replace('.', '_').upper()}={config.default(key)}".encode()
        for key in list(config.keys())
    ] + [b"EDGEVOICE_PORT=tcp://10.0.0.1:80", b"EDGEVOICE_CONFIG=~nobody/x", b"HOME="]


def catalogs() -> list[bytes]:
    tables = packaged_path().read_bytes().split(b"[[model]]")
    # Names of its own: those of the packaged catalog are taken.
    return [
        b"[[model]]" + table.replace(b'\nname = "', b'\nname = "my-', 1) for table in tables[1:]
    ]


@lru_cache(maxsize=1)
def conversation() -> tuple[list[ev.Event], list[kept_turn.RecordedTurn]]:
    """The events of a short conversation, and its turns as they are kept."""
    with tempfile.TemporaryDirectory() as folder:
        said = conversations.Kept(Path(folder), "It is **noon**. Isn't it?")
        said.show.hear((0.2, "what time is it", 1.0), (9.0, "thanks", 0.6))
        turns = said.run()
        return said.show.events, turns


@lru_cache(maxsize=1)
def traces() -> list[bytes]:
    return ["".join(map(trace.line, conversation()[0])).encode()]


@lru_cache(maxsize=1)
def kept_turns() -> list[bytes]:
    return [kept_turn.encoded(each).encode() for each in conversation()[1]]


@lru_cache(maxsize=1)
def results() -> list[bytes]:
    made = simulated.result(simulated.turns(0, questions=4))
    return [result.encoded(made).encode()]


def budgets() -> list[bytes]:
    return [b"first_audio.p95=900ms", b"tokens_per_second>=8", b"dropped=0", b"wer<=10%",
            b"prefill.mean <= 1.5 s", b"cut_off<=5%", b"underruns=0"]  # fmt: skip


@lru_cache(maxsize=1)
def summary() -> result.Summary:
    return simulated.result(simulated.turns(0, questions=4)).variants[0].summary


def scenarios() -> list[bytes]:
    return [path.read_bytes() for path in sorted(scenario_file.SHIPPED.glob("*.toml"))]


def skills() -> list[bytes]:
    examples = sorted(EXAMPLE_SKILLS.glob("*/skill.toml"))
    lines = b'title = "A"\n[intents.a]\nsentences.en = ["a {n}"]\nanswers.en = ["{output}"]\n'
    return [*(path.read_bytes() for path in examples), lines + b'lines = "lines.txt"\n']


def timers() -> list[bytes]:
    kept = [
        Timer(1, "timer", 1e9 + 60, 60, "tea"),
        Timer(2, "reminder", 1e9, 600, "call mum", "de", 30.5),
    ]
    return [msgspec.json.encode(kept)]


def utterances() -> list[bytes]:
    table = (ROOT / "tests" / "skills" / "tuned.tsv").read_text("utf-8").splitlines()
    return [line.split("\t")[1].encode() for line in table if line[:1] != "#"]


def manifests() -> list[bytes]:
    return [
        b"file\ttranscript\treference\tkind\tspeech_end_s\tlongest_pause_s\n"
        b"file\tWhat time is it?\thuman\tquestion\t1.5\t0.2\n"
        b"b.wav\tYes.\tpseudo\t\t2\t\n"
    ]


def voices() -> list[bytes]:
    voice = {
        "audio": {"sample_rate": 22050, "quality": "medium"},
        "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_map": {},
        "phoneme_id_map": {"_": [0], "^": [1], "$": [2], " ": [3], "a": [14]},
        "num_symbols": 256,
        "num_speakers": 1,
        "speaker_id_map": {},
        "piper_version": "1.0.0",
        "language": {"code": "en_US", "family": "en", "region": "US"},
        "dataset": "joe",
    }
    return [msgspec.json.encode(voice)]


def whisper_files() -> list[bytes]:
    vocabulary = {chr(33 + n): n for n in range(90)} | {"<|endoftext|>": 90}
    added = {"id": 90, "content": "<|endoftext|>", "single_word": False, "lstrip": False,
             "rstrip": False, "normalized": False, "special": True}  # fmt: skip
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [added],
        "normalizer": None, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False,
                                              "trim_offsets": True, "use_regex": True},
        "post_processor": None, "decoder": {"type": "ByteLevel", "add_prefix_space": True,
                                            "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "fuse_unk": False,
                  "continuing_subword_prefix": "", "end_of_word_suffix": "",
                  "vocab": vocabulary | {"!\"": 91}, "merges": ["! \""]},
    }  # fmt: skip
    config = {"alignment_heads": [[3, 1], [4, 2]], "lang_ids": [50259, 50260], "suppress_ids": [1],
              "suppress_ids_begin": [220, 50257]}  # fmt: skip
    extractor = {"chunk_length": 30, "feature_size": 80, "hop_length": 160, "n_fft": 400,
                 "sampling_rate": 16000, "n_samples": 480000, "padding_side": "right"}  # fmt: skip
    values = tokenizer, config, extractor, list(vocabulary)
    return [msgspec.json.encode(value) for value in values]


def ggufs() -> list[bytes]:
    return [gguf(tensors=3, weights=464),
            gguf({"a.b": ["x"] * 9}, template=TEMPLATES[0].decode())]  # fmt: skip


TEMPLATES = [
    b"{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' "
    b"+ message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}"
    b"{{ '<|im_start|>assistant\\n' }}{% endif %}",
    b"{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set system = messages[0].content %}"
    b"{% set loop_messages = messages[1:] %}{% else %}{% set loop_messages = messages %}{% endif %}"
    b"{%- for m in loop_messages -%}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    b"{{ raise_exception('no') }}{% endif %}{% if m.role == 'user' %}{{ '[INST] ' ~ system "
    b"| default('') | trim ~ m.content | trim ~ ' [/INST]' }}{% else %}{% generation %}"
    b"{{ m.content }}{{ eos_token }}{% endgeneration %}{% endif %}{%- endfor -%}",
    b"{% set ns = namespace(n=0) %}{% macro one(m) %}<{{ m.role|upper }}>{{ m.content }}"
    b"{% endmacro %}"
    b"{% for m in messages if m.content is string %}{% set ns.n = ns.n + loop.length %}"
    b"{{ one(m) }}{{ '%d' % ns.n }}{{ m|tojson(indent=2) }}{% endfor %}"
    b"{{ strftime_now('%d %b %Y') }}",
]


def sounds() -> list[bytes]:
    import soundfile

    made = []
    tone = (np.sin(np.arange(4000) / 5) * 0.3).astype("float32")
    for form, subtype, rate, channels in (
        ("WAV", "PCM_16", 16000, 1), ("WAV", "FLOAT", 44100, 2), ("WAV", "PCM_24", 8000, 1),
        ("WAV", "ULAW", 8000, 1), ("WAV", "IMA_ADPCM", 16000, 1), ("FLAC", "PCM_16", 22050, 1),
        ("OGG", "VORBIS", 16000, 1), ("WAVEX", "PCM_32", 48000, 4), ("AIFF", "PCM_16", 16000, 1),
    ):  # fmt: skip
        file = io.BytesIO()
        soundfile.write(file, np.stack([tone] * channels, 1), rate, subtype, format=form)
        made.append(file.getvalue())
    return made


def caches() -> list[bytes]:
    costs = b'{"1":{"1":0.05,"8":0.1,"32":0.3},"2":{"1":0.03,"8":0.06}}'
    speakers = b'{"Headset":0.045,"Speaker":0.0675}'
    return [costs, speakers, msgspec.json.encode(Speed(cores.all, total_memory(), 0.2, 0.05))]


def control_lines() -> list[bytes]:
    return [b" ptt press\n", b" ptt toggle\n", b" mute on\n", b" stop\n", b"token mute toggle\n"]


REQUESTS = [
    b"GET /metrics HTTP/1.1\r\nHost: localhost:9464\r\nAccept: application/openmetrics-text;"
    b"version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\nAccept-Encoding: gzip\r\n"
    b"X-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n",
    b"GET /?name[]=edgevoice_ready&name[]=edgevoice_turns_total HTTP/1.0\r\n\r\n",
    b"HEAD /readyz HTTP/1.1\r\nConnection: keep-alive\r\n\r\nGET /livez HTTP/1.0\r\n\r\n",
    b"POST /metrics HTTP/1.1\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    b"OPTIONS * HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
]


def command_lines() -> list[bytes]:
    """One word a line; none of them writes a file, measures, or asks a network."""
    lines = (
        "--set|tts.speed=1.5|config|show", "--config|none.toml|--debug|config|show|--json",
        "models|list|--language|de", "models|list|--json", "models|path|whisper-base",
        "models|verify|nope", "say|--show|--language|de|-5 degrees", "say|--show|--|-x|and more",
        "ask|what is it|--slm|none|--system-prompt|Be brief.",
        "transcribe|a.wav|--language|de|--json", "replay|t.json|turn.silence_ms=500|--times|3",
        "bench|compare|a.json|b.json|--budget|first_audio.p95=900ms", "bench|trace|t.jsonl",
        "bench|report|a.json|b.json", "bench|turns|--list", "bench|shape|none",
        "fit|--budget|1.0s|--memory|3GB|--slm|none", "mute|on|--session|7", "ptt|toggle", "stop",
        "bench|run|--limit|3|--sweep|tts=a,b|--sweep|slm.threads=1..2",
    )  # fmt: skip
    return [line.replace("|", "\n").encode() for line in lines]


def wake_words() -> list[bytes]:
    micro = {"probability_cutoff": 0.9, "sliding_window_size": 5, "feature_step_size": 10}
    word = {"type": "micro", "wake_word": "Alexa", "model": "file.tflite", "version": 2,
            "trained_languages": ["en"], "micro": micro}  # fmt: skip
    return [msgspec.json.encode(word)]


def texts() -> list[bytes]:
    return [
        b"The train leaves at 5:30 p.m. from platform 3, e.g. Dr. Smith's (the usual one). Hurry!",
        b"# Title\n\n- one **bold** word\n- [a link](https://example.com/x?y=1)\n\n```python\n"
        b"x = 1\n```\n| a | b |\n|---|---|\n| 1 | 2 |\n\nThat costs $5.50, or 3-4 euros; mail "
        b"me@example.com.",
        "Ünïcödé: „z. B.“ 漢字。そうです、はい！ مرحبا؟ \U0001f600 — 1/2 → 3 °C…\n".encode(),
    ]
