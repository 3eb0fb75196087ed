"""Acts and quiet orders against a node that does as the test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from fake_node import FakeNode, Visit
from real_node import run
from test_alarm_book import NO_DISK, RAISED, TAKEN_NOTICE, note
from test_fake_node import authority_and_desk

from ach_client import (
    AlarmCause,
    AlarmSubscriber,
    Code,
    Cursor,
    Done,
    Mark,
    NoAnswer,
    NodeRefused,
    NotConnected,
    Operator,
    Refused,
    Thing,
    ThingKind,
    Told,
    Transition,
)
from ach_client.control import Command, Goodbye, Receipt, RefusedRequest
from ach_client.notes import OpenSetEnd
from ach_client.wishes import ActWish, BandOrder, LeaveOrder, QuietOrder
from ach_client.words import ActWord, QuietKind

ALARM = "a" * 32
HOUR_NS = 3_600_000_000_000
DOOR = Thing(ThingKind.DOOR, "exit-east")

ACTS: dict[str, tuple[Callable[[Operator], Awaitable[Done]], ActWish]] = {
    "acknowledge": (
        lambda desk: desk.acknowledge(ALARM, person="nurse-7"),
        ActWish(alarm=ALARM, act=ActWord.ACKNOWLEDGE, person="nurse-7"),
    ),
    "confirm": (
        lambda desk: desk.confirm(ALARM, remark="back in bed"),
        ActWish(alarm=ALARM, act=ActWord.CONFIRM, remark="back in bed"),
    ),
    "assign": (
        lambda desk: desk.assign(ALARM, "nurse-8"),
        ActWish(alarm=ALARM, act=ActWord.ASSIGN, to="nurse-8"),
    ),
    "assign to nobody": (
        lambda desk: desk.assign(ALARM, None),
        ActWish(alarm=ALARM, act=ActWord.ASSIGN),
    ),
    "comment": (
        lambda desk: desk.comment(ALARM, "Tür klemmt"),
        ActWish(alarm=ALARM, act=ActWord.COMMENT, remark="Tür klemmt"),
    ),
    "shelve": (
        lambda desk: desk.shelve(ALARM, 3_600),
        ActWish(alarm=ALARM, act=ActWord.SHELVE, for_ns=HOUR_NS),
    ),
    "unshelve": (
        lambda desk: desk.unshelve(ALARM),
        ActWish(alarm=ALARM, act=ActWord.UNSHELVE),
    ),
    "reset": (lambda desk: desk.reset(ALARM), ActWish(alarm=ALARM, act=ActWord.RESET)),
    "close": (
        lambda desk: desk.close_alarm(ALARM, AlarmCause.ALLOWED),
        ActWish(alarm=ALARM, act=ActWord.CLOSE, cause=AlarmCause.ALLOWED),
    ),
}
QUIETS: dict[str, tuple[Callable[[Operator], Awaitable[Done]], QuietOrder]] = {
    "mute a place": (
        lambda desk: desk.mute(DOOR, 3_600, person="nurse-7", remark="being painted"),
        QuietOrder(
            place=DOOR,
            kind=QuietKind.MUTED,
            for_ns=HOUR_NS,
            person="nurse-7",
            remark="being painted",
        ),
    ),
    "unmute a place": (
        lambda desk: desk.unmute(DOOR),
        QuietOrder(place=DOOR, kind=QuietKind.MUTED, for_ns=0),
    ),
    "take a rule out of service": (
        lambda desk: desk.take_out("elopement", 3_600),
        QuietOrder(rule="elopement", kind=QuietKind.OUT_OF_SERVICE, for_ns=HOUR_NS),
    ),
    "put a rule back": (
        lambda desk: desk.put_back("elopement"),
        QuietOrder(rule="elopement", kind=QuietKind.OUT_OF_SERVICE, for_ns=0),
    ),
}
LEAVES: dict[str, tuple[Callable[[Operator], Awaitable[Done]], LeaveOrder]] = {
    "give leave": (
        lambda desk: desk.give_leave("patient-8", 3_600, "visit of the family"),
        LeaveOrder(
            subject="patient-8",
            for_ns=HOUR_NS,
            is_until_back=False,
            reason="visit of the family",
        ),
    ),
    "give leave with an escort": (
        lambda desk: desk.give_leave(
            "patient-8",
            3_600,
            "x-ray",
            places=(Thing(ThingKind.ZONE, "ward-3"),),
            until_back=True,
            escort="nurse-7",
            within_m=12.5,
            missed_for_s=60,
            person="nurse-9",
        ),
        LeaveOrder(
            subject="patient-8",
            for_ns=HOUR_NS,
            places=(Thing(ThingKind.ZONE, "ward-3"),),
            is_until_back=True,
            escort="nurse-7",
            within_mm=12_500,
            gap_ns=60_000_000_000,
            person="nurse-9",
            reason="x-ray",
        ),
    ),
    "end leave": (
        lambda desk: desk.end_leave("patient-8", person="nurse-9"),
        LeaveOrder(subject="patient-8", is_until_back=False, person="nurse-9"),
    ),
}
TAG = "0200AC00000000A7"
BANDS: dict[str, tuple[Callable[[Operator], Awaitable[Done]], BandOrder]] = {
    "take a band off": (
        lambda desk: desk.take_band_off("patient-8", TAG, 3_600, "bath", person="nurse-9"),
        BandOrder(subject="patient-8", tag=TAG, for_ns=HOUR_NS, person="nurse-9", reason="bath"),
    ),
    "put a band on": (
        lambda desk: desk.put_band_on("patient-8", TAG),
        BandOrder(subject="patient-8", tag=TAG),
    ),
}


def receipt(command: Command, code: Code = Code.DONE, detail: str = "") -> Receipt:
    cursor = Cursor(0, 7, 0) if code is Code.DONE and not detail else None
    return Receipt(command=command.command, code=code, detail=detail, cursor=cursor)


async def ended_well(node: FakeNode) -> None:
    """What a play asserts is heard."""
    for visit in node.visits:
        assert visit._task is not None
        await visit._task


@pytest.mark.parametrize("name", [*ACTS, *QUIETS, *LEAVES, *BANDS])
def test_what_is_asked_for_is_sent_and_its_receipt_is_heard(tmp_path: Path, name: str) -> None:
    authority, credentials = authority_and_desk(tmp_path)
    give, wanted = (ACTS | QUIETS | LEAVES | BANDS)[name]

    async def play(visit: Visit) -> None:
        await visit.welcome()
        command: Command = await visit.hear(Command)
        wish = command.wish
        assert wanted == (wish.act or wish.quiet or wish.leave or wish.band)
        visit.say(receipt(command))
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Operator(node.address, credentials) as desk:
                assert await give(desk) == Done(Cursor(0, 7, 0), "")
            await ended_well(node)

    run(test())


@pytest.mark.parametrize(
    "code", [Code.UNKNOWN_THING, Code.NOT_APPLICABLE, Code.TOO_MANY, Code.NEEDS_SECOND_PERSON]
)
def test_a_refusal_is_raised_with_its_code_and_the_connection_goes_on(
    tmp_path: Path, code: Code
) -> None:
    authority, credentials = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        visit.say(receipt(await visit.hear(Command), code, "first acknowledge it"))
        visit.say(receipt(await visit.hear(Command), detail="done, but not stored: no disk"))
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Operator(node.address, credentials) as desk:
                with pytest.raises(NodeRefused, match="first acknowledge it") as refused:
                    await desk.confirm(ALARM)
                assert refused.value.code is code
                done = await desk.acknowledge(ALARM)
                assert done == Done(None, "done, but not stored: no disk")
            await ended_well(node)

    run(test())


def test_receipts_find_their_commands_in_whatever_order_they_come(tmp_path: Path) -> None:
    authority, credentials = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        first: Command = await visit.hear(Command)
        second: Command = await visit.hear(Command)
        third: Command = await visit.hear(Command)
        # Who may not keep quiet may answer alarms all the same.
        visit.say(RefusedRequest(code=Code.WRONG_ROLE, detail="an operator's"))
        visit.say(receipt(third, detail="third"), receipt(first, detail="first"))
        assert second.wish.quiet is not None
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Operator(node.address, credentials) as desk:
                first, second, third = await asyncio.gather(
                    desk.acknowledge(ALARM),
                    desk.mute(DOOR, 60),
                    desk.assign(ALARM, "nurse-8"),
                    return_exceptions=True,
                )
            assert isinstance(first, Done) and first.detail == "first"
            assert isinstance(second, NodeRefused) and second.code is Code.WRONG_ROLE
            assert isinstance(third, Done) and third.detail == "third"
            await ended_well(node)

    run(test())


def test_a_command_whose_connection_breaks_is_given_again_over_the_next(tmp_path: Path) -> None:
    authority, credentials = authority_and_desk(tmp_path)
    numbers: list[int] = []

    async def first(visit: Visit) -> None:
        await visit.welcome()
        numbers.append((await visit.hear(Command)).command)
        visit.goodbye(Code.SHUTTING_DOWN)

    async def second(visit: Visit) -> None:
        await visit.welcome()
        command: Command = await visit.hear(Command)
        numbers.append(command.command)
        visit.say(receipt(command), receipt(command))
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, first, second) as node:
            async with Operator(node.address, credentials) as desk:
                assert (await desk.acknowledge(ALARM)).cursor is not None
            await ended_well(node)
        assert numbers == [1, 1]

    run(test())


def test_who_gets_no_receipt_is_told_so(tmp_path: Path) -> None:
    authority, credentials = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            desk = Operator(node.address, credentials)
            desk.answer_within_s = 0.1
            async with desk:
                with pytest.raises(NoAnswer, match="nobody knows"):
                    await desk.acknowledge(ALARM)
                desk.answer_within_s = 60.0
                waiting = asyncio.create_task(desk.acknowledge(ALARM))
                await asyncio.sleep(0)
            with pytest.raises(NotConnected):
                await waiting
            with pytest.raises(NotConnected):
                await desk.acknowledge(ALARM)

    run(test())


def test_what_is_no_wish_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    authority, credentials = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        await visit.hear(Goodbye)
        assert visit.heard_so_far(Command) == []

    wrong: list[Callable[[Operator], Awaitable[Done]]] = [
        lambda desk: desk.acknowledge("no id"),
        lambda desk: desk.acknowledge(ALARM, person="Nurse Seven"),
        lambda desk: desk.comment(ALARM, ""),
        lambda desk: desk.comment(ALARM, " blank at an end"),
        lambda desk: desk.comment(ALARM, "two\nlines"),
        lambda desk: desk.comment(ALARM, "\x1b[31m"),
        lambda desk: desk.comment(ALARM, "ü" * 129),
        lambda desk: desk.shelve(ALARM, 0),
        lambda desk: desk.shelve(ALARM, float("nan")),
        lambda desk: desk.shelve(ALARM, 1e30),
        lambda desk: desk.close_alarm(ALARM, AlarmCause.OTHER),
        lambda desk: desk.mute("no rule", 60),
    ]

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Operator(node.address, credentials) as desk:
                for give in wrong:
                    with pytest.raises(Refused):
                        await give(desk)
            await ended_well(node)

    run(test())


def test_a_receiver_answers_over_the_connection_on_which_it_is_told(tmp_path: Path) -> None:
    authority, credentials = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        _, stream = await visit.subscribed()
        visit.note(stream, OpenSetEnd(open_count=0), note("a", RAISED, NO_DISK))
        command: Command = await visit.hear(Command)
        assert command.wish.act == ActWish(alarm=ALARM, act=ActWord.ACKNOWLEDGE)
        acted = note("a", Transition.ACKNOWLEDGED, NO_DISK, revision=1, state=TAKEN_NOTICE)
        visit.say(receipt(command, detail="done, but not stored: no disk"))
        visit.note(stream, acted)
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with AlarmSubscriber(node.address, credentials) as alarms:
                seen: list[object] = []
                async for update in alarms:
                    if isinstance(update, Told):
                        seen.append(update.note.transition)
                        if update.note.transition is Transition.ACKNOWLEDGED:
                            break
                        await alarms.acknowledge(update.note.id)
                    elif isinstance(update, Mark):
                        seen.append("mark")
                assert seen == ["mark", Transition.RAISED, Transition.ACKNOWLEDGED]
                assert alarms.open_alarms[0].state.is_acknowledged
            await ended_well(node)

    run(test())
