"""Errors: what goes wrong between a client and its node, told so that one knows what to do."""

from __future__ import annotations

from .codes import Code


class AchError(Exception):
    """Whatever this package raises by itself."""


class Refused(AchError):
    """Bytes or values that break a rule of docs/specs/wire.md, with the rule's code."""

    def __init__(self, code: Code, why: str) -> None:
        super().__init__(f"{why}: {code}")
        self.code = code


class UnknownWord(Refused):
    """A value of an enumeration that this client is too old to know."""

    def __init__(self, what: str, number: int) -> None:
        super().__init__(Code.MALFORMED, f"{what} {number} is not known here")


class CredentialsRefused(AchError):
    """A directory of credentials that cannot be used."""


class NodeRefused(AchError):
    """The node closed the connection or refused a request, with a code that says why."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(f"the node refuses: {code}: {detail}; see docs/errors/codes.md")
        self.code = code
        self.detail = detail


class HandshakeRefused(AchError):
    """One side does not take the other's certificate, or they have no protocol in common."""


class NotConnected(AchError):
    """No node has welcomed this client in the time it was given."""


class TooManyThings(AchError):
    """More tags, doors and anchors than the node takes from one connection."""


class NotDurable(AchError):
    """What was published is not all on the node's disk, or will never be."""


class NoAnswer(AchError):
    """A command got no receipt in time; whether it was done is not known."""
