"""Records: pings, reports and preambles, whose bytes lie at fixed places."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .codes import Code
from .errors import Refused, UnknownWord
from .values import need
from .words import DoorMode, Lane, ReportKind

RECORDS_MAX = 1_024
"""Pings or reports of one frame."""
PREAMBLE_BYTES = 8
"""What a stream other than the control stream begins with."""

_PING = struct.Struct("<IHhQqqiIB7s")
_REPORT = struct.Struct("<QQIB3sQ")
_PINGS_HEADER = struct.Struct("<QII")
_REPORTS_HEADER = struct.Struct("<II")
_PREAMBLE = struct.Struct("<BBHI")
_FLOOR, _Z, _GLOBAL, _ACCURACY, _BATTERY = 1, 2, 4, 8, 16
_NOT_A_NUMBER = -(2**63)
_LONGITUDE_MAX, _LATITUDE_MAX = 180 * 10**9, 90 * 10**9
_LEAVE_MS_MAX, _PERCENT_MAX = 3_600_000, 100
_LANE_STREAM, _SUBSCRIPTION_STREAM = 1, 2
_VENDOR_LANES = (Lane.DURESS, Lane.DOORS_AND_ALARMS, Lane.PINGS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ping:
    """Where a tag was: local millimetres, or longitude and latitude in 1e-9 degrees.

    `observed_at` is in ns since 1970 UTC by the locating system's clock, `floor_hundredths` in
    hundredths of a storey: 0 is the ground floor, 100 the first.
    """

    observed_at: int
    x_mm: int | None = None
    y_mm: int | None = None
    longitude_nano_deg: int | None = None
    latitude_nano_deg: int | None = None
    floor_hundredths: int | None = None
    z_mm: int | None = None
    accuracy_mm: int | None = None
    battery_percent: int | None = None

    def __post_init__(self) -> None:
        is_local = self.x_mm is not None and self.y_mm is not None
        is_global = self.longitude_nano_deg is not None and self.latitude_nano_deg is not None
        need(is_local != is_global, "a ping has x and y, or longitude and latitude")


@dataclass(frozen=True, kw_only=True)
class Pings:
    """A frame of pings, each with its handle; the n-th, from 0, has number `first_seq + n`."""

    first_seq: int
    pings: tuple[tuple[int, Ping], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a button, band, door or anchor says.

    `valid_ms` is for grants and requests to exit, `percent` for a door's battery, `order` the
    number of the order that was done or refused. `mode` is what a key switch at the door makes it
    do, None once the switch has given the door back.
    """

    kind: ReportKind
    observed_at: int
    valid_ms: int | None = None
    percent: int | None = None
    order: int | None = None
    mode: DoorMode | None = None

    def __post_init__(self) -> None:
        gives_leave = self.kind.gives_leave
        need(gives_leave == (self.valid_ms is not None), f"{self.kind}: whether it has valid_ms")
        within = self.valid_ms is None or 0 <= self.valid_ms <= _LEAVE_MS_MAX
        need(within, "leave of over an hour", Code.OUT_OF_RANGE)
        is_battery = self.kind == ReportKind.DOOR_BATTERY
        need(is_battery == (self.percent is not None), f"{self.kind}: whether it has percent")
        need(self.percent is None or 0 <= self.percent <= _PERCENT_MAX, "a battery over 100 %")
        is_answer = self.kind.answers_an_order
        need(is_answer == (self.order is not None), f"{self.kind}: whether it has order")
        need(self.order is None or 0 < self.order < 2**64, "an order without a number")
        is_switch = self.kind is ReportKind.LOCAL_OVERRIDE
        need(is_switch or self.mode is None, f"{self.kind}: whether it has mode")

    @property
    def number(self) -> int:
        """What it says beside its kind, as on the wire."""
        return self.valid_ms or self.percent or self.order or self.mode or 0


@dataclass(frozen=True, kw_only=True)
class NumberedReport:
    """A report with its number and handle; of a grant, with that of the badge it was given to."""

    seq: int
    handle: int
    report: Report
    badge: int | None = None

    def __post_init__(self) -> None:
        is_grant = self.report.kind is ReportKind.ACCESS_GRANTED
        need(is_grant or self.badge is None, f"{self.report.kind}: whether it has a badge")
        need(self.badge is None or 0 <= self.badge < 2**32 - 1, "a badge that is no handle")

    @property
    def number(self) -> int:
        """What it says beside its kind, as on the wire."""
        return self.report.number | (0 if self.badge is None else self.badge + 1) << 32


