"""Codes: why a node refuses something, closes a connection or leaves notes out."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """The table "Codes" of docs/specs/wire.md; what to do about each is in docs/errors/codes.md."""

    DONE = 0
    SHUTTING_DOWN = 1
    FRAME_TOO_LARGE = 16
    RESERVED_NOT_ZERO = 17
    UNKNOWN_FRAME = 18
    MALFORMED = 19
    UNKNOWN_FIELD = 20
    FRAME_TIMEOUT = 21
    BAD_STREAM = 22
    UNEXPECTED_FRAME = 23
    NO_COMMON_VERSION = 32
    WRONG_ROLE = 33
    WRONG_SITE = 34
    UNKNOWN_SOURCE = 35
    TOO_MANY_CONNECTIONS = 36
    TOO_MANY = 37
    WRONG_EPOCH = 38
    TAKEN_OVER = 39
    CERTIFICATE_ENDED = 40
    CERTIFICATE_REVOKED = 41
    UNKNOWN_THING = 64
    FOREIGN_THING = 65
    UNKNOWN_HANDLE = 66
    NOT_A_NUMBER = 67
    OUT_OF_RANGE = 68
    NO_GEOREFERENCE = 69
    BEYOND_CREDIT = 70
    SEQUENCE_GAP = 71
    FROM_THE_FUTURE = 72
    WRONG_LANE = 73
    UNKNOWN_TOPIC = 80
    CURSOR_OUT_OF_RANGE = 81
    TOO_SLOW = 82
    NOT_NOW = 96
    NOT_APPLICABLE = 97
    SITE_STALE = 98
    SITE_UNSOUND = 99
    SITE_FRAME_DIFFERS = 100
    SITE_STRANDS = 101
    SELFTEST_FAILED = 102
    NEEDS_SECOND_PERSON = 103
    TOO_LATE = 104
    INTERNAL = 127

    @property
    def may_be_tried_again(self) -> bool:
        """Whether the same may be tried again at once; else somebody has to change something."""
        return self in _AGAIN

    @classmethod
    def known(cls, number: int) -> Code:
        """The code of that number; one that is not known reads as 127."""
        try:
            return cls(number)
        except ValueError:
            return cls.INTERNAL

    def __str__(self) -> str:
        return f"{self.name.lower().replace('_', ' ')} (code {self.value})"


_AGAIN = frozenset(
    {
        Code.DONE,
        Code.SHUTTING_DOWN,
        Code.FRAME_TIMEOUT,
        Code.TOO_MANY_CONNECTIONS,
        Code.WRONG_EPOCH,
        Code.TOO_SLOW,
        Code.NOT_NOW,
        Code.INTERNAL,
    }
)
