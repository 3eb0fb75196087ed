"""Outbox: what a vendor published on one lane and the node has not on its disk yet."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice

from .records import Report
from .words import Lane

REFUSED_REMEMBERED = 4_096
"""Refused numbers that are remembered: as many as a node remembers of a lane."""


@dataclass(slots=True)
class Input:
    """A ping, as bytes, or a report. `observed_at` counts only for a ping, which may give way."""

    handle: int
    content: bytes | Report
    observed_at: int = 0
    badge: int | None = None
    """Of a grant, the handle of the badge it was given to."""

    @property
    def last_handle(self) -> int:
        """The greatest of the handles it names."""
        return self.handle if self.badge is None else max(self.handle, self.badge)


class Outbox:
    """Inputs in the order of their numbers, which have no gaps. Holds at most `room`."""

    def __init__(self, lane: Lane, room: int) -> None:
        self.lane = lane
        self.room = room
        self._kept: deque[Input] = deque()
        self._first_seq = 1
        self._next_seq = 1
        """The next to send on this connection."""
        self._has_sent = False
        """Whether anything was sent on this connection."""
        self.accepted_through = 0
        self.durable_through = 0
        self.credit_through = 0
        self.entered_count = 0
        """Inputs ever published, whatever numbers they had."""
        self.durable_count = 0
        """Those that left because they are on the node's disk."""
        self.given_up_count = 0
        """Those that left without."""
        self.gave_way_count = 0
        """Pings that gave way to a newer one of their tag before either was sent. Not among those
        that were published: they never had a number, and the node counts none of them."""
        self._unsent: dict[int, Input] = {}
        """By handle, the latest ping, as long as it was never sent on any connection."""
        self._refused: set[int] = set()
        """Numbers the node refused: durable to us, and in no journal."""

    @property
    def last_seq(self) -> int:
        """The last number that was given; 0 before the first."""
        return self._first_seq + len(self._kept) - 1

    @property
    def kept_count(self) -> int:
        """How many are not known to be durable."""
        return len(self._kept)

    @property
    def decided_count(self) -> int:
        """Inputs that were decided on, whatever became of them afterwards."""
        decided_here = min(max(0, self.accepted_through - self._first_seq + 1), len(self._kept))
        return self.durable_count + self.given_up_count + decided_here

    @property
    def is_full(self) -> bool:
        """Whether there is no room."""
        return len(self._kept) >= self.room

    def put(self, entry: Input) -> None:
        """Gives an input its number."""
        self._kept.append(entry)
        self.entered_count += 1
        if self.lane is Lane.PINGS:
            self._unsent[entry.handle] = entry

    def give_way(self, entry: Input) -> bool:
        """Lets the older of two pings of a tag give way: the one that waits, or the one that came.

        False if none of that tag waits that was never sent; then nothing changes.
        """
        waiting = self._unsent.get(entry.handle)
        if waiting is None:
            return False
        if entry.observed_at >= waiting.observed_at:
            waiting.content, waiting.observed_at = entry.content, entry.observed_at
        self.gave_way_count += 1
        return True

    def refused(self, first_seq: int, last_seq: int) -> None:
        """The node has refused these numbers, or the first, the last and some between."""
        last_seq = min(last_seq, self.last_seq)
        first_seq = max(first_seq, last_seq - REFUSED_REMEMBERED + 1)
        self._refused.update(range(first_seq, last_seq + 1))
        if len(self._refused) > REFUSED_REMEMBERED:
            # It is looked for from the end.
            self._refused = set(sorted(self._refused)[-REFUSED_REMEMBERED:])

    @property
    def taken_through(self) -> int:
        """The last durable number that was not refused: the node has it in its journal."""
        seq = self.durable_through
        while seq in self._refused:
            seq -= 1
        return seq

    def resume(self, accepted_through: int, durable_through: int, credit_through: int) -> None:
        """The node goes on with the epoch: what is not durable is sent again under its numbers."""
        self._next_seq = self._first_seq
        self._has_sent = False
        self.told(accepted_through, durable_through, credit_through)

    def begin(self, credit_through: int) -> None:
        """The node has given a new epoch: what is left is numbered from 1."""
        self._first_seq = self._next_seq = 1
        self._has_sent = False
        self.accepted_through = self.durable_through = 0
        self._refused.clear()
        self.credit_through = credit_through

    def told(self, accepted_through: int, durable_through: int, credit_through: int) -> None:
        """What the node says in Welcome and Ack."""
        self.accepted_through, self.durable_through = accepted_through, durable_through
        self.credit_through = credit_through
        self.durable_count += self._forget_through(durable_through)
        if self._refused:
            # What the node took after a refused one, it knows after a start as well.
            taken = self.taken_through
            self._refused = {seq for seq in self._refused if seq > taken}

    def give_up_decided(self) -> int:
        """Makes room for one where nothing becomes durable; only what was decided on may go.

        A connection may begin at any number up to the one that is due, and leave out none from then
        on: what is still to be sent on it stays.
        """
        is_left_out = self._has_sent and self._first_seq >= self._next_seq
        if self._kept and self._first_seq <= self.accepted_through and not is_left_out:
            self._forget_through(self._first_seq)
            self.given_up_count += 1
            return 1
        return 0

    def next_batch(self, most: int, ready_handles: int) -> tuple[int, list[Input]]:
        """The first number and the inputs that may be sent now, and counts them as sent."""
        start = self._next_seq - self._first_seq
        most = max(0, min(most, self.credit_through - self._next_seq + 1))
        batch: list[Input] = []
        for entry in islice(self._kept, start, start + most):
            if entry.last_handle >= ready_handles:
                break
            batch.append(entry)
            if self._unsent.get(entry.handle) is entry:
                del self._unsent[entry.handle]
        first_seq = self._next_seq
        self._next_seq += len(batch)
        self._has_sent |= bool(batch)
        return first_seq, batch

    def _forget_through(self, seq: int) -> int:
        count = min(max(0, seq - self._first_seq + 1), len(self._kept))
        for _ in range(count):
            self._kept.popleft()
        self._first_seq += count
        self._next_seq = max(self._next_seq, self._first_seq)
        return count
