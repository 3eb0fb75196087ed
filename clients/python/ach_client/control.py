"""Control frames: what is said on the control stream, type 1 to 18."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .codes import Code
from .fields import (
    BOOL,
    CODE,
    CURSOR,
    I16,
    I64,
    ITEM,
    NAME,
    TAG,
    TEXT,
    U16,
    U32,
    U64,
    ZEROS,
    many,
    maybe,
    message,
    one,
    word,
)
from .values import Cursor, Item
from .wishes import WISH, Wish
from .words import AlarmKind, EventWord, Lane, Priority, Topic

LANE = word(Lane)
ITEMS_MAX = 512
"""Items of one Intern, and refused ones of one Interned."""


@dataclass(frozen=True, kw_only=True)
class Resume:
    """What a vendor remembers of a lane: its epoch, and the last number it gave."""

    lane: Annotated[Lane, one(1, LANE)]
    epoch: Annotated[int, one(2, U32)]
    last_seq: Annotated[int, one(3, U64)]


@dataclass(frozen=True, kw_only=True)
class Hello:
    """The first frame of a client."""

    versions: Annotated[tuple[int, ...], many(1, U16)]
    client: Annotated[str, one(2, TEXT)]
    site: Annotated[str | None, maybe(3, NAME)] = None
    resume: Annotated[tuple[Resume, ...], many(4, message(Resume))] = ()
    persists: Annotated[bool, one(5, BOOL)] = False
    sent_at: Annotated[int, one(6, U64)]


@dataclass(frozen=True, kw_only=True)
class LaneState:
    """Where a lane of a vendor stands."""

    lane: Annotated[Lane, one(1, LANE)]
    epoch: Annotated[int, one(2, U32)]
    accepted_through: Annotated[int, one(3, U64)]
    durable_through: Annotated[int, one(4, U64)]
    credit_through: Annotated[int, one(5, U64)]


@dataclass(frozen=True, kw_only=True)
class Welcome:
    """The node's answer to Hello."""

    version: Annotated[int, one(1, U16)]
    site: Annotated[str, one(2, NAME)]
    node: Annotated[str, one(3, NAME)]
    lanes: Annotated[tuple[LaneState, ...], many(4, message(LaneState))] = ()
    server_time: Annotated[int, one(5, U64)]
    hello_sent_at: Annotated[int, one(6, U64)]
    fencing_epoch: Annotated[int, one(7, U64)]
    payload_bytes_max: Annotated[int, one(8, U32)]
    batch_pings_max: Annotated[int, one(9, U32)]
    handle_count_max: Annotated[int, one(10, U32)]
    is_storing: Annotated[bool, one(11, BOOL)]
    site_version: Annotated[int, one(12, U32)]


@dataclass(frozen=True, kw_only=True)
class Intern:
    """A vendor gives handles to what it reports about."""

    first_handle: Annotated[int, one(1, U32)]
    items: Annotated[tuple[Item, ...], many(2, ITEM, ITEMS_MAX)]


@dataclass(frozen=True, kw_only=True)
class RefusedHandle:
    """An item the site does not have or another feed reports."""

    handle: Annotated[int, one(1, U32)]
    code: Annotated[Code, one(2, CODE)]


@dataclass(frozen=True, kw_only=True)
class Interned:
    """The handles that may be used now."""

    first_handle: Annotated[int, one(1, U32)]
    item_count: Annotated[int, one(2, U32)]
    refused: Annotated[tuple[RefusedHandle, ...], many(3, message(RefusedHandle), ITEMS_MAX)] = ()


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What became of the inputs of a lane in this epoch."""

    accepted: Annotated[int, one(1, U64)]
    duplicate: Annotated[int, one(2, U64)]
    late: Annotated[int, one(3, U64)]
    refused: Annotated[int, one(4, U64)]
    conflated: Annotated[int, one(5, U64)]


@dataclass(frozen=True, kw_only=True)
class Ack:
    """How far a lane is decided on, durable, and may be sent on."""

    lane: Annotated[Lane, one(1, LANE)]
    epoch: Annotated[int, one(2, U32)]
    accepted_through: Annotated[int, one(3, U64)]
    durable_through: Annotated[int, one(4, U64)]
    credit_through: Annotated[int, one(5, U64)]
    totals: Annotated[Totals, one(6, message(Totals))]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Inputs that were refused alone, gathered."""

    lane: Annotated[Lane, one(1, LANE)]
    epoch: Annotated[int, one(2, U32)]
    first_seq: Annotated[int, one(3, U64)]
    last_seq: Annotated[int, one(4, U64)]
    count: Annotated[int, one(5, U64)]
    code: Annotated[Code, one(6, CODE)]
    handle: Annotated[int | None, maybe(7, U32)] = None


