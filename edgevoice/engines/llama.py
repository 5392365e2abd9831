"""llama.cpp: the language model, whose KV prefix is never computed twice.

The ids in the KV cache are known at every moment. A new prompt keeps the longest prefix it shares
with them; what the model said itself is put into the prompt as the very ids it made, because
tokenizing its text again may cut it differently and so lose the rest of the cache.
"""

from __future__ import annotations

import codecs
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

from edgevoice.engines.batches import BatchCosts
from edgevoice.engines.chat_template import ChatTemplate, TemplateRefused
from edgevoice.engines.cpu_budget import cores
from edgevoice.engines.llama_file import CHOOSE_ANOTHER, check_memory, checked, pull_again
from edgevoice.engines.llama_native import NativeModel, NotLoaded, gpu_layers, version
from edgevoice.engines.mlock import fetch_ahead
from edgevoice.engines.plain_text import BREAK, broken, parts
from edgevoice.engines.prompt_cache import PromptCache
from edgevoice.engines.verbatim import spelled
from edgevoice.errors import EngineError, ModelError
from edgevoice.protocols import Cancelled, ChatMessage, Prefilled, Stopped, Token
from edgevoice.settings import SlmSettings

CHUNK = 64
"""The most prompt tokens evaluated between two looks at `cancelled`."""
GPU_CHUNK = 512
SPEAKING, ANSWERING, QUIET = 0.15, 0.3, 0.5
"""Seconds without such a look: while they speak, when they pause, while nobody waits."""
SLOW = 0.15
"""Seconds a token: people speak about four a second, and what they say is read more than once."""
KNOWN_TEXTS = 256
"""So many messages are known to be text, and not looked at again."""
PROBES = ("? Why", " 1 of them")
"""Two ways in which a question may go on, with nothing in common."""


