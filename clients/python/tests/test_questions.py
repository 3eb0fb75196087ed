"""Questions, against a node that does as the test tells it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_node import FakeNode, Visit
from real_node import run
from test_fake_node import authority_and_desk
from test_orders import ended_well

from ach_client import Operator, Refused
from ach_client import questions as questions_module
from ach_client.control import Goodbye
from ach_client.service import QuietList, QuietQuery


def test_an_answer_that_never_ends_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions_module, "PARTS_MAX", 2)
    authority, credentials = authority_and_desk(tmp_path)

    async def play(visit: Visit) -> None:
        await visit.welcome()
        query: QuietQuery = await visit.hear(QuietQuery)
        visit.say(*(QuietList(query=query.query, things=(), is_last=False) for _ in range(5)))
        again: QuietQuery = await visit.hear(QuietQuery)
        visit.say(*(QuietList(query=again.query, things=(), is_last=it == 1) for it in range(2)))
        await visit.hear(Goodbye)

    async def test() -> None:
        async with FakeNode(authority, play) as node:
            async with Operator(node.address, credentials) as desk:
                with pytest.raises(Refused, match="parts"):
                    await desk.quiet_things()
                assert await desk.quiet_things() == ()
            await ended_well(node)

    run(test())
