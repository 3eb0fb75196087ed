"""Frames from type 128 on, which an older peer may not know: sites, tags, receivers, tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .alarm_state import AlarmState
from .codes import Code
from .fields import (
    ALARM_ID,
    BOOL,
    BYTES,
    CODE,
    CURSOR,
    I64,
    NAME,
    REMARK,
    TAG,
    TEXT,
    THING,
    U16,
    U32,
    U64,
    Kind,
    many,
    maybe,
    message,
    one,
    word,
)
from .values import Cursor, Thing
from .words import AlarmKind

_STATE = Kind(lambda data: AlarmState(U16.read(data)), U16.write)


@dataclass(frozen=True, kw_only=True)
class SiteQuery:
    """An operator asks which version of the site is in force."""

    command: Annotated[int, one(1, U64)]


@dataclass(frozen=True, kw_only=True)
class FrameMarks:
    """Where three places of the local plane lie on the globe, in 1e-9 degrees."""

    origin_lon: Annotated[int, one(1, I64)]
    origin_lat: Annotated[int, one(2, I64)]
    x_lon: Annotated[int, one(3, I64)]
    x_lat: Annotated[int, one(4, I64)]
    y_lon: Annotated[int, one(5, I64)]
    y_lat: Annotated[int, one(6, I64)]


@dataclass(frozen=True, kw_only=True)
class SiteOffer:
    """An operator offers a version of the site."""

    command: Annotated[int, one(1, U64)]
    base_version: Annotated[int, one(2, U32)]
    base_digest: Annotated[str | None, maybe(3, ALARM_ID)] = None
    frame: Annotated[FrameMarks | None, maybe(4, message(FrameMarks))] = None
    total_bytes: Annotated[int, one(5, U32)]
    digest: Annotated[str, one(6, ALARM_ID)]
    is_dry_run: Annotated[bool, one(7, BOOL)]
    may_strand: Annotated[bool, one(8, BOOL)]


@dataclass(frozen=True, kw_only=True)
class SitePart:
    """Bytes of a site that was offered."""

    command: Annotated[int, one(1, U64)]
    content: Annotated[bytes, one(2, BYTES)]


@dataclass(frozen=True, kw_only=True)
class SiteVerdict:
    """What became of an offer, or which version is in force."""

    command: Annotated[int, one(1, U64)]
    code: Annotated[Code, one(2, CODE)]
    detail: Annotated[str, one(3, TEXT)]
    version: Annotated[int, one(4, U32)]
    digest: Annotated[str | None, maybe(5, ALARM_ID)] = None
    reasons: Annotated[tuple[str, ...], many(6, TEXT)] = ()
    reason_count: Annotated[int, one(7, U32)]
    cursor: Annotated[Cursor | None, maybe(8, CURSOR)] = None


@dataclass(frozen=True, kw_only=True)
class UnregisteredQuery:
    """An operator asks for tags that the site does not have."""

    query: Annotated[int, one(1, U64)]


@dataclass(frozen=True, kw_only=True)
class UnregisteredTag:
    """A tag that a vendor named and the site does not have."""

    feed: Annotated[str, one(1, NAME)]
    tag: Annotated[str, one(2, TAG)]
    first_at: Annotated[int, one(3, U64)]
    last_at: Annotated[int, one(4, U64)]
    count: Annotated[int, one(5, U64)]


@dataclass(frozen=True, kw_only=True)
class Unregistered:
    """Some of the tags that the site does not have."""

    query: Annotated[int, one(1, U64)]
    tags: Annotated[tuple[UnregisteredTag, ...], many(2, message(UnregisteredTag))] = ()
    is_last: Annotated[bool, one(3, BOOL)]


@dataclass(frozen=True, kw_only=True)
class CertificateEnds:
    """The client's certificate ends soon."""

    ends_at: Annotated[int, one(1, U64)]


@dataclass(frozen=True, kw_only=True)
class Displayed:
    """A receiver says what people could see."""

    subscription: Annotated[int, one(1, U32)]
    through: Annotated[Cursor | None, maybe(2, CURSOR)] = None
    alarms: Annotated[tuple[str, ...], many(3, ALARM_ID)] = ()


@dataclass(frozen=True, kw_only=True)
class AttentionQuery:
    """An operator asks who displays alarms."""

    query: Annotated[int, one(1, U64)]


@dataclass(frozen=True, kw_only=True)
class WatchedReceiver:
    """A subscription to alarms, and how far it was displayed."""

    name: Annotated[str, one(1, NAME)]
    is_operator: Annotated[bool, one(2, BOOL)]
    subscription: Annotated[int, one(3, U32)]
    begun_at: Annotated[int, one(4, U64)]
    displayed: Annotated[Cursor | None, maybe(5, CURSOR)] = None
    displayed_at: Annotated[int | None, maybe(6, U64)] = None
    waiting_count: Annotated[int, one(7, U32)]
    waiting_since: Annotated[int | None, maybe(8, U64)] = None


