"""Door orders: what a vendor's doors are told to do, the newest of each door, told once."""

from __future__ import annotations

import logging

from .doors import DoorOrder
from .errors import AchError
from .wakeup import Wakeup

DOORS_MAX = 50_000
"""Doors of which the newest order is remembered: as many as a site may have, some 20 MB."""

_log = logging.getLogger("ach_client")


class DoorOrders:
    """Iterates over orders: the newest of each door, each once however often the node repeats it.

    A door that was told several things meanwhile comes up once, with the last. Whatever lets people
    out for life safety comes before all else. It ends with its publisher.
    """

    def __init__(self) -> None:
        self._newest: dict[str, DoorOrder] = {}
        self._releases: dict[str, DoorOrder] = {}
        """Those that let people out and wait for the program."""
        self._others: dict[str, DoorOrder] = {}
        self._changed = Wakeup()
        self._is_closed = False
        self._failure: AchError | None = None

    def __aiter__(self) -> DoorOrders:
        return self

    async def __anext__(self) -> DoorOrder:
        await self._changed.until(
            lambda: bool(self._releases) or bool(self._others) or self._is_closed
        )
        waiting = self._releases or self._others
        if not waiting:
            raise self._failure or StopAsyncIteration
        # First in, first out: a door that is told something else keeps its place.
        return waiting.pop(next(iter(waiting)))

    def newest(self, door: str) -> DoorOrder | None:
        """What a door is told now; None if it was never told anything."""
        return self._newest.get(door)

    # ---- what the publisher hears

    def hear(self, order: DoorOrder) -> None:
        """Takes an order, unless the door was told it before, or something later."""
        known = self._newest.get(order.door)
        if known is not None and order.rank <= known.rank:
            if order.rank < known.rank:
                _log.info("an order is out of date and is left out: %s", order)
            return
        # The door that was told something last stands last.
        self._newest.pop(order.door, None)
        if len(self._newest) >= DOORS_MAX:
            self._forget(next(iter(self._newest)))
        self._newest[order.door] = order
        waits, other = self._releases, self._others
        if not order.lets_out:
            waits, other = other, waits
        other.pop(order.door, None)
        waits[order.door] = order
        self._changed.wake()

    def _forget(self, door: str) -> None:
        """Makes room: better an order that is told twice than a door that is told nothing."""
        del self._newest[door]
        if self._releases.pop(door, None) or self._others.pop(door, None):
            _log.error("orders for over %d doors, and none is taken: %s is lost", DOORS_MAX, door)

    def end(self, failure: AchError | None = None) -> None:
        """Nothing more comes."""
        self._is_closed = True
        self._failure = self._failure or failure
        self._changed.wake()
