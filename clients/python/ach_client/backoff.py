"""Backoff: how long a client leaves a node alone before it connects again."""

from __future__ import annotations

import random

from .codes import Code
from .link import Ending

FIRST_S = 0.05
"""After the first loss."""
MOST_S = 5.0
"""Doubling ends here."""
REFUSED_S = 10.0
"""After a refusal that does not pass by itself; at least this, says the specification."""
SETTLED_S = 10.0
"""A connection that lived as long was of use: the next loss counts as the first."""


class Backoff:
    """Waits that double, each by chance between half and all of it, so that clients spread out."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.Random()
        self._next_s = FIRST_S

    def settled(self) -> None:
        """A connection was of use: it has lived for `SETTLED_S`, or inputs were acknowledged."""
        self._next_s = FIRST_S

    def wait_s(self, ending: Ending) -> float | None:
        """How long to wait after this ending; None if this client must not come again by itself."""
        if ending.code is Code.TAKEN_OVER:
            return None
        if not ending.may_be_tried_again_soon:
            return REFUSED_S * self._chance.uniform(1.0, 1.5)
        wait_s = self._next_s
        self._next_s = min(wait_s * 2, MOST_S)
        return wait_s * self._chance.uniform(0.5, 1.0)
