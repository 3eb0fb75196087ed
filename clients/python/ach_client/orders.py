"""Orders: commands and questions that wait for their answers, over as many connections as it takes.

What waits when its connection breaks is sent again over the next one. That does no harm: each wish
says how a thing is to be, or has a key by which the node knows it. Only a comment may then be there
twice.
"""

from __future__ import annotations

import asyncio
import functools
import math
from dataclasses import dataclass
from typing import Any

from .codec import write_frame
from .codes import Code
from .control import Command, Receipt, RefusedRequest
from .doors import Doors, DoorsQuery
from .errors import AchError, NoAnswer, NodeRefused, NotConnected, Refused
from .session import Session
from .values import Cursor, Thing, need
from .wakeup import note_exception
from .wishes import ActWish, BandOrder, LeaveOrder, Wish
from .words import ActWord, AlarmCause, WishKind

ANSWER_S = 10.0
"""How long an answer may take: a command is answered once it is on the node's disk."""
PENDING_MAX = 256
"""Requests that may wait for their answers: more than a ward of people can give in that time."""

PARTS_MAX = 1_000
"""Parts of one answer: those of the largest site, should each have room for a few doors only."""

_OF_RECEIVERS = (WishKind.ACT, WishKind.LEAVE, WishKind.BAND)
"""What receivers may wish as well as operators."""


@dataclass(frozen=True)
class Done:
    """It is as was wished. Without a cursor it is not stored, and `detail` says why."""

    cursor: Cursor | None
    detail: str


@dataclass
class _Waiting:
    """What was sent, and what has come of its answer."""

    frame: Command | DoorsQuery
    answer: asyncio.Future[Any]
    parts: list[Doors]

    @property
    def is_of_receivers(self) -> bool:
        return isinstance(self.frame, Command) and self.frame.wish.kind in _OF_RECEIVERS


