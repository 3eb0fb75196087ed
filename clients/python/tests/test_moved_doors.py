"""Doors that a real node moves: what an operator wishes, a controller is told and does."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from real_node import RealNode, run

from ach_client import (
    AlarmKind,
    AlarmSubscriber,
    Code,
    DoorAnswer,
    DoorMode,
    DoorOrder,
    DoorSlot,
    DoorStanding,
    EmergencyKind,
    EventNote,
    EventSubscriber,
    EventWord,
    Filter,
    LinkUp,
    Mark,
    NodeRefused,
    Notice,
    Operator,
    Practice,
    Publisher,
    Report,
    ReportKind,
    Told,
    Transition,
)

DOOR = "entrance"
WAY = """
[[door_control]]
id = "ward"
"""
RULE = f"""
[[rule]]
id = "astray"
where = {{ doors = ["{DOOR}"] }}
what = "door_not_following"
after = "200 ms"
priority = "high"
"""


async def move_door(node: RealNode) -> None:
    """Starts the node anew with a site whose entrance it moves."""
    await node.kill()
    for name, more in (("site.toml", WAY), ("rules.toml", RULE)):
        with (node.site / name).open("a", encoding="utf-8") as file:
            file.write(more)
    plan = node.site / "floors" / "ground.geojson"
    text = plan.read_text(encoding="utf-8")
    moved = text.replace(f'"id": "{DOOR}",', f'"id": "{DOOR}", "control": "ward",')
    assert moved != text
    plan.write_text(moved, encoding="utf-8")
    await node.start()


class Controller:
    """A lock that does at once as it is told, and says so."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self.told: list[DoorOrder] = []

    async def next(self) -> DoorOrder:
        """The next order."""
        order = await anext(self.publisher.door_orders)
        assert order.door == DOOR
        self.told.append(order)
        return order

    async def follow(self) -> DoorOrder:
        """Does what the next order says; returns once the node has the answer on its disk."""
        order = await self.next()
        is_unlocked = order.mode is DoorMode.UNLOCKED
        kind = ReportKind.DOOR_UNLOCKED if is_unlocked else ReportKind.DOOR_LOCKED
        await self.publisher.report(DOOR, Report(kind=kind, observed_at=time.time_ns()))
        await self.publisher.order_done(order)
        await self.publisher.durable()
        return order


async def standing(desk: Operator) -> DoorStanding:
    """How the door stands."""
    return next(it for it in (await desk.doors()).doors if it.door == DOOR)


async def until(desk: Operator, answer: DoorAnswer) -> DoorStanding:
    """How the door stands once its answer is that. What is durable is shown a moment later."""
    while (found := await standing(desk)).answer is not answer:
        await asyncio.sleep(0.01)
    return found


