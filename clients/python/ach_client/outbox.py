"""Outbox: what a vendor published on one lane and the node has not on its disk yet."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice

from .records import Report
from .words import Lane


@dataclass(frozen=True, slots=True)
class Input:
    """A ping, as bytes whose handle is not filled in yet, or a report."""

    handle: int
    content: bytes | Report


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
        self.credit_through = credit_through

    def told(self, accepted_through: int, durable_through: int, credit_through: int) -> None:
        """What the node says in Welcome and Ack."""
        self.accepted_through, self.durable_through = accepted_through, durable_through
        self.credit_through = credit_through
        self.durable_count += self._forget_through(durable_through)

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
            if entry.handle >= ready_handles:
                break
            batch.append(entry)
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
