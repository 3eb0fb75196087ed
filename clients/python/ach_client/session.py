"""Session: a connection that was welcomed, its streams cut into frames."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import __version__
from .codec import FrameReader, framed, write_frame
from .codes import Code
from .control import Goodbye, Heartbeat, Hello, Resume, Welcome
from .credentials import Credentials
from .errors import Refused
from .link import Ended, Ending, Link, split_address
from .records import (
    PREAMBLE_BYTES,
    LanePreamble,
    SubscriptionPreamble,
    read_preamble,
    write_preamble,
)
from .silence import TICKS, Silence
from .wakeup import note_exception
from .words import Lane

PROTOCOL_VERSION = 1
WELCOME_S = 5.0
"""How long a node may take from the first datagram to its Welcome."""
FRAME_S = 5.0
"""How long a node may take from a frame's first byte to its last."""
GOODBYE_S = 2.0
"""How long a node may take to answer a Goodbye."""
CUT_GRACE_S = 1.0
"""How long a connection may outlive one of its streams: most often it is about to end as a whole,
and then says better why."""

_log = logging.getLogger("ach_client")


def _not_heard(*_: Any) -> None:
    """For what does not concern a client."""


@dataclass(frozen=True)
class Hearing:
    """Who is told what a session hears. None of these may block."""

    control: Callable[[Any], None]
    """A frame of the control stream, except Welcome, Heartbeat and Goodbye; none before
    `Session.begin`."""
    tick: Callable[[], None]
    """Comes `TICKS` times in `dead_after_s`: time to ask whether the node lives."""
    note: Callable[[int, Any], None] = _not_heard
    """A frame of the stream of the subscription of that id."""
    cut: Callable[[int, Code], None] = _not_heard
    """A subscription's stream is over, and the connection is not."""


class _Incoming:
    """A stream of the node's."""

    def __init__(self) -> None:
        self.frames = FrameReader()
        self.subscription: int | None = None
        self.frame_count = 0
        self.frame_count_at_tick = 0
        self.stalled_ticks = 0


