"""Codec: frames to bytes, and a stream of bytes to frames."""

from __future__ import annotations

import struct
from typing import Any

from . import control, doors, notes, service
from .codes import Code
from .errors import UnknownWord
from .fields import read_fields, write_fields
from .records import (
    Pings,
    Reports,
    read_pings,
    read_reports,
    write_ping,
    write_pings,
    write_reports,
)
from .values import need

HEADER_BYTES = 8
"""What every frame begins with."""
PAYLOAD_BYTES_MAX = 65_536
"""What may follow a header; checked before room is made."""
PINGS, REPORTS = 32, 33
"""The two frames that are no lists of fields."""

_HEADER = struct.Struct("<IBBH")
_SKIPPABLE_TYPE = 128
_NOTE_TYPES = range(48, 54)

FRAMES: dict[int, type[Any]] = {
    1: control.Hello,
    2: control.Welcome,
    3: control.Intern,
    4: control.Interned,
    5: control.Ack,
    6: control.Refusal,
    7: control.RefusedRequest,
    8: control.Goodbye,
    9: control.Heartbeat,
    10: control.ClockOffset,
    11: control.Subscribe,
    12: control.Unsubscribe,
    13: control.Echo,
    14: control.EchoReply,
    15: control.Command,
    16: control.Receipt,
    17: control.StatusQuery,
    18: control.Status,
    48: notes.AlarmNote,
    49: notes.AlarmSettled,
    50: notes.OpenSetEnd,
    51: notes.EventNote,
    52: notes.PositionNote,
    53: notes.Gap,
    128: service.SiteQuery,
    129: service.SiteOffer,
    130: service.SitePart,
    131: service.SiteVerdict,
    132: service.UnregisteredQuery,
    133: service.Unregistered,
    134: service.CertificateEnds,
    135: service.Displayed,
    136: service.AttentionQuery,
    137: service.Attention,
    138: service.SelftestOrder,
    139: service.SelftestReport,
    140: doors.DoorOrder,
    141: doors.DoorsQuery,
    142: doors.Doors,
    150: service.LeaveQuery,
    151: service.Leaves,
    156: service.QuietQuery,
    157: service.QuietList,
}
_TYPES = {cls: number for number, cls in FRAMES.items()}


class Skipped:
    """A note with a word this client is too old to know: it is left out, and said to be."""

    def __init__(self, why: str) -> None:
        self.why = why


def read_header(header: bytes) -> tuple[int, int]:
    """How many bytes follow, and of which type."""
    length, frame_type, flags, zero = _HEADER.unpack(header)
    need(length <= PAYLOAD_BYTES_MAX, f"a frame of {length} bytes", Code.FRAME_TOO_LARGE)
    need(flags == 0 and zero == 0, "a header's zeros", Code.RESERVED_NOT_ZERO)
    is_known = frame_type in FRAMES or frame_type in (PINGS, REPORTS)
    need(is_known or frame_type >= _SKIPPABLE_TYPE, f"frame type {frame_type}", Code.UNKNOWN_FRAME)
    return length, frame_type


def read_payload(frame_type: int, payload: bytes) -> Any:
    """The frame; None for one of a type that a later version added."""
    if frame_type == PINGS:
        return read_pings(payload)
    if frame_type == REPORTS:
        return read_reports(payload)
    cls = FRAMES.get(frame_type)
    return None if cls is None else read_fields(cls, payload)


def write_frame(frame: Any) -> bytes:
    """The bytes of a frame, header and all."""
    if isinstance(frame, Pings):
        pings = [write_ping(handle, ping) for handle, ping in frame.pings]
        return framed(PINGS, write_pings(frame.first_seq, pings))
    if isinstance(frame, Reports):
        return framed(REPORTS, write_reports(frame.reports))
    return framed(_TYPES[type(frame)], write_fields(frame))


def framed(frame_type: int, payload: bytes) -> bytes:
    """A payload behind its header."""
    need(len(payload) <= PAYLOAD_BYTES_MAX, "a frame's length", Code.FRAME_TOO_LARGE)
    return _HEADER.pack(len(payload), frame_type, 0, 0) + payload


class FrameReader:
    """Cuts a stream into frames, however its bytes come."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    @property
    def is_within_frame(self) -> bool:
        """Whether a frame was begun that is not whole yet."""
        return bool(self._bytes)

    def take(self, count: int) -> bytes | None:
        """The next bytes, once there are as many; for what comes before the first frame."""
        if len(self._bytes) < count:
            return None
        taken = bytes(self._bytes[:count])
        del self._bytes[:count]
        return taken

    def feed(self, data: bytes) -> None:
        """More of the stream."""
        self._bytes += data

    def next_frame(self) -> Any:
        """The next whole frame, or None. Frames of later versions are passed over."""
        while len(self._bytes) >= HEADER_BYTES:
            length, frame_type = read_header(bytes(self._bytes[:HEADER_BYTES]))
            if len(self._bytes) < HEADER_BYTES + length:
                return None
            payload = bytes(self._bytes[HEADER_BYTES : HEADER_BYTES + length])
            del self._bytes[: HEADER_BYTES + length]
            try:
                frame = read_payload(frame_type, payload)
            except UnknownWord as unknown:
                if frame_type not in _NOTE_TYPES:
                    raise
                frame = Skipped(str(unknown))
            if frame is not None:
                return frame
        return None
