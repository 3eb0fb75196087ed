"""Subscriber: follows alarms, events or positions, notices a dead link, and resumes."""

from __future__ import annotations

import functools
import logging
from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar

from . import control, service
from .alarm_book import AlarmBook, AlarmUpdate
from .codec import Skipped
from .codes import Code
from .connection import Connection, Course, Target
from .credentials import Credentials
from .errors import AchError, NodeRefused, Refused
from .fields import LIST_MAX
from .inbox import Inbox
from .notes import AlarmNote, AlarmSettled, EventNote, Gap, OpenSetEnd, PositionNote
from .notices import CertificateEnds, LinkDown, LinkUp
from .orders import Answering
from .session import Hearing, Session
from .silence import DEAD_AFTER_S, Silence
from .values import Cursor
from .words import Storage, Topic

_log = logging.getLogger("ach_client")

N = TypeVar("N")


@dataclass(frozen=True)
class _Begun:
    """A subscription has been asked for; without a cursor nothing that was missed will be told."""

    has_cursor: bool


class Subscriber(Generic[N]):
    """A subscription for as long as the program runs; iterate over it.

    `async with` waits for the first Welcome and raises what refuses it. From then on losses are
    told as `LinkDown` and made good: it connects again and resumes after what it has heard.
    """

    topic: ClassVar[Topic]
    notes: ClassVar[tuple[type[Any], ...]]
    """What may come on the stream of this topic, beside what may come on any."""

    def __init__(
        self,
        address: str,
        credentials: str | Path,
        *,
        filter: control.Filter | None = None,
        resume_after: Cursor | None = None,
        client: str = "python",
        server_name: str | None = None,
        connect_within_s: float | None = 30.0,
        dead_after_s: float = DEAD_AFTER_S,
    ) -> None:
        self._filter = filter or control.Filter()
        self._inbox: Inbox[Any] = Inbox()
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
            Hearing(self._control_heard, self._tick, self._note_heard, self._subscription_cut),
            Course(self._begin, self._ended, self._fail, ready=self._inbox.half_empty),
        )
        self._pending: deque[N] = deque()
        self._heard_through = resume_after
        self._cursor = resume_after
        self._cursor_after_pending = resume_after
        self._subscription = 0
        self._nonce = 0
        self._heard_count = 0
        self._silence = Silence()
        self._failure: AchError | None = None
        self.skipped_count = 0
        """Notes that this client is too old to read."""

    @property
    def cursor(self) -> Cursor | None:
        """What to resume after in another run. What came last is not yet taken as dealt with."""
        return self._cursor

    async def __aenter__(self) -> Self:
        await self._connection.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._connection.close()
        self._inbox.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> N:
        while not self._pending:
            # The one before has been dealt with.
            self._cursor = self._cursor_after_pending
            entry = await self._inbox.take()
            if entry is None:
                raise self._failure or StopAsyncIteration
            self._pending.extend(self._read(entry))
            self._cursor_after_pending = _cursor_after(self._cursor_after_pending, entry)
        return self._pending.popleft()

    def _read(self, entry: Any) -> Iterable[N]:
        """What the program is told of a note, or of the link."""
        return () if isinstance(entry, (Skipped, _Begun)) else (entry,)

    def _key(self, note: Any) -> Hashable:  # noqa: ARG002
        """What a newer note of the same key makes old; None for what must all be told."""
        return None

    @property
    def _session(self) -> Session | None:
        return self._connection.session

    # ---- what the session hears

    def _note_heard(self, subscription: int, note: Any) -> None:
        if subscription != self._subscription or self._session is None:
            return
        self._heard_count += 1
        if isinstance(note, control.EchoReply):
            return
        if isinstance(note, Skipped):
            self.skipped_count += 1
            _log.warning("this client is too old for a note, which is left out: %s", note.why)
        elif not isinstance(note, (Gap, *self.notes)):
            what = f"a {type(note).__name__} among {self.topic}"
            raise Refused(Code.UNEXPECTED_FRAME, what)
        if self._inbox.is_full:
            # What was heard stays; what comes is asked for again when there is room.
            self._session.abort(Code.TOO_SLOW, "this program deals with notes too slowly")
            return
        self._inbox.put(note, self._key(note))
        self._heard_through = _cursor_after(self._heard_through, note)

    def _subscription_cut(self, subscription: int, code: Code) -> None:
        if subscription == self._subscription and self._session is not None:
            self._session.abort_soon(f"the node ended the subscription: {code}")

    def _control_heard(self, frame: Any) -> None:
        if isinstance(frame, service.CertificateEnds):
            self._inbox.put(CertificateEnds(frame.ends_at))
            return
        if not isinstance(frame, control.RefusedRequest) or self._session is None:
            return
        if frame.subscription == self._subscription:
            self._fail(NodeRefused(frame.code, frame.detail))
            self._connection.give_up()
        else:
            _log.warning("the node refuses a request: %s: %s", frame.code, frame.detail)

    def _tick(self) -> None:
        # An answer on the stream of the subscription shows that an alarm would come as well.
        if self._session is None:
            return
        if self._silence.is_dead_at_tick(self._heard_count):
            self._session.declare_dead()
            return
        self._nonce += 1
        self._session.send(control.Echo(nonce=self._nonce, subscription=self._subscription))

    # ---- connecting

    def _begin(self, session: Session) -> None:
        self._subscription += 1
        self._silence = Silence()
        self._heard_count = 0
        self._inbox.put(_Begun(has_cursor=self._heard_through is not None))
        self._inbox.put(LinkUp(session.welcome))
        session.send(
            control.Subscribe(
                subscription=self._subscription,
                topic=self.topic,
                filter=self._filter,
                resume_after=self._heard_through,
            )
        )

    def _ended(self, down: LinkDown) -> None:
        if self._subscription:
            self._inbox.put(down)

    def _fail(self, failure: AchError) -> None:
        self._failure = failure
        self._inbox.close()


