"""Wishes: what receivers and operators ask for: acts on alarms, quiet, doors, leave, bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from .errors import UnknownWord
from .fields import (
    ALARM_ID,
    BOOL,
    NAME,
    REMARK,
    TAG,
    THING,
    U32,
    U64,
    Kind,
    many,
    maybe,
    one,
    read_fields,
    word,
    write_fields,
)
from .values import Thing, need, read_thing, write_thing
from .words import (
    ActWord,
    AlarmCause,
    DoorAct,
    DoorMode,
    EmergencyKind,
    Practice,
    QuietKind,
    WishKind,
)


@dataclass(frozen=True, kw_only=True)
class ActWish:
    """What is to be done with an alarm, and for whom if a program asks for somebody."""

    alarm: Annotated[str, one(1, ALARM_ID)]
    act: Annotated[ActWord, one(2, word(ActWord))]
    to: Annotated[str | None, maybe(3, NAME)] = None
    for_ns: Annotated[int | None, maybe(4, U64)] = None
    cause: Annotated[AlarmCause | None, maybe(5, word(AlarmCause))] = None
    person: Annotated[str | None, maybe(6, NAME)] = None
    remark: Annotated[str | None, maybe(7, REMARK)] = None


@dataclass(frozen=True, kw_only=True)
class QuietOrder:
    """What is to be quiet, a place or a rule, and for how long from now; 0 ends it."""

    place: Annotated[Thing | None, maybe(1, THING)] = None
    rule: Annotated[str | None, maybe(2, NAME)] = None
    kind: Annotated[QuietKind, one(3, word(QuietKind))]
    for_ns: Annotated[int, one(4, U64)]
    person: Annotated[str | None, maybe(5, NAME)] = None
    remark: Annotated[str | None, maybe(6, REMARK)] = None


@dataclass(frozen=True, kw_only=True)
class DoorWish:
    """What is to be done about a door. A wish that comes again with the same `key` is the same."""

    door: Annotated[str, one(1, NAME)]
    act: Annotated[DoorAct, one(2, word(DoorAct))]
    mode: Annotated[DoorMode | None, maybe(3, word(DoorMode))] = None
    for_ns: Annotated[int | None, maybe(4, U64)] = None
    key: Annotated[str | None, maybe(5, ALARM_ID)] = None
    void_at: Annotated[int | None, maybe(6, U64)] = None
    person: Annotated[str | None, maybe(7, NAME)] = None
    remark: Annotated[str | None, maybe(8, REMARK)] = None


@dataclass(frozen=True, kw_only=True)
class EmergencyWish:
    """A lockdown or an evacuation of a zone, of doors with a label or of the site; 0 ends it."""

    kind: Annotated[EmergencyKind, one(1, word(EmergencyKind))]
    zone: Annotated[str | None, maybe(2, NAME)] = None
    label: Annotated[str | None, maybe(3, NAME)] = None
    practice: Annotated[Practice, one(4, word(Practice))]
    for_ns: Annotated[int, one(5, U64)]
    key: Annotated[str | None, maybe(6, ALARM_ID)] = None
    void_at: Annotated[int | None, maybe(7, U64)] = None
    person: Annotated[str | None, maybe(8, NAME)] = None
    remark: Annotated[str | None, maybe(9, REMARK)] = None


@dataclass(frozen=True, kw_only=True)
class LeaveOrder:
    """Leave of a subject: for how long from now, to leave what, with whom; no time ends it."""

    subject: Annotated[str, one(1, NAME)]
    for_ns: Annotated[int | None, maybe(2, U64)] = None
    places: Annotated[tuple[Thing, ...], many(3, THING)] = ()
    is_until_back: Annotated[bool, one(4, BOOL)]
    escort: Annotated[str | None, maybe(5, NAME)] = None
    within_mm: Annotated[int | None, maybe(6, U32)] = None
    gap_ns: Annotated[int | None, maybe(7, U64)] = None
    person: Annotated[str | None, maybe(8, NAME)] = None
    reason: Annotated[str | None, maybe(9, REMARK)] = None


@dataclass(frozen=True, kw_only=True)
class BandOrder:
    """A band of a subject: for how long from now it may be off; without a time it is on."""

    subject: Annotated[str, one(1, NAME)]
    tag: Annotated[str, one(2, TAG)]
    for_ns: Annotated[int | None, maybe(3, U64)] = None
    person: Annotated[str | None, maybe(4, NAME)] = None
    reason: Annotated[str | None, maybe(5, REMARK)] = None


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for: of the actor of a thing, an act, quiet, about doors, leave, or a band."""

    kind: WishKind
    thing: Thing | None = None
    act: ActWish | None = None
    quiet: QuietOrder | None = None
    door: DoorWish | None = None
    emergency: EmergencyWish | None = None
    leave: LeaveOrder | None = None
    band: BandOrder | None = None

    def __post_init__(self) -> None:
        of_kind = _ATTRIBUTES[self.kind]
        given = {name for name in _ATTRIBUTES.values() if getattr(self, name) is not None}
        need(given == {of_kind}, f"what a wish to {self.kind} has beside its kind")


_ATTRIBUTES = {
    WishKind.RELEASE_ACTOR: "thing",
    WishKind.QUARANTINE_ACTOR: "thing",
    WishKind.ACT: "act",
    WishKind.QUIET: "quiet",
    WishKind.DOOR: "door",
    WishKind.EMERGENCY: "emergency",
    WishKind.LEAVE: "leave",
    WishKind.BAND: "band",
}
"""Which attribute a wish of each kind has, and no other."""
_MESSAGES: dict[WishKind, type[Any]] = {
    WishKind.ACT: ActWish,
    WishKind.QUIET: QuietOrder,
    WishKind.DOOR: DoorWish,
    WishKind.EMERGENCY: EmergencyWish,
    WishKind.LEAVE: LeaveOrder,
    WishKind.BAND: BandOrder,
}
"""Wishes that are a list of fields."""


def _read_wish(data: bytes) -> Wish:
    need(data, "an empty wish")
    try:
        kind = WishKind(data[0])
    except ValueError:
        raise UnknownWord("wish", data[0]) from None
    cls = _MESSAGES.get(kind)
    content: Any = read_thing(data[1:]) if cls is None else read_fields(cls, data[1:])
    return Wish(kind=kind, **{_ATTRIBUTES[kind]: content})


def _write_wish(wish: Wish) -> bytes:
    content = getattr(wish, _ATTRIBUTES[wish.kind])
    is_thing = isinstance(content, Thing)
    return bytes([wish.kind]) + (write_thing(content) if is_thing else write_fields(content))


WISH = Kind(_read_wish, _write_wish)
