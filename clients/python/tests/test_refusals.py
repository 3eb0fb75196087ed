"""Who is refused by a real node, and with which code bad bytes are answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_node import Authority
from real_node import RealNode, run

from ach_client import (
    AlarmSubscriber,
    Code,
    Credentials,
    CredentialsRefused,
    EventSubscriber,
    Filter,
    HandshakeRefused,
    Identity,
    LinkDown,
    NodeRefused,
    NotConnected,
    Notice,
    Priority,
    Publisher,
)
from ach_client.codec import PINGS, REPORTS, framed, write_frame
from ach_client.control import (
    Echo,
    EchoReply,
    Goodbye,
    Heartbeat,
    Hello,
    Intern,
    Interned,
    RefusedRequest,
    Subscribe,
    Unsubscribe,
)
from ach_client.link import Ended, Ending
from ach_client.notes import OpenSetEnd
from ach_client.records import (
    LanePreamble,
    NumberedReport,
    Report,
    Reports,
    write_preamble,
)
from ach_client.session import Hearing, Session
from ach_client.values import Item
from ach_client.words import ItemKind, Lane, ReportKind, Topic

HEADER_BYTES = 8


class Raw:
    """A session over which anything can be sent."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Any] = asyncio.Queue()
        self._session: Session | None = None

    async def open(self, address: str, credentials: Path | Credentials) -> Raw:
        if isinstance(credentials, Path):
            credentials = Credentials.load(credentials)
        hearing = Hearing(self.heard.put_nowait, lambda: None)
        self._session = await Session.open(
            address,
            credentials,
            hearing,
            client="raw",
            server_name=None,
            dead_after_s=30.0,
        )
        self._session.begin()
        return self

    @property
    def session(self) -> Session:
        assert self._session is not None
        return self._session

    @property
    def link(self) -> Any:
        return self.session._link

    async def hear(self, kind: type[Any]) -> Any:
        """The next frame of that kind: others, such as acks, may come at any time."""
        while not isinstance(frame := await self.heard.get(), kind):
            pass
        return frame

    def on_control(self, data: bytes) -> None:
        self.link.send(0, data)

    def on_new_stream(self, data: bytes) -> None:
        self.link.send(self.link.new_stream(is_unidirectional=True), data)

    async def ending(self) -> Ending:
        return await self.session.ended()


async def answer_to(node: RealNode, credentials: Path, data: bytes, lane: Lane | None) -> Ending:
    """How the node ends a connection over which these bytes come."""
    raw = await Raw().open(node.address, credentials)
    if lane is None:
        raw.on_control(data)
    else:
        epoch = raw.session.welcome.lanes[0].epoch
        raw.on_new_stream(write_preamble(LanePreamble(lane=lane, epoch=epoch)) + data)
    return await raw.ending()


def test_bad_frames_are_answered_with_the_codes_of_the_vectors(
    ach: Path, tmp_path: Path, vectors: Path
) -> None:
    loaded = json.loads((vectors / "refused.json").read_text(encoding="utf-8"))

    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            found = {}
            for vector in loaded:
                data = bytes.fromhex(vector["hex"])
                lanes = {PINGS: Lane.PINGS, REPORTS: Lane.DURESS}
                lane = lanes.get(data[4])
                # What a vendor may not ask for is refused alone: a receiver has to ask.
                credentials = desk if data[4] in (11, 12) else vendor
                ending = await answer_to(node, credentials, data, lane)
                found[vector["name"]] = ending.code
            assert found == {vector["name"]: vector["code"] for vector in loaded}

    run(test())


def preamble(epoch: int, kind: int = 1, lane: int = 3, zero: int = 0) -> bytes:
    return bytes([kind, lane, zero, 0]) + epoch.to_bytes(4, "little")


HEARTBEAT = write_frame(Heartbeat(sent_at=1))
REPORT = write_frame(
    Reports(
        reports=(
            NumberedReport(
                seq=1,
                handle=0,
                report=Report(kind=ReportKind.BUTTON_PRESSED, observed_at=1),
            ),
        )
    )
)
# What opens a vendor's streams, by the epoch in force, and the code.
STREAMS: dict[str, tuple[Callable[[int], list[bytes]], Code]] = {
    "zeros": (lambda epoch: [preamble(epoch, zero=1)], Code.RESERVED_NOT_ZERO),
    "kind": (lambda epoch: [preamble(epoch, kind=7)], Code.MALFORMED),
    "lane": (lambda epoch: [preamble(epoch, lane=2)], Code.MALFORMED),
    "subscription": (lambda epoch: [preamble(epoch, kind=2)], Code.BAD_STREAM),
    "epoch": (lambda epoch: [preamble(epoch + 1)], Code.WRONG_EPOCH),
    "second": (lambda epoch: [preamble(epoch), preamble(epoch)], Code.BAD_STREAM),
    "control": (lambda epoch: [preamble(epoch) + HEARTBEAT], Code.UNEXPECTED_FRAME),
    "reports": (lambda epoch: [preamble(epoch) + REPORT], Code.UNEXPECTED_FRAME),
}