@dataclass(frozen=True, kw_only=True)
class RefusedRequest:
    """A request that was refused."""

    code: Annotated[Code, one(1, CODE)]
    lane: Annotated[Lane | None, maybe(2, LANE)] = None
    seq: Annotated[int | None, maybe(3, U64)] = None
    detail: Annotated[str, one(4, TEXT)]
    retry_after_ms: Annotated[int | None, maybe(5, U32)] = None
    subscription: Annotated[int | None, maybe(6, U32)] = None


@dataclass(frozen=True, kw_only=True)
class Goodbye:
    """The end, and why."""

    code: Annotated[Code, one(1, CODE)]
    detail: Annotated[str, one(2, TEXT)] = ""


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """A sign of life."""

    sent_at: Annotated[int, one(1, U64)]


@dataclass(frozen=True, kw_only=True)
class ClockOffset:
    """How far the vendor's clock is ahead of the node's."""

    offset_ns: Annotated[int, one(1, I64)]


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which notes are wanted: any of a list, all of the lists; an empty one lets all pass."""

    kinds: Annotated[tuple[AlarmKind, ...], many(1, word(AlarmKind))] = ()
    priorities: Annotated[tuple[Priority, ...], many(2, word(Priority))] = ()
    zones: Annotated[tuple[str, ...], many(3, NAME)] = ()
    subjects: Annotated[tuple[str, ...], many(4, NAME)] = ()
    floors_hundredths: Annotated[tuple[int, ...], many(5, I16)] = ()
    tags: Annotated[tuple[str, ...], many(6, TAG)] = ()
    events: Annotated[tuple[EventWord, ...], many(7, word(EventWord))] = ()
    doors: Annotated[tuple[str, ...], many(8, NAME)] = ()


@dataclass(frozen=True, kw_only=True)
class Subscribe:
    """A receiver asks for a stream of notes."""

    subscription: Annotated[int, one(1, U32)]
    topic: Annotated[Topic, one(2, word(Topic))]
    filter: Annotated[Filter, one(3, message(Filter))]
    resume_after: Annotated[Cursor | None, maybe(4, CURSOR)] = None


@dataclass(frozen=True, kw_only=True)
class Unsubscribe:
    """A receiver has had enough."""

    subscription: Annotated[int, one(1, U32)]


@dataclass(frozen=True, kw_only=True)
class Echo:
    """A question that shows whether, and how fast, the node answers."""

    nonce: Annotated[int, one(1, U64)]
    subscription: Annotated[int | None, maybe(2, U32)] = None
    reply_bytes: Annotated[int, one(3, U32)] = 0
    padding: Annotated[int, one(4, ZEROS)] = 0


@dataclass(frozen=True, kw_only=True)
class EchoReply:
    """The answer to an Echo."""

    nonce: Annotated[int, one(1, U64)]
    padding: Annotated[int, one(2, ZEROS)] = 0


@dataclass(frozen=True, kw_only=True)
class Command:
    """What a receiver or operator wants done."""

    command: Annotated[int, one(1, U64)]
    wish: Annotated[Wish, one(2, WISH)]


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What became of a command."""

    command: Annotated[int, one(1, U64)]
    code: Annotated[Code, one(2, CODE)]
    detail: Annotated[str, one(3, TEXT)]
    cursor: Annotated[Cursor | None, maybe(4, CURSOR)] = None


@dataclass(frozen=True, kw_only=True)
class StatusQuery:
    """An operator asks how the node is."""

    query: Annotated[int, one(1, U64)]


@dataclass(frozen=True, kw_only=True)
class Counter:
    """How often something happened."""

    name: Annotated[str, one(1, NAME)]
    count: Annotated[int, one(2, U64)]


@dataclass(frozen=True, kw_only=True)
class Status:
    """How the node is."""

    query: Annotated[int, one(1, U64)]
    node: Annotated[str, one(2, NAME)]
    site: Annotated[str, one(3, NAME)]
    is_storing: Annotated[bool, one(4, BOOL)]
    cursor: Annotated[Cursor | None, maybe(5, CURSOR)] = None
    counters: Annotated[tuple[Counter, ...], many(6, message(Counter), 512)] = ()
