"""Both ends against a real node: a receiver is told what a vendor publishes; nothing is lost."""

from __future__ import annotations

import asyncio
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from real_node import RealNode, run

from ach_client import (
    AlarmKind,
    AlarmNote,
    AlarmSubscriber,
    ClockOff,
    Code,
    EventSubscriber,
    EventWord,
    Filter,
    InputsRefused,
    Lane,
    LinkDown,
    LinkUp,
    Mark,
    NodeRefused,
    Notice,
    Ping,
    PositionSubscriber,
    Priority,
    Publisher,
    Report,
    ReportKind,
    Settled,
    Storage,
    ThingRefused,
    Told,
    Transition,
)

PATIENT, NURSE_BUTTON, UNKNOWN = "0200AC0000000001", "0200AC0000000003", "0200AC00000000FF"
SECOND_NS = 1_000_000_000


def walk_out(start_at: int) -> list[Ping]:
    """A patient walks from the corridor out of the ward, a metre a second."""
    return [
        Ping(
            observed_at=start_at + second * SECOND_NS,
            x_mm=10_000 + second * 1_000,
            y_mm=6_000,
            floor_hundredths=0,
            accuracy_mm=200,
        )
        for second in range(15)
    ]


def press() -> Report:
    return Report(kind=ReportKind.BUTTON_PRESSED, observed_at=time.time_ns())


def reset() -> Report:
    return Report(kind=ReportKind.BUTTON_RESET, observed_at=time.time_ns())


async def until_told(alarms: AlarmSubscriber, kind: AlarmKind, transition: Transition) -> AlarmNote:
    async for update in alarms:
        if isinstance(update, Told) and update.note.kind is kind:
            if update.note.transition is transition:
                return update.note
    raise AssertionError("the subscription ended")


async def until_settled(alarms: AlarmSubscriber, note: AlarmNote) -> Settled:
    async for update in alarms:
        if isinstance(update, Settled) and update.note.id == note.id:
            if update.note.transition is note.transition:
                return update
    raise AssertionError("the subscription ended")