@dataclass(frozen=True, kw_only=True)
class Reports:
    """A frame of reports."""

    reports: tuple[NumberedReport, ...]


@dataclass(frozen=True, kw_only=True)
class LanePreamble:
    """Opens the stream of a vendor's lane."""

    lane: Lane
    epoch: int


@dataclass(frozen=True, kw_only=True)
class SubscriptionPreamble:
    """Opens the stream of a subscription; `lane` says what it carries."""

    lane: Lane
    subscription: int


def read_ping(data: bytes) -> tuple[int, Ping]:
    """A handle and its ping; refuses with the code with which the node refuses the ping alone."""
    need(len(data) == _PING.size, "a ping's length")
    handle, flags, floor, observed_at, x, y, z, accuracy, battery, zero = _PING.unpack(data)
    is_zero_where_unsaid = (
        flags & ~31 == 0
        and (flags & _FLOOR or floor == 0)
        and (flags & _Z or z == 0)
        and (flags & _ACCURACY or accuracy == 0)
        and (flags & _BATTERY or battery == 0)
        and not any(zero)
    )
    need(is_zero_where_unsaid, "a ping's zeros", Code.RESERVED_NOT_ZERO)
    need(battery <= 100, "a battery over 100 percent", Code.OUT_OF_RANGE)
    need(_NOT_A_NUMBER not in (x, y), "a coordinate that is not a number", Code.NOT_A_NUMBER)
    is_global = bool(flags & _GLOBAL)
    _need_within(is_global, x, y)
    return handle, Ping(
        observed_at=observed_at,
        x_mm=None if is_global else x,
        y_mm=None if is_global else y,
        longitude_nano_deg=x if is_global else None,
        latitude_nano_deg=y if is_global else None,
        floor_hundredths=floor if flags & _FLOOR else None,
        z_mm=z if flags & _Z else None,
        accuracy_mm=accuracy if flags & _ACCURACY else None,
        battery_percent=battery if flags & _BATTERY else None,
    )


def _need_within(is_global: bool, x: int, y: int) -> None:
    if is_global:
        is_within = abs(x) <= _LONGITUDE_MAX and abs(y) <= _LATITUDE_MAX
    else:
        is_within = -(2**31) <= min(x, y) and max(x, y) < 2**31
    need(is_within, f"coordinates {x}, {y}", Code.OUT_OF_RANGE)


def write_ping(handle: int, ping: Ping) -> bytes:
    """The 48 bytes of a ping, refused here if the node would refuse them."""
    is_global = ping.longitude_nano_deg is not None
    x = (ping.longitude_nano_deg if is_global else ping.x_mm) or 0
    y = (ping.latitude_nano_deg if is_global else ping.y_mm) or 0
    _need_within(is_global, x, y)
    battery = ping.battery_percent or 0
    need(0 <= battery <= 100, f"a battery of {battery} percent", Code.OUT_OF_RANGE)
    flags = (
        (0 if ping.floor_hundredths is None else _FLOOR)
        | (0 if ping.z_mm is None else _Z)
        | (_GLOBAL if is_global else 0)
        | (0 if ping.accuracy_mm is None else _ACCURACY)
        | (0 if ping.battery_percent is None else _BATTERY)
    )
    floor, z, accuracy = ping.floor_hundredths or 0, ping.z_mm or 0, ping.accuracy_mm or 0
    try:
        return _PING.pack(
            handle, flags, floor, ping.observed_at, x, y, z, accuracy, battery, bytes(7)
        )
    except struct.error as error:
        raise Refused(Code.OUT_OF_RANGE, f"a ping's values: {error}") from None


def read_pings(data: bytes) -> Pings:
    """A frame of pings."""
    need(len(data) >= _PINGS_HEADER.size, "a header is cut")
    first_seq, count, zero = _PINGS_HEADER.unpack_from(data)
    records = _records(data, _PINGS_HEADER.size, count, zero, _PING.size)
    need(first_seq > 0 and first_seq + count < 2**64, "numbers that cannot be")
    return Pings(first_seq=first_seq, pings=tuple(map(read_ping, records)))


