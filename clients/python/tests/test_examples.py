"""The examples and the guides: what they show runs as it stands."""

from __future__ import annotations

import asyncio
import re
import shlex
import signal
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY
from real_node import RealNode, run
from test_moved_doors import move_door, until

import ach_client
from ach_client import (
    AlarmSubscriber,
    Cursor,
    DoorAnswer,
    Filter,
    LinkUp,
    Mark,
    Operator,
    Publisher,
    Report,
    ReportKind,
    Told,
)

EXAMPLES = REPOSITORY / "clients" / "python" / "examples"
GUIDES = REPOSITORY / "docs" / "guides"
EXAMPLE_LINES_MAX = 30
NURSE_BUTTON = "0200AC0000000003"


def be_interrupted() -> None:
    """Takes Ctrl-C also when the tests run in the background, where shells have it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def start(*command: str | Path, cwd: Path | None = None) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        preexec_fn=be_interrupted,
        env={"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def until_line(process: asyncio.subprocess.Process, pattern: str) -> str:
    """What it has said up to and with the line of that pattern."""
    assert process.stdout is not None
    seen = []
    while line := (await process.stdout.readline()).decode():
        seen.append(line)
        if re.search(pattern, line):
            return "".join(seen)
    raise AssertionError(f"no line with {pattern!r} among {seen}")


@pytest.mark.parametrize(
    ("name", "guide_name"),
    [
        ("vendor", "vendor"),
        ("receiver", "receiver"),
        ("acknowledge", "receiver"),
        ("door_controller", "vendor"),
    ],
)
def test_an_example_is_short_and_its_guide_shows_it_to_the_letter(
    name: str, guide_name: str
) -> None:
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= EXAMPLE_LINES_MAX
    guide = (GUIDES / f"{guide_name}.md").read_text(encoding="utf-8")
    assert f"```python\n{text}```" in guide


def test_what_the_example_of_a_vendor_publishes_the_example_of_a_receiver_shows(
    ach: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            receiver = await start(sys.executable, EXAMPLES / "receiver.py", node.address, desk)
            await until_line(receiver, "^mark: 0 open")
            hub = await start(
                sys.executable, EXAMPLES / "vendor.py", node.address, vendor, NURSE_BUTTON
            )
            said = await until_line(receiver, "^high duress raised nurse-001 [0-9a-f]{32}")
            alarm = said.split()[-1]
            await until_line(receiver, "^duress raised is durable nurse-001")
            for named, answer in ((alarm, "^acknowledged"), ("0" * 32, "unknown thing")):
                pager = await start(
                    *(sys.executable, EXAMPLES / "acknowledge.py", node.address, desk),
                    *(named, "nurse-7"),
                )
                await until_line(pager, answer)
                assert await pager.wait() == (named != alarm)
            await until_line(receiver, f"^high duress acknowledged nurse-001 {alarm}")
            await until_line(hub, "^all on the node's disk")
            assert await hub.wait() == 0
            await node.kill()
            await until_line(receiver, "^WE HEAR NOTHING")
            receiver.send_signal(signal.SIGINT)
            assert await receiver.wait() == 0

    run(test())


def test_the_example_of_a_door_controller_does_what_an_operator_wishes(
    ach: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            await move_door(node)
            doors, desk = await node.enrol("vendor", "doors"), await node.enrol("operator", "desk")
            script = EXAMPLES / "door_controller.py"
            controller = await start(sys.executable, script, node.address, doors)
            await until_line(controller, "^door entrance: locked by itself")
            async with Operator(node.address, desk) as operator:
                await operator.unlock("entrance", 60, "bed delivery")
                await until_line(controller, "^door entrance: unlocked for operator")
                assert (await until(operator, DoorAnswer.FOLLOWED)).is_locked is False
            controller.send_signal(signal.SIGINT)
            assert await controller.wait() == 0

    run(test())


def blocks(guide: str, word: str) -> list[str]:
    """The blocks of Python of a guide with this word in them."""
    text = (GUIDES / guide).read_text(encoding="utf-8")
    return [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if word in block]


def test_a_board_that_keeps_its_cursor_as_the_guide_shows_begins_and_comes_back(
    ach: Path, tmp_path: Path
) -> None:
    (block,) = blocks("receiver.md", "Cursor.parse")
    kept_file = tmp_path / "cursor"
    shown: list[object] = []

    class Enough(Exception):
        """The board is switched off."""

    def keep(cursor: str) -> None:
        kept_file.write_text(cursor, encoding="utf-8")

    async def board(node: RealNode, desk: Path, show: Callable[[object], None]) -> None:
        names: dict[str, Any] = {
            "AlarmSubscriber": AlarmSubscriber,
            "Cursor": Cursor,
            "address": node.address,
            "credentials": desk,
            "keep": keep,
            "kept": kept_file.read_text(encoding="utf-8") if kept_file.exists() else None,
            "show": show,
        }
        exec("async def main():\n" + textwrap.indent(block, "    "), names)
        with pytest.raises(Enough):
            await names["main"]()

    def until(kind: type) -> Callable[[object], None]:
        def show(update: object) -> None:
            shown.append(update)
            if isinstance(update, kind):
                raise Enough

        return show

    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            # Nothing was kept before, nor is there anything to keep when it is switched off.
            await board(node, desk, until(Mark))
            async with Publisher(node.address, vendor) as publisher:
                # The board sees the press, and is switched off before it is dealt with.
                watching = asyncio.create_task(board(node, desk, until(Told)))
                at = time.time_ns()
                pressed = Report(kind=ReportKind.BUTTON_PRESSED, observed_at=at)
                await publisher.report(NURSE_BUTTON, pressed)
                await publisher.durable()
                await watching
            await board(node, desk, until(Mark))
        assert [type(update) for update in shown][-3:] == [LinkUp, Told, Mark]
        if kept_file.exists():
            Cursor.parse(kept_file.read_text(encoding="utf-8"))

    run(test())


def test_the_filter_that_the_guide_shows_is_one() -> None:
    (block,) = blocks("receiver.md", "Filter(")
    assert isinstance(eval(block, vars(ach_client).copy()), Filter)


def commands(guide: str) -> list[tuple[str, list[str]]]:
    """What follows `$ ` in the console blocks of a guide, each with what it is shown to say."""
    text = (GUIDES / guide).read_text(encoding="utf-8")
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


@pytest.mark.parametrize("guide", ["vendor.md", "receiver.md"])
def test_every_command_of_a_guide_does_what_it_says(ach: Path, tmp_path: Path, guide: str) -> None:
    async def test() -> None:
        node = RealNode(ach, tmp_path)
        node.site, node.data = tmp_path / "my-site", tmp_path / "my-data"
        tried = 0
        async with node:
            for command, shown in commands(guide):
                words = shlex.split(command.replace("127.0.0.1:7400", node.address))
                if words[:2] == ["pip", "install"] or words[:3] in (
                    ["ach", "site", "new"],
                    ["ach", "serve", "--site"],
                ):
                    # The test stands on what these make.
                    continue
                programs = {"ach": str(ach), "python": sys.executable}
                if words[1].startswith("clients/"):
                    words[1] = str(REPOSITORY / words[1])
                process = await start(programs[words[0]], *words[1:], cwd=tmp_path)
                said = ""
                if "receiver.py" in command:
                    # It runs until Ctrl-C.
                    said = await until_line(process, "^mark")
                    process.send_signal(signal.SIGINT)
                assert process.stdout is not None
                said += (await process.stdout.read()).decode()
                assert all(line in said.splitlines() for line in shown), f"{command}\n{said}"
                assert await process.wait() == 0, f"{command}\n{said}"
                tried += 1
        assert tried >= 3

    run(test())
