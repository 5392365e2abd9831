"""The language model on llama.cpp, with reuse of the KV cache's prefix.

The ids in the KV cache are tracked. A new prompt reuses the longest prefix shared with them. The
model's own replies enter the prompt as the ids it generated: tokenizing their text again may split
it differently and lose the rest of the cache.
"""

from __future__ import annotations

import codecs
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import takewhile
from pathlib import Path

from edgevoice.engines.batches import BatchCosts
from edgevoice.engines.chat_template import ChatTemplate, TemplateRefused
from edgevoice.engines.cpu_budget import cores
from edgevoice.engines.llama_file import CHOOSE_ANOTHER, check_memory, checked, pull_again
from edgevoice.engines.llama_native import NativeModel, NotLoaded, gpu_layers, version
from edgevoice.engines.mlock import fetch_ahead
from edgevoice.engines.plain_text import BREAK, broken, parts
from edgevoice.engines.prompt_cache import PromptCache, default_folder
from edgevoice.engines.registry import Engine
from edgevoice.engines.verbatim import spelled
from edgevoice.errors import EngineError, ModelError
from edgevoice.protocols import Cancelled, ChatMessage, Prefilled, Stopped, Token
from edgevoice.settings import SlmSettings

CPU_BATCH = 64
"""Maximum prompt tokens evaluated between two checks of `cancelled`, on the CPU."""
GPU_BATCH = 512
SPEAKING_INTERVAL, ANSWERING_INTERVAL, IDLE_INTERVAL = 0.15, 0.3, 0.5
"""Seconds between two such checks: while the user speaks, while the user waits, otherwise."""
SLOW_TOKEN = 0.15
"""Seconds per token above which one core cannot follow speech of about four tokens a second."""
SANITIZED_TEXTS = 256
"""Messages whose check for control tokens is remembered."""
CONTINUATIONS = ("? Why", " 1 of them")
"""Two continuations of a question that share no token; they show where its tokens are certain."""