def write_pings(first_seq: int, pings: list[bytes]) -> bytes:
    """The payload of a frame of pings that are bytes already."""
    need(0 < len(pings) <= RECORDS_MAX, "how many pings", Code.TOO_MANY)
    return _PINGS_HEADER.pack(first_seq, len(pings), 0) + b"".join(pings)


def _records(data: bytes, start: int, count: int, zero: int, record_bytes: int) -> list[bytes]:
    need(zero == 0, "a header's zeros", Code.RESERVED_NOT_ZERO)
    need(count <= RECORDS_MAX, f"{count} records", Code.TOO_MANY)
    need(count > 0, "a frame of nothing")
    need(len(data) == start + count * record_bytes, "a count that does not fit")
    return [data[at : at + record_bytes] for at in range(start, len(data), record_bytes)]


def _read_report(data: bytes) -> NumberedReport:
    seq, observed_at, handle, kind, zero, number = _REPORT.unpack(data)
    need(not any(zero), "a report's zeros", Code.RESERVED_NOT_ZERO)
    need(seq > 0, "a report without a number")
    try:
        known = ReportKind(kind)
    except ValueError:
        raise UnknownWord("report", kind) from None
    is_battery = known is ReportKind.DOOR_BATTERY
    is_switch = known is ReportKind.LOCAL_OVERRIDE
    has_number = known.gives_leave or is_battery or known.answers_an_order or is_switch
    need(has_number or number == 0, "a number where none is said", Code.RESERVED_NOT_ZERO)
    badge = None
    if known is ReportKind.ACCESS_GRANTED:
        named, number = number >> 32, number & 0xFFFF_FFFF
        badge = named - 1 if named else None
    need(not known.gives_leave or number < 2**32, "leave beyond 32 bits")
    report = Report(
        kind=known,
        observed_at=observed_at,
        valid_ms=number if known.gives_leave else None,
        percent=number if is_battery else None,
        order=number if known.answers_an_order else None,
        mode=_read_mode(number) if is_switch and number else None,
    )
    return NumberedReport(seq=seq, handle=handle, report=report, badge=badge)


def _read_mode(number: int) -> DoorMode:
    try:
        return DoorMode(number)
    except ValueError:
        raise UnknownWord("door mode", number) from None


def read_reports(data: bytes) -> Reports:
    """A frame of reports."""
    need(len(data) >= _REPORTS_HEADER.size, "a header is cut")
    count, zero = _REPORTS_HEADER.unpack_from(data)
    records = _records(data, _REPORTS_HEADER.size, count, zero, _REPORT.size)
    return Reports(reports=tuple(map(_read_report, records)))


def write_reports(reports: tuple[NumberedReport, ...]) -> bytes:
    """The payload of a frame of reports."""
    need(0 < len(reports) <= RECORDS_MAX, "how many reports", Code.TOO_MANY)
    parts = [_REPORTS_HEADER.pack(len(reports), 0)]
    for it in reports:
        report = it.report
        numbers = it.seq, report.observed_at, it.handle, report.kind
        try:
            parts.append(_REPORT.pack(*numbers, bytes(3), it.number))
        except struct.error as error:
            raise Refused(Code.OUT_OF_RANGE, f"a report's values: {error}") from None
    return b"".join(parts)


def read_preamble(data: bytes) -> LanePreamble | SubscriptionPreamble:
    """What a stream is for."""
    need(len(data) == PREAMBLE_BYTES, "a preamble's length")
    kind, lane, zero, number = _PREAMBLE.unpack(data)
    need(zero == 0, "a preamble's zeros", Code.RESERVED_NOT_ZERO)
    need(kind in (_LANE_STREAM, _SUBSCRIPTION_STREAM), f"a stream of kind {kind}")
    try:
        known = Lane(lane)
    except ValueError:
        raise UnknownWord("lane", lane) from None
    if kind == _LANE_STREAM:
        need(known in _VENDOR_LANES, f"a vendor has no lane {lane}")
        return LanePreamble(lane=known, epoch=number)
    return SubscriptionPreamble(lane=known, subscription=number)


def write_preamble(preamble: LanePreamble | SubscriptionPreamble) -> bytes:
    """What a stream is for."""
    if isinstance(preamble, LanePreamble):
        return _PREAMBLE.pack(_LANE_STREAM, preamble.lane, 0, preamble.epoch)
    return _PREAMBLE.pack(_SUBSCRIPTION_STREAM, preamble.lane, 0, preamble.subscription)
