"""Frames as `clients/vectors` writes them in JSON, made of what the client has read."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from enum import IntEnum
from typing import Any, cast

from ach_client.fields import I64, U64, layout
from ach_client.notes import Cause
from ach_client.records import Ping, Pings, Reports
from ach_client.values import Cursor, Item, Position, Thing
from ach_client.wishes import Wish
from ach_client.words import ItemKind, ReportKind, ThingKind

_NAMES = {"content": "bytes", "floor_hundredths": "floor", "floors_hundredths": "floors"}
_WIDE_PING_FIELDS = {"observed_at", "longitude_nano_deg", "latitude_nano_deg"}


def in_vector_form(frame: Any) -> dict[str, Any]:
    """The `fields` of a vector."""
    if isinstance(frame, Pings):
        pings = [ping_in_vector_form(handle, ping) for handle, ping in frame.pings]
        return {"first_seq": str(frame.first_seq), "pings": pings}
    if isinstance(frame, Reports):
        return {"reports": [_report(it) for it in frame.reports]}
    return _message(frame)


def ping_in_vector_form(handle: int, ping: Ping) -> dict[str, Any]:
    """The `fields` of a single ping."""
    found: dict[str, Any] = {"handle": handle}
    for field in fields(ping):
        value = getattr(ping, field.name)
        if value is not None:
            name = _NAMES.get(field.name, field.name)
            found[name] = str(value) if field.name in _WIDE_PING_FIELDS else value
    return found


def _report(it: Any) -> dict[str, Any]:
    found = {
        "seq": str(it.seq),
        "observed_at": str(it.report.observed_at),
        "handle": it.handle,
        "kind": int(it.report.kind),
    }
    if it.report.valid_ms is not None:
        found["valid_ms"] = it.report.valid_ms
    if it.badge is not None:
        found["badge"] = it.badge
    if it.report.percent is not None:
        found["percent"] = it.report.percent
    if it.report.order is not None:
        found["order"] = str(it.report.order)
    if it.report.kind is ReportKind.LOCAL_OVERRIDE:
        found["mode"] = int(it.report.mode or 0)
    return found


def _message(record: Any) -> dict[str, Any]:
    found = {}
    for field in layout(cast(Hashable, type(record))):
        value = getattr(record, field.attribute)
        is_wide = field.kind in (U64, I64)
        name = _NAMES.get(field.attribute, field.attribute)
        if field.is_list:
            found[name] = [_value(each, is_wide) for each in value]
        elif value is not None:
            found[name] = _value(value, is_wide)
    return found


def _value(value: Any, is_wide: bool) -> Any:
    if isinstance(value, Cursor):
        return {"shard": value.shard, "ordinal": value.ordinal, "index": str(value.index)}
    if isinstance(value, Position):
        plain = {"x_mm": value.x_mm, "y_mm": value.y_mm, "z_mm": value.z_mm}
        plain["floor"] = value.floor_hundredths
        return {name: number for name, number in plain.items() if number is not None}
    if isinstance(value, Item):
        return _one_of(value.kind, value.id, value.kind is ItemKind.TAG)
    if isinstance(value, Thing):
        return _one_of(value.kind, value.id, value.kind is ThingKind.TAG)
    if isinstance(value, Wish):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        said = {name: it for name, it in parts.items() if it is not None}
        return {name: _value(it, False) for name, it in said.items()}
    if isinstance(value, Cause):
        cause: dict[str, Any] = {"kind": int(value.kind)}
        if value.input is not None:
            cause["input"] = _message(value.input)
        if value.due_at is not None:
            cause["due"] = str(value.due_at)
        return cause
    if is_dataclass(value):
        return _message(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (IntEnum, int)):
        return str(int(value)) if is_wide else int(value)
    return value


def _one_of(kind: IntEnum, name: str, is_tag: bool) -> dict[str, Any]:
    return {"kind": int(kind)} | ({} if not name else {"tag": name} if is_tag else {"name": name})
