"""Connection: one session after another, for as long as the program runs."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from .backoff import SETTLED_S, Backoff
from .control import Resume
from .credentials import Credentials
from .errors import AchError, CredentialsRefused, NotConnected
from .link import Ended, Ending
from .notices import LinkDown
from .session import Hearing, Session

EXPIRY_WARNING = datetime.timedelta(days=30)
"""So long before a certificate ends, somebody should know."""

_log = logging.getLogger("ach_client")


async def _at_once() -> None:
    """For a client that is always ready to come again."""


@dataclass(frozen=True)
class Target:
    """Where to connect, as whom, and how long to hope."""

    address: str
    credentials: Path
    client: str
    server_name: str | None
    connect_within_s: float | None
    dead_after_s: float


@dataclass(frozen=True)
class Course:
    """What a client does along the way. Only `ready` may wait."""

    begun: Callable[[Session], None]
    """A node has welcomed it. Raises `Ended` if it cannot go on from there."""
    ended: Callable[[LinkDown], None]
    """The session is over, or there was none."""
    failed: Callable[[AchError], None]
    """It is over for good."""
    resume: Callable[[], tuple[Resume, ...]] = tuple
    """What to ask to go on with."""
    ready: Callable[[], Awaitable[None]] = _at_once
    """Whether to come again."""


class Connection:
    """Keeps a client connected until it is closed or refused for good."""

    def __init__(self, target: Target, hearing: Hearing, course: Course) -> None:
        self._target = target
        self._hearing = hearing
        self._course = course
        self._backoff = Backoff()
        self._task: asyncio.Task[None] | None = None
        self._first: asyncio.Future[None] | None = None
        self.session: Session | None = None
        """The session, while there is one."""

    async def open(self) -> None:
        """Waits for the first Welcome; raises what refuses it."""
        self._first = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep())
        try:
            async with asyncio.timeout(self._target.connect_within_s):
                await self._first
        except TimeoutError:
            await self.close()
            raise NotConnected(f"no node has answered at {self._target.address}") from None
        except BaseException:
            await self.close()
            raise

    def settled(self) -> None:
        """The session was of use: the wait after its loss is that of a first one."""
        self._backoff.settled()

    def give_up(self) -> None:
        """Ends the session in good order and soon; for callbacks."""
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Ends the session in good order, and there is no other."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _keep(self) -> None:
        try:
            await self._keep_until_failure()
        except AchError as failure:
            self._fail(failure)
        except Exception as error:
            _log.exception("this client has a mistake")
            self._fail(AchError(f"this client has a mistake: {error!r}"))

    def _fail(self, failure: AchError) -> None:
        self._course.failed(failure)
        if self._first is not None and not self._first.done():
            self._first.set_exception(failure)

    async def _keep_until_failure(self) -> None:
        while True:
            ending = await self._one_session()
            is_first = self._first is not None and not self._first.done()
            wait_s = self._backoff.wait_s(ending)
            self._course.ended(LinkDown(ending, wait_s))
            if wait_s is None or (is_first and not ending.may_be_tried_again_soon):
                raise ending.error
            await asyncio.sleep(wait_s)
            await self._course.ready()

    async def _one_session(self) -> Ending:
        target = self._target
        is_first = self._first is not None and not self._first.done()
        try:
            # Read anew each time: whoever renews a certificate puts it in the place of the old one.
            credentials = Credentials.load(target.credentials)
            session = await Session.open(
                target.address,
                credentials,
                self._hearing,
                client=target.client,
                server_name=target.server_name,
                dead_after_s=target.dead_after_s,
                resume=self._course.resume(),
            )
        except Ended as ended:
            return ended.ending
        except (CredentialsRefused, OSError) as error:
            if is_first:
                raise
            # Perhaps they are being renewed at this moment.
            return Ending(str(error))
        settled = asyncio.get_running_loop().call_later(SETTLED_S, self._backoff.settled)
        try:
            self.session = session
            _warn_of_expiry(credentials)
            try:
                self._course.begun(session)
            except Ended as ended:
                return ended.ending
            session.begin()
            if self._first is not None and not self._first.done():
                self._first.set_result(None)
            return await session.ended()
        finally:
            settled.cancel()
            self.session = None
            if not session.is_over:
                await session.close()


def _warn_of_expiry(credentials: Credentials) -> None:
    left = credentials.expires_at - datetime.datetime.now(datetime.UTC)
    if left < EXPIRY_WARNING:
        _log.warning("the certificate of %s ends in %s: enrol again", credentials.identity, left)
