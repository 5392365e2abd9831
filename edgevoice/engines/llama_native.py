"""llama.cpp's C interface as objects: weights with a vocabulary, KV caches over them, a sampler."""

from __future__ import annotations

import ctypes
import logging
import os
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp as native
import numpy as np
from llama_cpp._ggml import libggml, libggml_base_path
from numpy.typing import NDArray

from edgevoice.errors import EngineError
from edgevoice.logs import ENGINES

_messages = logging.getLogger(ENGINES)

RANDOM_SEED = 0xFFFFFFFF
ALL_LAYERS = 99
_CONTROL = native.LLAMA_TOKEN_ATTR_CONTROL | native.LLAMA_TOKEN_ATTR_UNKNOWN
_LEVELS = {2: logging.DEBUG, 3: logging.DEBUG, 4: logging.DEBUG}


@native.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
def _to_log(level: int, text: bytes, _: ctypes.c_void_p) -> None:
    # llama.cpp reports details as errors, and native code must not print.
    _messages.debug("%s", text.decode("utf-8", "replace").rstrip())


def _prepare() -> None:
    """Send llama.cpp's messages to our log, and load its code for this processor.

    A portable build has that code in several libraries. Without a folder llama.cpp would also load
    libraries of these names from the current folder. Raises EngineError if none fits.
    """
    native.llama_log_set(_to_log, ctypes.c_void_p(0))
    if not libggml.ggml_backend_reg_count():
        libggml.ggml_backend_load_all_from_path(str(libggml_base_path).encode())
        if not libggml.ggml_backend_reg_count():
            raise EngineError(
                "llama.cpp has no code for this processor",
                where=str(libggml_base_path),
                remedy="pip install --force-reinstall llama-cpp-python",
            )


def gpu_layers(wanted: int) -> int:
    """Layers to put on the GPU; `wanted` = -1 means all if llama.cpp supports a GPU, else none."""
    if wanted >= 0:
        return wanted
    _prepare()
    return ALL_LAYERS if native.llama_supports_gpu_offload() else 0


def version() -> str:
    """The binding's version, and so llama.cpp's; another version may not read stored states."""
    return str(native.__version__)


def _disable_mmap(params: Any) -> None:
    """Read the file into memory instead of mapping it.

    Weights are reordered for the vector units anyway. A mapped file would hold them twice, and the
    system drops the mapped half first when memory is short.
    """
    if hasattr(params, "load_mode"):
        params.load_mode = native.LLAMA_LOAD_MODE_NONE
    else:  # before 0.3.17
        params.use_mmap = False


class NotLoaded(Exception):
    """llama.cpp refused the file or could not make the context."""


