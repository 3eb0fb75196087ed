"""A door controller: its doors do as they are told, until Ctrl-C."""

import asyncio
import contextlib
import sys
import time

from ach_client import DoorMode, Publisher, Report, ReportKind


async def main(address: str, credentials: str) -> None:
    """Does what comes at once, and says so."""
    async with Publisher(address, credentials, client="my-doors 1.0", on_notice=print) as vendor:
        async for order in vendor.door_orders:
            print(order)
            # Move the lock here. Whoever may leave is let out by the door itself, in every mode.
            is_unlocked = order.mode is DoorMode.UNLOCKED
            kind = ReportKind.DOOR_UNLOCKED if is_unlocked else ReportKind.DOOR_LOCKED
            await vendor.report(order.door, Report(kind=kind, observed_at=time.time_ns()))
            # Or order_refused, if the door cannot.
            await vendor.order_done(order)


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(main(*sys.argv[1:]))
