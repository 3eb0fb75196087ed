"""Alarms answered at a real node: what is done is told, what cannot be done is refused."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path

import pytest
from real_node import RealNode, run
from test_end_to_end import NURSE_BUTTON, press, until_told

from ach_client import (
    AlarmCause,
    AlarmKind,
    AlarmState,
    AlarmSubscriber,
    Code,
    Done,
    Mark,
    NamedState,
    NodeRefused,
    Operator,
    Publisher,
    Storage,
    Thing,
    ThingKind,
    Transition,
)


def test_a_duress_alarm_is_acknowledged_over_the_connection_on_which_it_is_told(
    ach: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            async with (
                AlarmSubscriber(node.address, desk) as alarms,
                Publisher(node.address, vendor) as publisher,
            ):
                await publisher.report(NURSE_BUTTON, press())
                raised = await until_told(alarms, AlarmKind.DURESS, Transition.RAISED)
                assert raised.state.by_name is NamedState.UNACKNOWLEDGED
                assert AlarmState.LIFE_SAFETY in raised.state
                done = await alarms.acknowledge(raised.id, person="nurse-7", remark="on my way")
                assert done.cursor is not None, done
                told = await until_told(alarms, AlarmKind.DURESS, Transition.ACKNOWLEDGED)
                assert (told.id, told.storage) == (raised.id, Storage.DURABLE)
                assert told.state.by_name is NamedState.ACKNOWLEDGED
                assert told.life is not None and told.life.acknowledged is not None
                assert (told.life.revision, told.life.remark) == (1, "on my way")
                assert told.life.acknowledged.by == "nurse-7"
                # What is so already is done, and not told again.
                await alarms.acknowledge(raised.id)
                await refused_with(Code.UNKNOWN_THING, alarms.acknowledge("0" * 32))
                await refused_with(Code.NOT_APPLICABLE, alarms.shelve(raised.id, 60))
                await refused_with(Code.NOT_APPLICABLE, alarms.reset(raised.id))
                await alarms.assign(raised.id, "nurse-8")
                await alarms.close_alarm(raised.id, AlarmCause.REAL)
                closed = await until_told(alarms, AlarmKind.DURESS, Transition.CLOSED)
                assert closed.life is not None
                assert (closed.life.revision, closed.life.assignee) == (3, "nurse-8")
                assert (closed.life.cause, closed.life.by) == (AlarmCause.REAL, "desk")

            # It still holds, so another receiver finds on it what was done.
            async with AlarmSubscriber(node.address, desk) as later:
                async for update in later:
                    if isinstance(update, Mark):
                        break
                (found,) = later.open_alarms
                assert (found.transition, found.life) == (Transition.RAISED, closed.life)
                assert found.state == closed.state

    run(test())


async def refused_with(code: Code, act: Awaitable[Done]) -> None:
    with pytest.raises(NodeRefused) as refused:
        await act
    assert refused.value.code is code


def test_two_operators_mute_a_place_and_a_receiver_does_not(ach: Path, tmp_path: Path) -> None:
    ward = Thing(ThingKind.ZONE, "ward")

    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            names = [await node.enrol("operator", name) for name in ("north", "south")]
            desk = await node.enrol("receiver", "desk")
            async with (
                Operator(node.address, names[0]) as north,
                Operator(node.address, names[1]) as south,
                Operator(node.address, desk) as receiver,
            ):
                await refused_with(Code.NEEDS_SECOND_PERSON, north.mute(ward, 60))
                await refused_with(Code.NEEDS_SECOND_PERSON, north.mute(ward, 60))
                (waiting,) = await receiver.quiet_things()
                assert (waiting.place, waiting.way) == (ward, AlarmState.SUPPRESSED)
                assert (waiting.by, waiting.waits_for_ns) == ("north", 60 * 10**9)
                assert (await south.mute(ward, 60)).cursor is not None
                (muted,) = await receiver.quiet_things()
                assert (muted.by, muted.asked_by, muted.waits_for_ns) == ("south", "north", None)
                await north.unmute(ward)
                assert await receiver.quiet_things() == ()
                await refused_with(Code.NEEDS_SECOND_PERSON, north.take_out(ward, 60))
                door = Thing(ThingKind.DOOR, "entrance")
                await north.take_out(door, 3_600, remark="being painted")
                await north.put_back(door)
                unknown = Thing(ThingKind.ZONE, "nowhere")
                await refused_with(Code.UNKNOWN_THING, north.take_out(unknown, 60))
                await refused_with(Code.WRONG_ROLE, receiver.take_out(door, 60))
                await refused_with(Code.UNKNOWN_THING, receiver.acknowledge("0" * 32))

    run(test())
