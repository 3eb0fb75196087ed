"""Notes: what a node tells on the streams of subscriptions, type 48 to 53."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .alarm_state import AlarmState
from .codes import Code
from .errors import UnknownWord
from .fields import (
    ALARM_ID,
    BOOL,
    CODE,
    CURSOR,
    NAME,
    POSITION,
    REMARK,
    TAG,
    THING,
    U8,
    U16,
    U32,
    U64,
    Kind,
    many,
    maybe,
    message,
    one,
    read_fields,
    word,
    write_fields,
)
from .values import Cursor, Position, Thing, need
from .words import (
    AlarmCause,
    AlarmKind,
    CauseKind,
    EventWord,
    Gate,
    Lane,
    Practice,
    Priority,
    Reason,
    Storage,
    Transition,
)


@dataclass(frozen=True, kw_only=True)
class InputPlace:
    """Which input of which vendor."""

    feed: Annotated[str, one(1, NAME)]
    lane: Annotated[Lane, one(2, word(Lane))]
    epoch: Annotated[int, one(3, U32)]
    seq: Annotated[int, one(4, U64)]


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What brought a change of an alarm about: an input, a deadline, a site, the node itself."""

    kind: CauseKind
    input: InputPlace | None = None
    due_at: int | None = None


def _read_cause(data: bytes) -> Cause:
    need(data, "an empty cause")
    try:
        kind = CauseKind(data[0])
    except ValueError:
        raise UnknownWord("cause", data[0]) from None
    if kind is CauseKind.INPUT:
        return Cause(kind=kind, input=read_fields(InputPlace, data[1:]))
    if kind is CauseKind.DEADLINE:
        return Cause(kind=kind, due_at=U64.read(data[1:]))
    need(len(data) == 1, "a cause with more")
    return Cause(kind=kind)


def _write_cause(cause: Cause) -> bytes:
    rest = b""
    if cause.input is not None:
        rest = write_fields(cause.input)
    elif cause.due_at is not None:
        rest = U64.write(cause.due_at)
    return bytes([cause.kind]) + rest


_CAUSE = Kind(_read_cause, _write_cause)
_GATES = Kind(lambda data: Gate(U16.read(data)), U16.write)
_STATE = Kind(lambda data: AlarmState(U16.read(data)), U16.write)
_STORAGE, _TRANSITION = word(Storage), word(Transition)


@dataclass(frozen=True, kw_only=True)
class ActMark:
    """Who did something, and when, by the node's clock."""

    by: Annotated[str, one(1, NAME)]
    at: Annotated[int, one(2, U64)]


@dataclass(frozen=True, kw_only=True)
class AlarmLife:
    """What people and timers have done with an alarm; `by` is nobody where a timer did the last."""

    revision: Annotated[int, one(1, U32)]
    by: Annotated[str | None, maybe(2, NAME)] = None
    remark: Annotated[str | None, maybe(3, REMARK)] = None
    acknowledged: Annotated[ActMark | None, maybe(4, message(ActMark))] = None
    confirmed: Annotated[ActMark | None, maybe(5, message(ActMark))] = None
    closed: Annotated[ActMark | None, maybe(6, message(ActMark))] = None
    cause: Annotated[AlarmCause | None, maybe(7, word(AlarmCause))] = None
    assignee: Annotated[str | None, maybe(8, NAME)] = None
    quiet_until: Annotated[int | None, maybe(9, U64)] = None
    level: Annotated[int, one(10, U8)] = 0
    escalated_to: Annotated[str | None, maybe(11, NAME)] = None
    comment_count: Annotated[int, one(12, U16)] = 0


@dataclass(frozen=True, kw_only=True)
class AlarmIncident:
    """Which incident an alarm belongs to: occurrences of one cause, to be seen together.

    `id` is the alarm it began with, `place` which alarm of it this is, from 1; `is_raising` says
    that it joined aloud and is more urgent than all of it that wait for somebody, or about a
    subject about whom none of those is.
    """

    id: Annotated[str, one(1, ALARM_ID)]
    place: Annotated[int, one(2, U32)]
    is_raising: Annotated[bool, one(3, BOOL)] = False


@dataclass(frozen=True, kw_only=True)
class DoorEvidence:
    """What was known of a door when it was opened without leave.

    The last grant and request to exit, and until when the door could be opened on each; what the
    lock had said last; which subjects were near, the nearest first; whose badge the last grant was
    given to.
    """

    granted_at: Annotated[int | None, maybe(1, U64)] = None
    granted_until: Annotated[int | None, maybe(2, U64)] = None
    requested_at: Annotated[int | None, maybe(3, U64)] = None
    requested_until: Annotated[int | None, maybe(4, U64)] = None
    lock_at: Annotated[int | None, maybe(5, U64)] = None
    is_drawn_back: Annotated[bool | None, maybe(6, BOOL)] = None
    near: Annotated[tuple[str, ...], many(7, NAME)] = ()
    granted_to: Annotated[str | None, maybe(8, NAME)] = None


@dataclass(frozen=True, kw_only=True)
class AlarmResponse:
    """What an alarm did at once, as its rule's responses have it.

    To whom or what it is to be handed (`tell`), which doors it asked to lock, and when the last of
    them is given back at the latest.
    """

    tell: Annotated[tuple[str, ...], many(1, NAME)] = ()
    doors: Annotated[tuple[str, ...], many(2, NAME)] = ()
    until: Annotated[int | None, maybe(3, U64)] = None


