"""Alarm state: the flags of an alarm's life, and the one name that people give to them.

The rules are those of docs/specs/alarm-life.md.
"""

from __future__ import annotations

from enum import IntFlag

from .words import Word


class NamedState(Word):
    """The state of an alarm by name, the first that fits."""

    NORMAL = 1
    OUT_OF_SERVICE = 2
    SUPPRESSED = 3
    SHELVED = 4
    ACKNOWLEDGED = 5
    UNACKNOWLEDGED = 6
    LATCHED_ACKNOWLEDGED = 7
    LATCHED_UNACKNOWLEDGED = 8
    RETURNED_OPEN = 9
    RETURNED_UNACKNOWLEDGED = 10

    @property
    def isa_letter(self) -> str | None:
        """The state of ISA-18.2; that has none for what still needs confirming or closing."""
        return _ISA_LETTERS.get(self)


_ISA_LETTERS = {
    NamedState.NORMAL: "A",
    NamedState.OUT_OF_SERVICE: "I",
    NamedState.SUPPRESSED: "H",
    NamedState.SHELVED: "G",
    NamedState.ACKNOWLEDGED: "C",
    NamedState.UNACKNOWLEDGED: "B",
    NamedState.LATCHED_ACKNOWLEDGED: "F",
    NamedState.LATCHED_UNACKNOWLEDGED: "E",
    NamedState.RETURNED_UNACKNOWLEDGED: "D",
}


class AlarmState(IntFlag):
    """What is so of an alarm; several at once. The last six are fixed when it is raised."""

    ACTIVE = 1
    LATCHED = 2
    ACKNOWLEDGED = 4
    CONFIRMED = 8
    CLOSED = 16
    SHELVED = 32
    SUPPRESSED = 64
    OUT_OF_SERVICE = 128
    RETAINED = 256
    NEEDS_ACKNOWLEDGING = 512
    NEEDS_CONFIRMING = 1024
    NEEDS_CLOSING = 2048
    LATCHES = 4096
    LIFE_SAFETY = 8192
    CHATTERS = 16384

    @property
    def is_retained(self) -> bool:
        """Whether it is to be shown; an alarm is open for as long."""
        return AlarmState.RETAINED in self

    @property
    def is_acknowledged(self) -> bool:
        """Whether somebody has taken notice."""
        return AlarmState.ACKNOWLEDGED in self

    @property
    def is_quiet(self) -> bool:
        """Whether it is to be shown apart and without a sound."""
        return bool(self & _QUIET)

    @property
    def by_name(self) -> NamedState:
        """The one name for it."""
        if not self.is_retained:
            return NamedState.NORMAL
        if AlarmState.OUT_OF_SERVICE in self:
            return NamedState.OUT_OF_SERVICE
        if AlarmState.SUPPRESSED in self:
            return NamedState.SUPPRESSED
        if AlarmState.SHELVED in self:
            return NamedState.SHELVED
        return self._after_what_is_quiet()

    def _after_what_is_quiet(self) -> NamedState:
        if AlarmState.ACTIVE in self:
            pair = (NamedState.UNACKNOWLEDGED, NamedState.ACKNOWLEDGED)
        elif AlarmState.LATCHED in self:
            pair = (NamedState.LATCHED_UNACKNOWLEDGED, NamedState.LATCHED_ACKNOWLEDGED)
        else:
            pair = (NamedState.RETURNED_UNACKNOWLEDGED, NamedState.RETURNED_OPEN)
        return pair[self.is_acknowledged]


_QUIET = AlarmState.SHELVED | AlarmState.SUPPRESSED | AlarmState.OUT_OF_SERVICE
