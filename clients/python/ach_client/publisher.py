"""Publisher: sends pings and reports, keeps them until they are durable, and comes back. What the
node orders of doors it hears."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import control, service
from .codec import PINGS, REPORTS
from .codes import Code
from .connection import Connection, Course, Target
from .credentials import Credentials
from .door_orders import DoorOrders
from .doors import DoorOrder
from .errors import AchError, NodeRefused, NotDurable, TooManyThings
from .link import Ended, Ending
from .notices import (
    CertificateEnds,
    ClockOff,
    GaveUp,
    InputsRefused,
    LinkUp,
    NodeForgot,
    Notice,
    ThingRefused,
)
from .outbox import Input, Outbox
from .records import (
    RECORDS_MAX,
    NumberedReport,
    Ping,
    Report,
    write_ping,
    write_pings,
    write_reports,
)
from .session import Hearing, Session
from .values import Item
from .wakeup import Wakeup
from .words import ItemKind, Lane, ReportKind

PINGS_KEPT = 100_000
"""Room for pings that are not durable: five seconds of 20,000 a second, some 25 MB."""
REPORTS_KEPT = 10_000
"""Room for reports of each lane; hours of a large hospital."""
ITEM_BYTES = 72
"""An item of an Intern at most: header, kind and 64 letters; its share of the frame with it."""
RECORD_BYTES = 64
"""More than a ping or a report, its share of the frame with it."""
VENDOR_LANES = {Lane.DURESS, Lane.DOORS_AND_ALARMS, Lane.PINGS}
"""What a vendor sends on."""
DEAD_AFTER_S = 10.0
"""As long as the node itself waits for a sign of life."""
DRAIN_S = 5.0
"""How long leaving `async with` waits for what is not durable."""

_log = logging.getLogger("ach_client")


class Publisher:
    """A vendor's connection to a node, for as long as the program runs.

    `async with` waits for the first Welcome and raises what refuses it. From then on losses are
    made good: it connects again, resumes, and sends again what was not durable. `ping` and `report`
    wait only for room; there is none when the node is away for long or does not keep up. Then the
    newest ping of a tag takes the place of its older one that was never sent, unless `may_conflate`
    is off, as for a recording, of which every position counts.
    """

    def __init__(
        self,
        address: str,
        credentials: str | Path,
        *,
        client: str = "python",
        server_name: str | None = None,
        connect_within_s: float | None = 30.0,
        dead_after_s: float = DEAD_AFTER_S,
        pings_kept: int = PINGS_KEPT,
        may_conflate: bool = True,
        on_notice: Callable[[Notice], None] | None = None,
    ) -> None:
        target = Target(
            address,
            Credentials.load(credentials).directory,
            client,
            server_name,
            connect_within_s,
            dead_after_s,
        )
        self._connection = Connection(
            target,
            Hearing(self._control_heard, self._tick),
            Course(self._begin, self._tell, self._fail, self._resume),
        )
        self._on_notice = on_notice
        self._may_conflate = may_conflate
        self._epoch: int | None = None
        self._items: list[Item] = []
        self._handles: dict[Item, int] = {}
        self._tag_handles: dict[str, int] = {}
        self._interned_count = 0
        self._asked_count = 0
        rooms = {
            Lane.DURESS: REPORTS_KEPT,
            Lane.DOORS_AND_ALARMS: REPORTS_KEPT,
            Lane.PINGS: pings_kept,
        }
        self._outboxes = {lane: Outbox(lane, room) for lane, room in rooms.items()}
        self._failure: AchError | None = None
        self._wakeup = Wakeup()
        self._is_pump_due = False
        self.clock_offset_ns: int | None = None
        """How far this machine's clock is ahead of the node's, once the node has said so."""
        self.totals: dict[Lane, control.Totals] = {}
        """What became of the inputs of each lane in this epoch, by the latest Ack."""
        self.welcome: control.Welcome | None = None
        """The node's latest Welcome."""
        self.door_orders = DoorOrders()
        """What doors of this feed are told to do: `async for order in publisher.door_orders`. From
        the Welcome on; a vendor that moves no doors need not look."""

    # ---- for the program

    async def __aenter__(self) -> Self:
        await self._connection.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and self._failure is None:
            try:
                async with asyncio.timeout(DRAIN_S):
                    await self.accepted()
                    await self.durable()
            except (AchError, TimeoutError) as failure:
                _log.warning("%d inputs are not durable: %s", self.kept_count, failure)
        await self._connection.close()
        self.door_orders.end()

    async def ping(self, tag: str, ping: Ping) -> None:
        """Publishes where a tag was; waits only if there is no room, and no ping of that tag there
        whose place it may take."""
        handle = self._tag_handles.get(tag)
        if handle is None:
            handle = self._handle(Item(ItemKind.TAG, tag))
            self._tag_handles[tag] = handle
        entry = Input(handle, write_ping(handle, ping), ping.observed_at)
        box = self._outboxes[Lane.PINGS]
        if self._may_conflate and self._failure is None and not self._has_room(box):
            if box.give_way(entry):
                # Or a program that publishes without a pause would never let anything be sent.
                await asyncio.sleep(0)
                return
        await self._publish(Lane.PINGS, entry)

    async def report(self, thing: str, report: Report, *, badge: str | None = None) -> None:
        """Publishes what a tag's button or band, a door or an anchor says; of a grant, with the
        badge it was given to. One that the site does not have does no harm: the grant counts."""
        if badge is not None and report.kind is not ReportKind.ACCESS_GRANTED:
            raise ValueError(f"{report.kind} is given to no badge, only a grant is")
        handle = self._handle(Item(report.kind.item_kind, thing))
        named = None if badge is None else self._handle(Item(ItemKind.BADGE, badge))
        await self._publish(report.kind.lane, Input(handle, report, badge=named))

    async def order_done(self, order: DoorOrder, observed_at: int | None = None) -> None:
        """Says, once for each order, that a door does as it was told. What its lock says is
        reported besides."""
        await self._answer(ReportKind.ORDER_DONE, order, observed_at)

    async def order_refused(self, order: DoorOrder, observed_at: int | None = None) -> None:
        """Says, once for each order, that a door will not do as it was told."""
        await self._answer(ReportKind.ORDER_REFUSED, order, observed_at)

    async def durable(self, within_s: float | None = None) -> None:
        """Waits until all that was published is on the node's disk; raises `NotDurable` if not."""
        due = [(box, box.entered_count, box.given_up_count) for box in self._outboxes.values()]

        def is_settled() -> bool:
            left = all(box.durable_count + box.given_up_count >= entered for box, entered, _ in due)
            return left or not self.is_storing

        try:
            async with asyncio.timeout(within_s):
                await self._until(is_settled)
        except TimeoutError:
            raise NotDurable(
                f"{self.kept_count} inputs are not durable after {within_s} s"
            ) from None
        if any(box.given_up_count > given_up for box, _, given_up in due):
            raise NotDurable("inputs were given up because the node does not store")
        if not self.is_storing and self.kept_count:
            raise NotDurable(f"the node does not store; {self.kept_count} inputs are kept here")

    async def accepted(self) -> None:
        """Waits until all that was published was decided on: the alarms that follow were sent."""
        due = [(box, box.entered_count) for box in self._outboxes.values()]
        await self._until(lambda: all(box.decided_count >= entered for box, entered in due))

    @property
    def is_storing(self) -> bool:
        """Whether the node that was last heard of stores anything."""
        return self.welcome is None or self.welcome.is_storing

    @property
    def is_connected(self) -> bool:
        """Whether there is a node at the moment."""
        return self._connection.session is not None

    @property
    def kept_count(self) -> int:
        """Inputs that are not known to be durable."""
        return sum(box.kept_count for box in self._outboxes.values())

    @property
    def gave_way_count(self) -> int:
        """Pings that gave way here to newer ones of their tags; the node counts none of them."""
        return self._outboxes[Lane.PINGS].gave_way_count

    @property
    def epoch(self) -> int | None:
        """The epoch in force."""
        return self._epoch

    # ---- publishing

    async def _answer(self, kind: ReportKind, order: DoorOrder, observed_at: int | None) -> None:
        observed_at = time.time_ns() if observed_at is None else observed_at
        answer = Report(kind=kind, observed_at=observed_at, order=order.number)
        await self.report(order.door, answer)

    def _handle(self, item: Item) -> int:
        handle = self._handles.get(item)
        if handle is not None:
            return handle
        most = self.welcome.handle_count_max if self.welcome is not None else 0
        if len(self._items) >= most:
            raise TooManyThings(f"the node takes {most} tags, doors and anchors of one vendor")
        handle = self._handles[item] = len(self._items)
        self._items.append(item)
        self._pump_soon()
        return handle

    async def _publish(self, lane: Lane, entry: Input) -> None:
        box = self._outboxes[lane]
        if self._failure is not None:
            raise self._failure
        if box.is_full:
            await self._until(lambda: self._has_room(box))
        box.put(entry)
        self._pump_soon()

    def _has_room(self, box: Outbox) -> bool:
        if box.is_full and not self.is_storing:
            count = box.give_up_decided()
            if count:
                self._tell(GaveUp(box.lane, count))
        return not box.is_full

    def _pump_soon(self) -> None:
        # Once a turn of the loop: what gathers in it goes in one frame, and nothing waits longer.
        if not self._is_pump_due:
            self._is_pump_due = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._is_pump_due = False
        session, welcome = self._connection.session, self.welcome
        if session is None or welcome is None or session.is_over or self._epoch is None:
            return
        room = welcome.payload_bytes_max
        while self._asked_count < len(self._items):
            first = self._asked_count
            items = tuple(self._items[first : first + min(control.ITEMS_MAX, room // ITEM_BYTES)])
            session.send(control.Intern(first_handle=first, items=items))
            self._asked_count += len(items)
        for box in self._outboxes.values():
            is_pings = box.lane is Lane.PINGS
            most = min(RECORDS_MAX, room // RECORD_BYTES)
            most = min(most, welcome.batch_pings_max) if is_pings else most
            while True:
                first_seq, batch = box.next_batch(most, self._interned_count)
                if not batch:
                    break
                payload = _payload(first_seq, batch)
                frame_type = PINGS if is_pings else REPORTS
                session.send_on_lane(box.lane, self._epoch, frame_type, payload)

    # ---- what the session hears

    def _control_heard(self, frame: Any) -> None:
        if isinstance(frame, control.Ack):
            box = self._outboxes.get(frame.lane)
            if box is not None and frame.epoch == self._epoch:
                if frame.accepted_through > box.accepted_through:
                    self._connection.settled()
                box.told(frame.accepted_through, frame.durable_through, frame.credit_through)
                self.totals[frame.lane] = frame.totals
        elif isinstance(frame, control.Interned):
            self._interned_count = max(self._interned_count, frame.first_handle + frame.item_count)
            for refused in frame.refused:
                item = self._item(refused.handle)
                if item is not None:
                    self._tell(ThingRefused(item, refused.code))
        elif isinstance(frame, control.Refusal):
            item = self._item(frame.handle)
            box = self._outboxes.get(frame.lane)
            if box is not None and frame.epoch == self._epoch:
                box.refused(frame.first_seq, frame.last_seq)
            self._tell(InputsRefused(frame.lane, frame.code, frame.count, item))
        elif isinstance(frame, control.ClockOffset):
            self.clock_offset_ns = frame.offset_ns
            self._tell(ClockOff(frame.offset_ns))
        elif isinstance(frame, DoorOrder):
            self.door_orders.hear(frame)
        elif isinstance(frame, service.CertificateEnds):
            self._tell(CertificateEnds(frame.ends_at))
        elif isinstance(frame, control.RefusedRequest):
            _log.error("the node refuses a request: %s: %s", frame.code, frame.detail)
        self._wakeup.wake()
        self._pump_soon()

    def _item(self, handle: int | None) -> Item | None:
        is_known = handle is not None and handle < len(self._items)
        return self._items[handle] if is_known and handle is not None else None

    def _tick(self) -> None:
        if self._connection.session is not None:
            self._connection.session.probe()

    # ---- connecting

    def _resume(self) -> tuple[control.Resume, ...]:
        if self._epoch is None:
            return ()
        epoch, boxes = self._epoch, self._outboxes.items()
        return tuple(
            control.Resume(lane=lane, epoch=epoch, last_seq=box.last_seq) for lane, box in boxes
        )

    def _begin(self, session: Session) -> None:
        welcome = session.welcome
        epoch = _epoch_of(welcome)
        self._check_memory(welcome)
        for lane in welcome.lanes:
            box = self._outboxes.get(lane.lane)
            if box is None:
                continue
            if lane.epoch == self._epoch:
                box.resume(lane.accepted_through, lane.durable_through, lane.credit_through)
            else:
                box.begin(lane.credit_through)
        if epoch != self._epoch:
            self._epoch = epoch
            self.totals = {}
        self._interned_count = self._asked_count = 0
        self.welcome = welcome
        self._tell(LinkUp(welcome))
        self._wakeup.wake()
        self._pump_soon()

    def _check_memory(self, welcome: control.Welcome) -> None:
        """Raises `Ended` if the node does not have what it had acknowledged as durable.

        What was forgotten here cannot be sent again, and what is left would follow on numbers that
        the node does not have: so it goes in a new epoch, over another connection.
        """
        lost = [
            NodeForgot(lane.lane, self._outboxes[lane.lane].durable_through, lane.durable_through)
            for lane in welcome.lanes
            if lane.epoch == self._epoch
            and lane.durable_through < self._outboxes[lane.lane].taken_through
        ]
        if not lost:
            return
        self._epoch = None
        for notice in lost:
            _log.error("%s", notice)
            self._tell(notice)
        raise Ended(Ending("the node has lost what it had acknowledged"))

    async def _until(self, is_so: Callable[[], bool]) -> None:
        await self._wakeup.until(lambda: self._failure is not None or is_so())
        if self._failure is not None:
            raise self._failure

    def _tell(self, notice: Notice) -> None:
        _log.info("%s", notice)
        if self._on_notice is not None:
            try:
                self._on_notice(notice)
            except Exception:
                _log.exception("on_notice has failed")

    def _fail(self, failure: AchError) -> None:
        self._failure = failure
        self.door_orders.end(failure)
        self._wakeup.wake()


def _epoch_of(welcome: control.Welcome) -> int:
    """The epoch of a vendor's three lanes. Who is given none could keep inputs, and never send."""
    epochs = {lane.epoch for lane in welcome.lanes}
    if not epochs:
        raise NodeRefused(Code.WRONG_ROLE, "these credentials are no vendor's, no lane was given")
    if len(epochs) > 1 or {lane.lane for lane in welcome.lanes} != VENDOR_LANES:
        raise NodeRefused(Code.MALFORMED, "a Welcome without lanes 0, 1 and 3 in one epoch")
    return epochs.pop()


def _payload(first_seq: int, batch: Iterable[Input]) -> bytes:
    pings, reports = [], []
    for seq, entry in enumerate(batch, first_seq):
        if isinstance(entry.content, bytes):
            pings.append(entry.content)
        else:
            reports.append(
                NumberedReport(
                    seq=seq, handle=entry.handle, report=entry.content, badge=entry.badge
                )
            )
    return write_pings(first_seq, pings) if pings else write_reports(tuple(reports))
