"""Link: one QUIC connection to a node, from its handshake to its end."""

from __future__ import annotations

import asyncio
import hmac
import logging
import socket
from dataclasses import dataclass
from typing import Protocol, cast

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.packet import QuicErrorCode, QuicProtocolVersion
from aioquic.tls import AlertDescription

from .codes import Code
from .credentials import Credentials, Identity
from .errors import AchError, CredentialsRefused, HandshakeRefused, NodeRefused, NotConnected
from .wakeup import note_exception

ALPN = "ach/1"
IDLE_S = 10.0
"""A connection without traffic for this long is dead, says the specification."""
HANDSHAKE_S = 4.0
"""How long all addresses of a node's name together may take to shake hands."""
_NODE_ROLE = "node"
_RESET_BYTES_MIN = 21
"""A stateless reset is no shorter (RFC 9000, 10.3)."""
_RESET_TOKEN_BYTES = 16

_log = logging.getLogger("ach_client")


@dataclass(frozen=True)
class Ending:
    """Why a connection ended: the node's code, a handshake that was refused, or neither of them."""

    why: str
    code: Code | None = None
    is_handshake_refused: bool = False

    @property
    def may_be_tried_again_soon(self) -> bool:
        """Whether it may pass by itself; else the node is left alone for 10 s."""
        if self.is_handshake_refused:
            return False
        return self.code is None or self.code.may_be_tried_again

    @property
    def error(self) -> AchError:
        """What to raise for it."""
        if self.is_handshake_refused:
            return HandshakeRefused(self.why)
        if self.code is not None:
            return NodeRefused(self.code, self.why)
        return NotConnected(self.why)

    def __str__(self) -> str:
        return self.why if self.code is None else f"{self.code}: {self.why}"


