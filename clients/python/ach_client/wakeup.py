"""Wakeup: lets tasks wait for a change that callbacks make."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class Wakeup:
    """Wakes whoever waits, so that each looks again whether what it waits for is so."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def wake(self) -> None:
        """Something has changed."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Returns once it is so."""
        while not is_so():
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            try:
                await waiter
            finally:
                self._waiting.discard(waiter)


def note_exception(future: asyncio.Future[Any]) -> None:
    """Takes note of an exception that nobody may be waiting for any more."""
    if not future.cancelled():
        future.exception()
