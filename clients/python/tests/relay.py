"""A relay for datagrams: keeps its address while the node behind it moves, and can be cut."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

DATAGRAM_BYTES_MAX = 65_536


class Relay(asyncio.DatagramProtocol):
    """Each client gets a socket of its own towards the node."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._towards: dict[Any, socket.socket] = {}
        self._target: tuple[str, int] | None = None
        self.is_cut = False
        """Whether everything is lost on the way, as on a dead link."""
        self.address = ""

    async def open(self) -> None:
        """Takes a free port."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        host, port = self._transport.get_extra_info("sockname")
        self.address = f"{host}:{port}"

    def lead_to(self, address: str) -> None:
        """Sends what comes to another node from now on."""
        host, port = address.split(":")
        self._target = (host, int(port))
        self._forget()

    def close(self) -> None:
        """Lets everything go."""
        self._forget()
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """From a client."""
        if self.is_cut or self._target is None:
            return
        if addr not in self._towards:
            self._towards[addr] = self._new_socket(addr)
        try:
            self._towards[addr].send(data)
        except OSError:
            pass  # Lost, as datagrams are: nobody listens there.

    def _new_socket(self, addr: Any) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        assert self._target is not None
        sock.connect(self._target)
        asyncio.get_running_loop().add_reader(sock, self._back, sock, addr)
        return sock

    def _back(self, sock: socket.socket, addr: Any) -> None:
        try:
            data = sock.recv(DATAGRAM_BYTES_MAX)
        except OSError:
            return
        if not self.is_cut and self._transport is not None:
            self._transport.sendto(data, addr)

    def _forget(self) -> None:
        for sock in self._towards.values():
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()
        self._towards = {}