class AlarmSubscriber(Subscriber[AlarmUpdate | LinkUp | LinkDown | CertificateEnds], Answering):
    """Follows alarms: each change once, what was lost said aloud. Answers them, too."""

    topic = Topic.ALARMS
    notes = (AlarmNote, AlarmSettled, OpenSetEnd)

    @functools.cached_property
    def _book(self) -> AlarmBook:
        return AlarmBook()

    @property
    def open_alarms(self) -> list[AlarmNote]:
        """What is open by all that was iterated over, each with its latest change."""
        return self._book.open_alarms

    def displayed(self) -> None:
        """Tells the node that people could see all that was iterated over.

        For a program that shows alarms, within 2 s of showing one, and for no other: a node
        complains about alarms that nobody displays. While the link is down nothing is told; call it
        again after the next alarm, or after `LinkUp` and what follows it was shown.
        """
        if self._session is None or self._pending:
            return
        through = self._cursor_after_pending
        provisional = [it.id for it in self._book.open_alarms if it.storage is not Storage.DURABLE]
        for first in range(0, max(1, len(provisional)), LIST_MAX):
            alarms = tuple(provisional[first : first + LIST_MAX])
            if through is not None or alarms:
                self._session.send(
                    service.Displayed(
                        subscription=self._subscription, through=through, alarms=alarms
                    )
                )

    def _read(self, entry: Any) -> Iterable[AlarmUpdate | LinkUp | LinkDown | CertificateEnds]:
        if isinstance(entry, _Begun):
            self._book.begin_stream(has_gap=not entry.has_cursor)
            return ()
        if isinstance(entry, (CertificateEnds, LinkUp, LinkDown)):
            return (entry,)
        if isinstance(entry, Skipped):
            self._book.skip()
            return ()
        return self._book.apply(entry)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._orders.end()
        await super().__aexit__(kind, error, trace)

    def _control_heard(self, frame: Any) -> None:
        if not self._orders.hear(frame):
            super()._control_heard(frame)

    def _begin(self, session: Session) -> None:
        super()._begin(session)
        self._orders.begin(session)

    def _ended(self, down: LinkDown) -> None:
        self._orders.pause()
        super()._ended(down)

    def _fail(self, failure: AchError) -> None:
        self._orders.end(failure)
        super()._fail(failure)


class EventSubscriber(Subscriber[EventNote | Gap | LinkUp | LinkDown | CertificateEnds]):
    """Follows events, which are told once: what happens while the link is down is not told."""

    topic = Topic.EVENTS
    notes = (EventNote,)


class PositionSubscriber(Subscriber[PositionNote | Gap | LinkUp | LinkDown | CertificateEnds]):
    """Follows positions, of which only the newest of each tag waits."""

    topic = Topic.POSITIONS
    notes = (PositionNote,)

    def _key(self, note: Any) -> Hashable:
        return note.tag if isinstance(note, PositionNote) else None


def _cursor_after(before: Cursor | None, entry: Any) -> Cursor | None:
    """The place to resume after, once this has come. The open set adds nothing: it has no order."""
    if isinstance(entry, Gap) and entry.code is Code.CURSOR_OUT_OF_RANGE:
        # The node does not know the place: what it tells from now on may well lie before it.
        return None
    is_news = isinstance(entry, AlarmNote) and not entry.is_resent
    if not is_news and not isinstance(entry, (AlarmSettled, OpenSetEnd)):
        return before
    place: Cursor | None = entry.cursor
    if before is None or place is None:
        return before or place
    return max(before, place)
