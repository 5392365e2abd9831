"""The KV caches of one model's sessions, within a budget of memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from edgevoice.engines.llama_native import NativeContext, NotLoaded


class Holder(Protocol):
    """A session that may hold a KV cache."""

    def evicted(self) -> None:
        """It does not hold one any more."""


class KvCaches:
    """At most `most` KV caches, made by `opened`; each belongs to the session that used it last.

    Not thread-safe: its callers take turns.
    """

    def __init__(self, opened: Callable[[], NativeContext], most: int) -> None:
        """Make the first one. Raises NotLoaded."""
        self._opened = opened
        self._most = max(1, most)
        self._holders: OrderedDict[NativeContext, Holder | None] = OrderedDict({opened(): None})
        """The least recently used first."""

    def __len__(self) -> int:
        return len(self._holders)

    def first(self) -> NativeContext:
        """The one that there always is."""
        return next(iter(self._holders))

    def of(self, holder: Holder) -> NativeContext:
        """The cache of `holder`; an empty one if it has none, taken from another if need be."""
        mine = next((c for c, other in self._holders.items() if other is holder), None)
        mine = mine or self._free() or self._more() or self._evict()
        self._holders[mine] = holder
        self._holders.move_to_end(mine)
        return mine

    def give_back(self, holder: Holder) -> None:
        """The session has ended. Frees the memory of its cache, unless it is the only one."""
        for context, other in list(self._holders.items()):
            if other is holder:
                self._holders[context] = None
                if len(self._holders) > 1:
                    del self._holders[context]
                    context.close()
                else:
                    context.clear()

    def close(self) -> None:
        """Free all of them."""
        for context in self._holders:
            context.close()
        self._holders.clear()

    def _free(self) -> NativeContext | None:
        return next((context for context, holder in self._holders.items() if not holder), None)

    def _more(self) -> NativeContext | None:
        if len(self._holders) >= self._most:
            return None
        try:
            return self._opened()
        except NotLoaded:
            self._most = len(self._holders)
            return None

    def _evict(self) -> NativeContext:
        context, holder = next(iter(self._holders.items()))
        assert holder is not None
        holder.evicted()
        context.clear()
        return context
