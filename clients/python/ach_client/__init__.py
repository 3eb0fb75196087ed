"""A client of HMS-ACH: publish pings and reports, receive alarms, events and positions.

Written from docs/specs/wire.md alone, so that it shows what the specification is worth. Begin with
`Publisher` and `AlarmSubscriber`.
"""

__version__ = "0.1.0"

from .alarm_book import AlarmBook, AlarmUpdate, Gone, Mark, Settled, Told
from .codes import Code
from .control import Filter, Welcome
from .credentials import Credentials, Identity
from .errors import (
    AchError,
    CredentialsRefused,
    HandshakeRefused,
    NodeRefused,
    NotConnected,
    NotDurable,
    Refused,
    TooManyThings,
)
from .link import Ending
from .notes import AlarmNote, AlarmSettled, EventNote, Gap, PositionNote
from .notices import (
    CertificateEnds,
    ClockOff,
    GaveUp,
    InputsRefused,
    LinkDown,
    LinkUp,
    NodeForgot,
    Notice,
    ThingRefused,
)
from .publisher import Publisher
from .records import Ping, Report
from .subscriber import AlarmSubscriber, EventSubscriber, PositionSubscriber
from .values import Cursor, Item, Position, Thing
from .words import (
    AlarmKind,
    EventWord,
    Lane,
    Priority,
    Reason,
    ReportKind,
    Storage,
    Topic,
    Transition,
)

__all__ = [
    "AchError",
    "AlarmBook",
    "AlarmKind",
    "AlarmNote",
    "AlarmSettled",
    "AlarmSubscriber",
    "AlarmUpdate",
    "CertificateEnds",
    "ClockOff",
    "Code",
    "Credentials",
    "CredentialsRefused",
    "Cursor",
    "Ending",
    "EventNote",
    "EventSubscriber",
    "EventWord",
    "Filter",
    "Gap",
    "GaveUp",
    "Gone",
    "HandshakeRefused",
    "Identity",
    "Mark",
    "InputsRefused",
    "Item",
    "Lane",
    "LinkDown",
    "LinkUp",
    "NodeForgot",
    "NodeRefused",
    "NotConnected",
    "NotDurable",
    "Notice",
    "Ping",
    "Position",
    "PositionNote",
    "PositionSubscriber",
    "Priority",
    "Publisher",
    "Reason",
    "Refused",
    "Report",
    "ReportKind",
    "Settled",
    "Storage",
    "Thing",
    "ThingRefused",
    "Told",
    "TooManyThings",
    "Topic",
    "Transition",
    "Welcome",
]