class Llama:
    """A LanguageModel from a GGUF file with its own chat template."""

    def __init__(self, path: Path, settings: SlmSettings, kept: Path | None = None) -> None:
        """Load the model and use every weight once.

        The folder `kept` stores the state of the system prompt between starts; without it, or with
        slm.prompt_cache off, nothing is written. Raises ModelError.
        """
        header = checked(path)
        layers = gpu_layers(settings.gpu_layers)
        self._settings = settings
        self.context = min(settings.context, header.context or settings.context)
        if layers == 0 or sys.platform == "darwin":  # where the GPU shares the machine's memory
            check_memory(path, header, self.context)
        fetch_ahead(path)
        batch = GPU_BATCH if layers else CPU_BATCH
        try:
            self._native = NativeModel(
                path, self.context, batch, settings.threads or cores.all, layers
            )
        except NotLoaded as error:
            raise ModelError(
                f"the model cannot be loaded: {error}", where=str(path), remedy=pull_again(path)
            ) from None
        bos, eos = (self._native.name(t) for t in (self._native.bos, self._native.eos))
        try:
            self._template = ChatTemplate(header.values["tokenizer.chat_template"], bos, eos)
        except TemplateRefused as error:
            self._native.close()
            raise ModelError(str(error), where=str(path), remedy=CHOOSE_ANOTHER) from None
        self._without_control_tokens = lru_cache(SANITIZED_TEXTS)(
            partial(broken, names=self._native.control_names)
        )
        self._kv: list[int] = []
        self._logits_valid = False
        """Whether the newest logits are those after the last id in the cache."""
        self._prompt_cache = None
        if kept is not None and settings.prompt_cache:
            self._prompt_cache = PromptCache(kept, path, version(), self.context, layers, cores.all)
        self._costs = None if layers else BatchCosts(CPU_BATCH)
        if self._costs and self._prompt_cache:
            self._costs.measured = self._prompt_cache.costs()
        self._native.touch()

    def prime(self, messages: Sequence[ChatMessage], cancelled: Cancelled) -> int:
        """Evaluate the tokens that every continuation of `messages` starts with.

        A last message of the user counts as the beginning of a question: its words are evaluated,
        but not the end of the message. Otherwise the prompt is evaluated up to the next question.
        Further tokens in the cache stay. Returns how many of these tokens the cache holds; fewer
        than all if cancelled.
        """
        user_speaks = bool(messages) and messages[-1].role == "user"
        shared = self._shared_prefix(messages)
        self._restore_state(messages)
        if len(shared) < self.context and _common(self._kv, shared) < len(shared):
            self._evaluate(shared, cancelled, SPEAKING_INTERVAL if user_speaks else IDLE_INTERVAL)
        if not user_speaks:
            self._save_state(messages)
        return _common(self._kv, shared)

    def reply(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> Iterator[Prefilled | Token | Stopped]:
        """Evaluate the new part of the prompt, then generate tokens until the model ends its turn.

        A last message of the assistant is continued. The iterator may be abandoned at any token.
        Raises EngineError if the prompt does not fit the context.
        """
        prompt = self.prompt(messages)
        if len(prompt) >= self.context:
            raise EngineError(
                f"the conversation takes {len(prompt)} tokens, the context window {self.context}",
                remedy="begin a new conversation, shorten slm.system_prompt, or raise slm.context",
            )
        self._restore_state(messages)
        reused = self._evaluate(prompt, cancelled)
        if reused is None:
            yield Stopped("cancelled")
            return
        yield Prefilled(len(prompt), reused)
        self._native.begin_sampling(self._settings.temperature, self._settings.seed)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for _ in range(self._settings.max_tokens):
            if cancelled():
                yield Stopped("cancelled")
                return
            token = self._choose()
            if self._native.ends(token):
                yield Stopped("stop")
                return
            yield Token(decoder.decode(self._native.piece(token)), token)
            if len(self._kv) >= self.context:
                break
            if cancelled():
                yield Stopped("cancelled")
                return
            self._append([token])
        yield Stopped("length")

    def prompt(self, messages: Sequence[ChatMessage]) -> list[int]:
        """The token ids of the prompt for `messages`, the opening of the reply included.

        Replies keep the ids they were generated with, as far as these spell the text that was
        heard. Only the template's own marks become control tokens, never the text of a message.
        Raises EngineError for messages that the template refuses.
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
                if message.role != "assistant" or not message.tokens or BREAK in message.text:
                    continue
                before = self._template.render(messages[:number])
                said = _reply_after(whole, before, message.text)
                own, chars = spelled(message.tokens, message.text, self._native.piece)
                if not before.startswith(done) or said is None or not own:
                    continue
                ids += self._tokenize(before[len(done) :], first=not done)
                ids += own
                # Some templates strip the reply.
                trimmed = message.text.find(said)
                done = before + said[: max(0, chars - trimmed)]
            return ids + self._tokenize(whole[len(done) :], first=not done)
        except TemplateRefused as error:
            raise EngineError(str(error), remedy=CHOOSE_ANOTHER) from None

    def count(self, messages: Sequence[ChatMessage]) -> int:
        """Tokens of the prompt for `messages`, the opening of the reply included."""
        return len(self.prompt(messages))

    def close(self) -> None:
        """Free the model's memory."""
        if self._prompt_cache and self._costs and self._costs.measured:
            self._prompt_cache.keep_costs(self._costs.measured)
        self._native.close()

    def _choose(self) -> int:
        """The next id; called once for each token of a reply."""
        return self._native.sample()

    def _shared_prefix(self, messages: Sequence[ChatMessage]) -> list[int]:
        """The ids that every continuation of `messages` starts with."""
        before, begun = messages, ChatMessage("user", "")
        if messages and messages[-1].role == "user":
            before, begun = messages[:-1], messages[-1]
        one, other = (
            self.prompt([*before, replace(begun, text=(begun.text.rstrip() + more).strip())])
            for more in CONTINUATIONS
        )
        return one[: _common(one, other)]

    def _restore_state(self, messages: Sequence[ChatMessage]) -> None:
        """If the cache is empty, load the stored state of what every conversation begins with."""
        if self._prompt_cache and not self._kv and (opening := _opening(messages)):
            start = self._shared_prefix(opening)
            state = self._prompt_cache.state(start)
            if state is not None and self._native.restore(state):
                self._kv = start

    def _save_state(self, messages: Sequence[ChatMessage]) -> None:
        """Store the cache on disk if it holds nothing of a conversation."""
        if self._prompt_cache and messages and _opening(messages) == list(messages):
            start = self._shared_prefix(messages)
            if self._kv == start and not self._prompt_cache.has(start):
                self._prompt_cache.keep(start, self._native.state())

    def _tokenize(self, text: str, first: bool) -> list[int]:
        ids: list[int] = []
        for part, control in parts(text, self._native.control_names):
            ids += self._native.tokenize(part, control)
        if first and self._native.adds_bos and ids[:1] != [self._native.bos]:
            ids.insert(0, self._native.bos)
        return ids

    def _sanitized(self, message: ChatMessage) -> ChatMessage:
        text, lead = (
            self._without_control_tokens(message.text),
            self._without_control_tokens(message.lead),
        )
        return replace(message, text=text, lead=lead)

    def _evaluate(
        self, ids: Sequence[int], cancelled: Cancelled, max_interval: float = ANSWERING_INTERVAL
    ) -> int | None:
        """Make the KV cache hold just `ids`, with the logits after the last of them.

        Checks `cancelled` about every `max_interval` seconds. Returns how many ids were reused, or
        None if cancelled.
        """
        reused = _common(self._kv, ids)
        if reused == len(ids) and not (self._logits_valid and len(self._kv) == reused):
            reused -= 1  # only evaluating the last token gives its logits
        if reused < len(self._kv):
            self._logits_valid = False
            if not self._native.truncate(reused):  # a recurrent model cannot
                self._native.clear()
                reused = 0
            del self._kv[reused:]
        start = reused
        for size in self._batches(len(ids) - reused, max_interval):
            if max_interval == SPEAKING_INTERVAL and self._settings.adapt_threads:
                # Another thread would delay the transcriber more than it speeds up the prefill.
                cores.wait_for_one(cancelled)
            if cancelled():
                return None
            self._append(ids[start : start + size])
            start += size
        return reused

    def _batches(self, count: int, max_interval: float) -> list[int]:
        if self._costs is None:
            return [min(GPU_BATCH, count - start) for start in range(0, count, GPU_BATCH)]
        return self._costs.cut(
            count, self._threads(), max_interval, measure_all=max_interval == IDLE_INTERVAL
        )

    def _append(self, ids: Sequence[int]) -> None:
        threads = self._threads()
        self._native.use_threads(threads)
        began = time.perf_counter()
        try:
            self._native.evaluate(ids)
        except EngineError:
            # After a failure the content of the cache is unknown.
            self._native.clear()
            self._kv.clear()
            self._logits_valid = False
            raise
        self._kv += ids
        self._logits_valid = True
        if self._costs and threads == self._threads():  # otherwise another engine interfered
            self._costs.note(threads, len(ids), time.perf_counter() - began)

    def _threads(self) -> int:
        """Threads of the next evaluation: slm.threads, or the number of free cores."""
        if self._settings.threads:
            return self._settings.threads
        return cores.left(self._one_core_too_slow()) if self._settings.adapt_threads else cores.all

    def _one_core_too_slow(self) -> bool:
        """Whether one core evaluates words more slowly than they are spoken.

        Then the model uses the transcriber's core too: its backlog would cost more.
        """
        one = self._costs.measured.get(1, {}).get(1, 0.0) if self._costs else 0.0
        return one > SLOW_TOKEN


def _opening(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """What every conversation begins with: the system prompt and the examples."""
    return list(takewhile(lambda message: message.role == "system" or message.example, messages))


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids two sequences share at their beginning."""
    length = min(len(one), len(other))
    return next((i for i in range(length) if one[i] != other[i]), length)


def _reply_after(whole: str, before: str, text: str) -> str | None:
    """The reply as rendered (some templates strip it), if it follows `before` in `whole`."""
    for said in (text, text.strip()):
        if whole.startswith(before + said):
            return said
    return None


ENGINE = Engine(
    "slm", ("gguf",), lambda model, config: Llama(model.path, config.slm, default_folder())
)