class Llama:
    """A LanguageModel from a GGUF file with its own chat template."""

    def __init__(self, path: Path, settings: SlmSettings, kept: Path | None = None) -> None:
        """Load the model and use all of it once.

        In the folder `kept` lies what need not be computed at every start; without it, or with
        slm.prompt_cache off, nothing is written. Raises ModelError.
        """
        header = checked(path)
        layers = gpu_layers(settings.gpu_layers)
        self._settings = settings
        self.context = min(settings.context, header.context or settings.context)
        if layers == 0 or sys.platform == "darwin":  # where the GPU's memory is the machine's
            check_memory(path, header, self.context)
        fetch_ahead(path)
        chunk = GPU_CHUNK if layers else CHUNK
        try:
            self._native = NativeModel(
                path, self.context, chunk, settings.threads or cores.all, layers
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
        self._broken = lru_cache(KNOWN_TEXTS)(partial(broken, names=self._native.control_names))
        self._kv: list[int] = []
        self._fresh = False  # whether the newest logits are those after the last id in the cache
        self._kept = None
        if kept is not None and settings.prompt_cache:
            self._kept = PromptCache(kept, path, version(), self.context, layers, cores.all)
        self._costs = None if layers else BatchCosts(CHUNK)
        if self._costs and self._kept:
            self._costs.measured = self._kept.costs()
        self._native.touch()

    def prime(self, messages: Sequence[ChatMessage], cancelled: Cancelled) -> int:
        """Evaluate what `messages` and whatever may follow them have in common.

        If the last one is the user's, it is taken for the beginning of a question that is still
        being asked: its words go into the cache, nothing of what closes the message. Otherwise it
        is everything up to the first word of the next question. What the cache holds beyond that
        stays. Returns how many tokens of it are there now; fewer than asked for if cancelled.
        """
        speaking = bool(messages) and messages[-1].role == "user"
        shared = self._shared(messages)
        self._restore(messages)
        if len(shared) < self.context and _common(self._kv, shared) < len(shared):
            self._evaluate(shared, cancelled, SPEAKING if speaking else QUIET)
        if not speaking:
            self._keep(messages)
        return _common(self._kv, shared)

    def reply(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> Iterator[Prefilled | Token | Stopped]:
        """Evaluate what is new of the prompt, then make tokens until the model ends its turn.

        A last message of the assistant's is left open, and gone on with.
        Raises EngineError if the prompt does not fit the context. May be abandoned at any token.
        """
        prompt = self.prompt(messages)
        if len(prompt) >= self.context:
            raise EngineError(
                f"the conversation takes {len(prompt)} tokens, the context window {self.context}",
                remedy="begin a new conversation, shorten slm.system_prompt, or raise slm.context",
            )
        self._restore(messages)
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

        Every reply that still has its own ids keeps them, as far as they spell what was heard of
        it. Only the template's own marks become control tokens, never the text of a message.
        Raises EngineError for messages that the template refuses.
        """
        messages = [self._as_text(message) for message in messages]
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
                said = _said_after(whole, before, message.text)
                own, chars = spelled(message.tokens, message.text, self._native.piece)
                if not before.startswith(done) or said is None or not own:
                    continue
                ids += self._tokenize(before[len(done) :], first=not done)
                ids += own
                # Some templates trim what was said.
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
        if self._kept and self._costs and self._costs.measured:
            self._kept.keep_costs(self._costs.measured)
        self._native.close()

    def _choose(self) -> int:
        """The id that comes next; asked once for each token of a reply."""
        return self._native.sample()

    def _shared(self, messages: Sequence[ChatMessage]) -> list[int]:
        """The ids that `messages` and whatever may follow them have in common."""
        before, begun = messages, ChatMessage("user", "")
        if messages and messages[-1].role == "user":
            before, begun = messages[:-1], messages[-1]
        one, other = (
            self.prompt([*before, replace(begun, text=(begun.text.rstrip() + more).strip())])
            for more in PROBES
        )
        return one[: _common(one, other)]

    def _restore(self, messages: Sequence[ChatMessage]) -> None:
        """If the cache is empty, put what was kept of the system prompt into it."""
        if self._kept and not self._kv and messages and messages[0].role == "system":
            start = self._shared(messages[:1])
            state = self._kept.state(start)
            if state is not None and self._native.restore(state):
                self._kv = start

    def _keep(self, messages: Sequence[ChatMessage]) -> None:
        """Keep the cache on disk if it holds the system prompt and nothing else."""
        if self._kept and [message.role for message in messages] == ["system"]:
            start = self._shared(messages)
            if self._kv == start and not self._kept.has(start):
                self._kept.keep(start, self._native.state())

    def _tokenize(self, text: str, first: bool) -> list[int]:
        ids: list[int] = []
        for part, control in parts(text, self._native.control_names):
            ids += self._native.tokenize(part, control)
        if first and self._native.adds_bos and ids[:1] != [self._native.bos]:
            ids.insert(0, self._native.bos)
        return ids

    def _as_text(self, message: ChatMessage) -> ChatMessage:
        text, lead = self._broken(message.text), self._broken(message.lead)
        return replace(message, text=text, lead=lead)

    def _evaluate(
        self, ids: Sequence[int], cancelled: Cancelled, longest: float = ANSWERING
    ) -> int | None:
        """Make the KV cache hold just `ids`, and the newest logits those after the last of them.

        Looks at `cancelled` about every `longest` seconds. Returns how many ids were reused; None
        if cancelled.
        """
        reused = _common(self._kv, ids)
        if reused == len(ids) and not (self._fresh and len(self._kv) == reused):
            reused -= 1  # The last token is evaluated though it is there: only that gives logits.
        if reused < len(self._kv):
            self._fresh = False
            if not self._native.truncate(reused):  # a recurrent model has no such thing
                self._native.clear()
                reused = 0
            del self._kv[reused:]
        start = reused
        for size in self._batches(len(ids) - reused, longest):
            if longest == SPEAKING and self._settings.adapt_threads:
                # A thread too many would hold up the readings more than it brings forward here.
                cores.wait_for_one(cancelled)
            if cancelled():
                return None
            self._append(ids[start : start + size])
            start += size
        return reused

    def _batches(self, count: int, longest: float) -> list[int]:
        if self._costs is None:
            return [min(GPU_CHUNK, count - start) for start in range(0, count, GPU_CHUNK)]
        return self._costs.cut(count, self._threads(), longest, trying=longest == QUIET)

    def _append(self, ids: Sequence[int]) -> None:
        threads = self._threads()
        self._native.use_threads(threads)
        began = time.perf_counter()
        try:
            self._native.evaluate(ids)
        except EngineError:
            # What the cache holds after a failure is unknown: begin anew.
            self._native.clear()
            self._kv.clear()
            self._fresh = False
            raise
        self._kv += ids
        self._fresh = True
        if self._costs and threads == self._threads():  # otherwise somebody came in between
            self._costs.note(threads, len(ids), time.perf_counter() - began)

    def _threads(self) -> int:
        """For the next evaluation: what is fixed, or as many as there are cores left just now."""
        if self._settings.threads:
            return self._settings.threads
        return cores.left(self._slow()) if self._settings.adapt_threads else cores.all

    def _slow(self) -> bool:
        """Whether one core is not enough to take in words as fast as they are spoken.

        What such a model is behind when the voice stops costs more than a reading held up.
        """
        one = self._costs.measured.get(1, {}).get(1, 0.0) if self._costs else 0.0
        return one > SLOW


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids two sequences share at their beginning."""
    length = min(len(one), len(other))
    return next((i for i in range(length) if one[i] != other[i]), length)


def _said_after(whole: str, before: str, text: str) -> str | None:
    """The reply as the template renders it (some trim it), if it follows `before` in `whole`."""
    for said in (text, text.strip()):
        if whole.startswith(before + said):
            return said
    return None