@dataclass(frozen=True, kw_only=True)
class AlarmNote:
    """One change of one alarm."""

    id: Annotated[str, one(1, ALARM_ID)]
    transition: Annotated[Transition, one(2, _TRANSITION)]
    reason: Annotated[Reason | None, maybe(3, word(Reason))] = None
    kind: Annotated[AlarmKind, one(4, word(AlarmKind))]
    priority: Annotated[Priority, one(5, word(Priority))]
    rule: Annotated[str | None, maybe(6, NAME)] = None
    site_version: Annotated[int, one(7, U32)]
    episode: Annotated[int, one(8, U32)]
    subject: Annotated[str | None, maybe(9, NAME)] = None
    tag: Annotated[str | None, maybe(10, TAG)] = None
    place: Annotated[Thing, one(11, THING)]
    is_tentative: Annotated[bool, one(12, BOOL)]
    is_late: Annotated[bool, one(13, BOOL)]
    cause: Annotated[Cause, one(14, _CAUSE)]
    observed_at: Annotated[int, one(15, U64)]
    received_at: Annotated[int, one(16, U64)]
    changed_at: Annotated[int, one(17, U64)]
    position: Annotated[Position | None, maybe(18, POSITION)] = None
    accuracy_mm: Annotated[int, one(19, U32)]
    gates_passed: Annotated[Gate, one(20, _GATES)]
    storage: Annotated[Storage, one(21, _STORAGE)]
    cursor: Annotated[Cursor | None, maybe(22, CURSOR)] = None
    fencing_epoch: Annotated[int, one(23, U64)]
    is_resent: Annotated[bool, one(24, BOOL)]
    state: Annotated[AlarmState, one(25, _STATE)]
    life: Annotated[AlarmLife | None, maybe(26, message(AlarmLife))] = None
    incident: Annotated[AlarmIncident | None, maybe(27, message(AlarmIncident))] = None
    door: Annotated[DoorEvidence | None, maybe(28, message(DoorEvidence))] = None
    response: Annotated[AlarmResponse | None, maybe(29, message(AlarmResponse))] = None
    is_drill: Annotated[bool, one(30, BOOL)] = False

    @property
    def revision(self) -> int:
        """How much people and timers had done with the alarm by then."""
        return 0 if self.life is None else self.life.revision

    @property
    def about(self) -> str:
        """Whom or what it is about, for people."""
        return self.subject or (f"tag {self.tag}" if self.tag else str(self.place))


@dataclass(frozen=True, kw_only=True)
class AlarmSettled:
    """A change that was told as provisional is durable now, or withdrawn."""

    id: Annotated[str, one(1, ALARM_ID)]
    transition: Annotated[Transition, one(2, _TRANSITION)]
    storage: Annotated[Storage, one(3, _STORAGE)]
    cursor: Annotated[Cursor | None, maybe(4, CURSOR)] = None
    fencing_epoch: Annotated[int, one(5, U64)]


@dataclass(frozen=True, kw_only=True)
class OpenSetEnd:
    """The mark: all open alarms have been told."""

    open_count: Annotated[int, one(1, U32)]
    cursor: Annotated[Cursor | None, maybe(2, CURSOR)] = None


@dataclass(frozen=True, kw_only=True)
class EventNote:
    """A fact: a zone entered, a door opened."""

    word: Annotated[EventWord, one(1, word(EventWord))]
    at: Annotated[int, one(2, U64)]
    subject: Annotated[str | None, maybe(3, NAME)] = None
    zone: Annotated[str | None, maybe(4, NAME)] = None
    door: Annotated[str | None, maybe(5, NAME)] = None
    tag: Annotated[str | None, maybe(6, TAG)] = None
    source: Annotated[str | None, maybe(7, NAME)] = None
    anchor: Annotated[str | None, maybe(8, NAME)] = None
    occupant_count: Annotated[int | None, maybe(9, U32)] = None
    is_forced: Annotated[bool | None, maybe(10, BOOL)] = None
    site_version: Annotated[int | None, maybe(11, U32)] = None
    storage: Annotated[Storage, one(12, _STORAGE)]
    cursor: Annotated[Cursor, one(13, CURSOR)]
    practice: Annotated[Practice | None, maybe(14, word(Practice))] = None


@dataclass(frozen=True, kw_only=True)
class PositionNote:
    """Where a tag is."""

    tag: Annotated[str, one(1, TAG)]
    subject: Annotated[str | None, maybe(2, NAME)] = None
    position: Annotated[Position, one(3, POSITION)]
    accuracy_mm: Annotated[int, one(4, U32)]
    observed_at: Annotated[int, one(5, U64)]
    received_at: Annotated[int, one(6, U64)]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Notes were left out."""

    code: Annotated[Code, one(1, CODE)]
    missed_count: Annotated[int | None, maybe(2, U64)] = None
    cursor: Annotated[Cursor | None, maybe(3, CURSOR)] = None

    def __str__(self) -> str:
        count = "some" if self.missed_count is None else self.missed_count
        return f"{count} notes were left out: {self.code}"