class NativeModel:
    """Loaded weights and their vocabulary. May be used from several threads."""

    def __init__(self, path: Path, layers: int) -> None:
        _prepare()
        native.llama_backend_init()
        params = native.llama_model_default_params()
        params.n_gpu_layers = layers
        if layers == 0:
            _disable_mmap(params)
        self._model = native.llama_model_load_from_file(os.fsencode(path), params)
        if not self._model:
            raise NotLoaded("llama.cpp cannot read the file")
        self._vocab = native.llama_model_get_vocab(self._model)
        self.vocabulary = int(native.llama_vocab_n_tokens(self._vocab))
        """Number of token ids."""
        self.adds_bos = bool(native.llama_vocab_get_add_bos(self._vocab))
        self.bos: int = native.llama_vocab_bos(self._vocab)
        self.eos: int = native.llama_vocab_eos(self._vocab)

    def context(self, size: int, batch: int, threads: int) -> NativeContext:
        """A KV cache of `size` tokens, evaluated at most `batch` at a time. Raises NotLoaded."""
        return NativeContext(self._model, self.vocabulary, size, batch, threads)

    @property
    def truncates(self) -> bool:
        """Whether the end of a KV cache can be removed; a recurrent model has only its state."""
        return not (
            native.llama_model_is_recurrent(self._model)
            or native.llama_model_is_hybrid(self._model)
        )

    def adapter(self, path: Path) -> Any:
        """A LoRA adapter from a GGUF file; freed with the weights. Raises NotLoaded."""
        loaded = native.llama_adapter_lora_init(self._model, os.fsencode(path))
        if not loaded:
            raise NotLoaded("its tensors do not match the language model's")
        return loaded

    def tokenize(self, text: str, control: bool = True) -> list[int]:
        """Token ids of `text`, nothing added.

        The names of control tokens in it become these tokens, or with `control` off, stay text.
        """
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        while True:
            ids = (native.llama_token * room)()
            count = native.llama_tokenize(self._vocab, data, len(data), ids, room, False, control)
            if count >= 0:
                return list(ids[:count])
            room = -count

    def piece(self, token: int) -> bytes:
        """The bytes of one token; none for a special one. May be part of a UTF-8 character.

        An id that this model does not have gives a byte that no text has.
        """
        if not 0 <= token < self.vocabulary:
            return b"\xff"
        room = 64
        while True:
            piece = ctypes.create_string_buffer(room)
            count = native.llama_token_to_piece(self._vocab, token, piece, room, 0, False)
            if count >= 0:
                return piece.raw[:count]
            room = -count

    def control_names(self, text: str) -> set[str]:
        """The names of control tokens that `tokenize` finds in `text`."""
        found = set(self.tokenize(text)) if text else set()
        return {self.name(token) for token in found if self._is_control(token)} - {""}

    def _is_control(self, token: int) -> bool:
        attributes = native.llama_vocab_get_attr(self._vocab, token)
        return bool(attributes & _CONTROL) and not self.piece(token)

    def name(self, token: int) -> str:
        """How a (special) token is written; empty if there is none."""
        if token < 0:
            return ""
        return str((native.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8"))

    def ends(self, token: int) -> bool:
        """Whether the token ends the model's turn."""
        return bool(native.llama_vocab_is_eog(self._vocab, token))

    def close(self) -> None:
        """Free the weights, after their contexts; a second call does nothing."""
        if self._model:
            native.llama_model_free(self._model)
        self._model = None


class NativeContext:
    """A KV cache over loaded weights. Used by one thread at a time."""

    def __init__(self, model: Any, vocabulary: int, size: int, batch: int, threads: int) -> None:
        params = native.llama_context_default_params()
        params.n_ctx = size
        params.n_batch = params.n_ubatch = batch
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = True
        self._context = native.llama_init_from_model(model, params)
        if not self._context:
            raise NotLoaded("there is not enough memory for its context")
        self._vocabulary = vocabulary
        self._memory = native.llama_get_memory(self._context)
        self._tokens = (native.llama_token * batch)()
        self._outputs = (ctypes.c_int8 * batch)()
        self._threads = threads
        self._adapters: list[tuple[Any, float]] = []
        self.batch = batch

    def evaluate(self, tokens: Sequence[int], logits_of_each: bool = False, size: int = 0) -> None:
        """Append at most `batch` tokens to the KV cache. After an EngineError call `clear`.

        `logits_of_each`: then `logits` knows those of each of them, not only of the last. They are
        computed as a batch of `size` if that is larger; the model must be one that `truncates`.
        """
        count = len(tokens)
        size = max(size, count)
        before = native.llama_memory_seq_pos_max(self._memory, 0) + 1 if size > count else 0
        self._tokens[:size] = [*tokens, *[tokens[-1]] * (size - count)]
        self._outputs[:size] = [
            (logits_of_each and number < count) or number == count - 1 for number in range(size)
        ]
        batch = native.llama_batch_get_one(self._tokens, size)
        batch.logits = self._outputs
        code = native.llama_decode(self._context, batch)
        if code or (size > count and not self.truncate(before + count)):
            raise EngineError(
                f"the language model could not evaluate {count} tokens (llama.cpp says {code})"
            )

    def synchronize(self) -> None:
        """Wait until everything is evaluated; a GPU works on after `evaluate`."""
        native.llama_synchronize(self._context)

    def use_adapters(self, adapters: Sequence[tuple[Any, float]]) -> None:
        """Evaluate with these LoRA adapters, each with its scale, from now on."""
        if list(adapters) == self._adapters:
            return
        count = len(adapters)
        pointers = (native.llama_adapter_lora_p_ctypes * count)(*[each for each, _ in adapters])
        scales = (ctypes.c_float * count)(*[scale for _, scale in adapters])
        if native.llama_set_adapters_lora(self._context, pointers, count, scales):
            raise EngineError("llama.cpp cannot use the adapters", remedy="remove slm.adapters")
        self._adapters = list(adapters)

    def use_threads(self, threads: int) -> None:
        """Evaluate on so many threads from now on."""
        if threads != self._threads:
            native.llama_set_n_threads(self._context, threads, threads)
            self._threads = threads

    def logits(self, position: int) -> NDArray[np.float32]:
        """float32 [vocabulary] after the token at `position` of those evaluated last."""
        row = native.llama_get_logits_ith(self._context, position)
        return np.ctypeslib.as_array(row, (self._vocabulary,)).copy()

    def touch(self, token: int) -> None:
        """Use every weight once, so that the first real token finds all of them in memory."""
        native.llama_set_warmup(self._context, True)
        self.evaluate([token])
        native.llama_set_warmup(self._context, False)
        self.clear()

    def state(self) -> bytes:
        """The KV cache as it is."""
        size = native.llama_state_seq_get_size(self._context, 0)
        data = (ctypes.c_uint8 * size)()
        written = native.llama_state_seq_get_data(self._context, data, size, 0)
        return bytes(memoryview(data)[:written])

    def restore(self, state: bytes) -> bool:
        """Put what `state` gave into an empty cache; False, and empty, if it is refused."""
        data = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        if native.llama_state_seq_set_data(self._context, data, len(state), 0):
            return True
        self.clear()
        return False

    def truncate(self, length: int) -> bool:
        """Keep the first `length` tokens of the KV cache; False if this model's cache cannot."""
        return bool(native.llama_memory_seq_rm(self._memory, 0, length, -1))

    def clear(self) -> None:
        """Empty the KV cache."""
        native.llama_memory_clear(self._memory, False)

    def sample(self, sampler: Sampler) -> int:
        """The next token after those evaluated last."""
        return int(native.llama_sampler_sample(sampler.chain, self._context, -1))

    def close(self) -> None:
        """Free the cache; a second call does nothing."""
        if self._context:
            native.llama_free(self._context)
        self._context = None


class Sampler:
    """Chooses the tokens of a reply; 0 is greedy, otherwise `seed` makes it repeatable, -1 not."""

    def __init__(self, temperature: float, seed: int) -> None:
        self.chain = native.llama_sampler_chain_init(native.llama_sampler_chain_default_params())
        # Not at exit: a thread that still generates would use it after that, and crash.
        weakref.finalize(self, native.llama_sampler_free, self.chain).atexit = False
        if temperature <= 0:
            native.llama_sampler_chain_add(self.chain, native.llama_sampler_init_greedy())
            return
        for sampler in (
            native.llama_sampler_init_top_k(40),
            native.llama_sampler_init_top_p(0.95, 1),
            native.llama_sampler_init_min_p(0.05, 1),
            native.llama_sampler_init_temp(temperature),
            native.llama_sampler_init_dist(seed if seed >= 0 else RANDOM_SEED),
        ):
            native.llama_sampler_chain_add(self.chain, sampler)
