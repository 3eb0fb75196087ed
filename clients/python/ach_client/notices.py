"""Notices: what a client tells the program that uses it, beside what was asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass

from .codes import Code
from .control import Welcome
from .link import Ending
from .values import Item
from .words import Lane


@dataclass(frozen=True)
class LinkUp:
    """A node has welcomed this client."""

    welcome: Welcome

    def __str__(self) -> str:
        stores = "" if self.welcome.is_storing else ", which does not store"
        return f"connected to {self.welcome.node} of {self.welcome.site}{stores}"


@dataclass(frozen=True)
class LinkDown:
    """The connection is lost. Comes again by itself after `wait_s`, or never if that is None."""

    ending: Ending
    wait_s: float | None

    def __str__(self) -> str:
        again = "for good" if self.wait_s is None else f"again in {self.wait_s:.1f} s"
        return f"{self.ending}; {again}"


@dataclass(frozen=True)
class CertificateEnds:
    """This client's certificate ends at that moment, by the node's clock, in 60 days at most."""

    ends_at: int

    def __str__(self) -> str:
        left_days = max(0, self.ends_at - time.time_ns()) // (86_400 * 10**9)
        return f"this client's certificate ends in {left_days} days: ask for another one"


@dataclass(frozen=True)
class ThingRefused:
    """What is named and the site does not have (64), or another feed reports (65)."""

    item: Item
    code: Code

    def __str__(self) -> str:
        return f"{self.item}: {self.code}"


@dataclass(frozen=True)
class InputsRefused:
    """Inputs that were refused alone, gathered by lane and code; `item` is that of the first."""

    lane: Lane
    code: Code
    count: int
    item: Item | None

    def __str__(self) -> str:
        first = "" if self.item is None else f", the first of {self.item}"
        return f"{self.count} inputs of lane {self.lane.value} refused{first}: {self.code}"


@dataclass(frozen=True)
class ClockOff:
    """The vendor's clock is ahead of the node's by `offset_ns`, behind it if negative."""

    offset_ns: int

    def __str__(self) -> str:
        side = "ahead of" if self.offset_ns > 0 else "behind"
        return f"this clock is {abs(self.offset_ns) / 1e9:.3f} s {side} the node's"


@dataclass(frozen=True)
class GaveUp:
    """Inputs were forgotten before they were durable: the node does not store, and room ran out."""

    lane: Lane
    count: int

    def __str__(self) -> str:
        return f"{self.count} inputs of lane {self.lane.value} given up: no disk, no room"


@dataclass(frozen=True)
class NodeForgot:
    """The node has lost what it had acknowledged: an older copy of its disk, for one.

    Numbers of `lane` after `found_through` and up to `durable_through` had been durable, and were
    forgotten here. What is still kept is sent in a new epoch.
    """

    lane: Lane
    durable_through: int
    found_through: int

    def __str__(self) -> str:
        lost = f"numbers {self.found_through + 1} to {self.durable_through}"
        return f"the node has lost {lost} of lane {self.lane.value}, which it had acknowledged"


Notice = (
    LinkUp
    | LinkDown
    | ThingRefused
    | InputsRefused
    | ClockOff
    | CertificateEnds
    | GaveUp
    | NodeForgot
)