def test_streams_that_break_the_rules_are_answered_with_their_codes(
    ach: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            found = {}
            for name, (opens, _) in STREAMS.items():
                raw = await Raw().open(node.address, vendor)
                for data in opens(raw.session.welcome.lanes[0].epoch):
                    raw.on_new_stream(data)
                found[name] = (await raw.ending()).code
            assert found == {name: code for name, (_, code) in STREAMS.items()}
            raw = await Raw().open(node.address, desk)
            raw.on_new_stream(preamble(1))
            assert (await raw.ending()).code is Code.WRONG_ROLE

    run(test())


WRONG_PLACE: dict[str, tuple[Any, Code]] = {
    "a second hello": (Hello(versions=(1,), client="", sent_at=1), Code.UNEXPECTED_FRAME),
    "a node's frame": (Interned(first_handle=0, item_count=0), Code.UNEXPECTED_FRAME),
    "a note": (OpenSetEnd(open_count=0), Code.UNEXPECTED_FRAME),
    "reports": (
        Reports(
            reports=(
                NumberedReport(
                    seq=1,
                    handle=0,
                    report=Report(kind=ReportKind.BAND_CUT, observed_at=1),
                ),
            )
        ),
        Code.UNEXPECTED_FRAME,
    ),
    "handles with a gap": (
        Intern(first_handle=5, items=(Item(ItemKind.DOOR, "entrance"),)),
        Code.MALFORMED,
    ),
    "goodbye": (Goodbye(code=Code.TOO_SLOW), Code.DONE),
}


def test_frames_in_the_wrong_place_are_answered_with_their_codes(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            found = {}
            for name, (frame, _) in WRONG_PLACE.items():
                raw = await Raw().open(node.address, vendor)
                raw.session.send(frame)
                found[name] = (await raw.ending()).code
            assert found == {name: code for name, (_, code) in WRONG_PLACE.items()}

            raw = await Raw().open(node.address, desk)
            subscribe = Subscribe(subscription=1, topic=Topic.ALARMS, filter=Filter())
            for number in range(16):
                raw.session.send(replace(subscribe, subscription=number))
            raw.session.send(replace(subscribe, subscription=99))
            refused = await raw.hear(RefusedRequest)
            assert (refused.code, refused.subscription) == (Code.TOO_MANY, 99)
            raw.session.send(Echo(nonce=7, subscription=99))
            refused = await raw.hear(RefusedRequest)
            assert (refused.code, refused.subscription) == (Code.UNKNOWN_TOPIC, None)
            raw.session.send(Echo(nonce=8, reply_bytes=1_000_000))
            assert (await raw.hear(EchoReply)) == EchoReply(nonce=8, padding=4_096)
            await raw.session.close()
            # An id is in use until its stream has ended, also after an Unsubscribe.
            raw = await Raw().open(node.address, desk)
            for frame in (subscribe, Unsubscribe(subscription=1), subscribe):
                raw.session.send(frame)
            assert (await raw.ending()).code is Code.MALFORMED

    run(test())


def test_numbers_that_break_the_rules_are_answered_with_their_codes(
    ach: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor = await node.enrol("vendor", "rtls")
            ping = bytes(8) + time.time_ns().to_bytes(8, "little") + bytes(32)

            async def code(first_seq: int) -> Code | None:
                raw = await Raw().open(node.address, vendor)
                tag = Item(ItemKind.TAG, "0200AC0000000001")
                raw.session.send(Intern(first_handle=0, items=(tag,)))
                await raw.hear(Interned)
                payload = first_seq.to_bytes(8, "little") + b"\1\0\0\0\0\0\0\0" + ping
                epoch = raw.session.welcome.lanes[0].epoch
                raw.session.send_on_lane(Lane.PINGS, epoch, PINGS, payload)
                return (await raw.ending()).code

            assert await code(3) is Code.SEQUENCE_GAP
            assert await code(1_000_000) is Code.SEQUENCE_GAP
            assert await code(2**63) is Code.SEQUENCE_GAP

    run(test())


def test_a_request_that_the_role_may_not_make_is_refused_alone(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor, desk = await node.enrol("vendor", "rtls"), await node.enrol("receiver", "desk")
            raw = await Raw().open(node.address, vendor)
            raw.session.send(Subscribe(subscription=1, topic=Topic.ALARMS, filter=Filter()))
            assert (await raw.hear(RefusedRequest)).code is Code.WRONG_ROLE
            assert not raw.session.is_over
            await raw.session.close()
            raw = await Raw().open(node.address, desk)
            tag = Item(ItemKind.TAG, "0200AC0000000001")
            raw.session.send(Intern(first_handle=0, items=(tag,)))
            assert (await raw.hear(RefusedRequest)).code is Code.WRONG_ROLE
            # An id that is not in use is ignored.
            raw.session.send(Unsubscribe(subscription=9))
            await raw.session.close()
            assert (await raw.ending()).code is Code.DONE

    run(test())


def test_a_filter_that_means_nothing_for_its_topic_is_told_to_the_program(
    ach: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            desk = await node.enrol("receiver", "desk")
            wrong = Filter(priorities=(Priority.HIGH,))
            async with EventSubscriber(node.address, desk, filter=wrong) as events:
                with pytest.raises(NodeRefused) as refused:
                    async for _ in events:
                        pass
            assert refused.value.code is Code.UNKNOWN_TOPIC

    run(test())


def test_certificates_of_others_are_refused(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            await node.enrol("vendor", "rtls")
            theirs = Authority.of_node(node.data, tmp_path / "theirs")
            other = Authority(tmp_path / "other")
            uri = "ach://example/vendor/rtls"

            async def connects(credentials: Path) -> None:
                async with Publisher(node.address, credentials):
                    pass

            # A client's certificate names nobody's host.
            with pytest.raises(NodeRefused) as with_hosts:
                await connects(theirs.enrol(uri, "with-hosts", has_hosts=True))
            assert with_hosts.value.code is Code.WRONG_ROLE
            # As the node's authority makes them, it is let in: what is refused below is refused
            # for what differs.
            await connects(theirs.enrol(uri, "good"))
            with pytest.raises(HandshakeRefused, match="expired"):
                await connects(theirs.enrol(uri, "expired", lasts=False))
            stranger = other.enrol(uri, "stranger")
            with pytest.raises(HandshakeRefused):
                await connects(stranger)
            # The same again, by a client that trusts the node: now it is the node that refuses.
            (stranger / "ca.pem").write_bytes(
                (tmp_path / "theirs" / "good" / "ca.pem").read_bytes()
            )
            with pytest.raises(HandshakeRefused):
                await connects(stranger)
            elsewhere = theirs.enrol("ach://elsewhere/vendor/rtls", "elsewhere")
            with pytest.raises(HandshakeRefused, match="not a node of elsewhere"):
                await connects(elsewhere)
            # The same again, by a client that does not mind: now it is the node that refuses.
            shown = replace(
                Credentials.load(elsewhere), identity=Identity("example", "vendor", "a")
            )
            with pytest.raises(Ended) as ended:
                await Raw().open(node.address, shown)
            assert ended.value.ending.code is Code.WRONG_SITE
            with pytest.raises(NodeRefused) as no_feed:
                await connects(theirs.enrol("ach://example/vendor/nobody", "nobody"))
            assert no_feed.value.code is Code.UNKNOWN_SOURCE

    run(test())


def test_a_vendor_whose_feed_is_used_twice_gives_way_for_good(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        told: list[Notice] = []
        async with RealNode(ach, tmp_path) as node:
            vendor = await node.enrol("vendor", "rtls")
            async with Publisher(node.address, vendor, on_notice=told.append) as older:
                async with Publisher(node.address, vendor):
                    with pytest.raises(NodeRefused) as refused:
                        await older._until(lambda: False)
                    assert refused.value.code is Code.TAKEN_OVER
        last = told[-1]
        assert isinstance(last, LinkDown) and last.wait_s is None

    run(test())


def test_a_node_that_is_not_there_is_waited_for_and_then_told(tmp_path: Path) -> None:
    async def test() -> None:
        directory = Authority(tmp_path).enrol("ach://example/vendor/rtls", "rtls")
        with pytest.raises(NotConnected):
            async with Publisher("127.0.0.1:9", directory, connect_within_s=1.0):
                pass
        with pytest.raises(NotConnected):
            async with AlarmSubscriber("127.0.0.1:9", directory, connect_within_s=1.0):
                pass

    run(test())


def test_credentials_that_cannot_be_used_are_told_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(CredentialsRefused, match="ca.pem is missing"):
        Publisher("127.0.0.1:9", tmp_path)
    directory = Authority(tmp_path).enrol("https://example/vendor/rtls", "web")
    with pytest.raises(CredentialsRefused, match="is not ach://"):
        Publisher("127.0.0.1:9", directory)
    colon = Authority(tmp_path / "second").enrol("ach://example/vendor/a%3Ab", "colon")
    assert Credentials.load(colon).identity.name == "a:b"


def test_a_frame_that_is_not_finished_in_time_is_answered_so(ach: Path, tmp_path: Path) -> None:
    async def test() -> None:
        async with RealNode(ach, tmp_path) as node:
            vendor = await node.enrol("vendor", "rtls")
            half = framed(9, bytes(12))[: HEADER_BYTES + 4]
            ending = await answer_to(node, vendor, half, None)
            assert ending.code is Code.FRAME_TIMEOUT

    run(test())
