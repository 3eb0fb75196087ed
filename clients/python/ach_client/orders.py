"""Orders: commands that wait for their receipts, over as many connections as it takes.

A command whose connection breaks is given again over the next one. That does no harm: each wish
says how a thing is to be. Only a comment may then be there twice.
"""

from __future__ import annotations

import asyncio
import functools
import math
from dataclasses import dataclass

from .codec import write_frame
from .codes import Code
from .control import Command, Receipt, RefusedRequest
from .errors import AchError, NoAnswer, NodeRefused, NotConnected
from .session import Session
from .values import Cursor, need
from .wakeup import note_exception
from .wishes import ActWish, Wish
from .words import ActWord, AlarmCause, WishKind

ANSWER_S = 10.0
"""How long a receipt may take: a command is answered once it is on the node's disk."""
PENDING_MAX = 256
"""Commands that may wait for their receipts: more than a ward of people can give in that time."""


@dataclass(frozen=True)
class Done:
    """It is as was wished. Without a cursor it is not stored, and `detail` says why."""

    cursor: Cursor | None
    detail: str


class Orders:
    """Commands under way."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._pending: dict[int, tuple[Command, asyncio.Future[Done]]] = {}
        self._last_number = 0
        self._failure: AchError | None = None

    async def give(self, wish: Wish, within_s: float) -> Done:
        """Gives a command and waits for its receipt; raises `NodeRefused` if the node refuses."""
        if self._failure is not None:
            raise self._failure
        need(len(self._pending) < PENDING_MAX, "too many commands wait", Code.TOO_MANY)
        self._last_number += 1
        command = Command(command=self._last_number, wish=wish)
        # What cannot be written is refused here, and not once there is a connection.
        write_frame(command)
        answer: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(note_exception)
        if self._session is not None:
            self._session.send(command)
        self._pending[command.command] = (command, answer)
        try:
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            why = f"no receipt within {within_s:.0f} s: nobody knows whether it was done"
            raise NoAnswer(f"{why}; look at the alarm, or ask again") from None
        finally:
            del self._pending[command.command]

    def begin(self, session: Session) -> None:
        """A connection has come about: what waits is given over it."""
        self._session = session
        for command, _ in self._pending.values():
            session.send(command)

    def pause(self) -> None:
        """The connection is lost; there may be another."""
        self._session = None

    def end(self, failure: AchError | None = None) -> None:
        """There will be no connection any more."""
        self._session = None
        self._failure = failure or NotConnected("this client is closed")
        for _, answer in self._pending.values():
            _fail(answer, self._failure)

    def hear(self, frame: object) -> bool:
        """Takes an answer; false for a frame that is none to a command."""
        if isinstance(frame, Receipt):
            _, answer = self._pending.get(frame.command, (None, None))
            if answer is not None and not answer.done():
                if frame.code is Code.DONE:
                    answer.set_result(Done(frame.cursor, frame.detail))
                else:
                    answer.set_exception(NodeRefused(frame.code, frame.detail))
            return True
        if isinstance(frame, RefusedRequest) and frame.code is Code.WRONG_ROLE:
            return self._hear_wrong_role(frame)
        return False

    def _hear_wrong_role(self, frame: RefusedRequest) -> bool:
        """It does not say which command it is about: the oldest that asks for most."""
        waiting = [(command, answer) for command, answer in self._pending.values()]
        waiting = [it for it in waiting if not it[1].done()]
        waiting.sort(key=lambda it: it[0].wish.kind is WishKind.ACT)
        if not waiting or frame.subscription is not None:
            return False
        _fail(waiting[0][1], NodeRefused(frame.code, frame.detail))
        return True


def _fail(answer: asyncio.Future[Done], failure: AchError) -> None:
    if not answer.done():
        answer.set_exception(failure)


class Answering:
    """What a receiver or operator can do with an open alarm. What is so already is done.

    Each waits until the node has it on disk, for `answer_within_s` at most. Raises `NodeRefused`
    with the node's code: 64 no such alarm is open, 97 it cannot be done as things stand, 37 there
    is no more room; `Refused` for a name or remark that is none; `NoAnswer` if no receipt comes.
    `person` is the id of whom the program acts for. What was done comes as `Told` to whoever
    follows alarms.
    """

    answer_within_s: float = ANSWER_S

    @functools.cached_property
    def _orders(self) -> Orders:
        return Orders()

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

    async def _act(self, act: ActWish) -> Done:
        return await self._orders.give(Wish(kind=WishKind.ACT, act=act), self.answer_within_s)


def nanoseconds(seconds: float) -> int:
    """For how long something is put aside."""
    need(
        math.isfinite(seconds) and seconds > 0,
        "for how long must be more than nothing",
        Code.OUT_OF_RANGE,
    )
    return round(seconds * 1e9)