class Orders:
    """Commands and questions under way."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._pending: dict[int, _Waiting] = {}
        self._last_number = 0
        self._failure: AchError | None = None

    async def give(self, wish: Wish, within_s: float) -> Done:
        """Gives a command and waits for its receipt; raises `NodeRefused` if the node refuses."""
        done: Done | None = await self._wait(Command(command=self._next(), wish=wish), within_s)
        if done is None:
            why = f"no receipt within {within_s:.0f} s: nobody knows whether it was done"
            raise NoAnswer(f"{why}; look at the alarm or the door, or ask again")
        return done

    async def ask_doors(self, within_s: float) -> Doors:
        """Asks how doors stand, and waits for the whole answer."""
        doors: Doors | None = await self._wait(DoorsQuery(query=self._next()), within_s)
        if doors is None:
            why = "the node may be too old to know doors"
            raise NoAnswer(f"no answer within {within_s:.0f} s; {why}")
        return doors

    def _next(self) -> int:
        self._last_number += 1
        return self._last_number

    async def _wait(self, frame: Command | DoorsQuery, within_s: float) -> Any:
        """Sends a request and waits for its answer; None if none comes."""
        if self._failure is not None:
            raise self._failure
        need(len(self._pending) < PENDING_MAX, "too many commands wait", Code.TOO_MANY)
        # What cannot be written is refused here, and not once there is a connection.
        write_frame(frame)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(note_exception)
        if self._session is not None:
            self._session.send(frame)
        number = frame.command if isinstance(frame, Command) else frame.query
        self._pending[number] = _Waiting(frame, answer, [])
        try:
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            return None
        finally:
            del self._pending[number]

    def begin(self, session: Session) -> None:
        """A connection has come about: what waits is sent over it."""
        self._session = session
        for waiting in self._pending.values():
            waiting.parts.clear()
            session.send(waiting.frame)

    def pause(self) -> None:
        """The connection is lost; there may be another."""
        self._session = None

    def end(self, failure: AchError | None = None) -> None:
        """There will be no connection any more."""
        self._session = None
        self._failure = failure or NotConnected("this client is closed")
        for waiting in self._pending.values():
            _fail(waiting.answer, self._failure)

    def hear(self, frame: object) -> bool:
        """Takes an answer; false for a frame that is none."""
        if isinstance(frame, Receipt):
            waiting = self._pending.get(frame.command)
            if waiting is not None and isinstance(waiting.frame, Command):
                if frame.code is not Code.DONE:
                    _fail(waiting.answer, NodeRefused(frame.code, frame.detail))
                elif not waiting.answer.done():
                    waiting.answer.set_result(Done(frame.cursor, frame.detail))
            return True
        if isinstance(frame, Doors):
            waiting = self._pending.get(frame.query)
            if waiting is not None and isinstance(waiting.frame, DoorsQuery):
                _hear_doors(waiting, frame)
            return True
        if isinstance(frame, RefusedRequest) and frame.code is Code.WRONG_ROLE:
            return self._hear_wrong_role(frame)
        return False

    def _hear_wrong_role(self, frame: RefusedRequest) -> bool:
        """It does not say which request it is about: the oldest that asks for most."""
        asked = [waiting for waiting in self._pending.values() if not waiting.answer.done()]
        asked.sort(key=lambda waiting: waiting.is_of_receivers)
        if not asked or frame.subscription is not None:
            return False
        _fail(asked[0].answer, NodeRefused(frame.code, frame.detail))
        return True


def _hear_doors(waiting: _Waiting, part: Doors) -> None:
    waiting.parts.append(part)
    if len(waiting.parts) > PARTS_MAX:
        why = f"an answer of over {PARTS_MAX:,} parts"
        _fail(waiting.answer, Refused(Code.TOO_MANY, why))
        waiting.parts.clear()
    elif part.is_last and not waiting.answer.done():
        doors = tuple(door for it in waiting.parts for door in it.doors)
        emergencies = tuple(emergency for it in waiting.parts for emergency in it.emergencies)
        whole = Doors(query=part.query, doors=doors, emergencies=emergencies, is_last=True)
        waiting.answer.set_result(whole)


def _fail(answer: asyncio.Future[Any], failure: AchError) -> None:
    if not answer.done():
        answer.set_exception(failure)


class Giving:
    """Whoever gives commands; each is waited for `answer_within_s` at most."""

    answer_within_s: float = ANSWER_S

    @functools.cached_property
    def _orders(self) -> Orders:
        return Orders()

    async def _give(self, wish: Wish) -> Done:
        return await self._orders.give(wish, self.answer_within_s)


class Answering(Giving):
    """What a receiver or operator can do with an open alarm, and leave. What is so already is done.

    Each waits until the node has it on disk, for `answer_within_s` at most. Raises `NodeRefused`
    with the node's code: 64 no such alarm is open, 97 it cannot be done as things stand, 37 there
    is no more room; `Refused` for a name or remark that is none; `NoAnswer` if no receipt comes.
    `person` is the id of whom the program acts for. What was done comes as `Told` to whoever
    follows alarms.
    """

    async def acknowledge(
        self, alarm: str, *, person: str | None = None, remark: str | None = None
    ) -> Done:
        """Takes notice."""
        wish = ActWish(alarm=alarm, act=ActWord.ACKNOWLEDGE, person=person, remark=remark)
        return await self._act(wish)

    async def confirm(
        self, alarm: str, *, person: str | None = None, remark: str | None = None
    ) -> Done:
        """Says that what had to be done was done; it must be acknowledged before."""
        wish = ActWish(alarm=alarm, act=ActWord.CONFIRM, person=person, remark=remark)
        return await self._act(wish)

    async def assign(
        self, alarm: str, to: str | None, *, person: str | None = None, remark: str | None = None
    ) -> Done:
        """Gives it to somebody to see to; to None is to nobody."""
        wish = ActWish(alarm=alarm, act=ActWord.ASSIGN, to=to, person=person, remark=remark)
        return await self._act(wish)

    async def comment(self, alarm: str, remark: str, *, person: str | None = None) -> Done:
        """Says something about it."""
        wish = ActWish(alarm=alarm, act=ActWord.COMMENT, person=person, remark=remark)
        return await self._act(wish)

    async def shelve(
        self, alarm: str, for_s: float, *, person: str | None = None, remark: str | None = None
    ) -> Done:
        """Puts its condition aside, for 12 hours at most; not what a life may hang on."""
        for_ns = nanoseconds(for_s)
        wish = ActWish(alarm=alarm, act=ActWord.SHELVE, for_ns=for_ns, person=person, remark=remark)
        return await self._act(wish)

    async def unshelve(
        self, alarm: str, *, person: str | None = None, remark: str | None = None
    ) -> Done:
        """Puts its condition aside no more."""
        wish = ActWish(alarm=alarm, act=ActWord.UNSHELVE, person=person, remark=remark)
        return await self._act(wish)

    async def reset(
        self, alarm: str, *, person: str | None = None, remark: str | None = None
    ) -> Done:
        """Lets it latch no more; its condition must have ended, and it must be acknowledged."""
        wish = ActWish(alarm=alarm, act=ActWord.RESET, person=person, remark=remark)
        return await self._act(wish)

    async def close_alarm(
        self,
        alarm: str,
        cause: AlarmCause,
        *,
        person: str | None = None,
        remark: str | None = None,
    ) -> Done:
        """Says what it was, `AlarmCause.OTHER` with a remark; it must be acknowledged before."""
        is_said = cause is not AlarmCause.OTHER or remark is not None
        need(is_said, "closing with another cause needs a remark that says which")
        wish = ActWish(alarm=alarm, act=ActWord.CLOSE, cause=cause, person=person, remark=remark)
        return await self._act(wish)

    async def give_leave(
        self,
        subject: str,
        for_s: float,
        reason: str,
        *,
        places: tuple[Thing, ...] = (),
        until_back: bool = False,
        escort: str | None = None,
        within_m: float | None = None,
        missed_for_s: float | None = None,
        person: str | None = None,
    ) -> Done:
        """Gives a subject leave, for 24 hours at most: no alarm says that it is out.

        `places` are the zones and lines that may be left, none is all. With an `escort` it holds
        only while both are within `within_m` metres (10) of each other, or were `missed_for_s`
        (30) ago.
        """
        order = LeaveOrder(
            subject=subject,
            for_ns=nanoseconds(for_s),
            places=places,
            is_until_back=until_back,
            escort=escort,
            within_mm=None if within_m is None else round(within_m * 1_000),
            gap_ns=None if missed_for_s is None else nanoseconds(missed_for_s),
            person=person,
            reason=reason,
        )
        return await self._leave(order)

    async def end_leave(self, subject: str, *, person: str | None = None) -> Done:
        """Ends a subject's leave: if it is out, the alarm comes now."""
        return await self._leave(LeaveOrder(subject=subject, is_until_back=False, person=person))

    async def take_band_off(
        self, subject: str, tag: str, for_s: float, reason: str, *, person: str | None = None
    ) -> Done:
        """Says that a band comes off, for an hour at most: cut or silent is no alarm meanwhile."""
        band = BandOrder(
            subject=subject, tag=tag, for_ns=nanoseconds(for_s), person=person, reason=reason
        )
        return await self._band(band)

    async def put_band_on(self, subject: str, tag: str, *, person: str | None = None) -> Done:
        """Says that a band is on: what is wrong with it is an alarm from now on."""
        return await self._band(BandOrder(subject=subject, tag=tag, person=person))

    async def _band(self, band: BandOrder) -> Done:
        return await self._give(Wish(kind=WishKind.BAND, band=band))

    async def _leave(self, leave: LeaveOrder) -> Done:
        return await self._give(Wish(kind=WishKind.LEAVE, leave=leave))

    async def _act(self, act: ActWish) -> Done:
        return await self._give(Wish(kind=WishKind.ACT, act=act))


def nanoseconds(seconds: float) -> int:
    """For how long something is wished."""
    need(
        math.isfinite(seconds) and seconds > 0,
        "for how long must be more than nothing",
        Code.OUT_OF_RANGE,
    )
    return round(seconds * 1e9)
