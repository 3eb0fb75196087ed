"""Operator: answers alarms without following them, keeps places and rules quiet, moves doors."""

from __future__ import annotations

import logging
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import control, service
from .connection import Connection, Course, Target
from .credentials import Credentials
from .errors import AchError
from .moving_doors import MovingDoors
from .notices import CertificateEnds, LinkDown
from .orders import Answering, Done, nanoseconds
from .questions import Questions
from .session import Hearing, Session
from .silence import DEAD_AFTER_S
from .values import Thing
from .wishes import QuietOrder, Wish
from .words import QuietKind, WishKind

_log = logging.getLogger("ach_client")


class Operator(Answering, MovingDoors):
    """A connection over which a node is commanded, for as long as the program runs.

    A receiver's certificate may answer alarms, give leave, say that bands are off and ask what is
    quiet; all else takes an operator's. `async with` waits for the first Welcome and raises what
    refuses it; losses are made good, and what waits for its receipt is given again.
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
    ) -> None:
        target = Target(
            address,
            Credentials.load(credentials).directory,
            client,
            server_name,
            connect_within_s,
            dead_after_s,
        )
        self._questions = Questions()
        self._connection = Connection(
            target,
            Hearing(self._control_heard, self._tick),
            Course(self._begin, self._ended, self._fail),
        )

    async def __aenter__(self) -> Self:
        await self._connection.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._orders.end()
        self._questions.end()
        await self._connection.close()

    async def mute(
        self,
        of: Thing | str,
        for_s: float,
        *,
        person: str | None = None,
        remark: str | None = None,
    ) -> Done:
        """Mutes all alarms about a place, or of the rule of that name, for 24 hours at most.

        The first of two operators is refused with 103. It is done when another one asks for the
        same within 10 minutes, for the shorter of both times.
        """
        return await self._quiet(of, QuietKind.MUTED, nanoseconds(for_s), person, remark)

    async def unmute(
        self, of: Thing | str, *, person: str | None = None, remark: str | None = None
    ) -> Done:
        """Mutes it no more."""
        return await self._quiet(of, QuietKind.MUTED, 0, person, remark)

    async def take_out(
        self,
        of: Thing | str,
        for_s: float,
        *,
        person: str | None = None,
        remark: str | None = None,
    ) -> Done:
        """Takes a place or rule out of service, for 31 days at most."""
        return await self._quiet(of, QuietKind.OUT_OF_SERVICE, nanoseconds(for_s), person, remark)

    async def put_back(
        self, of: Thing | str, *, person: str | None = None, remark: str | None = None
    ) -> Done:
        """Puts it back into service."""
        return await self._quiet(of, QuietKind.OUT_OF_SERVICE, 0, person, remark)

    async def quiet_things(self) -> tuple[service.QuietThing, ...]:
        """What is shelved, muted or out of service, and what waits for a second person."""
        return await self._questions.quiet_things(self.answer_within_s)

    async def release(self, thing: Thing) -> Done:
        """Lets a quarantined actor work again. People are let out by `release_door`."""
        return await self._give(Wish(kind=WishKind.RELEASE_ACTOR, thing=thing))

    async def quarantine(self, thing: Thing) -> Done:
        """Quarantines an actor by hand."""
        return await self._give(Wish(kind=WishKind.QUARANTINE_ACTOR, thing=thing))

    async def _quiet(
        self, of: Thing | str, kind: QuietKind, for_ns: int, person: str | None, remark: str | None
    ) -> Done:
        place, rule = (of, None) if isinstance(of, Thing) else (None, of)
        order = QuietOrder(
            place=place, rule=rule, kind=kind, for_ns=for_ns, person=person, remark=remark
        )
        return await self._give(Wish(kind=WishKind.QUIET, quiet=order))

    # ---- what the session hears

    def _control_heard(self, frame: Any) -> None:
        if isinstance(frame, service.CertificateEnds):
            _log.warning("%s", CertificateEnds(frame.ends_at))
        elif self._orders.hear(frame) or self._questions.hear(frame):
            return
        elif isinstance(frame, control.RefusedRequest) and not self._questions.refuse(frame):
            _log.warning("the node refuses a request: %s: %s", frame.code, frame.detail)

    def _tick(self) -> None:
        if self._connection.session is not None:
            self._connection.session.probe()

    # ---- connecting

    def _begin(self, session: Session) -> None:
        self._orders.begin(session)
        self._questions.begin(session)

    def _ended(self, down: LinkDown) -> None:
        self._orders.pause()
        self._questions.pause()
        _log.warning("%s", down)

    def _fail(self, failure: AchError) -> None:
        self._orders.end(failure)
        self._questions.end(failure)