def test_a_patient_who_walks_out_raises_an_alarm_that_becomes_durable(
    ach: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            async with (
                AlarmSubscriber(node.address, desk) as alarms,
                Publisher(node.address, vendor) as publisher,
            ):
                for ping in walk_out(time.time_ns() - 20 * SECOND_NS):
                    await publisher.ping(PATIENT, ping)
                raised = await until_told(alarms, AlarmKind.ELOPEMENT, Transition.RAISED)
                assert (raised.subject, raised.tag, raised.rule) == (
                    "patient-001",
                    PATIENT,
                    "elopement",
                )
                assert raised.is_tentative
                assert raised.cause.input is not None and raised.cause.input.feed == "rtls"
                upheld = await until_told(alarms, AlarmKind.ELOPEMENT, Transition.UPHELD)
                assert upheld.id == raised.id
                await publisher.durable()
                assert (await until_settled(alarms, upheld)).storage is Storage.DURABLE
                totals = publisher.totals[Lane.PINGS]
                assert (totals.accepted, totals.refused, totals.duplicate) == (15, 0, 0)

            # Another receiver, later, is told what is open before the mark.
            async with AlarmSubscriber(node.address, desk) as later:
                async for update in later:
                    if isinstance(update, Mark):
                        break
                assert [alarm.id for alarm in later.open_alarms] == [raised.id]
                assert later.open_alarms[0].is_resent

    run(test())


def test_events_and_positions_reach_those_who_ask_for_them(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            entered = Filter(events=(EventWord.ZONE_ENTERED,), zones=("ward",))
            only = Filter(tags=(PATIENT,))
            async with (
                EventSubscriber(node.address, desk, filter=entered) as events,
                PositionSubscriber(node.address, desk, filter=only) as positions,
                Publisher(node.address, vendor) as publisher,
            ):
                # A subscription is in use once its stream answers, so the first may be missed.
                async def walk() -> None:
                    while True:
                        for x_mm in (-8_000, 6_000):
                            for _ in range(3):
                                at = time.time_ns()
                                await publisher.ping(
                                    PATIENT, Ping(observed_at=at, x_mm=x_mm, y_mm=6_000)
                                )
                                await asyncio.sleep(0.05)

                walking = asyncio.create_task(walk())
                async for event in events:
                    if not isinstance(event, LinkUp):
                        break
                async for position in positions:
                    if not isinstance(position, LinkUp):
                        break
                walking.cancel()
                assert getattr(event, "word", None) is EventWord.ZONE_ENTERED, event
                assert getattr(event, "zone", None) == "ward"
                assert getattr(position, "tag", None) == PATIENT, position

    run(test())


def test_what_is_refused_alone_is_told_and_the_rest_goes_on(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        told: list[Notice] = []
        async with RealNode(ach, tmp_path) as node:
            vendor = await node.enrol("vendor", "rtls")
            async with Publisher(node.address, vendor, on_notice=told.append) as publisher:
                now = time.time_ns()
                await publisher.ping(UNKNOWN, Ping(observed_at=now, x_mm=0, y_mm=0))
                await publisher.ping(PATIENT, Ping(observed_at=now, x_mm=0, y_mm=0))
                # A door of another feed.
                closed = Report(kind=ReportKind.DOOR_CLOSED, observed_at=now)
                await publisher.report("entrance", closed)
                ahead = Ping(observed_at=now + 60 * SECOND_NS, x_mm=100, y_mm=0)
                await publisher.ping(PATIENT, ahead)
                await publisher.durable()
                assert publisher.totals[Lane.PINGS].accepted == 2
                assert publisher.totals[Lane.PINGS].refused == 1
                assert publisher.clock_offset_ns is not None
                assert publisher.clock_offset_ns > 50 * SECOND_NS
        things = {(it.item.id, it.code) for it in told if isinstance(it, ThingRefused)}
        assert things == {(UNKNOWN, Code.UNKNOWN_THING), ("entrance", Code.FOREIGN_THING)}
        refused = {(it.lane, it.code, it.count) for it in told if isinstance(it, InputsRefused)}
        assert refused == {
            (Lane.PINGS, Code.UNKNOWN_THING, 1),
            (Lane.DOORS_AND_ALARMS, Code.FOREIGN_THING, 1),
        }
        assert [it for it in told if isinstance(it, ClockOff)]

    run(test())


DOOR_RULES = """
[[rule]]
id = "pried"
where = { doors = ["entrance"] }
what = "door_tampered"
priority = "medium"

[[rule]]
id = "reader"
where = { doors = ["entrance"] }
what = "reader_tampered"
priority = "medium"

[[rule]]
id = "lost"
where = { doors = ["entrance"] }
what = "door_lost"
after = "10 min"
priority = "medium"

[[rule]]
id = "empty"
where = { doors = ["entrance"] }
what = "door_battery_low"
percent = 20
priority = "low"

[[rule]]
id = "propped"
where = { doors = ["entrance"] }
what = "door_held"
after = "200 ms"
also_unlocked = true
priority = "low"
"""


def test_a_supervised_door_tells_all_that_is_wrong_with_it(ach: Path, tmp_path: Path) -> None:
    def say(kind: ReportKind, percent: int | None = None) -> Report:
        return Report(kind=kind, observed_at=time.time_ns(), percent=percent)

    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            await node.kill()
            with (node.site / "rules.toml").open("a", encoding="utf-8") as rules:
                rules.write(DOOR_RULES)
            await node.start()
            desk, doors = await node.enrol("receiver", "desk"), await node.enrol("vendor", "doors")
            async with (
                AlarmSubscriber(node.address, desk) as alarms,
                Publisher(node.address, doors) as publisher,
            ):

                async def wait_for(kind: AlarmKind, transition: Transition) -> None:
                    async for update in alarms:
                        if not isinstance(update, Told):
                            continue
                        note = update.note
                        if (note.kind, note.transition) == (kind, transition):
                            assert note.place.id == "entrance", note
                            return

                for kind, begins, ends in (
                    (
                        AlarmKind.DOOR_TAMPERED,
                        say(ReportKind.DOOR_TAMPERED),
                        say(ReportKind.DOOR_UNTAMPERED),
                    ),
                    (
                        AlarmKind.READER_TAMPERED,
                        say(ReportKind.READER_TAMPERED),
                        say(ReportKind.READER_UNTAMPERED),
                    ),
                    (
                        AlarmKind.DOOR_BATTERY_LOW,
                        say(ReportKind.DOOR_BATTERY, percent=20),
                        say(ReportKind.DOOR_BATTERY, percent=100),
                    ),
                    (AlarmKind.DOOR_LOST, say(ReportKind.DOOR_LOST), say(ReportKind.DOOR_ALIVE)),
                ):
                    await publisher.report("entrance", begins)
                    await wait_for(kind, Transition.RAISED)
                    await publisher.report("entrance", ends)
                    await wait_for(kind, Transition.CLEARED)
                # With leave, and then nobody says anything more: the node's own deadline tells it.
                await publisher.report("entrance", say(ReportKind.DOOR_UNLOCKED))
                await publisher.report("entrance", say(ReportKind.DOOR_OPENED))
                await wait_for(AlarmKind.DOOR_HELD, Transition.RAISED)
                await publisher.report("entrance", say(ReportKind.DOOR_CLOSED))
                await wait_for(AlarmKind.DOOR_HELD, Transition.CLEARED)
                await publisher.durable()

    run(test())


def test_a_vendor_that_forgot_its_numbers_is_known_by_the_content_of_its_pings(
    ach: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor = await node.enrol("vendor", "rtls")
            ping = Ping(observed_at=time.time_ns(), x_mm=1_000, y_mm=1_000)
            epochs = []
            for duplicates in (0, 1):
                async with Publisher(node.address, vendor) as publisher:
                    await publisher.ping(PATIENT, ping)
                    await publisher.durable()
                    totals = publisher.totals[Lane.PINGS]
                    assert (totals.accepted, totals.duplicate) == (1 - duplicates, duplicates)
                    epochs.append(publisher.epoch)
            assert epochs[1] is not None and epochs[0] is not None and epochs[1] > epochs[0]

    run(test())


def test_nothing_acknowledged_is_lost_when_the_node_is_killed_again_and_again(
    ach: Path, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    async def test() -> None:
        downs = 0
        came_up = asyncio.Event()
        is_killed_enough = asyncio.Event()

        def tell(notice: Notice) -> None:
            nonlocal downs
            downs += isinstance(notice, LinkDown)
            if isinstance(notice, LinkUp):
                came_up.set()

        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            async with (
                AlarmSubscriber(node.address, desk, dead_after_s=1.0) as alarms,
                Publisher(node.address, vendor, dead_after_s=1.0, on_notice=tell) as publisher,
            ):
                publishing = asyncio.create_task(_publish(publisher, is_killed_enough))
                for _ in range(3):
                    await came_up.wait()
                    await asyncio.sleep(chance.uniform(0.0, 0.5))
                    # The node is at work: it has inputs that it has not acknowledged.
                    while publisher.kept_count == 0 or not publisher.is_connected:
                        await asyncio.sleep(0)
                    came_up.clear()
                    await node.kill()
                    await node.start()
                is_killed_enough.set()
                presses, pings = await publishing
                await publisher.durable()
                # A first word that nobody can mistake ends the receiver's part.
                cut = Report(kind=ReportKind.BAND_CUT, observed_at=time.time_ns())
                await publisher.report(PATIENT, cut)
                await publisher.durable()
                raised, ended = await _until_band_cut(alarms)
                totals = publisher.totals[Lane.PINGS]
                assert publisher.epoch == 1, "it never lost count, so it was let resume"
        # Every episode was told, once, and each has its own id.
        assert sorted(raised) == list(range(1, presses + 1))
        assert len({note.id for note in raised.values()}) == presses
        assert ended == {note.id for note in raised.values()}
        assert downs >= 3
        # The totals are of the epoch, not of the connection; what came twice is a duplicate.
        decided = totals.accepted + totals.late + totals.refused + totals.conflated
        assert decided == pings

    run(test())


async def _publish(publisher: Publisher, is_enough: asyncio.Event) -> tuple[int, int]:
    """Presses and resets a button among pings until it is enough; how many of either."""
    presses = pings = 0
    while not is_enough.is_set():
        presses += 1
        await publisher.report(NURSE_BUTTON, press())
        for _ in range(20):
            at = time.time_ns()
            await publisher.ping(PATIENT, Ping(observed_at=at, x_mm=presses, y_mm=1_000))
            pings += 1
        await asyncio.sleep(0.05)
        await publisher.report(NURSE_BUTTON, reset())
    return presses, pings


async def _until_band_cut(alarms: AlarmSubscriber) -> tuple[dict[int, AlarmNote], set[str]]:
    """Episodes of duress by number, and the alarms that ended."""
    raised: dict[int, AlarmNote] = {}
    ended: set[str] = set()
    async for update in alarms:
        if isinstance(update, Settled) and update.storage is Storage.WITHDRAWN:
            # The node died before it was on disk. The vendor sends it again, and it is news again.
            del raised[update.note.episode]
        if not isinstance(update, Told):
            continue
        note = update.note
        if note.kind is AlarmKind.BAND_CUT:
            return raised, ended
        if note.kind is not AlarmKind.DURESS:
            continue
        if note.transition is Transition.RAISED:
            assert note.episode not in raised, "told twice as news"
            assert note.priority is Priority.HIGH
            raised[note.episode] = note
        elif note.transition is Transition.CLEARED:
            ended.add(note.id)
    raise AssertionError("the subscription ended")


def test_a_receiver_that_was_away_resumes_after_what_it_has_dealt_with(
    ach: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            async with Publisher(node.address, vendor) as publisher:
                async with AlarmSubscriber(node.address, desk) as alarms:
                    await publisher.report(NURSE_BUTTON, press())
                    first = await until_told(alarms, AlarmKind.DURESS, Transition.RAISED)
                    await until_settled(alarms, first)
                    # Asking for more says that what came before is dealt with.
                    await publisher.report(NURSE_BUTTON, reset())
                    await until_told(alarms, AlarmKind.DURESS, Transition.CLEARED)
                    kept = alarms.cursor
                assert kept is not None
                # Raised and over while nobody listens.
                await publisher.report(NURSE_BUTTON, press())
                await publisher.report(NURSE_BUTTON, reset())
                await publisher.durable()
            words = []
            async with AlarmSubscriber(node.address, desk, resume_after=kept) as alarms:
                async for update in alarms:
                    if isinstance(update, Told):
                        words.append((update.note.episode, update.note.transition))
                    if isinstance(update, Mark):
                        break
            # The clearing was told and perhaps not dealt with, so it comes again.
            assert words == [
                (1, Transition.CLEARED),
                (2, Transition.RAISED),
                (2, Transition.CLEARED),
            ]

    run(test())


def test_a_node_that_was_killed_and_started_at_its_address_is_known_by_its_reset(
    ach: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        downs: list[LinkDown] = []

        def tell(notice: Notice) -> None:
            if isinstance(notice, LinkDown):
                downs.append(notice)

        async with RealNode(ach, tmp_path) as node:
            vendor = await node.enrol("vendor", "rtls")
            # So long that nothing but the reset can tell it.
            publisher = Publisher(node.address, vendor, dead_after_s=60.0, on_notice=tell)
            async with publisher:
                await publisher.report(NURSE_BUTTON, press())
                await publisher.durable()
                await node.kill()
                await node.start()
                await publisher.report(NURSE_BUTTON, reset())
                await publisher.durable()
                assert publisher.epoch == 1
        assert "started anew" in str(downs[0])

    run(test())


def test_a_receivers_credentials_are_refused_to_a_publisher(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            desk = await node.enrol("receiver", "desk")
            with pytest.raises(NodeRefused) as refused:
                async with Publisher(node.address, desk):
                    pass
            assert refused.value.code is Code.WRONG_ROLE

    run(test())


def test_a_dead_link_is_noticed_and_made_good(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            async with AlarmSubscriber(node.address, desk, dead_after_s=2.0) as alarms:
                async for update in alarms:
                    if isinstance(update, Mark):
                        break
                node.relay.is_cut = True
                async for update in alarms:
                    if isinstance(update, LinkDown):
                        break
                assert "dead" in str(update)
                node.relay.is_cut = False
                async with Publisher(node.address, vendor) as publisher:
                    await publisher.report(NURSE_BUTTON, press())
                    await until_told(alarms, AlarmKind.DURESS, Transition.RAISED)

    run(test())


def test_a_vendor_notices_a_dead_link_and_loses_nothing_over_it(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        down: asyncio.Queue[LinkDown] = asyncio.Queue()

        def tell(notice: Notice) -> None:
            if isinstance(notice, LinkDown):
                down.put_nowait(notice)

        async with RealNode(ach, tmp_path) as node:
            vendor = await node.enrol("vendor", "rtls")
            async with Publisher(
                node.address, vendor, dead_after_s=2.0, on_notice=tell
            ) as publisher:
                node.relay.is_cut = True
                for number in range(100):
                    at = time.time_ns()
                    await publisher.ping(PATIENT, Ping(observed_at=at, x_mm=number, y_mm=0))
                assert "dead" in str(await down.get())
                assert publisher.kept_count == 100
                node.relay.is_cut = False
                await publisher.durable()
                totals = publisher.totals[Lane.PINGS]
                assert totals.accepted + totals.conflated == 100

    run(test())


def test_what_a_receiver_displays_is_known_to_the_node(ach: Path, tmp_path: Path) -> None:
    async def attention(node: RealNode, desk: Path) -> list[dict[str, Any]]:
        said = await node.command(
            *("attention", "--node", node.node_address, "--credentials", str(desk), "--json")
        )
        return [json.loads(line) for line in said.splitlines()]

    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, board = (
                await node.enrol("vendor", "rtls"),
                await node.enrol("receiver", "board"),
            )
            desk = await node.enrol("operator", "desk")
            async with (
                AlarmSubscriber(node.address, board) as alarms,
                Publisher(node.address, vendor) as publisher,
            ):
                async for update in alarms:
                    if isinstance(update, Mark):
                        break
                await publisher.report(NURSE_BUTTON, press())
                raised = await until_told(alarms, AlarmKind.DURESS, Transition.RAISED)
                of_board, unseen = await attention(node, desk)
                assert of_board["waiting_count"] == 1, of_board
                assert unseen["unseen_count"] == 1, unseen
                alarms.displayed()
                while unseen["unseen_count"]:
                    of_board, unseen = await attention(node, desk)
                settled = await until_settled(alarms, raised)
                assert settled.storage is Storage.DURABLE
                alarms.displayed()
                while of_board["waiting_count"]:
                    of_board, unseen = await attention(node, desk)
                assert of_board["displayed_index"] > 0, of_board

    run(test())


def test_a_revoked_vendor_is_cut_off_and_told_why(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        told: list[Notice] = []
        async with RealNode(ach, tmp_path) as node:
            vendor = await node.enrol("vendor", "rtls")
            async with Publisher(node.address, vendor, on_notice=told.append):
                await node.command("vendor", "revoke", "rtls", "--data", str(node.data))
                while not any(isinstance(notice, LinkDown) for notice in told):
                    await asyncio.sleep(0.05)
                down = next(notice for notice in told if isinstance(notice, LinkDown))
                assert down.ending.code is Code.CERTIFICATE_REVOKED, down
            with pytest.raises(NodeRefused, match="certificate revoked"):
                async with Publisher(node.address, vendor):
                    pass

    run(test())
