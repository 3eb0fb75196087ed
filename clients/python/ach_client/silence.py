"""Silence: whether a link is dead, counted in ticks.

Ticks, not seconds: a program that was busy for long has not listened, and must not take the node
for dead.
"""

from __future__ import annotations

DEAD_AFTER_S = 3.0
"""A client that hears nothing for this long says so and connects anew."""
TICKS = 6
"""How often in `dead_after_s` the node is asked for a sign of life."""
SILENT_TICKS_MAX = 4
"""So many ticks in a row without one, and the link is dead. The sign before them may have come just
after a tick: five ticks of six have passed at most, so that it is known before `dead_after_s` also
where a tick is late."""


class Silence:
    """Ticks since the last sign of life."""

    def __init__(self) -> None:
        self._heard_count = 0
        self._silent_ticks = 0

    def is_dead_at_tick(self, heard_count: int) -> bool:
        """Whether the link is dead, now that so many signs of life have come in all."""
        is_silent = heard_count == self._heard_count
        self._heard_count = heard_count
        self._silent_ticks = self._silent_ticks + 1 if is_silent else 0
        return self._silent_ticks >= SILENT_TICKS_MAX
