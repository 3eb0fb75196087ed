"""Doors: frames 140 to 142, what doors are told to do and how they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .fields import BOOL, NAME, REMARK, U32, U64, many, maybe, message, one, word
from .words import DoorAnswer, DoorMode, DoorSlot, EmergencyKind, Practice


@dataclass(frozen=True, kw_only=True)
class DoorOrder:
    """How a door is to be from now on.

    `slot` is whose word that is. Without one nobody says anything, and `mode` is what the door does
    by itself.
    """

    door: Annotated[str, one(1, NAME)]
    number: Annotated[int, one(2, U64)]
    mode: Annotated[DoorMode, one(3, word(DoorMode))]
    slot: Annotated[DoorSlot | None, maybe(4, word(DoorSlot))] = None
    given_at: Annotated[int, one(5, U64)]
    until: Annotated[int | None, maybe(6, U64)] = None
    is_drill: Annotated[bool, one(7, BOOL)]
    fencing_epoch: Annotated[int, one(8, U64)]

    @property
    def rank(self) -> tuple[int, int]:
        """What tells a later order of a door from an earlier one."""
        return self.fencing_epoch, self.number

    @property
    def lets_out(self) -> bool:
        """Whether it lets people out for life safety; such an order comes before all others."""
        return self.slot is DoorSlot.LIFE_SAFETY

    def __str__(self) -> str:
        whose = "by itself" if self.slot is None else f"for {self.slot}"
        drill = ", in a drill" if self.is_drill else ""
        return f"door {self.door}: {self.mode} {whose}{drill}"


@dataclass(frozen=True, kw_only=True)
class DoorsQuery:
    """An operator asks how doors stand."""

    query: Annotated[int, one(1, U64)]


@dataclass(frozen=True, kw_only=True)
class DoorStanding:
    """A door: how it stands, as far as that is known, what it was told, and whether it is so."""

    door: Annotated[str, one(1, NAME)]
    is_open: Annotated[bool | None, maybe(2, BOOL)] = None
    is_locked: Annotated[bool | None, maybe(3, BOOL)] = None
    order: Annotated[DoorOrder | None, maybe(4, message(DoorOrder))] = None
    answer: Annotated[DoorAnswer, one(5, word(DoorAnswer))]
    is_connected: Annotated[bool, one(6, BOOL)]
    is_fire_told: Annotated[bool, one(7, BOOL)]


@dataclass(frozen=True, kw_only=True)
class Emergency:
    """A lockdown or an evacuation that runs: of a zone, of doors with a label, or of the site."""

    kind: Annotated[EmergencyKind, one(1, word(EmergencyKind))]
    zone: Annotated[str | None, maybe(2, NAME)] = None
    label: Annotated[str | None, maybe(3, NAME)] = None
    practice: Annotated[Practice, one(4, word(Practice))]
    by: Annotated[str, one(5, NAME)]
    remark: Annotated[str | None, maybe(6, REMARK)] = None
    since: Annotated[int, one(7, U64)]
    until: Annotated[int, one(8, U64)]
    door_count: Annotated[int, one(9, U32)]


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Doors, and what is declared; parts come until `is_last`."""

    query: Annotated[int, one(1, U64)]
    doors: Annotated[tuple[DoorStanding, ...], many(2, message(DoorStanding))] = ()
    emergencies: Annotated[tuple[Emergency, ...], many(3, message(Emergency))] = ()
    is_last: Annotated[bool, one(4, BOOL)]