@dataclass(frozen=True, kw_only=True)
class Attention:
    """Who displays alarms, and how many nobody has displayed."""

    query: Annotated[int, one(1, U64)]
    receivers: Annotated[tuple[WatchedReceiver, ...], many(2, message(WatchedReceiver))] = ()
    unseen_count: Annotated[int, one(3, U32)]
    unseen_since: Annotated[int | None, maybe(4, U64)] = None
    is_last: Annotated[bool, one(5, BOOL)]


@dataclass(frozen=True, kw_only=True)
class QuietQuery:
    """A receiver or operator asks what is quiet."""

    query: Annotated[int, one(1, U64)]


@dataclass(frozen=True, kw_only=True)
class QuietThing:
    """Something that is quiet, or that waits for a second person to become so.

    `way` is one flag: shelved, muted or out of service. With a `kind` it is a condition, else all
    alarms about `place` or of `rule`. With `waits_for_ns` it is not quiet yet: `by` has wished it
    for so long, and a second person has until `until` to wish the same.
    """

    way: Annotated[AlarmState, one(1, _STATE)]
    place: Annotated[Thing | None, maybe(2, THING)] = None
    rule: Annotated[str | None, maybe(3, NAME)] = None
    kind: Annotated[AlarmKind | None, maybe(4, word(AlarmKind))] = None
    subject: Annotated[str | None, maybe(5, NAME)] = None
    until: Annotated[int, one(6, U64)]
    waits_for_ns: Annotated[int | None, maybe(7, U64)] = None
    by: Annotated[str, one(8, NAME)]
    asked_by: Annotated[str | None, maybe(9, NAME)] = None
    remark: Annotated[str | None, maybe(10, REMARK)] = None
    alarm: Annotated[str | None, maybe(11, ALARM_ID)] = None


@dataclass(frozen=True, kw_only=True)
class QuietList:
    """Some of what is quiet."""

    query: Annotated[int, one(1, U64)]
    things: Annotated[tuple[QuietThing, ...], many(2, message(QuietThing))] = ()
    is_last: Annotated[bool, one(3, BOOL)]


@dataclass(frozen=True, kw_only=True)
class SelftestOrder:
    """An operator orders a self-test."""

    command: Annotated[int, one(1, U64)]
    dropped: Annotated[tuple[str, ...], many(2, NAME)] = ()


@dataclass(frozen=True, kw_only=True)
class SelftestHop:
    """A place on the way of the test alarm that it came to."""

    word: Annotated[str, one(1, NAME)]
    after_ns: Annotated[int, one(2, U64)]


@dataclass(frozen=True, kw_only=True)
class SelftestReceiver:
    """A subscription to alarms that lets the test alarm pass."""

    name: Annotated[str, one(1, NAME)]
    is_operator: Annotated[bool, one(2, BOOL)]
    displayed_after_ns: Annotated[int | None, maybe(3, U64)] = None


@dataclass(frozen=True, kw_only=True)
class SelftestFinding:
    """What is wrong with the way of an alarm."""

    detail: Annotated[str, one(1, TEXT)]
    remedy: Annotated[str, one(2, TEXT)]


@dataclass(frozen=True, kw_only=True)
class SelftestReport:
    """How far the test alarm came."""

    command: Annotated[int, one(1, U64)]
    code: Annotated[Code, one(2, CODE)]
    detail: Annotated[str, one(3, TEXT)]
    alarm: Annotated[str | None, maybe(4, ALARM_ID)] = None
    hops: Annotated[tuple[SelftestHop, ...], many(5, message(SelftestHop))] = ()
    receivers: Annotated[tuple[SelftestReceiver, ...], many(6, message(SelftestReceiver))] = ()
    findings: Annotated[tuple[SelftestFinding, ...], many(7, message(SelftestFinding))] = ()


@dataclass(frozen=True, kw_only=True)
class LeaveQuery:
    """A receiver or operator asks who has leave."""

    query: Annotated[int, one(1, U64)]


@dataclass(frozen=True, kw_only=True)
class Leave:
    """Leave that a subject has."""

    subject: Annotated[str, one(1, NAME)]
    given_at: Annotated[int, one(2, U64)]
    until: Annotated[int, one(3, U64)]
    places: Annotated[tuple[Thing, ...], many(4, THING)] = ()
    is_until_back: Annotated[bool, one(5, BOOL)]
    escort: Annotated[str | None, maybe(6, NAME)] = None
    within_mm: Annotated[int | None, maybe(7, U32)] = None
    gap_ns: Annotated[int | None, maybe(8, U64)] = None
    by: Annotated[str, one(9, NAME)]
    reason: Annotated[str, one(10, REMARK)]


@dataclass(frozen=True, kw_only=True)
class Leaves:
    """Some of those who have leave."""

    query: Annotated[int, one(1, U64)]
    leaves: Annotated[tuple[Leave, ...], many(2, message(Leave))] = ()
    is_last: Annotated[bool, one(3, BOOL)]
