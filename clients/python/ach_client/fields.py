"""Fields: `u16 tag, u16 length, value`, of which every frame but two is a list.

A frame is a frozen dataclass whose attributes say their place on the wire in their annotation:

    client: Annotated[str, one(2, TEXT)]
    site: Annotated[str | None, maybe(3, NAME)] = None
    versions: Annotated[tuple[int, ...], many(1, U16)] = ()
"""

from __future__ import annotations

import functools
import struct
import typing
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Generic, TypeVar, cast

from . import values
from .codes import Code
from .errors import Refused, UnknownWord
from .values import need

T = TypeVar("T")

TEXT_BYTES_MAX = 256
"""A text for people."""
PART_BYTES_MAX = 49_152
"""Bytes of a site in one frame."""
ZEROS_MAX = 4_096
"""Padding of an echo."""
LIST_MAX = 256
"""How often a field comes if the specification says no other number."""
CRITICAL_TAG = 32_768
"""Unknown fields from this tag on are refused, those below are skipped."""

_FIELD_HEADER = struct.Struct("<HH")


@dataclass(frozen=True)
class Kind(Generic[T]):
    """How a type of value is read and written."""

    read: Callable[[bytes], T]
    write: Callable[[T], bytes]


@dataclass(frozen=True)
class Field:
    """A field's place in its list."""

    tag: int
    kind: Kind[Any]
    least: int
    most: int
    is_list: bool = False
    attribute: str = ""


def one(tag: int, kind: Kind[Any]) -> Field:
    """A field that comes exactly once."""
    return Field(tag, kind, 1, 1)


def maybe(tag: int, kind: Kind[Any]) -> Field:
    """A field that may be left out."""
    return Field(tag, kind, 0, 1)


def many(tag: int, kind: Kind[Any], most: int = LIST_MAX) -> Field:
    """A field that comes any number of times."""
    return Field(tag, kind, 0, most, is_list=True)


def integer(layout: str) -> Kind[int]:
    """An integer that has exactly the length of its type."""
    packer = struct.Struct(layout)

    def read(data: bytes) -> int:
        need(len(data) == packer.size, f"{len(data)} bytes for an integer of {packer.size}")
        number: int = packer.unpack(data)[0]
        return number

    def write(number: int) -> bytes:
        try:
            return packer.pack(number)
        except struct.error as error:
            raise Refused(Code.OUT_OF_RANGE, f"{number}: {error}") from None

    return Kind(read, write)


U16, U32, U64 = integer("<H"), integer("<I"), integer("<Q")
I16, I64 = integer("<h"), integer("<q")
U8 = integer("<B")


def word(words: type[IntEnum]) -> Kind[Any]:
    """A word of an enumeration, one byte."""

    def read(data: bytes) -> IntEnum:
        number = U8.read(data)
        try:
            return words(number)
        except ValueError:
            raise UnknownWord(words.__name__, number) from None

    return Kind(read, U8.write)


def _read_bool(data: bytes) -> bool:
    number = U8.read(data)
    need(number in (0, 1), f"{number} is neither yes nor no")
    return number == 1


def _read_text(data: bytes) -> str:
    need(len(data) <= TEXT_BYTES_MAX, "a text of over 256 bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(Code.MALFORMED, "a text that is not UTF-8") from None


def _write_text(text: str) -> bytes:
    data = text.encode("utf-8")
    need(len(data) <= TEXT_BYTES_MAX, "a text of over 256 bytes")
    return data


def _read_zeros(data: bytes) -> int:
    need(len(data) <= ZEROS_MAX, "over 4,096 zeros")
    need(not any(data), "padding that is not zero", Code.RESERVED_NOT_ZERO)
    return len(data)


def _write_zeros(count: int) -> bytes:
    need(count <= ZEROS_MAX, "over 4,096 zeros")
    return bytes(count)


def _write_code(code: Code) -> bytes:
    return U16.write(code)


def _checked_bytes(data: bytes) -> bytes:
    need(len(data) <= PART_BYTES_MAX, "over 49,152 bytes")
    return data


BOOL = Kind(_read_bool, lambda is_so: bytes([is_so]))
TEXT = Kind(_read_text, _write_text)
ZEROS = Kind(_read_zeros, _write_zeros)
BYTES = Kind(_checked_bytes, _checked_bytes)
CODE = Kind(lambda data: Code.known(U16.read(data)), _write_code)
NAME = Kind(values.read_name, lambda name: values.checked_name(name).encode("ascii"))
TAG = Kind(values.read_tag, values.write_tag)
ALARM_ID = Kind(values.read_alarm_id, values.write_alarm_id)
CURSOR = Kind(values.read_cursor, values.write_cursor)
POSITION = Kind(values.read_position, values.write_position)
ITEM = Kind(values.read_item, values.write_item)
THING = Kind(values.read_thing, values.write_thing)
REMARK = Kind(values.read_remark, lambda remark: values.checked_remark(remark).encode("utf-8"))


def message(cls: type[T]) -> Kind[T]:
    """A nested list of fields."""
    return Kind(lambda data: read_fields(cls, data), write_fields)


@functools.cache
def layout(cls: Hashable) -> tuple[Field, ...]:
    """The fields of a class, in the order in which it has them."""
    found = []
    for attribute, hint in typing.get_type_hints(cls, include_extras=True).items():
        for extra in getattr(hint, "__metadata__", ()):
            if isinstance(extra, Field):
                found.append(
                    Field(extra.tag, extra.kind, extra.least, extra.most, extra.is_list, attribute)
                )
    return tuple(found)


def read_fields(cls: type[T], data: bytes) -> T:
    """Reads a list of fields, in whatever order they come."""
    by_tag = {field.tag: field for field in layout(cast(Hashable, cls))}
    found: dict[str, list[Any]] = {field.attribute: [] for field in by_tag.values()}
    at = 0
    while at < len(data):
        need(len(data) - at >= _FIELD_HEADER.size, "a field's header is cut")
        tag, length = _FIELD_HEADER.unpack_from(data, at)
        at += _FIELD_HEADER.size
        need(len(data) - at >= length, f"field {tag} is cut")
        value = data[at : at + length]
        at += length
        field = by_tag.get(tag)
        if field is None:
            need(tag < CRITICAL_TAG, f"field {tag} is not known", Code.UNKNOWN_FIELD)
            continue
        seen = found[field.attribute]
        code = Code.TOO_MANY if field.is_list else Code.MALFORMED
        need(len(seen) < field.most, f"{field.attribute} comes too often", code)
        seen.append(field.kind.read(value))
    given: dict[str, Any] = {}
    for field in by_tag.values():
        seen = found[field.attribute]
        need(len(seen) >= field.least, f"{field.attribute} is missing")
        if field.is_list:
            given[field.attribute] = tuple(seen)
        else:
            given[field.attribute] = seen[0] if seen else None
    return cls(**given)


def write_fields(record: Any) -> bytes:
    """Writes a list of fields by tag; what is None is left out."""
    parts = []
    for field in layout(cast(Hashable, type(record))):
        value = getattr(record, field.attribute)
        present = value if field.is_list else () if value is None else (value,)
        code = Code.TOO_MANY if field.is_list else Code.MALFORMED
        need(field.least <= len(present) <= field.most, f"how often {field.attribute} comes", code)
        for each in present:
            data = field.kind.write(each)
            parts.append(_FIELD_HEADER.pack(field.tag, len(data)) + data)
    return b"".join(parts)
