"""Words: the enumerations of the protocol, each value with its number on the wire."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Word(IntEnum):
    """A word of an enumeration; people read it in lower case."""

    def __str__(self) -> str:
        return self.name.lower().replace("_", " ")


class Lane(Word):
    """What is carried before what."""

    DURESS = 0
    DOORS_AND_ALARMS = 1
    AUDIT_AND_EVENTS = 2
    PINGS = 3
    CONSOLE = 4


class Topic(Word):
    """What a receiver can subscribe to."""

    ALARMS = 1
    EVENTS = 2
    POSITIONS = 3


class Storage(Word):
    """Whether what is told is kept: a word about the disk, not about the evidence."""

    PROVISIONAL = 1
    PROVISIONAL_FOR_WANT_OF_A_DISK = 2
    PROVISIONAL_FOR_WANT_OF_A_QUORUM = 3
    DURABLE = 4
    WITHDRAWN = 5


class Transition(Word):
    """What became of an alarm: by its condition up to 4, by what people and timers did from 5 on.

    A later one of the condition bears out the earlier ones.
    """

    RAISED = 1
    UPHELD = 2
    RETRACTED = 3
    CLEARED = 4
    ACKNOWLEDGED = 5
    CONFIRMED = 6
    ASSIGNED = 7
    COMMENTED = 8
    SHELVED = 9
    UNSHELVED = 10
    SUPPRESSED = 11
    UNSUPPRESSED = 12
    TAKEN_OUT = 13
    PUT_BACK = 14
    RESET = 15
    CLOSED = 16
    ESCALATED = 17
    REALARMED = 18
    DROPPED = 19
    RESPONDED = 20

    @property
    def is_of_the_condition(self) -> bool:
        """Whether the condition says it, and neither people nor timers."""
        return self <= Transition.CLEARED


class Reason(Word):
    """Why an alarm was retracted or cleared."""

    CAME_BACK = 1
    CONDITION_ENDED = 2
    RULE_REMOVED = 3
    TAG_REMOVED = 4
    RELEASED = 5
    AUTHORISED = 6
    ESCORTED = 7
    LEAVE_OVER = 8


class Priority(Word):
    """How urgent an alarm is."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


class AlarmKind(Word):
    """What an alarm is about."""

    ELOPEMENT = 1
    ASSET_THEFT = 2
    UNAUTHORISED_ENTRY = 3
    LOITERING = 4
    TAG_SILENT = 5
    FEED_SILENT = 6
    ZONE_BLIND = 7
    BATTERY_LOW = 8
    BAND_CUT = 9
    DURESS = 10
    OVER_CAPACITY = 11
    DOOR_FORCED = 12
    ACTOR_QUARANTINED = 13
    CLOCK_SKEWED = 14
    TAGS_CONTRADICT = 15
    SELF_TEST = 16
    AUDIT_TROUBLE = 17
    NODE_CLOCK_OFF = 18
    SELFTEST_FAILED = 19
    DOOR_HELD = 20
    DOOR_TAMPERED = 21
    READER_TAMPERED = 22
    DOOR_LOST = 23
    DOOR_BATTERY_LOW = 24
    DOOR_NOT_FOLLOWING = 25
    ASSET_NOT_RETURNED = 28
    LONE_WORKER = 29
    FORBIDDEN_MEETING = 30
    LEAVE_ENDS_SOON = 26
    TAILGATING = 33
    BADGE_ELSEWHERE = 31
    UNEXPLAINED_MOTION = 34


class EventWord(Word):
    """What an event tells."""

    ZONE_ENTERED = 1
    ZONE_EXITED = 2
    DOOR_PASSED = 3
    DOOR_OPENED = 4
    DOOR_CLOSED = 5
    DOOR_LOCKED = 6
    DOOR_UNLOCKED = 7
    FEED_RESTORED = 8
    FEED_FELL_SILENT = 9
    ZONE_WENT_BLIND = 10
    ZONE_SIGHTED = 11
    TAG_HEARD = 12
    SITE_CHANGED = 13
    FIRE_TOLD = 14
    FIRE_OVER = 15
    LOCKDOWN_DECLARED = 16
    LOCKDOWN_ENDED = 17
    EVACUATION_DECLARED = 18
    EVACUATION_ENDED = 19


class ThingKind(Word):
    """What kind of thing a name or number means."""

    SITE = 0
    ZONE = 1
    DOOR = 2
    LINE = 3
    TAG = 4
    FEED = 5
    ANCHOR = 6
    SUBJECT = 7


class ItemKind(Word):
    """What a vendor may give a handle to."""

    TAG = 1
    DOOR = 2
    ANCHOR = 3
    BADGE = 4
    ZONE = 5


class WishKind(Word):
    """What may be asked for: acts, leave and bands by receivers too, the rest by operators."""

    RELEASE_ACTOR = 1
    QUARANTINE_ACTOR = 2
    ACT = 3
    QUIET = 4
    DOOR = 5
    EMERGENCY = 6
    LEAVE = 7
    BAND = 8


