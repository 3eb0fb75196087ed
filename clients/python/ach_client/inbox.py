"""Inbox: what was heard and the program has not dealt with yet. Bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from .wakeup import Wakeup

T = TypeVar("T")

WAITING_MAX = 20_000
"""As many open alarms as a large site may have at once, some 40 MB."""


class Inbox(Generic[T]):
    """First in, first out; a newer entry takes the place of an older one with the same key."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Hashable, T] = OrderedDict()
        self._count = 0
        self._changed = Wakeup()
        self._is_closed = False

    @property
    def is_full(self) -> bool:
        """Whether the program does not keep up."""
        return len(self._entries) >= WAITING_MAX

    def put(self, entry: T, key: Hashable = None) -> None:
        """Adds an entry."""
        self._count += 1
        self._entries[self._count if key is None else (key,)] = entry
        self._changed.wake()

    def close(self) -> None:
        """Nothing more comes."""
        self._is_closed = True
        self._changed.wake()

    async def take(self) -> T | None:
        """The next entry; None when nothing more comes."""
        await self._changed.until(lambda: bool(self._entries) or self._is_closed)
        if not self._entries:
            return None
        entry = self._entries.popitem(last=False)[1]
        self._changed.wake()
        return entry

    async def half_empty(self) -> None:
        """Waits until there is room again."""
        await self._changed.until(lambda: len(self._entries) <= WAITING_MAX // 2)
