"""Check what a conversation needs: packages, engines, devices, models, memory and disk.

The checks are independent: one that fails, or raises, does not hide the others.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Literal

from msgspec import Struct

from edgevoice.catalog import NONE, OPTIONAL, ROLE_NAMES
from edgevoice.clock import SystemClock
from edgevoice.config import Resolved
from edgevoice.errors import ConfigError, EdgevoiceError
from edgevoice.events import Role
from edgevoice.models import machine
from edgevoice.models.disk import existing, free_space, size_text
from edgevoice.models.store import Installed, Store
from edgevoice.models.voices import languages, missing, voices
from edgevoice.settings import Config

CheckState = Literal["ok", "warning", "failed"]

NATIVE_LIBRARIES = {
    "llama_cpp": "llama-cpp-python",
    "livekit.rtc": "livekit",
    "faster_whisper": "faster-whisper",
    "onnxruntime": "onnxruntime",
    "piper": "piper-tts",
    "soundfile": "soundfile",
    "soxr": "soxr",
}
"""Packages with native code that must load on this machine, by module."""

LOAD_TIMEOUT = 60
"""Seconds that a package may take to load."""

SPARE_DISK = 1_000_000_000
"""Free bytes below which the disk is reported as nearly full."""


class Check(Struct, frozen=True):
    """The result of a check; `fix` is a command or setting, empty if nothing is wrong."""

    name: str
    state: CheckState
    found: str
    fix: str = ""


CheckFunction = Callable[[], Check]


def examine(resolve: Callable[[], Resolved]) -> Iterator[Check]:
    """Run all checks in order; `resolve` reads the configuration and may raise ConfigError."""
    config = Config()
    try:
        resolved = resolve()
        config = resolved.config
        changed = sum(origin != "default" for origin in resolved.origins.values())
        settings = "setting" if changed == 1 else "settings"
        yield Check("configuration", "ok", f"valid, {changed} {settings} changed")
    except ConfigError as error:
        yield _failure("configuration", error)
    checks: dict[str, CheckFunction] = {
        "Python": _python,
        "packages": _packages,
        "engines": _engines,
        "PortAudio": _portaudio,
        "microphone": lambda: _microphone(config),
        "speaker": lambda: _speaker(config),
        **{ROLE_NAMES[role]: _model(config, role) for role in ROLE_NAMES},
        "languages": lambda: _languages(config),
        "wake word": lambda: _wake_word(config),
        "chat template": lambda: _chat_template(config),
        "memory": lambda: _memory(config),
        "memory lock": lambda: _memory_lock(config),
        "processor": _processor,
        "threads": lambda: _threads(config),
        "disk": lambda: _disk(config),
        "offline": lambda: _offline(config),
    }
    for name, check in checks.items():
        try:
            yield check()
        except EdgevoiceError as error:
            yield _failure(name, error)
        except Exception as error:
            found = f"the check itself failed: {type(error).__name__}: {error}"
            fix = "run edgevoice --debug doctor, and report what it prints"
            yield Check(name, "failed", found, fix)


def _failure(name: str, error: EdgevoiceError) -> Check:
    found = f"{error.what} ({error.where})" if error.where else error.what
    return Check(name, "failed", found, error.remedy)


def _python() -> Check:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if (3, 10) <= sys.version_info[:2] <= (3, 13):
        return Check("Python", "ok", found)
    return Check("Python", "failed", found, "use Python 3.10, 3.11, 3.12 or 3.13")


def _packages() -> Check:
    """Whether the required packages are installed, in any version."""
    fix = "make setup, or pip install --upgrade edgevoice"
    found, missing = [], []
    try:
        required = importlib.metadata.requires("edgevoice") or []
    except importlib.metadata.PackageNotFoundError:
        return Check("packages", "warning", "edgevoice runs without being installed", "make setup")
    for requirement in required:
        name, marker = re.match(r"([\w.-]+)[^;]*(;.*)?", requirement).groups()  # type: ignore[union-attr]
        if marker and "python_version < '3.11'" in marker and sys.version_info >= (3, 11):
            continue
        if marker and "extra ==" in marker:
            continue
        if name == "pymicro-wakeword" and marker:
            # Not available for every system; the check of the wake word covers it.
            continue
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("packages", "failed", f"not installed: {', '.join(missing)}", fix)
    return Check("packages", "ok", ", ".join(found))


def _wake_word(config: Config) -> Check:
    from edgevoice.engines.wake import find, known

    if config.activation.mode == "wake":
        return Check("wake word", "ok", f'"{find(config.wake).phrase}"')
    try:
        return Check("wake word", "ok", f"not used; available: {', '.join(known())}")
    except EdgevoiceError as error:
        return Check("wake word", "ok", f"not used, and not available: {error.what}")


def _engines() -> Check:
    """Whether the native libraries load; each in its own process, which it may crash."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        faults = [fault for fault in pool.map(_load, NATIVE_LIBRARIES) if fault]
    if not faults:
        return Check("engines", "ok", f"all load: {', '.join(NATIVE_LIBRARIES.values())}")
    found = "; ".join(what for what, _ in faults)
    return Check("engines", "failed", found, "; ".join(dict.fromkeys(fix for _, fix in faults)))


