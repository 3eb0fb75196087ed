"""Wishes: what receivers and operators ask a node to do, with an alarm or to keep it quiet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .errors import UnknownWord
from .fields import (
    ALARM_ID,
    NAME,
    REMARK,
    THING,
    U64,
    Kind,
    maybe,
    one,
    read_fields,
    word,
    write_fields,
)
from .values import Thing, need, read_thing, write_thing
from .words import ActWord, AlarmCause, QuietKind, WishKind


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
class Wish:
    """What is asked for: something of the actor of a thing, an act, or quiet."""

    kind: WishKind
    thing: Thing | None = None
    act: ActWish | None = None
    quiet: QuietOrder | None = None

    def __post_init__(self) -> None:
        has = (self.thing is not None, self.act is not None, self.quiet is not None)
        is_of_thing = self.kind in (WishKind.RELEASE_ACTOR, WishKind.QUARANTINE_ACTOR)
        wanted = (is_of_thing, self.kind is WishKind.ACT, self.kind is WishKind.QUIET)
        need(has == wanted, f"what a wish to {self.kind} has beside its kind")


def _read_wish(data: bytes) -> Wish:
    need(data, "an empty wish")
    try:
        kind = WishKind(data[0])
    except ValueError:
        raise UnknownWord("wish", data[0]) from None
    if kind is WishKind.ACT:
        return Wish(kind=kind, act=read_fields(ActWish, data[1:]))
    if kind is WishKind.QUIET:
        return Wish(kind=kind, quiet=read_fields(QuietOrder, data[1:]))
    return Wish(kind=kind, thing=read_thing(data[1:]))


def _write_wish(wish: Wish) -> bytes:
    if wish.thing is not None:
        rest = write_thing(wish.thing)
    else:
        rest = write_fields(wish.act or wish.quiet)
    return bytes([wish.kind]) + rest


WISH = Kind(_read_wish, _write_wish)
