"""Values: names, tags, cursors, positions and the like, as people write them and as bytes."""

from __future__ import annotations

import re
import struct
import unicodedata
from dataclasses import dataclass

from .codes import Code
from .errors import Refused, UnknownWord
from .words import ItemKind, ThingKind

_NAME = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TAG = re.compile(r"[0-9A-F]{16}")
_ALARM_ID = re.compile(r"[0-9a-f]{32}")
_CURSOR = struct.Struct("<IIQ")
_REMARK_BYTES_MAX = 256
_POSITION = struct.Struct("<iiihH")
_HAS_Z, _HAS_FLOOR = 1, 2


def need(is_so: object, why: str, code: Code = Code.MALFORMED) -> None:
    """Refuses with `code` what is not so."""
    if not is_so:
        raise Refused(code, why)


def checked_name(name: str) -> str:
    """An id of a site, zone, door or the like."""
    need(_NAME.fullmatch(name), f"{name!r} is no name: 1 to 64 of A-Z a-z 0-9 . _ : -")
    return name


def checked_remark(remark: str) -> str:
    """Words that go with an act: one line of plain text, without blanks at its ends."""
    size = len(remark.encode("utf-8", "replace"))
    is_line = not any(unicodedata.category(character) in ("Cc", "Cs") for character in remark)
    need(size <= _REMARK_BYTES_MAX, f"a remark of {size} bytes, it has at most 256")
    need(is_line and remark and remark == remark.strip(), f"{remark!r} is no remark: one line")
    return remark


def checked_tag(tag: str) -> str:
    """An EUI-64 as 16 upper-case hexadecimal digits; it may come with `:` or `-` between pairs."""
    plain = tag.replace(":", "").replace("-", "").upper()
    need(_TAG.fullmatch(plain), f"{tag!r} is no tag: 16 hexadecimal digits")
    return plain


@dataclass(frozen=True, order=True, slots=True)
class Cursor:
    """A place in the order of what happened at a site; text of it can be kept and read again."""

    shard: int
    index: int
    ordinal: int

    def __str__(self) -> str:
        return f"{self.shard}/{self.index}/{self.ordinal}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Reads what `str` writes."""
        parts = text.split("/")
        need(len(parts) == 3 and all(part.isdigit() for part in parts), f"{text!r} is no cursor")
        shard, index, ordinal = map(int, parts)
        return cls(shard, index, ordinal)


@dataclass(frozen=True, slots=True)
class Position:
    """A point: millimetres to the east and north, above the floor's slab, and the storey."""

    x_mm: int
    y_mm: int
    z_mm: int | None = None
    floor_hundredths: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """What a vendor reports about: a tag by its number, a door, an anchor or a zone by its name."""

    kind: ItemKind
    id: str

    def __post_init__(self) -> None:
        check = checked_tag if self.kind is ItemKind.TAG else checked_name
        object.__setattr__(self, "id", check(self.id))

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True, slots=True)
class Thing:
    """Anything a site has: a tag by its number, the site itself by nothing, the rest by name."""

    kind: ThingKind
    id: str = ""

    def __post_init__(self) -> None:
        if self.kind is ThingKind.SITE:
            need(not self.id, "the site as a thing has no id")
        else:
            check = checked_tag if self.kind is ThingKind.TAG else checked_name
            object.__setattr__(self, "id", check(self.id))

    def __str__(self) -> str:
        return f"{self.kind} {self.id}".strip()


def read_name(data: bytes) -> str:
    """A name, which is plain ASCII."""
    return checked_name(data.decode("ascii", "replace"))


def read_remark(data: bytes) -> str:
    """Words that go with an act."""
    try:
        return checked_remark(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused(Code.MALFORMED, "a remark that is not UTF-8") from None


def read_tag(data: bytes) -> str:
    """A tag's number as people write it."""
    need(len(data) == 8, "a tag's length")
    return f"{int.from_bytes(data, 'little'):016X}"


def write_tag(tag: str) -> bytes:
    """A tag's number."""
    return int(checked_tag(tag), 16).to_bytes(8, "little")


def read_alarm_id(data: bytes) -> str:
    """An episode's id, most significant digit first."""
    need(len(data) == 16, "an id's length")
    return f"{int.from_bytes(data, 'little'):032x}"


def write_alarm_id(alarm_id: str) -> bytes:
    """An episode's id."""
    need(_ALARM_ID.fullmatch(alarm_id), f"{alarm_id!r} is no id: 32 hexadecimal digits")
    return int(alarm_id, 16).to_bytes(16, "little")


def read_cursor(data: bytes) -> Cursor:
    """On the wire the ordinal comes before the index."""
    need(len(data) == _CURSOR.size, "a cursor's length")
    shard, ordinal, index = _CURSOR.unpack(data)
    return Cursor(shard, index, ordinal)


def write_cursor(cursor: Cursor) -> bytes:
    """On the wire the ordinal comes before the index."""
    return _CURSOR.pack(cursor.shard, cursor.ordinal, cursor.index)


def read_position(data: bytes) -> Position:
    """A position, of which height and floor may be left out."""
    need(len(data) == _POSITION.size, "a position's length")
    x_mm, y_mm, z_mm, floor, flags = _POSITION.unpack(data)
    need(flags & ~(_HAS_Z | _HAS_FLOOR) == 0, "a position's flags", Code.RESERVED_NOT_ZERO)
    need(flags & _HAS_Z or z_mm == 0, "a height that is not flagged", Code.RESERVED_NOT_ZERO)
    need(flags & _HAS_FLOOR or floor == 0, "a floor that is not flagged", Code.RESERVED_NOT_ZERO)
    has_z, has_floor = bool(flags & _HAS_Z), bool(flags & _HAS_FLOOR)
    return Position(x_mm, y_mm, z_mm if has_z else None, floor if has_floor else None)


def write_position(position: Position) -> bytes:
    """A position, of which height and floor may be left out."""
    z_mm, floor = position.z_mm, position.floor_hundredths
    flags = (0 if z_mm is None else _HAS_Z) | (0 if floor is None else _HAS_FLOOR)
    return _POSITION.pack(position.x_mm, position.y_mm, z_mm or 0, floor or 0, flags)


def read_item(data: bytes) -> Item:
    """A kind, then a number or a name."""
    need(data, "an empty item")
    try:
        kind = ItemKind(data[0])
    except ValueError:
        raise UnknownWord("item", data[0]) from None
    return Item(kind, read_tag(data[1:]) if kind is ItemKind.TAG else read_name(data[1:]))


def write_item(item: Item) -> bytes:
    """A kind, then a number or a name."""
    rest = write_tag(item.id) if item.kind is ItemKind.TAG else item.id.encode("ascii")
    return bytes([item.kind]) + rest


def read_thing(data: bytes) -> Thing:
    """A kind, then nothing, a number or a name."""
    need(data, "an empty thing")
    try:
        kind = ThingKind(data[0])
    except ValueError:
        raise UnknownWord("thing", data[0]) from None
    if kind is ThingKind.SITE:
        need(len(data) == 1, "a site with more")
        return Thing(kind)
    return Thing(kind, read_tag(data[1:]) if kind is ThingKind.TAG else read_name(data[1:]))


def write_thing(thing: Thing) -> bytes:
    """A kind, then nothing, a number or a name."""
    if thing.kind is ThingKind.TAG:
        return bytes([thing.kind]) + write_tag(thing.id)
    return bytes([thing.kind]) + thing.id.encode("ascii")