class Ended(Exception):
    """The connection is over."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(str(ending))
        self.ending = ending


class Listener(Protocol):
    """Who is told what a link hears. None of these may block."""

    def stream_heard(self, stream_id: int, data: bytes, is_end: bool) -> None:
        """Bytes of a stream, in order."""

    def stream_cut(self, stream_id: int, code: Code) -> None:
        """The node gave up a stream of its own, or does not read on in one of ours."""

    def link_ended(self, ending: Ending) -> None:
        """The last that is told."""


class Link(QuicConnectionProtocol):
    """One QUIC connection. What it hears is told to its listener, from the handshake on."""

    def __init__(self, quic: QuicConnection, site: str, listener: Listener) -> None:
        super().__init__(quic)
        self._site = site
        self._listener = listener
        self._ending: Ending | None = None
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._done.add_done_callback(note_exception)
        self.heard_count = 0
        """What came from the node and could be decrypted: it lives as long as this grows. Whatever
        else comes from its address proves nothing, and may be forged."""

    @classmethod
    async def open(
        cls, address: str, server_name: str, credentials: Credentials, listener: Listener
    ) -> Link:
        """Shakes hands with the node and checks its certificate; raises `Ended` if that fails.

        A name may stand for several addresses, such as ::1 and 127.0.0.1: each gets its share of
        the time.
        """
        loop = asyncio.get_running_loop()
        try:
            infos = await loop.getaddrinfo(*split_address(address), type=socket.SOCK_DGRAM)
        except OSError as error:
            raise Ended(Ending(f"could not find {address}: {error}")) from None
        ended = Ended(Ending(f"{address} has no address"))
        for info in infos:
            remote = cast(tuple[str, int], info[4][:2])
            try:
                async with asyncio.timeout(HANDSHAKE_S / len(infos)):
                    return await cls._open_at(info[0], remote, server_name, credentials, listener)
            except Ended as failure:
                ended = failure
                if ended.ending.is_handshake_refused:
                    break
            except TimeoutError:
                ended = Ended(Ending(f"no node answers at {remote[0]}:{remote[1]}"))
            except OSError as error:
                ended = Ended(Ending(f"could not reach {address}: {error}"))
        raise ended

    @classmethod
    async def _open_at(
        cls,
        family: int,
        remote: tuple[str, int],
        server_name: str,
        credentials: Credentials,
        listener: Listener,
    ) -> Link:
        quic = QuicConnection(configuration=_configuration(server_name, credentials))
        # A socket that is connected learns at once that nobody listens there.
        transport, link = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: cls(quic, credentials.identity.site, listener),
            family=family,
            remote_addr=remote,
        )
        link.connect(transport.get_extra_info("peername"))
        try:
            # Not the future itself: one that is cancelled would pass for a link that was open.
            await asyncio.shield(link._done)
        except BaseException:
            link.abort(Code.DONE, "given up")
            raise
        return link

    def new_stream(self, is_unidirectional: bool) -> int:
        """A stream of our own."""
        return self._quic.get_next_available_stream_id(is_unidirectional=is_unidirectional)

    def send(self, stream_id: int, data: bytes, is_end: bool = False) -> None:
        """Hands bytes to the transport; what is sent in one turn of the loop shares datagrams."""
        if self._ending is None:
            self._quic.send_stream_data(stream_id, data, end_stream=is_end)
            self._transmit_soon()

    def probe(self) -> None:
        """Asks the node's transport for a sign of life."""
        if self._ending is None:
            self._quic.send_ping(0)
            self._transmit_soon()

    def abort(self, code: Code, why: str) -> None:
        """Ends the connection now, telling the node once."""
        if self._ending is None:
            self._quic.close(error_code=code, reason_phrase=why)
            self.transmit()
            self._end(Ending(why))

    def transmit(self) -> None:
        """Sends what is due, as long as there is a socket."""
        if self._ending is None:
            super().transmit()

    def datagram_received(self, data: bytes | str, addr: tuple[str, int]) -> None:
        """From the socket."""
        if isinstance(data, bytes) and self._is_reset(data):
            self._end(Ending("the node has no such connection any more, it was started anew"))
        if self._ending is None:
            super().datagram_received(data, addr)

    def _is_reset(self, data: bytes) -> bool:
        # A node that was started anew cannot read what is meant for the one before, and proves by
        # a token that it is the same all the same. aioquic knows the token and does not look.
        token = self._quic._peer_cid.stateless_reset_token
        return (
            len(token) == _RESET_TOKEN_BYTES
            and len(data) >= _RESET_BYTES_MIN
            and hmac.compare_digest(data[-_RESET_TOKEN_BYTES:], token)
        )

    def error_received(self, exc: Exception) -> None:
        """From the socket. Once there is a connection it is a hint, no more: it may be forged."""
        if not self._done.done():
            self._end(Ending(f"could not reach the node: {exc}"))

    def quic_event_received(self, event: events.QuicEvent) -> None:
        """From the transport."""
        if self._ending is not None:
            return
        self.heard_count += 1
        if isinstance(event, events.HandshakeCompleted):
            self._check_node()
        elif isinstance(event, events.StreamDataReceived):
            self._listener.stream_heard(event.stream_id, event.data, event.end_stream)
        elif isinstance(event, (events.StreamReset, events.StopSendingReceived)):
            self._listener.stream_cut(event.stream_id, Code.known(event.error_code))
        elif isinstance(event, events.ConnectionTerminated):
            self._end(_ending(event))

    def _check_node(self) -> None:
        # The chain and the host's name were checked by the transport; it has no public way to ask
        # for the certificate itself, and a vendor's must not pass for a node's.
        certificate = self._quic.tls._peer_certificate
        try:
            if certificate is None:
                raise CredentialsRefused("no certificate was shown")
            identity = Identity.of(certificate)
            if (identity.role, identity.site) != (_NODE_ROLE, self._site):
                raise CredentialsRefused(f"this is {identity}, not a node of {self._site}")
        except CredentialsRefused as refused:
            self._quic.close(
                error_code=QuicErrorCode.CRYPTO_ERROR + AlertDescription.bad_certificate,
                frame_type=0,
                reason_phrase=str(refused),
            )
            super().transmit()
            self._end(Ending(f"the node's certificate is refused: {refused}", None, True))
        else:
            if not self._done.done():
                self._done.set_result(None)

    def _end(self, ending: Ending) -> None:
        if self._ending is not None:
            return
        self._ending = ending
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()
        if self._done.done():
            self._listener.link_ended(ending)
        else:
            self._done.set_exception(Ended(ending))


def split_address(address: str) -> tuple[str, int]:
    """`host:port`, an IPv6 address in brackets."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError(f"{address!r} is no HOST:PORT")
    return host.strip("[]"), int(port)


def _configuration(server_name: str, credentials: Credentials) -> QuicConfiguration:
    configuration = QuicConfiguration(
        is_client=True,
        alpn_protocols=[ALPN],
        server_name=server_name,
        idle_timeout=IDLE_S,
        supported_versions=[QuicProtocolVersion.VERSION_1],
    )
    configuration.load_verify_locations(credentials.authority_file)
    try:
        configuration.load_cert_chain(credentials.certificate_file, credentials.key_file)
    except ValueError as error:
        raise CredentialsRefused(f"{credentials.directory} is not readable: {error}") from None
    return configuration


def _ending(event: events.ConnectionTerminated) -> Ending:
    """What the transport's last event means."""
    if event.frame_type is None:
        code = Code.known(event.error_code)
        return Ending(event.reason_phrase or "the node closed the connection", code)
    alert = event.error_code - QuicErrorCode.CRYPTO_ERROR
    if 0 <= alert < 0x100:
        try:
            name = AlertDescription(alert).name.replace("_", " ")
        except ValueError:
            name = f"alert {alert}"
        why = f"the handshake was refused: {name}: {event.reason_phrase}"
        return Ending(why.rstrip(": "), None, True)
    try:
        name = QuicErrorCode(event.error_code).name.lower().replace("_", " ")
    except ValueError:
        name = f"error {event.error_code:#x}"
    return Ending(f"the connection was lost: {event.reason_phrase or name}")
