"""A receiver: every alarm and what becomes of it, until Ctrl-C."""

import asyncio
import contextlib
import sys

from ach_client import AlarmSubscriber, Gone, LinkDown, Settled, Told


async def main(address: str, credentials: str) -> None:
    """Follows alarms for as long as the program runs."""
    async with AlarmSubscriber(address, credentials, client="my-board 1.0") as alarms:
        async for update in alarms:
            match update:
                case Told(note):
                    print(note.priority, note.kind, note.transition, note.about, note.id)
                case Settled(note, storage):
                    print(note.kind, note.transition, "is", storage, note.about)
                case Gone(note):
                    print(note.kind, "is over, nobody knows how:", note.about)
                case LinkDown():
                    print("WE HEAR NOTHING:", update)
                case _:
                    print(update)
            # A person sees this terminal. A program that only forwards alarms leaves this out.
            alarms.displayed()


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(main(*sys.argv[1:]))
