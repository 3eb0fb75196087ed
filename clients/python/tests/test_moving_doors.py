"""What an operator wishes of doors, against a node that does as the test tells it."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from fake_node import FakeNode, Visit
from real_node import run
from test_fake_node import authority_and_desk
from test_orders import HOUR_NS, ended_well, receipt

from ach_client import (
    Code,
    Cursor,
    Done,
    DoorAnswer,
    DoorMode,
    Doors,
    DoorStanding,
    Emergency,
    EmergencyKind,
    NoAnswer,
    NodeRefused,
    Operator,
    Practice,
    Refused,
)
from ach_client import orders as orders_module
from ach_client.control import Command, Goodbye, RefusedRequest
from ach_client.doors import DoorsQuery
from ach_client.wishes import DoorWish, EmergencyWish
from ach_client.words import DoorAct

DOOR = "exit-east"
KEY = "0123456789abcdef" * 2
LOCKDOWN, EVACUATION = EmergencyKind.LOCKDOWN, EmergencyKind.EVACUATION
REAL, DRILL, EXERCISE = Practice.REAL, Practice.DRILL, Practice.EXERCISE

Give = Callable[[Operator], Awaitable[Done]]

WISHES: dict[str, tuple[Give, DoorWish | EmergencyWish]] = {
    "unlock": (
        lambda desk: desk.unlock(DOOR, 600, "bed delivery", person="nurse-7", void_at=9),
        DoorWish(
            door=DOOR,
            act=DoorAct.MOVE,
            mode=DoorMode.UNLOCKED,
            for_ns=HOUR_NS // 6,
            void_at=9,
            person="nurse-7",
            remark="bed delivery",
        ),
    ),
    "lock": (
        lambda desk: desk.lock(DOOR, 3_600, "night"),
        DoorWish(door=DOOR, act=DoorAct.MOVE, mode=DoorMode.LOCKED, for_ns=HOUR_NS, remark="night"),
    ),
    "block": (
        lambda desk: desk.block(DOOR, 3_600, "spill"),
        DoorWish(
            door=DOOR, act=DoorAct.MOVE, mode=DoorMode.BLOCKED, for_ns=HOUR_NS, remark="spill"
        ),
    ),
    "give back": (
        lambda desk: desk.give_back(DOOR, person="nurse-7"),
        DoorWish(door=DOOR, act=DoorAct.GIVE_BACK, person="nurse-7"),
    ),
    "release": (
        lambda desk: desk.release_door(DOOR, remark="smoke"),
        DoorWish(door=DOOR, act=DoorAct.RELEASE, remark="smoke"),
    ),
    "end a release": (
        lambda desk: desk.end_release(DOOR, void_at=9),
        DoorWish(door=DOOR, act=DoorAct.END_RELEASE, void_at=9),
    ),
    "lock the site down": (
        lambda desk: desk.declare(LOCKDOWN, REAL, 7_200, "a man with a knife", person="nurse-7"),
        EmergencyWish(
            kind=LOCKDOWN,
            practice=REAL,
            for_ns=2 * HOUR_NS,
            person="nurse-7",
            remark="a man with a knife",
        ),
    ),
    "practise to evacuate a zone": (
        lambda desk: desk.declare(EVACUATION, DRILL, 3_600, "drill", zone="wing-b", void_at=9),
        EmergencyWish(
            kind=EVACUATION,
            zone="wing-b",
            practice=DRILL,
            for_ns=HOUR_NS,
            void_at=9,
            remark="drill",
        ),
    ),
    "exercise a lockdown of a label at the desk": (
        lambda desk: desk.declare(LOCKDOWN, EXERCISE, 3_600, "course", label="entrance"),
        EmergencyWish(
            kind=LOCKDOWN, label="entrance", practice=EXERCISE, for_ns=HOUR_NS, remark="course"
        ),
    ),
    "end an evacuation": (
        lambda desk: desk.end_declared(EVACUATION, REAL, zone="wing-b", remark="over"),
        EmergencyWish(kind=EVACUATION, zone="wing-b", practice=REAL, for_ns=0, remark="over"),
    ),
}


def wish_of(command: Command) -> DoorWish | EmergencyWish:
    wish = command.wish.door or command.wish.emergency
    assert wish is not None, command
    return wish


@pytest.mark.parametrize("name", WISHES)
def test_what_is_wished_is_sent_under_a_key_of_its_own(tmp_path: Path, name: str) -> None:
    authority, credentials = authority_and_desk(tmp_path)
    give, wanted = WISHES[name]
    keys = []

    async def play(visit: Visit) -> None:
        await visit.welcome()
        for _ in range(2):
            command: Command = await visit.hear(Command)
            wish = wish_of(command)
            assert dataclasses.replace(wish, key=None) == wanted
            keys.append(wish.key or "")
            visit.say(receipt(command))
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Operator(node.address, credentials) as desk:
                for _ in range(2):
                    assert await give(desk) == Done(Cursor(0, 7, 0), "")
            await ended_well(node)
        assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)
        assert keys[0] != keys[1]

    run(test())


def test_a_wish_whose_connection_breaks_is_sent_again_under_the_same_key(tmp_path: Path) -> None:
    authority, credentials = authority_and_desk(tmp_path)
    wishes = []

    async def first(visit: Visit) -> None:
        await visit.welcome()
        for _ in range(2):
            wishes.append(wish_of(await visit.hear(Command)))
        visit.goodbye(Code.SHUTTING_DOWN)

    async def second(visit: Visit) -> None:
        await visit.welcome()
        for _ in range(2):
            command: Command = await visit.hear(Command)
            wishes.append(wish_of(command))
            visit.say(receipt(command))
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, first, second) as node:
            async with Operator(node.address, credentials) as desk:
                await asyncio.gather(
                    desk.unlock(DOOR, 600, "bed delivery"),
                    desk.declare(LOCKDOWN, DRILL, 600, "drill", key=KEY),
                )
            await ended_well(node)
        assert wishes[:2] == wishes[2:]
        assert wishes[1].key == KEY != wishes[0].key

    run(test())


def test_what_is_no_wish_about_doors_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    authority, credentials = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        await visit.hear(Goodbye)
        assert visit.heard_so_far(Command) == []

    wrong: list[Give] = [
        lambda desk: desk.unlock("no door", 60, "why"),
        lambda desk: desk.unlock(DOOR, 0, "why"),
        lambda desk: desk.unlock(DOOR, float("inf"), "why"),
        lambda desk: desk.unlock(DOOR, 60, ""),
        lambda desk: desk.unlock(DOOR, 60, "why", key="no key"),
        lambda desk: desk.unlock(DOOR, 60, "why", void_at=-1),
        lambda desk: desk.release_door(DOOR, person="Nurse Seven"),
        lambda desk: desk.declare(LOCKDOWN, REAL, 0, "why"),
        lambda desk: desk.declare(LOCKDOWN, REAL, 60, "two\nlines"),
        lambda desk: desk.declare(LOCKDOWN, REAL, 60, "why", zone="ward", label="exit"),
        lambda desk: desk.end_declared(LOCKDOWN, REAL, zone="ward", label="exit"),
    ]

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Operator(node.address, credentials) as desk:
                for give in wrong:
                    with pytest.raises(Refused):
                        await give(desk)
            await ended_well(node)

    run(test())


def standing(door: str) -> DoorStanding:
    return DoorStanding(
        door=door,
        is_open=False,
        answer=DoorAnswer.NO_ORDERS,
        is_connected=True,
        is_fire_told=False,
    )


DECLARED = Emergency(
    kind=LOCKDOWN, practice=DRILL, by="desk", remark="drill", since=1, until=2, door_count=3
)


def part(query: DoorsQuery, *doors: str, is_last: bool) -> Doors:
    emergencies = (DECLARED,) if "a" in doors else ()
    standings = tuple(map(standing, doors))
    return Doors(query=query.query, doors=standings, emergencies=emergencies, is_last=is_last)


def test_doors_come_in_parts_and_whole_again_over_the_next_connection(tmp_path: Path) -> None:
    authority, credentials = authority_and_desk(tmp_path)

    async def first(visit: Visit) -> None:
        await visit.welcome()
        query: DoorsQuery = await visit.hear(DoorsQuery)
        visit.say(part(query, "a", "b", is_last=False))
        visit.goodbye(Code.SHUTTING_DOWN)

    async def second(visit: Visit) -> None:
        await visit.welcome()
        query: DoorsQuery = await visit.hear(DoorsQuery)
        # Another answer, and a receipt of nobody's, mean nothing.
        visit.say(part(DoorsQuery(query=query.query + 1), "z", is_last=True))
        visit.say(part(query, "a", "b", is_last=False), part(query, "c", is_last=True))
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, first, second) as node:
            async with Operator(node.address, credentials) as desk:
                doors = await desk.doors()
                assert [it.door for it in doors.doors] == ["a", "b", "c"]
                assert doors.emergencies == (DECLARED,)
            await ended_well(node)

    run(test())


def test_who_may_not_ask_is_told_so_and_the_acts_go_on(tmp_path: Path) -> None:
    authority, credentials = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        act: Command = await visit.hear(Command)
        await visit.hear(DoorsQuery)
        visit.say(RefusedRequest(code=Code.WRONG_ROLE, detail="an operator's"), receipt(act))
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Operator(node.address, credentials) as desk:
                act, doors = await asyncio.gather(
                    desk.acknowledge("a" * 32), desk.doors(), return_exceptions=True
                )
            assert isinstance(act, Done)
            assert isinstance(doors, NodeRefused) and doors.code is Code.WRONG_ROLE
            await ended_well(node)

    run(test())


def test_an_answer_that_never_ends_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders_module, "PARTS_MAX", 2)
    authority, credentials = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        query: DoorsQuery = await visit.hear(DoorsQuery)
        visit.say(*(part(query, "b", is_last=False) for _ in range(5)))
        # An older node does not know the question.
        await visit.hear(DoorsQuery)
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Operator(node.address, credentials) as desk:
                with pytest.raises(Refused, match="parts"):
                    await desk.doors()
                desk.answer_within_s = 0.1
                with pytest.raises(NoAnswer, match="too old"):
                    await desk.doors()
            await ended_well(node)

    run(test())
