"""Acknowledges an alarm for a person: `python acknowledge.py ADDRESS CREDENTIALS ALARM PERSON`."""

import asyncio
import sys

from ach_client import NodeRefused, Operator


async def main(address: str, credentials: str, alarm: str, person: str) -> None:
    """Waits until it is on the node's disk, or says why it cannot be done."""
    async with Operator(address, credentials, client="my-pager 1.0") as desk:
        try:
            done = await desk.acknowledge(alarm, person=person)
        except NodeRefused as refused:
            sys.exit(str(refused))
        print("acknowledged", done.detail)


asyncio.run(main(*sys.argv[1:]))