def test_a_controller_is_told_what_an_operator_wishes_and_the_operator_what_became_of_it(
    ach: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            await move_door(node)
            doors, desk_credentials = (
                await node.enrol("vendor", "doors"),
                await node.enrol("operator", "desk"),
            )
            async with (
                Publisher(node.address, doors) as publisher,
                Operator(node.address, desk_credentials) as desk,
            ):
                lock = Controller(publisher)
                # From the Welcome on: nobody says anything, so it does what it does by itself.
                order = await lock.follow()
                assert (order.mode, order.slot, order.until) == (DoorMode.LOCKED, None, None)

                await desk.unlock(DOOR, 600, "bed delivery", person="nurse-7")
                order = await lock.next()
                assert (order.mode, order.slot) == (DoorMode.UNLOCKED, DoorSlot.OPERATOR)
                assert order.until == order.given_at + 600 * 10**9
                assert (await standing(desk)).answer is DoorAnswer.WAITED
                unlocked = Report(kind=ReportKind.DOOR_UNLOCKED, observed_at=time.time_ns())
                await publisher.report(DOOR, unlocked)
                await publisher.order_done(order)
                found = await until(desk, DoorAnswer.FOLLOWED)
                assert (found.is_locked, found.is_connected) == (False, True)
                assert found.order == order

                # Life safety counts for more than whoever locks, and ends by hand alone.
                await desk.release_door(DOOR, remark="smoke")
                order = await lock.follow()
                assert (order.mode, order.slot, order.until) == (
                    DoorMode.UNLOCKED,
                    DoorSlot.LIFE_SAFETY,
                    None,
                )
                await desk.block(DOOR, 600, "spill")
                assert (await until(desk, DoorAnswer.FOLLOWED)).order == order
                await desk.end_release(DOOR)
                order = await lock.follow()
                assert (order.mode, order.slot) == (DoorMode.BLOCKED, DoorSlot.OPERATOR)
                await until(desk, DoorAnswer.FOLLOWED)
                await desk.give_back(DOOR)
                order = await lock.follow()
                assert (order.mode, order.slot) == (DoorMode.LOCKED, None)
                await until(desk, DoorAnswer.FOLLOWED)

                with pytest.raises(NodeRefused) as refused:
                    await desk.unlock(DOOR, 60, "too late", void_at=time.time_ns() - 10**9)
                assert refused.value.code is Code.TOO_LATE
                with pytest.raises(NodeRefused) as refused:
                    await desk.unlock("door-ward", 60, "nobody moves it")
                assert refused.value.code is Code.NOT_APPLICABLE
            assert not (await after_leaving(node, desk_credentials)).is_connected

    run(test())


async def after_leaving(node: RealNode, desk_credentials: Path) -> DoorStanding:
    """How the door stands once its controller has gone."""
    async with Operator(node.address, desk_credentials) as desk:
        while (found := await standing(desk)).is_connected:
            await asyncio.sleep(0.01)
        return found


def test_a_drill_moves_doors_and_is_told_and_survives_the_node(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        came_up = asyncio.Event()

        def tell(notice: Notice) -> None:
            if isinstance(notice, LinkUp):
                came_up.set()

        async with RealNode(ach, tmp_path) as node:
            await move_door(node)
            doors = await node.enrol("vendor", "doors")
            desk_credentials = await node.enrol("operator", "desk")
            words = Filter(events=(EventWord.LOCKDOWN_DECLARED, EventWord.LOCKDOWN_ENDED))
            async with (
                EventSubscriber(node.address, desk_credentials, filter=words) as events,
                Publisher(node.address, doors, on_notice=tell) as publisher,
                Operator(node.address, desk_credentials) as desk,
            ):
                lock = Controller(publisher)
                await lock.follow()
                drill = (EmergencyKind.LOCKDOWN, Practice.DRILL)
                await desk.declare(*drill, 3_600, "drill of the quarter", label="exit")
                order = await lock.follow()
                assert (order.mode, order.slot, order.is_drill) == (
                    DoorMode.BLOCKED,
                    DoorSlot.LOCKDOWN,
                    True,
                )
                await until(desk, DoorAnswer.FOLLOWED)
                (emergency,) = (await desk.doors()).emergencies
                assert (emergency.label, emergency.zone, emergency.door_count) == ("exit", None, 1)
                assert (emergency.kind, emergency.practice) == drill
                assert (emergency.by, emergency.remark) == ("desk", "drill of the quarter")

                # A node that is started anew tells it again, and the program hears of it once.
                came_up.clear()
                await node.kill()
                await node.start()
                await came_up.wait()
                assert (await until(desk, DoorAnswer.FOLLOWED)).order == order
                await desk.end_declared(*drill, label="exit")
                order = await lock.follow()
                assert (order.mode, order.slot) == (DoorMode.LOCKED, None)
                assert (await desk.doors()).emergencies == ()
                with pytest.raises(NodeRefused) as refused:
                    await desk.end_declared(*drill, label="exit")
                assert refused.value.code is Code.NOT_APPLICABLE
                async for event in events:
                    if isinstance(event, EventNote):
                        assert event.practice is Practice.DRILL
                        if event.word is EventWord.LOCKDOWN_ENDED:
                            break

    run(test())


def test_a_door_that_refuses_its_order_raises_an_alarm_until_it_follows(
    ach: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            await move_door(node)
            doors = await node.enrol("vendor", "doors")
            desk_credentials = await node.enrol("operator", "desk")
            async with (
                Publisher(node.address, doors) as publisher,
                Operator(node.address, desk_credentials) as desk,
            ):
                lock = Controller(publisher)
                await lock.follow()
                # What was due before there was a controller is made good.
                await until(desk, DoorAnswer.FOLLOWED)
                await block_in_vain(node, desk_credentials, desk, lock)

    run(test())


async def block_in_vain(
    node: RealNode, credentials: Path, desk: Operator, lock: Controller
) -> None:
    """Blocks a door that refuses it, and gives it back once that is alarmed."""
    async with AlarmSubscriber(node.address, credentials) as alarms:
        async for update in alarms:
            if isinstance(update, Mark):
                break
        await desk.block(DOOR, 600, "spill")
        await lock.publisher.order_refused(await lock.next())
        await until(desk, DoorAnswer.REFUSED)
        words = []
        async for update in alarms:
            if not isinstance(update, Told):
                continue
            note = update.note
            assert (note.kind, note.place.id) == (AlarmKind.DOOR_NOT_FOLLOWING, DOOR), note
            words.append(note.transition)
            if note.transition is Transition.CLEARED:
                break
            await desk.give_back(DOOR)
            await lock.follow()
        assert words == [Transition.RAISED, Transition.CLEARED]


def test_fire_lets_people_out_and_a_key_switch_counts_for_more_than_an_operator(
    ach: Path, tmp_path: Path
) -> None:
    def say(kind: ReportKind, mode: DoorMode | None = None) -> Report:
        return Report(kind=kind, observed_at=time.time_ns(), mode=mode)

    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            await move_door(node)
            doors = await node.enrol("vendor", "doors")
            desk_credentials = await node.enrol("operator", "desk")
            async with (
                Publisher(node.address, doors) as publisher,
                Operator(node.address, desk_credentials) as desk,
            ):
                lock = Controller(publisher)
                await lock.follow()
                await desk.unlock(DOOR, 600, "bed delivery")
                await lock.follow()
                for report, mode, slot in (
                    (
                        say(ReportKind.LOCAL_OVERRIDE, DoorMode.BLOCKED),
                        DoorMode.BLOCKED,
                        DoorSlot.LOCAL_OVERRIDE,
                    ),
                    (say(ReportKind.FIRE), DoorMode.UNLOCKED, DoorSlot.LIFE_SAFETY),
                    (say(ReportKind.FIRE_OVER), DoorMode.BLOCKED, DoorSlot.LOCAL_OVERRIDE),
                    (say(ReportKind.LOCAL_OVERRIDE), DoorMode.UNLOCKED, DoorSlot.OPERATOR),
                ):
                    await publisher.report(DOOR, report)
                    order = await lock.follow()
                    assert (order.mode, order.slot) == (mode, slot), report
                    assert (await until(desk, DoorAnswer.FOLLOWED)).order == order

    run(test())


def test_a_receiver_neither_moves_doors_nor_asks_how_they_stand(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            await move_door(node)
            board = await node.enrol("receiver", "board")
            async with Operator(node.address, board) as desk:
                for wish in (
                    desk.doors(),
                    desk.release_door(DOOR),
                    desk.declare(EmergencyKind.LOCKDOWN, Practice.EXERCISE, 60, "course"),
                ):
                    with pytest.raises(NodeRefused) as refused:
                        await wish
                    assert refused.value.code is Code.WRONG_ROLE

    run(test())
