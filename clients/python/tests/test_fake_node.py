"""Clients against a node that does what a real one does seldom: moods, lies and silences."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from fake_node import Authority, FakeNode, Visit
from real_node import run
from test_alarm_book import note

from ach_client import (
    AlarmSubscriber,
    Code,
    Gap,
    GaveUp,
    HandshakeRefused,
    Lane,
    LinkDown,
    LinkUp,
    Mark,
    NodeForgot,
    NodeRefused,
    NotDurable,
    Notice,
    Ping,
    Publisher,
    Report,
    ReportKind,
    Storage,
    Told,
    Transition,
)
from ach_client import inbox as inbox_module
from ach_client.codec import HEADER_BYTES, framed, write_frame
from ach_client.control import (
    Ack,
    Echo,
    EchoReply,
    Goodbye,
    Intern,
    Interned,
    LaneState,
    Refusal,
    Totals,
)
from ach_client.fields import write_fields
from ach_client.notes import OpenSetEnd
from ach_client.records import Pings, Reports
from ach_client.values import Cursor

TAG = "0200AC0000000001"
NO_TOTALS = Totals(accepted=0, duplicate=0, late=0, refused=0, conflated=0)


def lane(epoch: int, accepted: int = 0, durable: int = 0, credit: int = 1_000) -> LaneState:
    return LaneState(
        lane=Lane.PINGS,
        epoch=epoch,
        accepted_through=accepted,
        durable_through=durable,
        credit_through=credit,
    )


def ack(accepted: int, durable: int, credit: int = 1_000, epoch: int = 1) -> Ack:
    return Ack(
        lane=Lane.PINGS,
        epoch=epoch,
        accepted_through=accepted,
        durable_through=durable,
        credit_through=credit,
        totals=NO_TOTALS,
    )


def ping(number: int) -> Ping:
    return Ping(observed_at=time.time_ns(), x_mm=number, y_mm=0)


async def intern(visit: Visit) -> None:
    asked: Intern = await visit.hear(Intern)
    visit.say(Interned(first_handle=asked.first_handle, item_count=len(asked.items)))


async def numbers(visit: Visit, count: int) -> list[tuple[int, int]]:
    """The numbers of the next pings, each with its content."""
    found: list[tuple[int, int]] = []
    while len(found) < count:
        frame: Pings = await visit.hear(Pings)
        for number, (_, content) in enumerate(frame.pings, frame.first_seq):
            assert content.x_mm is not None
            found.append((number, content.x_mm))
    assert len(found) == count, found
    return found


def authority_and_vendor(tmp_path: Path) -> tuple[Authority, Path]:
    authority = Authority(tmp_path)
    return authority, authority.enrol("ach://example/vendor/rtls", "rtls")


def authority_and_desk(tmp_path: Path) -> tuple[Authority, Path]:
    authority = Authority(tmp_path)
    return authority, authority.enrol("ach://example/receiver/desk", "desk")


def test_nothing_is_sent_beyond_the_credit_or_before_its_handle(tmp_path: Path) -> None:
    authority, vendor = authority_and_vendor(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome(lane(1, credit=3))
        asked: Intern = await visit.hear(Intern)
        # Time enough for pings to come, if any did before their handles are known.
        await asyncio.sleep(0.3)
        assert visit.heard_so_far(Pings) == []
        visit.say(Interned(first_handle=asked.first_handle, item_count=len(asked.items)))
        assert await numbers(visit, 3) == [(1, 1), (2, 2), (3, 3)]
        visit.say(ack(2, 0, credit=4))
        assert await numbers(visit, 1) == [(4, 4)]
        visit.say(ack(4, 0, credit=5))
        assert await numbers(visit, 1) == [(5, 5)]
        visit.say(ack(5, 5))
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Publisher(node.address, vendor) as publisher:
                for number in range(1, 6):
                    await publisher.ping(TAG, ping(number))
                await publisher.durable()
            assert node.visits[0]._task is not None
            await node.visits[0]._task

    run(test())


def test_what_is_not_durable_is_sent_again_under_its_numbers_or_from_one(tmp_path: Path) -> None:
    authority, vendor = authority_and_vendor(tmp_path)

    async def first(visit: Visit) -> None:
        assert (await visit.welcome(lane(7))).resume == ()
        await intern(visit)
        await numbers(visit, 5)
        visit.say(ack(4, 2, epoch=7))
        visit.goodbye(Code.SHUTTING_DOWN)

    async def second(visit: Visit) -> None:
        resume = (await visit.welcome(lane(7, accepted=4, durable=3))).resume
        asked = {it.lane: (it.epoch, it.last_seq) for it in resume}
        assert asked[Lane.PINGS] == (7, 5)
        assert asked[Lane.DURESS] == (7, 0)
        await intern(visit)
        assert await numbers(visit, 2) == [(4, 4), (5, 5)]
        visit.goodbye(Code.SHUTTING_DOWN)

    async def third(visit: Visit) -> None:
        await visit.welcome(lane(8))
        await intern(visit)
        assert await numbers(visit, 2) == [(1, 4), (2, 5)]
        visit.say(ack(2, 2, epoch=8))
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, first, second, third) as node:
            async with Publisher(node.address, vendor) as publisher:
                for number in range(1, 6):
                    await publisher.ping(TAG, ping(number))
                await publisher.durable()
                assert publisher.kept_count == 0
            for visit in node.visits:
                assert visit._task is not None
                await visit._task

    run(test())


def test_a_node_that_does_not_store_costs_what_is_decided_on_and_it_is_said(tmp_path: Path) -> None:
    authority, vendor = authority_and_vendor(tmp_path)
    told: list[Notice] = []

    async def play(visit: Visit) -> None:
        await visit.welcome(lane(1), is_storing=False)
        await intern(visit)
        assert await numbers(visit, 3) == [(1, 1), (2, 2), (3, 3)]
        visit.say(ack(2, 0))
        assert await numbers(visit, 2) == [(4, 4), (5, 5)]

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            publisher = Publisher(
                node.address, vendor, pings_kept=3, may_conflate=False, on_notice=told.append
            )
            async with publisher:
                for number in range(1, 6):
                    await publisher.ping(TAG, ping(number))
                # There is no room for a sixth: the third is not decided on.
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.3):
                        await publisher.ping(TAG, ping(6))
                with pytest.raises(NotDurable):
                    await publisher.durable()
                assert node.visits[0]._task is not None
                await node.visits[0]._task
                node.visits[0].say(ack(5, 0))
                await publisher.accepted()
        assert [it.count for it in told if isinstance(it, GaveUp)] == [1, 1]

    run(test())


def test_while_the_node_stores_nothing_is_given_up_however_long_it_takes(tmp_path: Path) -> None:
    authority, vendor = authority_and_vendor(tmp_path)
    told: list[Notice] = []

    async def play(visit: Visit) -> None:
        await visit.welcome(lane(1))
        await intern(visit)
        await numbers(visit, 2)
        visit.say(ack(2, 0))
        # Time enough for a third to come, if anything was forgotten to make room for it.
        await asyncio.sleep(0.3)
        assert visit.heard_so_far(Pings) == []
        visit.say(ack(2, 1))
        assert await numbers(visit, 1) == [(3, 3)]
        visit.say(ack(3, 3))

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            publisher = Publisher(
                node.address, vendor, pings_kept=2, may_conflate=False, on_notice=told.append
            )
            async with publisher:
                for number in range(1, 4):
                    await publisher.ping(TAG, ping(number))
                await publisher.durable()
            assert node.visits[0]._task is not None
            await node.visits[0]._task
        assert [it for it in told if isinstance(it, GaveUp)] == []

    run(test())


def test_a_notice_that_the_program_cannot_take_does_not_stop_the_publisher(tmp_path: Path) -> None:
    authority, vendor = authority_and_vendor(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome(lane(1))
        await intern(visit)
        await numbers(visit, 1)
        visit.say(ack(1, 1))

    def fails(notice: Notice) -> None:
        raise RuntimeError(f"no place for {notice}")

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Publisher(node.address, vendor, on_notice=fails) as publisher:
                await publisher.ping(TAG, ping(1))
                await publisher.durable()

    run(test())


def test_an_input_of_another_lane_does_not_wait_for_room_of_pings(tmp_path: Path) -> None:
    authority, vendor = authority_and_vendor(tmp_path)

    async def play(visit: Visit) -> None:
        duress = LaneState(
            lane=Lane.DURESS, epoch=1, accepted_through=0, durable_through=0, credit_through=10
        )
        await visit.welcome(duress, lane(1, credit=0))
        await intern(visit)
        reports: Reports = await visit.hear(Reports)
        assert [(it.seq, it.report.kind) for it in reports.reports] == [
            (1, ReportKind.BUTTON_PRESSED)
        ]
        visit.goodbye(Code.TAKEN_OVER)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            with pytest.raises(NodeRefused) as refused:
                publisher = Publisher(node.address, vendor, pings_kept=1, may_conflate=False)
                async with publisher:
                    await publisher.ping(TAG, ping(1))
                    pressed = Report(kind=ReportKind.BUTTON_PRESSED, observed_at=time.time_ns())
                    await publisher.report(TAG, pressed)
                    await publisher.ping(TAG, ping(2))
            assert refused.value.code is Code.TAKEN_OVER
            assert node.visits[0]._task is not None
            await node.visits[0]._task

    run(test())


def test_one_who_shows_a_vendors_certificate_is_no_node(tmp_path: Path) -> None:
    authority, desk = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()

    async def test() -> None:
        async with FakeNode(authority, play, role="vendor") as node:
            with pytest.raises(HandshakeRefused, match="not a node"):
                async with AlarmSubscriber(node.address, desk):
                    pass

    run(test())


def test_one_who_has_another_host_name_is_not_the_node(tmp_path: Path) -> None:
    authority, desk = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            with pytest.raises(HandshakeRefused):
                async with AlarmSubscriber(node.address, desk, server_name="elsewhere.example"):
                    pass

    run(test())


def test_a_refusal_that_does_not_pass_is_raised_at_first_and_told_later(tmp_path: Path) -> None:
    authority, desk = authority_and_desk(tmp_path)

    async def refuses(visit: Visit) -> None:
        await visit.hear()
        visit.goodbye(Code.WRONG_SITE)

    async def lets_in_and_refuses(visit: Visit) -> None:
        await visit.welcome()
        await visit.subscribed()
        visit.goodbye(Code.WRONG_SITE)

    async def test() -> None:
        async with FakeNode(authority, refuses) as node:
            with pytest.raises(NodeRefused, match="told to say 34"):
                async with AlarmSubscriber(node.address, desk):
                    pass
            assert len(node.visits) == 1
        async with FakeNode(authority, lets_in_and_refuses) as node:
            async with AlarmSubscriber(node.address, desk) as alarms:
                async for update in alarms:
                    if isinstance(update, LinkDown):
                        break
                assert isinstance(update, LinkDown)
                assert update.ending.code is Code.WRONG_SITE
                assert update.wait_s is not None and update.wait_s >= 10.0

    run(test())


def test_the_code_of_a_close_counts_more_than_the_end_of_a_stream(tmp_path: Path) -> None:
    authority, desk = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        hello = await visit.welcome()
        assert (hello.site, hello.versions) == ("example", (1,))
        _, stream = await visit.subscribed()
        visit.finish(stream)
        await asyncio.sleep(0.2)
        visit.goodbye(Code.SHUTTING_DOWN)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with AlarmSubscriber(node.address, desk, dead_after_s=30.0) as alarms:
                async for update in alarms:
                    if isinstance(update, LinkDown):
                        break
                assert isinstance(update, LinkDown)
                assert update.ending.code is Code.SHUTTING_DOWN

    run(test())


def test_notes_of_a_newer_node_are_left_out_and_counted(tmp_path: Path) -> None:
    authority, desk = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        newer = write_fields(note("a", Transition.RAISED, Storage.DURABLE)).replace(
            b"\4\0\1\0\12", b"\4\0\1\0\310"
        )
        later_type = framed(200, b"of a later version")
        visit.send(stream, framed(48, newer) + later_type)
        visit.note(stream, note("b", Transition.RAISED, Storage.DURABLE), OpenSetEnd(open_count=0))

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with AlarmSubscriber(node.address, desk, dead_after_s=30.0) as alarms:
                told = []
                async for update in alarms:
                    told.append(update)
                    if isinstance(update, Mark):
                        break
                assert [it.note.id[0] for it in told if isinstance(it, Told)] == ["b"]
                assert alarms.skipped_count == 1

    run(test())


def test_a_node_that_writes_rubbish_is_left_with_the_code_and_tried_again(tmp_path: Path) -> None:
    authority, desk = authority_and_desk(tmp_path)

    async def rubbish(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        visit.send(stream, b"\xff" * HEADER_BYTES)

    async def better(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        visit.note(stream, OpenSetEnd(open_count=0))

    async def test() -> None:
        async with FakeNode(authority, rubbish, better) as node:
            async with AlarmSubscriber(node.address, desk, dead_after_s=30.0) as alarms:
                async for update in alarms:
                    if isinstance(update, Mark):
                        break
            await node.visits[0].is_over.wait()
            assert node.visits[0].close_code == Code.FRAME_TOO_LARGE

    run(test())


def test_a_node_that_never_finishes_a_frame_is_left(tmp_path: Path) -> None:
    authority, desk = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        visit.send(stream, write_frame(OpenSetEnd(open_count=0))[:-1])
        while True:
            # It lives, and answers nobody.
            await visit.ping()
            await asyncio.sleep(0.1)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with AlarmSubscriber(node.address, desk, dead_after_s=12.0) as alarms:
                async for update in alarms:
                    if isinstance(update, LinkDown):
                        break
                assert "not finished in time" in str(update)
            await node.visits[0].is_over.wait()
            assert node.visits[0].close_code == Code.FRAME_TIMEOUT
            node.visits[0]._task and node.visits[0]._task.cancel()

    run(test())


def test_a_node_whose_notes_have_stopped_is_left_though_its_transport_lives(tmp_path: Path) -> None:
    authority, desk = authority_and_desk(tmp_path)

    async def deaf(visit: Visit) -> None:
        await visit.welcome()
        await visit.subscribed()

    async def answers(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        for _ in range(8):
            echo: Echo = await visit.hear(Echo)
            assert echo.subscription is not None
            visit.note(stream, EchoReply(nonce=echo.nonce))
        visit.note(stream, OpenSetEnd(open_count=0))

    async def test() -> None:
        async with FakeNode(authority, deaf, answers) as node:
            async with AlarmSubscriber(node.address, desk, dead_after_s=1.0) as alarms:
                downs = 0
                async for update in alarms:
                    downs += isinstance(update, LinkDown)
                    if isinstance(update, Mark):
                        break
                assert downs >= 1

    run(test())


def test_a_program_that_is_busy_for_long_does_not_take_its_node_for_dead(tmp_path: Path) -> None:
    authority, desk = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        visit.note(stream, OpenSetEnd(open_count=0))
        while True:
            echo: Echo = await visit.hear(Echo)
            visit.note(stream, EchoReply(nonce=echo.nonce))
            if echo.nonce == 6:
                visit.note(stream, note("a", Transition.RAISED, Storage.DURABLE))

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with AlarmSubscriber(node.address, desk, dead_after_s=2.0) as alarms:
                seen = []
                async for update in alarms:
                    seen.append(type(update))
                    if isinstance(update, Mark):
                        # Blocks the whole loop, node included, for longer than a link may be dead.
                        time.sleep(2.5)
                    if isinstance(update, Told):
                        break
                assert seen == [LinkUp, Mark, Told]

    run(test())


def test_a_program_that_reads_too_slowly_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, desk = authority_and_desk(tmp_path)
    monkeypatch.setattr(inbox_module, "WAITING_MAX", 10)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        subscribe, stream = await visit.subscribed()
        resume = subscribe.resume_after
        after = -1 if resume is None else resume.index
        for index in range(after + 1, 40):
            raised = note("a", Transition.RAISED, Storage.DURABLE)
            fields = {"id": f"{index:032x}", "cursor": Cursor(0, index, 0)}
            visit.note(stream, type(raised)(**{**vars(raised), **fields}))
            await asyncio.sleep(0)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with AlarmSubscriber(node.address, desk, dead_after_s=30.0) as alarms:
                found = []
                async for update in alarms:
                    if isinstance(update, Told):
                        found.append(int(update.note.id, 16))
                        await asyncio.sleep(0.02)
                        if len(found) == 40:
                            break
                assert found == list(range(40))
            assert len(node.visits) > 1, "it read so slowly that it was cut off"

    run(test())


def test_the_cursor_follows_news_and_marks_and_never_the_open_set(tmp_path: Path) -> None:
    authority, desk = authority_and_desk(tmp_path)
    resumed: asyncio.Queue[Cursor | None] = asyncio.Queue()

    async def first(visit: Visit) -> None:
        await visit.welcome()
        subscribe, stream = await visit.subscribed()
        resumed.put_nowait(subscribe.resume_after)
        # The open set comes in no order, and the node dies within it.
        late = note("a", Transition.RAISED, Storage.DURABLE, resent=True)
        visit.note(stream, type(late)(**{**vars(late), "cursor": Cursor(0, 99, 0)}))
        visit.goodbye(Code.SHUTTING_DOWN)

    async def second(visit: Visit) -> None:
        await visit.welcome()
        subscribe, stream = await visit.subscribed()
        resumed.put_nowait(subscribe.resume_after)
        visit.note(stream, OpenSetEnd(open_count=0, cursor=Cursor(0, 50, 1)))
        visit.goodbye(Code.SHUTTING_DOWN)

    async def third(visit: Visit) -> None:
        await visit.welcome()
        subscribe, stream = await visit.subscribed()
        resumed.put_nowait(subscribe.resume_after)
        visit.note(stream, Gap(code=Code.CURSOR_OUT_OF_RANGE, cursor=Cursor(0, 60, 0)))

    async def test() -> None:
        start = Cursor(0, 7, 0)
        async with FakeNode(authority, first, second, third) as node:
            async with AlarmSubscriber(
                node.address, desk, resume_after=start, dead_after_s=30.0
            ) as alarms:
                async for update in alarms:
                    if isinstance(update, Gap):
                        break
                found = [resumed.get_nowait() for _ in range(3)]
                assert found == [start, start, Cursor(0, 50, 1)]
                assert alarms.cursor == Cursor(0, 50, 1)

    run(test())


def test_every_address_of_a_name_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, desk = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        visit.note(stream, OpenSetEnd(open_count=0))

    async def test() -> None:
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        silent.bind(("127.0.0.1", 0))
        async with FakeNode(authority, play) as node:
            port = int(node.address.split(":")[1])

            loop = asyncio.get_running_loop()
            resolve = loop.getaddrinfo

            async def lookup(host: str, port: int, **settings: Any) -> list[Any]:
                if host != "node.example":
                    return await resolve(host, port, **settings)
                # Nobody listens at the first, nobody answers at the second.
                found = [("127.0.0.1", 1), silent.getsockname(), ("127.0.0.1", port)]
                return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", each) for each in found]

            monkeypatch.setattr(loop, "getaddrinfo", lookup)
            async with AlarmSubscriber(
                f"node.example:{port}", desk, server_name="127.0.0.1", dead_after_s=30.0
            ) as alarms:
                async for update in alarms:
                    if isinstance(update, Mark):
                        break
        silent.close()

    run(test())


def test_a_node_that_lost_what_it_had_acknowledged_is_told_and_gets_the_rest_in_a_new_epoch(
    tmp_path: Path,
) -> None:
    authority, vendor = authority_and_vendor(tmp_path)

    async def before(visit: Visit) -> None:
        await visit.welcome(lane(1))
        await intern(visit)
        assert await numbers(visit, 3) == [(1, 1), (2, 2), (3, 3)]
        visit.say(ack(3, 2))
        await asyncio.sleep(0.1)
        visit.goodbye(Code.SHUTTING_DOWN)

    async def restored(visit: Visit) -> None:
        hello = await visit.welcome(lane(1, accepted=1, durable=1))
        assert {asked.epoch for asked in hello.resume} == {1}
        await visit.is_over.wait()
        assert visit.heard_so_far(Pings) == [], "nothing follows on what the node does not have"

    async def after(visit: Visit) -> None:
        hello = await visit.welcome(lane(2))
        assert hello.resume == ()
        await intern(visit)
        assert await numbers(visit, 1) == [(1, 3)]
        visit.say(ack(1, 1, epoch=2))
        await visit.hear(Goodbye)

    async def test() -> None:
        notices: list[Notice] = []
        async with FakeNode(authority, before, restored, after) as node:
            async with Publisher(node.address, vendor, on_notice=notices.append) as publisher:
                for number in range(1, 4):
                    await publisher.ping(TAG, ping(number))
                await publisher.durable()
        forgot = [notice for notice in notices if isinstance(notice, NodeForgot)]
        assert forgot == [NodeForgot(Lane.PINGS, durable_through=2, found_through=1)]
        assert "lost numbers 2 to 2 of lane 3" in str(forgot[0])

    run(test())


def test_a_node_that_knows_nothing_of_what_it_refused_last_has_lost_nothing(tmp_path: Path) -> None:
    authority, vendor = authority_and_vendor(tmp_path)

    async def before(visit: Visit) -> None:
        await visit.welcome(lane(1))
        await intern(visit)
        await numbers(visit, 3)
        refusal = Refusal(
            lane=Lane.PINGS, epoch=1, first_seq=3, last_seq=3, count=1, code=Code.UNKNOWN_THING
        )
        visit.say(refusal, ack(3, 3))
        await asyncio.sleep(0.1)
        visit.goodbye(Code.SHUTTING_DOWN)

    async def again(visit: Visit) -> None:
        await visit.welcome(lane(1, accepted=2, durable=2))
        await intern(visit)
        assert await numbers(visit, 1) == [(4, 4)]
        visit.say(ack(4, 4))
        await visit.hear(Goodbye)

    async def test() -> None:
        notices: list[Notice] = []
        async with FakeNode(authority, before, again) as node:
            async with Publisher(node.address, vendor, on_notice=notices.append) as publisher:
                for number in range(1, 4):
                    await publisher.ping(TAG, ping(number))
                await publisher.durable()
                while len(node.visits) < 2:
                    await asyncio.sleep(0.01)
                await publisher.ping(TAG, ping(4))
                await publisher.durable()
        assert not [notice for notice in notices if isinstance(notice, NodeForgot)]

    run(test())


def test_without_room_the_newest_position_counts(tmp_path: Path) -> None:
    authority, vendor = authority_and_vendor(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome(lane(1, credit=0))
        await intern(visit)
        # Nothing may be sent until the program has published all it has.
        await has_published.wait()
        visit.say(ack(0, 0, credit=1_000))
        assert await numbers(visit, 2) == [(1, 1), (2, 9)]
        visit.say(ack(2, 2))
        await visit.hear(Goodbye)

    has_published = asyncio.Event()

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Publisher(node.address, vendor, pings_kept=2) as publisher:
                for number in range(1, 10):
                    await publisher.ping(TAG, ping(number))
                assert (publisher.kept_count, publisher.gave_way_count) == (2, 7)
                has_published.set()
                await publisher.durable()

    run(test())
