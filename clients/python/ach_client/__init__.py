"""A client of HMS-ACH: publish pings and reports, receive alarms, events and positions.

Written from docs/specs/wire.md alone, so that it shows what the specification is worth. Begin with
`Publisher`, `AlarmSubscriber` and `Operator`.
"""

__version__ = "0.1.0"

from .alarm_book import AlarmBook, AlarmUpdate, Gone, Mark, Settled, Told
from .alarm_state import AlarmState, NamedState
from .codes import Code
from .control import Filter, Welcome
from .credentials import Credentials, Identity
from .door_orders import DoorOrders
from .doors import DoorOrder, Doors, DoorStanding, Emergency
from .errors import (
    AchError,
    CredentialsRefused,
    HandshakeRefused,
    NoAnswer,
    NodeRefused,
    NotConnected,
    NotDurable,
    Refused,
    TooManyThings,
)
from .link import Ending
from .notes import (
    ActMark,
    AlarmIncident,
    AlarmLife,
    AlarmNote,
    AlarmResponse,
    AlarmSettled,
    DoorEvidence,
    EventNote,
    Gap,
    PositionNote,
)
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
from .operator import Operator
from .orders import Done
from .publisher import Publisher
from .records import Ping, Report
from .service import QuietThing
from .subscriber import AlarmSubscriber, EventSubscriber, PositionSubscriber
from .values import Cursor, Item, Position, Thing
from .words import (
    AlarmCause,
    AlarmKind,
    DoorAnswer,
    DoorMode,
    DoorSlot,
    EmergencyKind,
    EventWord,
    Lane,
    Practice,
    Priority,
    Reason,
    ReportKind,
    Storage,
    ThingKind,
    Topic,
    Transition,
)

__all__ = [
    "AchError",
    "ActMark",
    "AlarmBook",
    "AlarmCause",
    "AlarmIncident",
    "AlarmKind",
    "AlarmLife",
    "AlarmNote",
    "AlarmResponse",
    "AlarmSettled",
    "AlarmState",
    "AlarmSubscriber",
    "AlarmUpdate",
    "CertificateEnds",
    "ClockOff",
    "Code",
    "Credentials",
    "CredentialsRefused",
    "Cursor",
    "Done",
    "DoorAnswer",
    "DoorEvidence",
    "DoorMode",
    "DoorOrder",
    "DoorOrders",
    "DoorSlot",
    "DoorStanding",
    "Doors",
    "Emergency",
    "EmergencyKind",
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
    "InputsRefused",
    "Item",
    "Lane",
    "LinkDown",
    "LinkUp",
    "Mark",
    "NamedState",
    "NoAnswer",
    "NodeForgot",
    "NodeRefused",
    "NotConnected",
    "NotDurable",
    "Notice",
    "Operator",
    "Ping",
    "Position",
    "PositionNote",
    "PositionSubscriber",
    "Practice",
    "Priority",
    "Publisher",
    "QuietThing",
    "Reason",
    "Refused",
    "Report",
    "ReportKind",
    "Settled",
    "Storage",
    "Thing",
    "ThingKind",
    "ThingRefused",
    "Told",
    "TooManyThings",
    "Topic",
    "Transition",
    "Welcome",
]