class Session:
    """One connection from Welcome to its end."""

    def __init__(self, hearing: Hearing, dead_after_s: float) -> None:
        self._hearing = hearing
        self._tick_s = dead_after_s / TICKS
        self._link: Link | None = None
        self._control = 0
        self._incoming: dict[int, _Incoming] = {}
        self._lanes: dict[Lane, int] = {}
        self._welcomed: asyncio.Future[Welcome] = asyncio.get_running_loop().create_future()
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._welcomed.add_done_callback(note_exception)
        self._early: list[Any] | None = []
        """What came behind the Welcome, within the same turn of the loop, until `begin`."""
        self._goodbye: Goodbye | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._dead_after_s = dead_after_s

    @classmethod
    async def open(
        cls,
        address: str,
        credentials: Credentials,
        hearing: Hearing,
        *,
        client: str,
        server_name: str | None,
        dead_after_s: float,
        resume: tuple[Resume, ...] = (),
    ) -> Session:
        """Connects and says hello; raises `Ended` if there is no Welcome."""
        session = cls(hearing, dead_after_s)
        server_name = server_name or split_address(address)[0]
        try:
            async with asyncio.timeout(WELCOME_S):
                session._link = await Link.open(address, server_name, credentials, session)
                session._control = session._link.new_stream(is_unidirectional=False)
                session._incoming[session._control] = _Incoming()
                # Now, not before: the node compares `sent_at` with its own clock, and whatever the
                # handshake has taken would look like a clock that is behind.
                hello = Hello(
                    versions=(PROTOCOL_VERSION,),
                    client=f"{client} (ach-client for Python {__version__})",
                    site=credentials.identity.site,
                    resume=resume,
                    sent_at=time.time_ns(),
                )
                session.send(hello)
                await session._welcomed
        except TimeoutError:
            session.abort(Code.DONE, "no welcome")
            raise Ended(Ending(f"no node answered at {address} within {WELCOME_S:.0f} s")) from None
        except BaseException:
            session.abort(Code.DONE, "given up")
            raise
        session._ticker = asyncio.create_task(session._tick())
        return session

    def begin(self) -> None:
        """From now on, what the node says after its Welcome is told; so is what came already."""
        early, self._early = self._early or [], None
        for frame in early:
            self._hearing.control(frame)

    @property
    def welcome(self) -> Welcome:
        """What the node said."""
        return self._welcomed.result()

    @property
    def is_over(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._ended.done()

    async def ended(self) -> Ending:
        """Waits for the end."""
        return await asyncio.shield(self._ended)

    def send(self, frame: Any) -> None:
        """A frame on the control stream."""
        if self._link is not None:
            self._link.send(self._control, write_frame(frame))

    def send_on_lane(self, lane: Lane, epoch: int, frame_type: int, payload: bytes) -> None:
        """A frame on a lane, whose stream is opened by the first."""
        if self._link is None:
            return
        data = framed(frame_type, payload)
        if lane not in self._lanes:
            self._lanes[lane] = self._link.new_stream(is_unidirectional=True)
            data = write_preamble(LanePreamble(lane=lane, epoch=epoch)) + data
        self._link.send(self._lanes[lane], data)

    def probe(self) -> None:
        """Asks the node's transport for a sign of life."""
        if self._link is not None:
            self._link.probe()

    def abort(self, code: Code, why: str) -> None:
        """Ends the connection now."""
        if self._link is not None:
            self._link.abort(code, why)

    def abort_soon(self, why: str) -> None:
        """Ends the connection unless it ends by itself in a moment."""
        if not self.is_over:
            loop = asyncio.get_running_loop()
            loop.call_later(CUT_GRACE_S, self.abort, Code.DONE, why)

    async def close(self) -> None:
        """Ends the connection in good order: Goodbye, the node's last acks, its Goodbye."""
        if not self.is_over and self._link is not None:
            self._link.send(self._control, write_frame(Goodbye(code=Code.DONE)), is_end=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self.ended()
        self.abort(Code.DONE, "")

    # ---- what the link hears

    def stream_heard(self, stream_id: int, data: bytes, is_end: bool) -> None:
        """Bytes of a stream, in order."""
        try:
            self._read(stream_id, data, is_end)
        except Refused as refused:
            _log.error("the node says what cannot be read: %s", refused)
            self.abort(refused.code, str(refused))

    def stream_cut(self, stream_id: int, code: Code) -> None:
        """The node gave up a stream."""
        if stream_id == self._control or stream_id in self._lanes.values():
            # A node that closes stops its streams first. What it says in CONNECTION_CLOSE is worth
            # more, and comes in a moment.
            self.abort_soon(f"the node reads a stream no more: {code}")
            return
        incoming = self._incoming.pop(stream_id, None)
        if incoming is not None and incoming.subscription is not None:
            self._hearing.cut(incoming.subscription, code)

    def link_ended(self, ending: Ending) -> None:
        """The last that is heard."""
        if self._goodbye is not None and ending.code in (None, self._goodbye.code):
            ending = Ending(self._goodbye.detail or ending.why, self._goodbye.code)
        if self._ticker is not None:
            self._ticker.cancel()
        if not self._welcomed.done():
            self._welcomed.set_exception(Ended(ending))
        if not self._ended.done():
            self._ended.set_result(ending)

    def _read(self, stream_id: int, data: bytes, is_end: bool) -> None:
        is_ours = stream_id == self._control
        incoming = self._incoming.get(stream_id)
        if incoming is None:
            # Streams that a server opens and that go one way end in the bits 11.
            if stream_id & 3 != 3:
                raise Refused(Code.BAD_STREAM, "a stream that a node may not open")
            incoming = self._incoming[stream_id] = _Incoming()
        incoming.frames.feed(data)
        if not is_ours and incoming.subscription is None:
            preamble = incoming.frames.take(PREAMBLE_BYTES)
            if preamble is None:
                return
            opened = read_preamble(preamble)
            if not isinstance(opened, SubscriptionPreamble):
                raise Refused(Code.BAD_STREAM, "a stream that a node may not open")
            incoming.subscription = opened.subscription
        while (frame := incoming.frames.next_frame()) is not None and not self.is_over:
            incoming.frame_count += 1
            if incoming.subscription is not None:
                self._hearing.note(incoming.subscription, frame)
            else:
                self._control_frame(frame)
        if is_end and is_ours:
            self.abort_soon("the node has ended the control stream")
        elif is_end:
            del self._incoming[stream_id]
            if incoming.subscription is not None:
                self._hearing.cut(incoming.subscription, Code.DONE)

    def _control_frame(self, frame: Any) -> None:
        if isinstance(frame, Welcome):
            if self._welcomed.done():
                raise Refused(Code.UNEXPECTED_FRAME, "a second Welcome")
            if frame.version != PROTOCOL_VERSION:
                raise Refused(Code.NO_COMMON_VERSION, f"version {frame.version}")
            self._welcomed.set_result(frame)
        elif isinstance(frame, Goodbye):
            self._goodbye = frame
        elif not self._welcomed.done():
            raise Refused(Code.UNEXPECTED_FRAME, "a frame before the Welcome")
        elif isinstance(frame, Heartbeat):
            pass
        elif self._early is not None:
            self._early.append(frame)
        else:
            self._hearing.control(frame)

    # ---- whether the node lives

    async def _tick(self) -> None:
        silence = Silence()
        while not self.is_over and self._link is not None:
            await asyncio.sleep(self._tick_s)
            if silence.is_dead_at_tick(self._link.heard_count):
                self.declare_dead()
            elif self._has_stalled_frame():
                self.abort(Code.FRAME_TIMEOUT, "a frame was begun and not finished in time")
            else:
                self._hearing.tick()

    def declare_dead(self) -> None:
        """Ends a connection over which nothing comes."""
        why = f"the link is dead: nothing was heard for almost {self._dead_after_s:.1f} s"
        self.abort(Code.DONE, why)

    def _has_stalled_frame(self) -> bool:
        has_stalled = False
        for incoming in self._incoming.values():
            is_same = incoming.frame_count == incoming.frame_count_at_tick
            is_stalled = is_same and incoming.frames.is_within_frame
            incoming.stalled_ticks = incoming.stalled_ticks + 1 if is_stalled else 0
            incoming.frame_count_at_tick = incoming.frame_count
            has_stalled |= incoming.stalled_ticks * self._tick_s > FRAME_S
        return has_stalled
