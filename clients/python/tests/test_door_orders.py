"""What doors are told to do: the newest of each door, once, and those that let people out first."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from fake_node import FakeNode, Visit
from real_node import run
from test_fake_node import authority_and_vendor, lane
from test_orders import ended_well

from ach_client import (
    Code,
    DoorMode,
    DoorOrder,
    DoorSlot,
    Lane,
    Publisher,
    Report,
    ReportKind,
)
from ach_client import door_orders as door_orders_module
from ach_client.control import Ack, Goodbye, Intern, Interned, Totals
from ach_client.door_orders import DoorOrders
from ach_client.records import Reports

LETS_OUT = DoorSlot.LIFE_SAFETY


def order(door: str, number: int, slot: DoorSlot | None = None, epoch: int = 1) -> DoorOrder:
    mode = DoorMode.UNLOCKED if slot is LETS_OUT else DoorMode.BLOCKED
    return DoorOrder(
        door=door,
        number=number,
        mode=mode,
        slot=slot,
        given_at=number,
        is_drill=False,
        fencing_epoch=epoch,
    )


async def taken(orders: DoorOrders) -> list[tuple[str, int]]:
    """What a program is told that looks now: doors and the numbers of their orders."""
    orders.end()
    return [(told.door, told.number) async for told in orders]


STORIES: dict[str, tuple[Iterable[DoorOrder], list[tuple[str, int]]]] = {
    "nothing": ([], []),
    "one for each door": ([order("a", 5), order("b", 4)], [("a", 5), ("b", 4)]),
    "the same again": ([order("a", 5), order("a", 5)], [("a", 5)]),
    "an earlier one behind a later one": ([order("a", 5), order("a", 4)], [("a", 5)]),
    "a later one before the program looks": (
        [order("a", 5), order("b", 4), order("a", 6)],
        [("a", 6), ("b", 4)],
    ),
    "a lower number of a later leader": ([order("a", 5), order("a", 1, epoch=2)], [("a", 1)]),
    "a greater number of an earlier leader": (
        [order("a", 1, epoch=2), order("a", 5)],
        [("a", 1)],
    ),
    "people are let out first": (
        [order("a", 1), order("b", 2), order("c", 3, LETS_OUT)],
        [("c", 3), ("a", 1), ("b", 2)],
    ),
    "a door that is told something else is to let people out": (
        [order("a", 1), order("b", 2), order("b", 3, LETS_OUT)],
        [("b", 3), ("a", 1)],
    ),
    "letting out is over before the program looks": (
        [order("a", 1, LETS_OUT), order("b", 2), order("a", 3)],
        [("b", 2), ("a", 3)],
    ),
    "letting out is told again too late": (
        [order("a", 2), order("a", 1, LETS_OUT)],
        [("a", 2)],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_of_what_a_door_is_told_the_program_hears_the_newest(name: str) -> None:
    told, heard = STORIES[name]
    orders = DoorOrders()
    for each in told:
        orders.hear(each)
    assert run(taken(orders)) == heard


def test_whatever_is_told_in_whatever_order_each_door_ends_with_its_newest() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    async def story() -> None:
        orders = DoorOrders()
        newest: dict[str, DoorOrder] = {}
        last: dict[str, tuple[int, int]] = {}

        def take(told: DoorOrder) -> None:
            assert told == newest[told.door], "what it is told is out of date"
            assert told.rank > last.get(told.door, (0, 0)), "it is told twice, or backwards"
            last[told.door] = told.rank

        for _ in range(chance.randrange(40)):
            if newest and chance.random() < 0.3 and {d: o.rank for d, o in newest.items()} != last:
                take(await anext(orders))
                continue
            number, epoch = chance.randrange(1, 9), chance.randrange(1, 4)
            slot = chance.choice((None, LETS_OUT))
            given = order(chance.choice("abc"), number, slot, epoch)
            known = newest.get(given.door)
            if known is None or given.rank > known.rank:
                newest[given.door] = given
            orders.hear(given)
        orders.end()
        async for told in orders:
            take(told)
        assert {door: it.rank for door, it in newest.items()} == last
        assert {door: orders.newest(door) for door in newest} == newest

    async def stories() -> None:
        for _ in range(500):
            await story()

    run(stories())


def test_room_for_one_door_more_is_made_by_the_one_that_was_told_something_longest_ago(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(door_orders_module, "DOORS_MAX", 2)
    orders = DoorOrders()
    for told in (order("a", 1), order("b", 2), order("a", 3), order("c", 4)):
        orders.hear(told)
    assert orders.newest("b") is None
    assert run(taken(orders)) == [("a", 3), ("c", 4)]


async def said(visit: Visit, count: int) -> list[tuple[int, ReportKind, int | None]]:
    """The next reports: their numbers, kinds and orders. Handles are given as asked for."""
    found: list[tuple[int, ReportKind, int | None]] = []
    while len(found) < count:
        frame = await visit.hear()
        if isinstance(frame, Intern):
            visit.say(Interned(first_handle=frame.first_handle, item_count=len(frame.items)))
        elif isinstance(frame, Reports):
            found += [(it.seq, it.report.kind, it.report.order) for it in frame.reports]
    return found


def test_a_vendor_is_told_each_order_once_over_all_its_connections_and_answers_it(
    tmp_path: Path,
) -> None:
    authority, vendor = authority_and_vendor(tmp_path)
    locked, blocked = order("exit-east", 5), order("exit-west", 6)
    released = order("exit-east", 7, LETS_OUT)

    async def first(visit: Visit) -> None:
        # The first comes in one datagram with the Welcome.
        await visit.welcome(lane(1), behind=(locked,))
        visit.say(order("exit-east", 4), locked)
        assert await said(visit, 1) == [(1, ReportKind.ORDER_DONE, 5)]
        visit.goodbye(Code.SHUTTING_DOWN)

    async def second(visit: Visit) -> None:
        await visit.welcome(lane(1), behind=(locked, blocked))
        # What the node has not on its disk is sent again under its number, and not said anew.
        assert await said(visit, 2) == [
            (1, ReportKind.ORDER_DONE, 5),
            (2, ReportKind.ORDER_REFUSED, 6),
        ]
        visit.say(released)
        assert await said(visit, 1) == [(3, ReportKind.ORDER_DONE, 7)]
        totals = Totals(accepted=3, duplicate=0, late=0, refused=0, conflated=0)
        visit.say(
            Ack(
                lane=Lane.DOORS_AND_ALARMS,
                epoch=1,
                accepted_through=3,
                durable_through=3,
                credit_through=1_000,
                totals=totals,
            )
        )
        await visit.hear(Goodbye)

    async def test() -> None:
        told = []
        async with FakeNode(authority, first, second) as node:
            async with Publisher(node.address, vendor) as publisher:
                async for given in publisher.door_orders:
                    told.append(given)
                    if given.door == "exit-west":
                        await publisher.order_refused(given)
                    else:
                        await publisher.order_done(given)
                    if given == released:
                        break
                await publisher.durable()
                assert publisher.door_orders.newest("exit-east") == released
            await ended_well(node)
            # Nothing more comes from a publisher that is closed.
            assert [it async for it in publisher.door_orders] == []
        assert told == [locked, blocked, released]

    run(test())


def test_a_program_that_waits_for_orders_hears_that_there_will_be_none(tmp_path: Path) -> None:
    authority, vendor = authority_and_vendor(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome(lane(1))
        await visit.hear(Goodbye)

    async def taken_over(visit: Visit) -> None:
        await visit.welcome(lane(1))
        await asyncio.sleep(0.1)
        visit.goodbye(Code.TAKEN_OVER)

    async def wait(publisher: Publisher) -> None:
        async for given in publisher.door_orders:
            raise AssertionError(given)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Publisher(node.address, vendor) as publisher:
                waiting = asyncio.create_task(wait(publisher))
                await asyncio.sleep(0)
            await waiting
        async with FakeNode(authority, taken_over) as node:
            async with Publisher(node.address, vendor) as publisher:
                with pytest.raises(Exception, match="taken over"):
                    await wait(publisher)

    run(test())


def test_a_report_about_an_order_or_a_switch_says_which() -> None:
    def report(kind: ReportKind, order: int | None = None, mode: DoorMode | None = None) -> Report:
        return Report(kind=kind, observed_at=1, order=order, mode=mode)

    for kind, number, mode in (
        (ReportKind.ORDER_DONE, None, None),
        (ReportKind.ORDER_DONE, 0, None),
        (ReportKind.ORDER_REFUSED, 2**64, None),
        (ReportKind.DOOR_LOCKED, 5, None),
        (ReportKind.FIRE, None, DoorMode.UNLOCKED),
        (ReportKind.ORDER_DONE, 5, DoorMode.LOCKED),
    ):
        with pytest.raises(Exception, match="code 19"):
            report(kind, number, mode)
    assert report(ReportKind.ORDER_DONE, 2**64 - 1).number == 2**64 - 1
    assert report(ReportKind.LOCAL_OVERRIDE, mode=DoorMode.BLOCKED).number == 3
    assert report(ReportKind.LOCAL_OVERRIDE).number == 0
