"""A node that does as a test tells it: for what a real one does seldom or never."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ach_client.codec import FrameReader, write_frame
from ach_client.codes import Code
from ach_client.control import Goodbye, Hello, LaneState, Subscribe, Welcome
from ach_client.records import (
    PREAMBLE_BYTES,
    LanePreamble,
    SubscriptionPreamble,
    read_preamble,
    write_preamble,
)
from ach_client.words import Lane

SITE = "example"


class Authority:
    """Makes certificates as a site's authority does, and such as it never would."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
        builder = self._builder(self.name, self.key.public_key(), lasts=True)
        builder = builder.add_extension(x509.BasicConstraints(True, 0), critical=True)
        self.certificate = builder.sign(self.key, hashes.SHA256())

    @classmethod
    def of_node(cls, data: Path, directory: Path) -> Authority:
        """The authority of a real node, with its key."""
        authority = cls(directory)
        key = serialization.load_pem_private_key((data / "pki" / "ca-key.pem").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        authority.key = key
        pem = (data / "pki" / "ca.pem").read_bytes()
        authority.certificate = x509.load_pem_x509_certificate(pem)
        authority.name = authority.certificate.subject
        return authority

    def enrol(
        self,
        uri: str,
        out: str,
        *,
        lasts: bool = True,
        has_hosts: bool = False,
        days: int = 90,
    ) -> Path:
        """A directory of credentials for `uri`; enrolling once more renews them."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, out)])
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri)]
        if has_hosts:
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        builder = self._builder(subject, key.public_key(), lasts=lasts, days=days)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        directory = self._directory / out
        directory.mkdir(parents=True, exist_ok=True)
        pem = serialization.Encoding.PEM
        (directory / "ca.pem").write_bytes(self.certificate.public_bytes(pem))
        (directory / "cert.pem").write_bytes(certificate.public_bytes(pem))
        (directory / "key.pem").write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return directory

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, lasts: bool, days: int = 90
    ) -> x509.CertificateBuilder:
        now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * day)
            .not_valid_after(now + days * day if lasts else now - day)
        )


class Visit(QuicConnectionProtocol):
    """One connection of a client, as the node sees it."""

    def __init__(self, quic: QuicConnection, play: Callable[[Visit], Awaitable[None]]) -> None:
        super().__init__(quic)
        self._play = play
        self._readers: dict[int, FrameReader] = {}
        self._lanes: dict[int, Lane] = {}
        self._heard: asyncio.Queue[tuple[Lane | None, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.is_over = asyncio.Event()
        self.is_deaf = False
        """Whether it hears nothing any more, as one that is gone."""
        self.close_code: int | None = None

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        if not self.is_deaf:
            super().datagram_received(data, addr)

    def quic_event_received(self, event: events.QuicEvent) -> None:
        if isinstance(event, events.HandshakeCompleted):

            async def play() -> None:
                await self._play(self)

            self._task = asyncio.create_task(play())
        elif isinstance(event, events.StreamDataReceived):
            self._read(event.stream_id, event.data)
        elif isinstance(event, events.ConnectionTerminated):
            self.close_code = event.error_code
            self.is_over.set()

    def _read(self, stream_id: int, data: bytes) -> None:
        reader = self._readers.setdefault(stream_id, FrameReader())
        reader.feed(data)
        if stream_id != 0 and stream_id not in self._lanes:
            preamble = reader.take(PREAMBLE_BYTES)
            if preamble is None:
                return
            opened = read_preamble(preamble)
            assert isinstance(opened, LanePreamble)
            self._lanes[stream_id] = opened.lane
        while (frame := reader.next_frame()) is not None:
            self._heard.put_nowait((self._lanes.get(stream_id), frame))
            if isinstance(frame, Goodbye):
                self.goodbye(Code.DONE)

    async def hear(self, kind: type[Any] | None = None) -> Any:
        """The next frame, or the next of that kind."""
        while True:
            _, frame = await self._heard.get()
            if kind is None or isinstance(frame, kind):
                return frame

    def heard_so_far(self, kind: type[Any]) -> list[Any]:
        """What of that kind has come and nobody has looked at."""
        found = []
        while not self._heard.empty():
            _, frame = self._heard.get_nowait()
            if isinstance(frame, kind):
                found.append(frame)
        return found

    def say(self, *frames: Any) -> None:
        """On the control stream."""
        self._quic.send_stream_data(0, b"".join(map(write_frame, frames)))
        self.transmit()

    async def welcome(
        self, *lanes: LaneState, is_storing: bool = True, behind: tuple[Any, ...] = ()
    ) -> Hello:
        """Answers the Hello, with what comes behind it in one datagram. A vendor gets all lanes."""
        hello: Hello = await self.hear(Hello)
        given = {lane.lane for lane in lanes}
        if given:
            left_out = {Lane.DURESS, Lane.DOORS_AND_ALARMS, Lane.PINGS} - given
            lanes += tuple(
                LaneState(
                    lane=lane,
                    epoch=lanes[0].epoch,
                    accepted_through=0,
                    durable_through=0,
                    credit_through=1_000,
                )
                for lane in left_out
            )
        self.say(
            Welcome(
                version=1,
                site=SITE,
                node="fake",
                lanes=lanes,
                server_time=time.time_ns(),
                hello_sent_at=hello.sent_at,
                fencing_epoch=1,
                payload_bytes_max=65_536,
                batch_pings_max=1_024,
                handle_count_max=1_000,
                is_storing=is_storing,
                site_version=1,
            ),
            *behind,
        )
        return hello

    async def subscribed(self) -> tuple[Subscribe, int]:
        """Waits for a subscription and opens its stream."""
        subscribe: Subscribe = await self.hear(Subscribe)
        stream = self._quic.get_next_available_stream_id(is_unidirectional=True)
        preamble = SubscriptionPreamble(
            lane=Lane.DOORS_AND_ALARMS, subscription=subscribe.subscription
        )
        self.send(stream, write_preamble(preamble))
        return subscribe, stream

    def send(self, stream: int, data: bytes) -> None:
        """Bytes on a stream."""
        self._quic.send_stream_data(stream, data)
        self.transmit()

    def finish(self, stream: int) -> None:
        """Nothing more comes on a stream."""
        self._quic.send_stream_data(stream, b"", end_stream=True)
        self.transmit()

    def read_no_more(self, lane: Lane) -> None:
        """Asks the client to stop sending on a lane."""
        stream = next(stream for stream, its in self._lanes.items() if its is lane)
        self._quic.stop_stream(stream, Code.INTERNAL)
        self.transmit()

    def send_datagram(self, data: bytes) -> None:
        """As anybody can who knows the addresses."""
        assert self._transport is not None
        self._transport.sendto(data, self._quic._network_paths[0].addr)

    def reset(self) -> None:
        """As the node does that was started anew and has no such connection."""
        self.is_deaf = True
        token = self._quic._host_cids[0].stateless_reset_token
        self.send_datagram(bytes([0x40]) + bytes(30) + token)

    def note(self, stream: int, *notes: Any) -> None:
        """On the stream of a subscription."""
        self.send(stream, b"".join(map(write_frame, notes)))

    def goodbye(self, code: Code) -> None:
        """Goodbye and the close."""
        self.say(Goodbye(code=code, detail=f"told to say {code.value}"))
        self.close(error_code=code, reason_phrase=f"told to say {code.value}")


class FakeNode:
    """Listens, and plays with each client that comes what the test says, in the order they come."""

    def __init__(
        self, authority: Authority, *plays: Callable[[Visit], Awaitable[None]], role: str = "node"
    ) -> None:
        self._plays = list(plays)
        uri = f"ach://{SITE}/{role}/fake"
        self._credentials = authority.enrol(uri, f"fake-{id(self)}", has_hosts=True)
        self._server: QuicServer | None = None
        self.visits: list[Visit] = []
        self.address = ""

    async def __aenter__(self) -> Self:
        configuration = QuicConfiguration(is_client=False, alpn_protocols=["ach/1"])
        configuration.load_cert_chain(self._credentials / "cert.pem", self._credentials / "key.pem")

        def create(quic: QuicConnection, stream_handler: Any = None) -> Visit:
            visit = Visit(quic, self._plays[min(len(self.visits), len(self._plays) - 1)])
            self.visits.append(visit)
            return visit

        transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: QuicServer(configuration=configuration, create_protocol=create),
            local_addr=("127.0.0.1", 0),
        )
        self._server = server
        host, port = transport.get_extra_info("sockname")
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
