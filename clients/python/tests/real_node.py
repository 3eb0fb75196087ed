"""A real node for a test: `ach serve` on a site of its own, killed and started at will."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from relay import Relay

T = TypeVar("T")

START_S = 60.0
"""A debug build on a machine that builds something else meanwhile."""
TEST_S = 120.0
"""No test waits longer for anything."""


def run(test: Coroutine[Any, Any, T]) -> T:
    """Runs an asynchronous test, which fails if it hangs."""

    async def bounded() -> T:
        async with asyncio.timeout(TEST_S):
            return await test

    return asyncio.run(bounded())


class RealNode:
    """A node, reached through a relay whose address stays when the node's does not."""

    def __init__(self, ach: Path, directory: Path) -> None:
        self._ach = ach
        self._directory = directory
        self.site = directory / "site"
        self.data = directory / "data"
        self._process: asyncio.subprocess.Process | None = None
        self.relay = Relay()
        self.node_address = ""
        """Where the node itself listens, for its own commands."""

    @property
    def address(self) -> str:
        """Where clients connect."""
        return self.relay.address

    async def __aenter__(self) -> Self:
        await self.command("site", "new", str(self.site))
        await self.relay.open()
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            print((self._directory / "node.log").read_text(encoding="utf-8")[-4_000:])
        await self.kill()
        self.relay.close()

    async def command(self, *arguments: str) -> str:
        """Runs `ach` with these arguments; what it prints."""
        process = await asyncio.create_subprocess_exec(
            self._ach,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()

    async def enrol(self, role: str, name: str, out: str | None = None) -> Path:
        """Credentials in that role."""
        directory = self._directory / (out or name)
        await self.command(role, "enrol", name, "--data", str(self.data), "--out", str(directory))
        return directory

    async def start(self) -> None:
        """Starts the node on a port of its choice and leads the relay there."""
        with (self._directory / "node.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                self._ach,
                *("serve", "--site", str(self.site), "--data", str(self.data)),
                *("--listen", "127.0.0.1:0", "--json", "--until-stdin-ends"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(START_S):
            line = await self._process.stdout.readline()
        said = json.loads(line)
        assert said["event"] == "listening", said
        self.node_address = said["node"]
        self.relay.lead_to(said["node"])

    async def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
