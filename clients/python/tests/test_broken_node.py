"""Clients against a node that was started anew, is gone, or breaks the rules."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from fake_node import FakeNode, Visit
from real_node import run
from test_alarm_book import note
from test_fake_node import (
    TAG,
    ack,
    authority_and_desk,
    authority_and_vendor,
    intern,
    lane,
    numbers,
    ping,
)

from ach_client import (
    AlarmSubscriber,
    ClockOff,
    Code,
    Gap,
    Lane,
    LinkDown,
    LinkUp,
    Mark,
    NodeRefused,
    Notice,
    Publisher,
    Storage,
    Transition,
)
from ach_client.codec import framed
from ach_client.control import ClockOffset, Echo, EchoReply, Hello
from ach_client.fields import write_fields
from ach_client.notes import EventNote, OpenSetEnd
from ach_client.silence import TICKS
from ach_client.values import Cursor
from ach_client.words import EventWord


async def until_down(alarms: AlarmSubscriber) -> LinkDown:
    async for update in alarms:
        if isinstance(update, LinkDown):
            return update
    raise AssertionError("the subscription ended")


async def until_mark(alarms: AlarmSubscriber) -> None:
    async for update in alarms:
        if isinstance(update, Mark):
            return


class Notices:
    """What a publisher tells, and waiting for it."""

    def __init__(self) -> None:
        self.told: list[Notice] = []
        self._downs: asyncio.Queue[LinkDown] = asyncio.Queue()

    def __call__(self, notice: Notice) -> None:
        self.told.append(notice)
        if isinstance(notice, LinkDown):
            self._downs.put_nowait(notice)

    async def down(self) -> LinkDown:
        return await self._downs.get()


async def is_gone(visit: Visit) -> None:
    """Plays a node that says nothing more."""
    await visit.is_over.wait()


def test_a_node_that_was_started_anew_is_known_at_once_by_its_reset(tmp_path: Path) -> None:
    authority, desk = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        visit.note(stream, OpenSetEnd(open_count=0))
        await visit.hear(Echo)
        if visit is node.visits[0]:
            visit.reset()

    node = FakeNode(authority, play)

    async def test() -> None:
        async with node:
            async with AlarmSubscriber(node.address, desk, dead_after_s=9.0) as alarms:
                down = await until_down(alarms)
                assert "started anew" in str(down)
                assert down.wait_s is not None and down.wait_s <= 0.05
                await until_mark(alarms)

    run(test())


def test_what_cannot_be_decrypted_is_no_sign_of_life(tmp_path: Path) -> None:
    authority, vendor = authority_and_vendor(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome(lane(1))
        visit.is_deaf = True
        while True:
            visit.send_datagram(bytes([0x40]) + bytes(40))
            await asyncio.sleep(0.02)

    async def test() -> None:
        notices = Notices()
        async with FakeNode(authority, play) as node:
            async with Publisher(node.address, vendor, dead_after_s=1.0, on_notice=notices):
                assert "dead" in str(await notices.down())
            for visit in node.visits:
                if visit._task is not None:
                    visit._task.cancel()

    run(test())


def test_a_link_on_which_nothing_comes_is_left_before_the_promised_time_is_over(
    tmp_path: Path,
) -> None:
    authority, desk = authority_and_desk(tmp_path)
    unanswered: asyncio.Queue[int] = asyncio.Queue()

    async def play(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        echo: Echo = await visit.hear(Echo)
        visit.note(stream, EchoReply(nonce=echo.nonce))
        await visit.is_over.wait()
        unanswered.put_nowait(len(visit.heard_so_far(Echo)))

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with AlarmSubscriber(node.address, desk, dead_after_s=1.5) as alarms:
                assert "dead" in str(await until_down(alarms))
            # The one that was answered, these, and the tick that found the link dead.
            assert 1 + await unanswered.get() + 1 <= TICKS

    run(test())


def test_the_time_of_a_hello_is_not_that_before_a_slow_handshake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, desk = authority_and_desk(tmp_path)
    hellos: asyncio.Queue[Hello] = asyncio.Queue()

    async def play(visit: Visit) -> None:
        hellos.put_nowait(await visit.welcome())

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            loop = asyncio.get_running_loop()
            resolve = loop.getaddrinfo
            found_at: list[int] = []

            async def lookup(*about: Any, **settings: Any) -> Any:
                found = await resolve(*about, **settings)
                found_at.append(time.time_ns())
                return found

            monkeypatch.setattr(loop, "getaddrinfo", lookup)
            async with AlarmSubscriber(node.address, desk):
                hello = await hellos.get()
                assert hello.sent_at > found_at[0]

    run(test())


def test_credentials_that_are_no_vendors_are_refused_to_a_publisher_when_it_connects(
    tmp_path: Path,
) -> None:
    authority, desk = authority_and_desk(tmp_path)

    async def without_lanes(visit: Visit) -> None:
        await visit.welcome()

    async def with_two_epochs(visit: Visit) -> None:
        doors = type(lane(2))(**{**vars(lane(2)), "lane": Lane.DOORS_AND_ALARMS})
        await visit.welcome(lane(1), doors)

    async def test() -> None:
        for play, code in (
            (without_lanes, Code.WRONG_ROLE),
            (with_two_epochs, Code.MALFORMED),
        ):
            async with FakeNode(authority, play) as node:
                with pytest.raises(NodeRefused) as refused:
                    async with Publisher(node.address, desk):
                        pass
                assert refused.value.code is code
                assert len(node.visits) == 1

    run(test())


def test_what_comes_with_the_welcome_is_told_after_it(tmp_path: Path) -> None:
    authority, vendor = authority_and_vendor(tmp_path)
    notices = Notices()

    async def first(visit: Visit) -> None:
        await visit.welcome(lane(1))
        await intern(visit)
        await numbers(visit, 3)
        visit.goodbye(Code.SHUTTING_DOWN)

    async def second(visit: Visit) -> None:
        # It was all decided on and stored, and no other Ack comes.
        await visit.welcome(lane(1), behind=(ack(3, 3), ClockOffset(offset_ns=-1_000_000_000)))
        await is_gone(visit)

    async def test() -> None:
        async with FakeNode(authority, first, second) as node:
            async with Publisher(node.address, vendor, on_notice=notices) as publisher:
                for number in range(1, 4):
                    await publisher.ping(TAG, ping(number))
                await publisher.accepted()
                await publisher.durable()
        kinds = [type(notice) for notice in notices.told]
        assert kinds == [LinkUp, LinkDown, LinkUp, ClockOff]

    run(test())


def test_what_is_published_meanwhile_does_not_hold_up_who_waits_for_what_was_before(
    tmp_path: Path,
) -> None:
    authority, vendor = authority_and_vendor(tmp_path)
    is_accepted = asyncio.Event()

    async def play(visit: Visit) -> None:
        await visit.welcome(lane(1))
        await intern(visit)
        await numbers(visit, 3)
        visit.say(ack(2, 0))
        await is_accepted.wait()
        visit.say(ack(3, 3))

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Publisher(node.address, vendor) as publisher:
                await publisher.ping(TAG, ping(1))
                await publisher.ping(TAG, ping(2))
                waiting = asyncio.create_task(publisher.accepted())
                # It has begun to wait when this is over.
                await asyncio.sleep(0)
                await publisher.ping(TAG, ping(3))
                await waiting
                is_accepted.set()

    run(test())


def test_after_sessions_that_were_of_use_it_comes_again_at_once_however_short_they_were(
    tmp_path: Path,
) -> None:
    authority, vendor = authority_and_vendor(tmp_path)
    notices = Notices()

    async def play(visit: Visit) -> None:
        through = len(node.visits)
        await visit.welcome(lane(1, accepted=through - 1, durable=through - 1))
        await intern(visit)
        await numbers(visit, 1)
        visit.say(ack(through, through))
        visit.goodbye(Code.SHUTTING_DOWN)

    node = FakeNode(authority, play)

    async def test() -> None:
        async with node:
            async with Publisher(node.address, vendor, on_notice=notices) as publisher:
                for number in range(1, 8):
                    await publisher.ping(TAG, ping(number))
                    down = await notices.down()
                    assert down.wait_s is not None and down.wait_s <= 0.05, number

    run(test())


@pytest.mark.parametrize("what", ["stops reading a lane", "ends the control stream"])
def test_a_node_whose_session_is_dead_and_its_transport_is_not_is_left(
    tmp_path: Path, what: str
) -> None:
    authority, vendor = authority_and_vendor(tmp_path)
    notices = Notices()

    async def play(visit: Visit) -> None:
        await visit.welcome(lane(1))
        await intern(visit)
        await numbers(visit, 1)
        if what == "stops reading a lane":
            visit.read_no_more(Lane.PINGS)
        else:
            visit.finish(0)
        await is_gone(visit)

    async def better(visit: Visit) -> None:
        await visit.welcome(lane(1))
        await intern(visit)
        await numbers(visit, 1)
        visit.say(ack(1, 1))

    async def test() -> None:
        async with FakeNode(authority, play, better) as node:
            publisher = Publisher(node.address, vendor, dead_after_s=60.0, on_notice=notices)
            async with publisher:
                await publisher.ping(TAG, ping(1))
                down = await notices.down()
                assert "no more" in str(down) or "ended the control stream" in str(down)
                await publisher.durable()

    run(test())


def test_a_note_of_another_topic_closes_the_connection_and_not_the_program(tmp_path: Path) -> None:
    authority, desk = authority_and_desk(tmp_path)
    event = EventNote(
        word=EventWord.SITE_CHANGED, at=1, storage=Storage.PROVISIONAL, cursor=Cursor(0, 1, 0)
    )

    async def broken(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        visit.note(stream, event)
        await is_gone(visit)

    async def better(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        visit.note(stream, OpenSetEnd(open_count=0))

    async def test() -> None:
        async with FakeNode(authority, broken, better) as node:
            async with AlarmSubscriber(node.address, desk, dead_after_s=30.0) as alarms:
                await until_mark(alarms)
            await node.visits[0].is_over.wait()
            assert node.visits[0].close_code == Code.UNEXPECTED_FRAME

    run(test())


def test_a_cursor_that_the_node_refuses_is_not_resumed_after(tmp_path: Path) -> None:
    """As after the node was restored from a backup: what is news lies below what was heard."""
    authority, desk = authority_and_desk(tmp_path)
    resumed: asyncio.Queue[Cursor | None] = asyncio.Queue()
    news = note("a", Transition.RAISED, Storage.DURABLE)
    news = type(news)(**{**vars(news), "cursor": Cursor(0, 950, 0)})

    async def first(visit: Visit) -> None:
        await visit.welcome()
        subscribe, stream = await visit.subscribed()
        resumed.put_nowait(subscribe.resume_after)
        gap = Gap(code=Code.CURSOR_OUT_OF_RANGE, cursor=Cursor(0, 900, 0))
        visit.note(stream, gap, OpenSetEnd(open_count=0, cursor=Cursor(0, 900, 0)), news)
        visit.goodbye(Code.SHUTTING_DOWN)

    async def second(visit: Visit) -> None:
        await visit.welcome()
        subscribe, stream = await visit.subscribed()
        resumed.put_nowait(subscribe.resume_after)
        visit.note(stream, OpenSetEnd(open_count=0, cursor=Cursor(0, 950, 0)))

    async def test() -> None:
        async with FakeNode(authority, first, second) as node:
            async with AlarmSubscriber(
                node.address, desk, resume_after=Cursor(0, 1_000, 0), dead_after_s=30.0
            ) as alarms:
                places = []
                async for update in alarms:
                    places.append((type(update).__name__, alarms.cursor))
                    if isinstance(update, LinkDown):
                        break
                await until_mark(alarms)
        assert [resumed.get_nowait(), resumed.get_nowait()] == [
            Cursor(0, 1_000, 0),
            Cursor(0, 950, 0),
        ]
        # What is kept for another run goes back too.
        assert places == [
            ("LinkUp", Cursor(0, 1_000, 0)),
            ("Gap", Cursor(0, 1_000, 0)),
            ("Mark", None),
            ("Told", Cursor(0, 900, 0)),
            ("LinkDown", Cursor(0, 950, 0)),
        ]

    run(test())


def test_an_open_alarm_in_words_of_a_later_node_stays_on_the_screen(tmp_path: Path) -> None:
    authority, desk = authority_and_desk(tmp_path)
    raised = note("a", Transition.RAISED, Storage.DURABLE, resent=True)

    async def first(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        visit.note(stream, raised, OpenSetEnd(open_count=1))
        visit.goodbye(Code.SHUTTING_DOWN)

    async def later_version(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        newer = write_fields(raised).replace(b"\4\0\1\0\12", b"\4\0\1\0\310")
        visit.send(stream, framed(48, newer))
        visit.note(stream, OpenSetEnd(open_count=1))

    async def test() -> None:
        async with FakeNode(authority, first, later_version) as node:
            async with AlarmSubscriber(node.address, desk, dead_after_s=30.0) as alarms:
                await until_mark(alarms)
                await until_down(alarms)
                told = []
                async for update in alarms:
                    told.append(type(update))
                    if isinstance(update, Mark):
                        break
                assert told == [LinkUp, Mark]
                assert [alarm.id for alarm in alarms.open_alarms] == [raised.id]
                assert alarms.skipped_count == 1

    run(test())


def test_a_certificate_that_was_renewed_in_its_place_is_shown_and_not_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority, desk = authority_and_desk(tmp_path)
    authority.enrol("ach://example/receiver/desk", "desk", days=2)

    async def first(visit: Visit) -> None:
        await visit.welcome()
        await visit.subscribed()
        authority.enrol("ach://example/receiver/desk", "desk")
        visit.goodbye(Code.SHUTTING_DOWN)

    async def torn(visit: Visit) -> None:
        await visit.welcome()
        await visit.subscribed()
        (desk / "key.pem").write_text("half of it")
        visit.goodbye(Code.SHUTTING_DOWN)

    async def last(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        visit.note(stream, OpenSetEnd(open_count=0))

    async def test() -> None:
        caplog.set_level(logging.WARNING, "ach_client")
        async with FakeNode(authority, first, torn, last) as node:
            async with AlarmSubscriber(node.address, desk, dead_after_s=30.0) as alarms:
                await until_down(alarms)
                await until_down(alarms)
                # While it is being renewed it is no end.
                assert "not readable" in str(await until_down(alarms))
                authority.enrol("ach://example/receiver/desk", "desk")
                await until_mark(alarms)
        warned = [record for record in caplog.records if "enrol again" in record.message]
        assert len(warned) == 1

    run(test())
