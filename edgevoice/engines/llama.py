"""Language models on llama.cpp: weights that conversations share."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from edgevoice.engines.adapters import adapters
from edgevoice.engines.batches import BatchCosts
from edgevoice.engines.chat_template import ChatTemplate, TemplateRefused
from edgevoice.engines.cpu_budget import cores
from edgevoice.engines.kv_caches import KvCaches
from edgevoice.engines.llama_file import CHOOSE_ANOTHER, check_memory, checked, pull_again
from edgevoice.engines.llama_native import NativeModel, NotLoaded, gpu_layers, version
from edgevoice.engines.mlock import fetch_ahead
from edgevoice.engines.model_session import ModelSession
from edgevoice.engines.plain_text import TOKEN_BREAK, broken, parts
from edgevoice.engines.prompt_cache import PromptCache, default_folder
from edgevoice.engines.registry import Engine
from edgevoice.engines.verbatim import GeneratedReplies
from edgevoice.errors import EngineError, ModelError
from edgevoice.protocols import ChatMessage
from edgevoice.settings import SlmSettings

CPU_BATCH = 64
"""Maximum prompt tokens evaluated between two checks of `cancelled`, on the CPU."""
GPU_BATCH = 512
SLOW_TOKEN = 0.15
"""Seconds per token above which one core cannot follow speech of about four tokens a second."""
SANITIZED_TEXTS = 256
"""Messages whose check for control tokens is remembered."""


class Llama:
    """ModelWeights from a GGUF file with its own chat template."""

    sessions: type[ModelSession] = ModelSession
    """What `session` makes."""

    def __init__(self, path: Path, settings: SlmSettings, kept: Path | None = None) -> None:
        """Load the model and use every weight once.

        The folder `kept` stores the state of the system prompt between starts; without it, or with
        slm.prompt_cache off, nothing is written. Raises ModelError.
        """
        header = checked(path)
        layers = gpu_layers(settings.gpu_layers)
        self.settings = settings
        self._architecture = header.architecture
        self._adapters: dict[str, Any] = {}
        """The loaded adapters by hash; they last as long as the weights."""
        self.context = min(settings.context, header.context or settings.context)
        if layers == 0 or sys.platform == "darwin":  # where the GPU shares the machine's memory
            check_memory(path, header, self.context)
        fetch_ahead(path)
        loaded = ExitStack()
        try:
            self.native = loaded.enter_context(closing(NativeModel(path, layers)))
            opened = partial(
                self.native.context,
                self.context,
                GPU_BATCH if layers else CPU_BATCH,
                settings.threads or cores.all,
            )
            # A model of unknown size has one cache.
            each = header.cache(self.context) or settings.kv_budget_mb << 20
            self.caches = KvCaches(opened, (settings.kv_budget_mb << 20) // each)
        except NotLoaded as error:
            loaded.close()
            raise ModelError(
                f"the model cannot be loaded: {error}", where=str(path), remedy=pull_again(path)
            ) from None
        self.prompt_cache: PromptCache | None = None
        bos, eos = (self.native.name(t) for t in (self.native.bos, self.native.eos))
        try:
            self._template = ChatTemplate(header.values["tokenizer.chat_template"], bos, eos)
        except TemplateRefused as error:
            self.close()
            raise ModelError(str(error), where=str(path), remedy=CHOOSE_ANOTHER) from None
        self._without_control_tokens = lru_cache(SANITIZED_TEXTS)(
            partial(broken, names=self.native.control_names)
        )
        if kept is not None and settings.prompt_cache:
            self.prompt_cache = PromptCache(kept, path, version(), self.context, layers, cores.all)
        self._costs = None if layers else BatchCosts(CPU_BATCH)
        if self._costs and self.prompt_cache:
            self._costs.measured = self.prompt_cache.costs()
        self.caches.first().touch(max(self.native.bos, 0))

    @property
    def opened(self) -> str:
        """What the template opens for the model: the mark of its thoughts, or nothing."""
        return self._template.opened

    def session(self) -> ModelSession:
        """The model for one more conversation."""
        return self.sessions(self)

    def adapters(self, specs: Sequence[str]) -> tuple[tuple[tuple[Any, float], ...], str]:
        """The LoRA adapters that slm.adapters names, each with its scale, and their hashes and
        scales as a text. Raises ModelError."""
        found, named = [], adapters(specs, self._architecture)
        for adapter in named:
            if adapter.sha256 not in self._adapters:
                try:
                    self._adapters[adapter.sha256] = self.native.adapter(adapter.path)
                except NotLoaded as error:
                    raise ModelError(
                        f"the adapter does not fit: {error}",
                        where=str(adapter.path),
                        remedy="choose its language model with models.slm, or change slm.adapters",
                    ) from None
            found.append((self._adapters[adapter.sha256], adapter.scale))
        return tuple(found), " ".join(f"{each.sha256}*{each.scale}" for each in named)

    def prompt(self, messages: Sequence[ChatMessage], replies: GeneratedReplies) -> list[int]:
        """The token ids of the prompt for `messages`, the opening of the reply included.

        `replies` knows the ids of those that were generated. Only the template's own marks become
        control tokens, never the text of a message. Raises EngineError for messages that the
        template refuses.
        """
        messages = [self._sanitized(message) for message in messages]
        try:
            if messages and messages[-1].role == "assistant":
                whole = self._template.render(messages[:-1]) + messages[-1].text
            else:
                whole = self._template.render(messages)
            ids: list[int] = []
            done = ""
            for number, message in enumerate(messages):
                if message.role != "assistant" or TOKEN_BREAK in message.text:
                    continue
                own, chars = replies.spelled(message.text)
                if not own:
                    continue
                before = self._template.render(messages[:number])
                said = _reply_after(whole, before, message.text)
                if not before.startswith(done) or said is None:
                    continue
                ids += self.tokenize(before[len(done) :], first=not done)
                ids += own
                # Some templates strip the reply.
                trimmed = message.text.find(said)
                done = before + said[: max(0, chars - trimmed)]
            return ids + self.tokenize(whole[len(done) :], first=not done)
        except TemplateRefused as error:
            raise EngineError(str(error), remedy=CHOOSE_ANOTHER) from None

    def tokenize(self, text: str, first: bool) -> list[int]:
        """Its ids; `first` begins a prompt. Only the template's own marks are control tokens."""
        ids: list[int] = []
        for part, control in parts(text, self.native.control_names):
            ids += self.native.tokenize(part, control)
        if first and self.native.adds_bos and ids[:1] != [self.native.bos]:
            ids.insert(0, self.native.bos)
        return ids

    def batches(self, count: int, max_seconds: float, measure_all: bool) -> list[int]:
        """Sizes of the batches that evaluate `count` ids in the least time.

        One takes about `max_seconds` at most; with `measure_all` unmeasured sizes come first.
        """
        if self._costs is None:
            return [min(GPU_BATCH, count - start) for start in range(0, count, GPU_BATCH)]
        return self._costs.cut(count, self.threads(), max_seconds, measure_all)

    def padded(self, count: int, threads: int, room: int) -> int:
        """The size of the batch that evaluates `count` ids in the least time; the rest is padding.

        `room`: positions that are left in the KV cache.
        """
        if self._costs is None or not self.native.truncates:
            return count
        return self._costs.padded(count, threads, room)

    def seconds(self, count: int) -> float:
        """Expected seconds to evaluate `count` ids, as measured so far; 0 if nothing was."""
        return self._costs.seconds(count, self.threads()) if self._costs else 0.0

    def note(self, threads: int, size: int, seconds: float) -> None:
        """A batch of `size` ids, padding included, took `seconds` on `threads` threads."""
        if self._costs and threads == self.threads():  # otherwise another engine interfered
            self._costs.note(threads, size, seconds)

    def threads(self) -> int:
        """Threads of the next evaluation: slm.threads, or the number of free cores."""
        if self.settings.threads:
            return self.settings.threads
        return cores.left(self._one_core_too_slow()) if self.settings.adapt_threads else cores.all

    def close(self) -> None:
        """Free the model's memory; no session may use it any more."""
        if self.prompt_cache and self._costs and self._costs.measured:
            self.prompt_cache.keep_costs(self._costs.measured)
        self.caches.close()
        self.native.close()

    def _one_core_too_slow(self) -> bool:
        """Whether one core evaluates words more slowly than they are spoken.

        Then the model uses the transcriber's core too: its backlog would cost more.
        """
        one = self._costs.measured.get(1, {}).get(1, 0.0) if self._costs else 0.0
        return one > SLOW_TOKEN

    def _sanitized(self, message: ChatMessage) -> ChatMessage:
        text, lead = (
            self._without_control_tokens(message.text),
            self._without_control_tokens(message.lead),
        )
        return replace(message, text=text, lead=lead)


def _reply_after(whole: str, before: str, text: str) -> str | None:
    """The reply as rendered (some templates strip it), if it follows `before` in `whole`."""
    for said in (text, text.strip()):
        if whole.startswith(before + said):
            return said
    return None


ENGINE = Engine(
    "slm", ("gguf",), lambda model, config: Llama(model.path, config.slm, default_folder())
)
