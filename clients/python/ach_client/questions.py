"""Questions: what is asked of a node, over as many connections as it takes."""

from __future__ import annotations

import asyncio

from .codes import Code
from .control import RefusedRequest
from .errors import AchError, NoAnswer, NodeRefused, NotConnected, Refused
from .orders import PARTS_MAX
from .service import QuietList, QuietQuery, QuietThing
from .session import Session
from .wakeup import note_exception

QUESTIONS_MAX = 16
"""Questions that may wait for their answers: a screen asks one at a time."""

_Answer = asyncio.Future[tuple[QuietThing, ...]]


class Questions:
    """Questions under way. One whose connection breaks is asked again over the next."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._pending: dict[int, tuple[list[QuietList], _Answer]] = {}
        self._last_number = 0
        self._failure: AchError | None = None

    async def quiet_things(self, within_s: float) -> tuple[QuietThing, ...]:
        """What is quiet; raises `NoAnswer` if the node does not say so in time."""
        if self._failure is not None:
            raise self._failure
        if len(self._pending) >= QUESTIONS_MAX:
            raise NodeRefused(Code.TOO_MANY, "too many questions wait")
        self._last_number += 1
        number = self._last_number
        answer: _Answer = asyncio.get_running_loop().create_future()
        answer.add_done_callback(note_exception)
        self._pending[number] = ([], answer)
        if self._session is not None:
            self._session.send(QuietQuery(query=number))
        try:
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            raise NoAnswer(f"no answer within {within_s:.0f} s; ask again") from None
        finally:
            del self._pending[number]

    def begin(self, session: Session) -> None:
        """A connection has come about: what waits is asked over it, from the start."""
        self._session = session
        for number, (parts, _) in self._pending.items():
            parts.clear()
            session.send(QuietQuery(query=number))

    def pause(self) -> None:
        """The connection is lost; there may be another."""
        self._session = None

    def end(self, failure: AchError | None = None) -> None:
        """There will be no connection any more."""
        self._session = None
        self._failure = failure or NotConnected("this client is closed")
        for _, answer in self._pending.values():
            if not answer.done():
                answer.set_exception(self._failure)

    def hear(self, frame: object) -> bool:
        """Takes an answer; false for a frame that is none to a question."""
        if isinstance(frame, QuietList):
            parts, answer = self._pending.get(frame.query, (None, None))
            if parts is not None and answer is not None and not answer.done():
                parts.append(frame)
                if len(parts) > PARTS_MAX:
                    why = f"an answer of over {PARTS_MAX:,} parts"
                    answer.set_exception(Refused(Code.TOO_MANY, why))
                    parts.clear()
                elif frame.is_last:
                    answer.set_result(tuple(thing for it in parts for thing in it.things))
            return True
        return False

    def refuse(self, frame: RefusedRequest) -> bool:
        """The node says that somebody may not ask; false if nothing was asked."""
        waiting = [answer for _, answer in self._pending.values() if not answer.done()]
        if not waiting or frame.code is not Code.WRONG_ROLE or frame.subscription is not None:
            return False
        waiting[0].set_exception(NodeRefused(frame.code, frame.detail))
        return True
