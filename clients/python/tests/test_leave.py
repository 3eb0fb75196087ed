"""Leave and bands at a real node: what is held back is told when somebody ends it."""

from __future__ import annotations

import time
from pathlib import Path

from real_node import RealNode, run
from test_answering import refused_with
from test_end_to_end import PATIENT, SECOND_NS, until_told, walk_out

from ach_client import (
    AlarmKind,
    AlarmSubscriber,
    Code,
    Operator,
    Publisher,
    Reason,
    Report,
    ReportKind,
    Thing,
    ThingKind,
    Transition,
)
from ach_client.words import CauseKind


def test_a_patient_with_leave_walks_out_and_is_told_of_when_that_is_ended(
    ach: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            async with (
                AlarmSubscriber(node.address, desk) as alarms,
                Publisher(node.address, vendor) as publisher,
                Operator(node.address, desk) as board,
            ):
                given = await board.give_leave("patient-001", 7_200, "walk", person="nurse-7")
                assert given.cursor is not None, given
                begun_at = time.time_ns() - 20 * SECOND_NS
                for ping in walk_out(begun_at):
                    await publisher.ping(PATIENT, ping)
                await publisher.durable()
                assert (await board.end_leave("patient-001")).cursor is not None
                raised = await until_told(alarms, AlarmKind.ELOPEMENT, Transition.RAISED)
                # Leave held it back: what is told is told for its end.
                assert raised.cause.kind is CauseKind.SITE_CHANGE, raised
                assert (raised.subject, raised.is_tentative) == ("patient-001", False)
                await board.give_leave("patient-001", 60, "walk after all", until_back=True)
                cleared = await until_told(alarms, AlarmKind.ELOPEMENT, Transition.CLEARED)
                assert (cleared.id, cleared.reason) == (raised.id, Reason.AUTHORISED)
                moon = (Thing(ThingKind.ZONE, "moon"),)
                for code, wish in [
                    (Code.UNKNOWN_THING, board.give_leave("nobody", 60, "walk")),
                    (Code.UNKNOWN_THING, board.give_leave("patient-001", 60, "walk", places=moon)),
                    (Code.NOT_APPLICABLE, board.give_leave("patient-001", 90_000, "walk")),
                    (Code.UNKNOWN_THING, board.end_leave("nobody")),
                ]:
                    await refused_with(code, wish)

    run(test())


def test_a_band_that_is_off_may_be_cut_until_it_is_said_to_be_on(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            async with (
                AlarmSubscriber(node.address, desk) as alarms,
                Publisher(node.address, vendor) as publisher,
                Operator(node.address, desk) as board,
            ):
                await board.take_band_off("patient-001", PATIENT, 600, "bath")
                cut = Report(kind=ReportKind.BAND_CUT, observed_at=time.time_ns())
                await publisher.report(PATIENT, cut)
                await publisher.durable()
                await board.put_band_on("patient-001", PATIENT)
                raised = await until_told(alarms, AlarmKind.BAND_CUT, Transition.RAISED)
                # Raised at once it would be of the report.
                assert raised.cause.kind is CauseKind.SITE_CHANGE, raised
                await refused_with(
                    Code.NOT_APPLICABLE, board.take_band_off("nurse-001", PATIENT, 60, "bath")
                )

    run(test())
