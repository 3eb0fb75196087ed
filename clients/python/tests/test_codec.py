"""The codec against the golden vectors, both ways, and against bytes that mean nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from vector_form import in_vector_form, ping_in_vector_form

from ach_client.codec import (
    FRAMES,
    HEADER_BYTES,
    PINGS,
    REPORTS,
    FrameReader,
    Skipped,
    framed,
    read_header,
    read_payload,
    write_frame,
)
from ach_client.codes import Code
from ach_client.control import Heartbeat
from ach_client.errors import Refused
from ach_client.records import (
    NumberedReport,
    Report,
    read_ping,
    read_preamble,
    read_reports,
    write_ping,
    write_preamble,
    write_reports,
)
from ach_client.values import Position, read_position, write_position
from ach_client.words import ReportKind


def load(vectors: Path, name: str) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads((vectors / name).read_text(encoding="utf-8"))
    return loaded


def read_frame(data: bytes) -> Any:
    """One whole frame, from a stream that ends with it."""
    length, frame_type = read_header(data[:HEADER_BYTES])
    if len(data) != HEADER_BYTES + length:
        raise Refused(Code.MALFORMED, "a frame that is cut")
    return read_payload(frame_type, data[HEADER_BYTES:])


def test_every_frame_is_read_and_written_as_the_vectors_have_it(vectors: Path) -> None:
    loaded = load(vectors, "frames.json")
    for vector in loaded:
        data = bytes.fromhex(vector["hex"])
        frame = read_frame(data)
        assert in_vector_form(frame) == vector["fields"], vector["name"]
        assert write_frame(frame).hex() == vector["hex"], vector["name"]
    assert {vector["type"] for vector in loaded} == set(FRAMES) | {PINGS, REPORTS}


def test_a_payload_that_is_cut_anywhere_is_malformed(vectors: Path) -> None:
    for vector in load(vectors, "frames.json"):
        payload = bytes.fromhex(vector["hex"])[HEADER_BYTES:]
        # A list of fields may end after any of them: what is cut there is told by what is missing.
        for cut in range(len(payload)):
            try:
                found = read_payload(vector["type"], payload[:cut])
            except Refused as refused:
                assert refused.code is Code.MALFORMED, f"{vector['name']} cut at {cut}"
            else:
                assert in_vector_form(found) != vector["fields"], f"{vector['name']} cut at {cut}"


def test_what_must_be_refused_is_refused_with_its_code(vectors: Path) -> None:
    for vector in load(vectors, "refused.json"):
        with pytest.raises(Refused) as refused:
            read_frame(bytes.fromhex(vector["hex"]))
        assert refused.value.code == vector["code"], vector["name"]


def test_single_pings_are_taken_or_refused(vectors: Path) -> None:
    for vector in load(vectors, "pings.json"):
        data = bytes.fromhex(vector["hex"])
        if "code" in vector:
            with pytest.raises(Refused) as refused:
                read_ping(data)
            assert refused.value.code == vector["code"], vector["name"]
        else:
            handle, ping = read_ping(data)
            assert ping_in_vector_form(handle, ping) == vector["fields"], vector["name"]
            assert write_ping(handle, ping) == data, vector["name"]


def test_preambles(vectors: Path) -> None:
    for vector in load(vectors, "preambles.json"):
        preamble = read_preamble(bytes.fromhex(vector["hex"]))
        assert write_preamble(preamble).hex() == vector["hex"]
        number = "epoch" if vector["fields"]["kind"] == 1 else "subscription"
        assert int(preamble.lane) == vector["fields"]["lane"]
        assert getattr(preamble, number) == vector["fields"][number]


def test_what_a_later_version_adds_is_passed_over_unless_it_is_critical() -> None:
    payload = write_frame(Heartbeat(sent_at=7))[HEADER_BYTES:]

    def grown(tag: int) -> bytes:
        return payload + tag.to_bytes(2, "little") + b"\3\0abc"

    assert read_payload(9, grown(32_767)) == Heartbeat(sent_at=7)
    with pytest.raises(Refused) as refused:
        read_payload(9, grown(32_768))
    assert refused.value.code is Code.UNKNOWN_FIELD
    reader = FrameReader()
    reader.feed(framed(200, b"of a later version") + write_frame(Heartbeat(sent_at=8)))
    assert reader.next_frame() == Heartbeat(sent_at=8)


def test_a_note_with_a_word_of_a_later_version_is_left_out_and_the_stream_goes_on(
    vectors: Path,
) -> None:
    alarm = next(v for v in load(vectors, "frames.json") if v["type"] == 48)
    data = bytes.fromhex(alarm["hex"])
    kind_field = bytes.fromhex("04000100") + bytes([alarm["fields"]["kind"]])
    at = data.index(kind_field) + 4
    newer = data[:at] + bytes([200]) + data[at + 1 :]
    reader = FrameReader()
    reader.feed(newer + data)
    assert isinstance(reader.next_frame(), Skipped)
    assert in_vector_form(reader.next_frame()) == alarm["fields"]


def test_frames_are_cut_from_a_stream_however_its_bytes_come(vectors: Path) -> None:
    frames = [bytes.fromhex(vector["hex"]) for vector in load(vectors, "frames.json")]
    stream = b"".join(frames)
    for piece in (1, 7, 1_200, len(stream)):
        reader, found = FrameReader(), []
        for at in range(0, len(stream), piece):
            reader.feed(stream[at : at + piece])
            while (frame := reader.next_frame()) is not None:
                found.append(write_frame(frame))
        assert found == frames
        assert not reader.is_within_frame


def test_bytes_that_mean_nothing_are_refused_and_nothing_else_happens(vectors: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    frames = [bytes.fromhex(vector["hex"]) for vector in load(vectors, "frames.json")]
    for _ in range(20_000):
        data = bytearray(chance.choice(frames))
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        reader = FrameReader()
        reader.feed(bytes(data))
        try:
            frame = reader.next_frame()
        except Refused:
            continue
        if frame is not None and not isinstance(frame, Skipped):
            assert read_frame(write_frame(frame)) == frame


def test_a_battery_tells_percent_and_nothing_else_does() -> None:
    def report(kind: ReportKind, percent: int | None) -> Report:
        return Report(kind=kind, observed_at=1, percent=percent)

    for kind, percent in (
        (ReportKind.DOOR_BATTERY, None),
        (ReportKind.DOOR_BATTERY, 101),
        (ReportKind.DOOR_BATTERY, -1),
        (ReportKind.DOOR_ALIVE, 50),
    ):
        with pytest.raises(Refused):
            report(kind, percent)
    empty = NumberedReport(seq=1, handle=2, report=report(ReportKind.DOOR_BATTERY, 0))
    payload = write_reports((empty,))
    assert read_reports(payload).reports == (empty,)
    # Percent follows 8 bytes of the frame's header and 24 of the report's.
    with pytest.raises(Refused):
        read_reports(payload[:32] + bytes([101]) + payload[33:])


def test_a_position_is_refused_for_what_it_does_not_flag() -> None:
    whole = Position(1, 2, z_mm=3, floor_hundredths=4)
    data = write_position(whole)
    assert read_position(data) == whole
    # Flags are the last two bytes: 1 height, 2 floor, others nothing.
    for flags in (0, 1, 2, 7):
        with pytest.raises(Refused) as refused:
            read_position(data[:-2] + bytes([flags, 0]))
        assert refused.value.code is Code.RESERVED_NOT_ZERO, flags
