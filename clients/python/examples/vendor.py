"""A vendor: one tag walks along a corridor, then its button is pressed."""

import asyncio
import sys
import time

from ach_client import Ping, Publisher, Report, ReportKind


async def main(address: str, credentials: str, tag: str) -> None:
    """Publishes, and waits until all of it is on the node's disk."""
    async with Publisher(address, credentials, client="my-hub 1.0", on_notice=print) as vendor:
        for x_mm in range(0, 5_000, 500):
            at = time.time_ns()
            await vendor.ping(tag, Ping(observed_at=at, x_mm=x_mm, y_mm=6_000, accuracy_mm=150))
            await asyncio.sleep(0.5)
        pressed = Report(kind=ReportKind.BUTTON_PRESSED, observed_at=time.time_ns())
        await vendor.report(tag, pressed)
        await vendor.durable()
        print("all on the node's disk")


asyncio.run(main(*sys.argv[1:]))