class ActWord(Word):
    """What can be done with an alarm."""

    ACKNOWLEDGE = 1
    CONFIRM = 2
    ASSIGN = 3
    COMMENT = 4
    SHELVE = 5
    UNSHELVE = 6
    RESET = 7
    CLOSE = 8


class AlarmCause(Word):
    """What an alarm turned out to be, said with closing it."""

    REAL = 1
    ALLOWED = 2
    WRONG_POSITION = 3
    DEVICE_FAULT = 4
    RULE_TOO_STRICT = 5
    TEST = 6
    DUPLICATE = 7
    OTHER = 8


class QuietKind(Word):
    """How a place or rule is quiet."""

    MUTED = 1
    OUT_OF_SERVICE = 2


class DoorAct(Word):
    """What an operator does about a door."""

    MOVE = 1
    GIVE_BACK = 2
    RELEASE = 3
    END_RELEASE = 4
    END_FIRE = 5


class DoorMode(Word):
    """How a door is to be: who may come in. Out may, in each of them, who may leave."""

    UNLOCKED = 1
    LOCKED = 2
    BLOCKED = 3


class DoorSlot(Word):
    """Whose word a door obeys; an earlier one counts for more, `RESPONSE` between the last two."""

    LIFE_SAFETY = 1
    LOCAL_OVERRIDE = 2
    LOCKDOWN = 3
    EVACUATION = 4
    OPERATOR = 5
    SCHEDULE = 6
    RESPONSE = 7


class DoorAnswer(Word):
    """Whether a door is as it was told to be."""

    NO_ORDERS = 0
    WAITED = 1
    FOLLOWED = 2
    DEVIATES = 3
    REFUSED = 4


class EmergencyKind(Word):
    """What is declared for many doors at once."""

    LOCKDOWN = 1
    EVACUATION = 2


class Practice(Word):
    """Whether it is meant. Doors move in a drill, but for some; none does in an exercise."""

    REAL = 1
    DRILL = 2
    EXERCISE = 3


class CauseKind(Word):
    """What brought a change of an alarm about."""

    INPUT = 1
    DEADLINE = 2
    SITE_CHANGE = 3
    NODE = 4


class ReportKind(Word):
    """What a button, band, door, anchor or motion detector reports."""

    BUTTON_PRESSED = 1
    BUTTON_RESET = 2
    BAND_CUT = 3
    BAND_WHOLE = 4
    DOOR_OPENED = 16
    DOOR_CLOSED = 17
    DOOR_LOCKED = 18
    DOOR_UNLOCKED = 19
    ACCESS_GRANTED = 20
    EXIT_REQUESTED = 21
    DOOR_TAMPERED = 22
    DOOR_UNTAMPERED = 23
    READER_TAMPERED = 24
    READER_UNTAMPERED = 25
    DOOR_ALIVE = 26
    DOOR_LOST = 27
    DOOR_BATTERY = 28
    ORDER_DONE = 29
    ORDER_REFUSED = 30
    ANCHOR_ALIVE = 32
    ANCHOR_LOST = 33
    FIRE = 34
    FIRE_OVER = 35
    LOCAL_OVERRIDE = 36
    MOTION_SEEN = 40

    @property
    def lane(self) -> Lane:
        """The lane that carries it."""
        return Lane.DURESS if self < ReportKind.DOOR_OPENED else Lane.DOORS_AND_ALARMS

    @property
    def item_kind(self) -> ItemKind:
        """What it is about."""
        if self < ReportKind.DOOR_OPENED:
            return ItemKind.TAG
        if self is ReportKind.MOTION_SEEN:
            return ItemKind.ZONE
        is_of_anchor = self in (ReportKind.ANCHOR_ALIVE, ReportKind.ANCHOR_LOST)
        return ItemKind.ANCHOR if is_of_anchor else ItemKind.DOOR

    @property
    def gives_leave(self) -> bool:
        """Whether it says for how long a door may be opened."""
        return self in (ReportKind.ACCESS_GRANTED, ReportKind.EXIT_REQUESTED)

    @property
    def answers_an_order(self) -> bool:
        """Whether it says what became of an order."""
        return self in (ReportKind.ORDER_DONE, ReportKind.ORDER_REFUSED)


class Gate(IntFlag):
    """What the evidence of an alarm has passed; several at once."""

    ON_THE_LINE = 1
    ENTRY_MARGIN = 2
    EXIT_TOLERANCE = 4
    TOLERANCE_TIMEOUT = 8
    EXIT_DELAY = 16
    N_OF_M_POSITIONS = 32
    DWELL = 64
    ERROR_CIRCLE = 128
    FENCE_TIMEOUT = 256
    LINE_CROSSED_BETWEEN = 512
    JUMP_CONFIRMED = 1024
    ON_DELAY = 2048