def _load(module: str) -> tuple[str, str] | None:
    """Import `module` in another process; returns what failed and the fix, or None."""
    package = NATIVE_LIBRARIES[module]
    fix = f"pip install --force-reinstall --no-cache-dir {package}"
    command = [sys.executable, "-c", f"import {module}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_TIMEOUT)
    except subprocess.TimeoutExpired:
        return f"{package} does not load within {LOAD_TIMEOUT} s", fix
    if done.returncode == 0:
        return None
    if done.returncode < 0:
        return f"{package} crashes: it was built for another processor", fix
    last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return f"{package} does not load: {last}", fix


def _portaudio() -> Check:
    from edgevoice.devices.listing import listed

    found = listed()
    inputs, outputs = sum(d.inputs > 0 for d in found), sum(d.outputs > 0 for d in found)
    return Check("PortAudio", "ok", f"{inputs} inputs and {outputs} outputs")


def _microphone(config: Config) -> Check:
    from edgevoice.devices.portaudio import Microphone

    microphone = Microphone(SystemClock(), config.audio.input)
    try:
        frame = microphone.read()
    finally:
        microphone.close()
    if frame is None:
        return Check(
            "microphone", "failed", f"{microphone.name} sends no sound", "edgevoice devices"
        )
    return Check("microphone", "ok", f"{microphone.name} opens and sends sound")


def _speaker(config: Config) -> Check:
    from edgevoice.devices.portaudio import Loudspeaker

    speaker = Loudspeaker(SystemClock(), config.audio.output, config.audio.latency_ms / 1000)
    speaker.close()
    return Check("speaker", "ok", f"{speaker.name} opens at {speaker.rate} Hz")


def _model(config: Config, role: Role) -> CheckFunction:
    def check() -> Check:
        store = Store(config)
        if role in OPTIONAL and (unused := _unused(store, role)):
            return unused
        chosen = store.choose(role)
        usable = [m for m in store.installed() if m.entry.role == role and not m.entry.shape]
        others = len(usable) - 1
        more = f", {others} more installed" if others > 0 else ""
        found = f"{chosen.name}, {size_text(chosen.entry.size)}{more}"
        return Check(ROLE_NAMES[role], "ok", found)

    return check


def _unused(store: Store, role: Role) -> Check | None:
    """The check of an optional role without a model; None if it has one."""
    if store.optional(role):
        return None
    if getattr(store.config.models, role) == NONE:
        return Check(ROLE_NAMES[role], "ok", f"turned off by models.{role}")
    first = store.starter_of(role)
    if not first:
        return Check(
            ROLE_NAMES[role], "ok", f"no model for the language {store.config.stt.language}"
        )
    found = "not installed: end-of-turn detection uses silence and text only"
    return Check(ROLE_NAMES[role], "warning", found, f"edgevoice models pull {first}")


def _languages(config: Config) -> Check:
    """The transcription model and the voice of each language."""
    store = Store(config)
    stt = store.choose("stt")
    codes, installed, absent = languages(store), voices(store), missing(store)
    unsupported = [code for code in codes if not stt.entry.speaks(code)]
    lines = (
        f"{code}: {'no transcription' if code in unsupported else stt.name} and "
        f"{installed[code].name if code in installed and code not in absent else 'no voice'}"
        for code in codes
    )
    found = "\n".join(lines)
    if unsupported:
        fix = f"use a model for {' and '.join(unsupported)}: --set models.stt=whisper-base"
        return Check("languages", "failed", found, fix)
    pull = [name for name in absent.values() if name]
    if absent:
        fix = f"pull {' '.join(pull)}" if pull else "add VOICE.onnx"
        return Check("languages", "warning", found, f"edgevoice models {fix}")
    return Check("languages", "ok", found)


def _chat_template(config: Config) -> Check:
    from edgevoice.engines.chat_template import ChatTemplate, TemplateRefused
    from edgevoice.models.gguf import NotGguf, read_header

    chosen = Store(config).choose("slm")
    if chosen.entry.format != "gguf":
        return Check("chat template", "ok", f"the engine of {chosen.name} has its own")
    fix = "choose an instruct or chat model: edgevoice models list"
    try:
        with chosen.path.open("rb") as file:
            header = read_header(file.read, tensors=False)
    except NotGguf as error:
        pull = f"edgevoice models pull {chosen.name}"
        return Check("chat template", "failed", f"{chosen.path}: {error}", pull)
    if not header.chat_template:
        found = f"{chosen.name} has no chat template and cannot converse"
        return Check("chat template", "failed", found, fix)
    try:
        ChatTemplate(header.values["tokenizer.chat_template"])
    except TemplateRefused as error:
        return Check("chat template", "failed", f"{chosen.name}: {error}", fix)
    return Check("chat template", "ok", f"{chosen.name} has a valid one")


def _chosen(config: Config) -> list[Installed]:
    """The installed models that would run."""
    store = Store(config)
    found: dict[str, Installed] = {}
    for role in ROLE_NAMES:
        with suppress(EdgevoiceError):
            chosen = [*voices(store).values()] if role == "tts" else [store.choose(role)]
            if role == "slm" and (draft := store.draft_of(chosen[0])):
                chosen.append(draft)
            found.update((model.name, model) for model in chosen)
    return list(found.values())


def _memory(config: Config) -> Check:
    total, free = machine.total_memory(), machine.free_memory()
    need = sum(model.entry.ram for model in _chosen(config)) + machine.SPARE_MEMORY
    found = f"{size_text(need)} needed, {size_text(free)} free of {size_text(total)}"
    smaller = "choose a smaller language model: edgevoice models list"
    if need > total:
        return Check("memory", "failed", found, smaller)
    if need > free:
        return Check("memory", "warning", found, f"close other programs, or {smaller}")
    return Check("memory", "ok", found)


def _processor() -> Check:
    cores = machine.cores()
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    found = f"{cores} core{'s' if cores > 1 else ''}, load {busy:.1f}"
    if cores == 1:
        smaller = "choose a smaller language model: edgevoice models list"
        return Check("processor", "warning", found, smaller)
    if busy > cores:
        return Check("processor", "warning", found, "close busy programs: they delay every reply")
    return Check("processor", "ok", found)


def _memory_lock(config: Config) -> Check:
    from edgevoice.engines.mlock import described

    need = sum(model.entry.ram for model in _chosen(config)) + machine.SPARE_MEMORY
    return Check("memory lock", "ok", described(need, config.slm.lock_memory))


def _threads(config: Config) -> Check:
    from edgevoice.engines import plan

    slm = [plan.measured(m.name, m.path) for m in _chosen(config) if m.entry.role == "slm"]
    return Check("threads", "ok", "\n".join(sum(slm, plan.table(config, machine.cores()))))


def _disk(config: Config) -> Check:
    folder = Store(config).folder
    free = free_space(folder)
    found = f"{size_text(free)} free in {folder}"
    if not os.access(existing(folder), os.W_OK):
        fix = "to download models, set models.folder to a folder that you can write"
        return Check("disk", "warning", f"{folder} is read-only", fix)
    if free < SPARE_DISK:
        return Check("disk", "warning", found, "free some space before you download a model")
    return Check("disk", "ok", found)


def _offline(config: Config) -> Check:
    present = {model.entry.role for model in _chosen(config)}
    missing = [
        ROLE_NAMES[role] for role in ROLE_NAMES if role not in present and role not in OPTIONAL
    ]
    if missing:
        found = f"not installed: {', '.join(missing)}"
        return Check("offline", "failed", found, "edgevoice models pull")
    return Check("offline", "ok", "everything is installed")
