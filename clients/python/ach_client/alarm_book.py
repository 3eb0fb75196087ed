"""Alarm book: what a receiver knows of alarms, so that each change is news once and none is missed.

The rules are those of docs/specs/wire.md, "Flow of a receiver", and docs/specs/cursor.md. What
the condition of an alarm says is known by (id, transition), what people and timers did by (id,
revision).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from .alarm_state import AlarmState
from .notes import AlarmNote, AlarmSettled, Gap, OpenSetEnd
from .values import Cursor
from .words import Storage, Transition

ENDED_MAX = 65_536
"""Alarms that ended and are remembered, lest a repetition is taken for news."""
_KEPT = (Storage.DURABLE, Storage.WITHDRAWN)


@dataclass(frozen=True)
class Told:
    """A change of an alarm that is news: of its condition, or what people and timers did with it.

    What was done while this receiver was away is told with the latest change of the condition, or
    with the latest act: `note.life` has all of it.
    """

    note: AlarmNote


@dataclass(frozen=True)
class Settled:
    """The storage of a change that was told before is another now: most often durable.

    With `Storage.WITHDRAWN` the change has not happened: a raise that is withdrawn was no alarm.
    """

    note: AlarmNote
    storage: Storage


@dataclass(frozen=True)
class Gone:
    """An alarm is open no more; how it ended was not told."""

    note: AlarmNote


@dataclass(frozen=True)
class Mark:
    """All that is open has been told, and all that is durable up to the cursor."""

    open_count: int
    cursor: Cursor | None

    def __str__(self) -> str:
        return f"mark: {self.open_count} open"


AlarmUpdate = Told | Settled | Gone | Mark | Gap


def _shown_by(note: AlarmNote) -> Transition:
    """The latest change of the condition that a note shows to have been."""
    if note.transition.is_of_the_condition:
        return note.transition
    if AlarmState.ACTIVE not in note.state:
        return Transition.CLEARED
    return Transition.RAISED if note.is_tentative else Transition.UPHELD


def _age(note: AlarmNote) -> tuple[int, int]:
    """Orders the notes of an alarm. An act is the first of its revision."""
    return note.revision, note.transition if note.transition.is_of_the_condition else 0


def _is_contradicted(known: AlarmNote, told: AlarmNote) -> bool:
    """Whether another act was counted under the same number: the one that is known was lost."""
    return known.revision == told.revision and known.life != told.life


@dataclass
class _Alarm:
    """What is known of one alarm."""

    changes: dict[Transition, tuple[AlarmNote, Storage]] = field(default_factory=dict)
    """What its condition said, each with how it is kept."""
    acted: AlarmNote | None = None
    """The latest act, or the change that an act was found on."""

    @property
    def notes(self) -> list[AlarmNote]:
        found = [note for note, _ in self.changes.values()]
        return found if self.acted is None else [*found, self.acted]

    @property
    def latest(self) -> AlarmNote:
        return max(self.notes, key=_age)

    @property
    def revision(self) -> int:
        """How much of what people and timers did is known."""
        return max((note.revision for note in self.notes), default=0)

    def is_acted_by(self, act: AlarmNote) -> bool:
        """Whether an act is no older than the latest that is known."""
        return self.acted is None or act.revision >= self.acted.revision

    def is_another(self, note: AlarmNote) -> bool:
        """Whether a change came about anew, after acts, and the one that is known was lost."""
        known, _ = self.changes[note.transition]
        return not note.is_resent and note.revision > known.revision

    @property
    def is_open(self) -> bool:
        return self.latest.state.is_retained

    @property
    def provisional(self) -> set[Transition]:
        """Changes that may still be lost."""
        return {change for change, (_, storage) in self.changes.items() if storage not in _KEPT}


@dataclass
class _Again:
    """What was told of an alarm within a set."""

    shown: int = 0
    """The latest change of its condition that was shown to have been."""
    revision: int = 0


class AlarmBook:
    """All alarms that are open, and the latest that ended."""

    def __init__(self) -> None:
        self._open: dict[str, _Alarm] = {}
        self._ended: OrderedDict[str, _Alarm] = OrderedDict()
        self._fencing_epoch = 0
        self._known_before: dict[str, set[Transition]] = {}
        """Changes that were provisional when the set began, of all that was open or had any."""
        self._told_in_set: dict[str, _Again] | None = None
        """What was told of each alarm within the set; None outside of one."""
        self._has_gap = False
        self._has_skipped = False
        self.stale_count = 0
        """Notes of a leader that is none any more."""

    @property
    def open_alarms(self) -> list[AlarmNote]:
        """What is open, each with its latest change."""
        return [alarm.latest for alarm in self._open.values()]

    def begin_stream(self, *, has_gap: bool = False) -> None:
        """A stream begins: the open set comes anew.

        With a gap if the subscription gave no cursor: then what was missed is not told.
        """
        self._begin_set(has_gap=has_gap)

    def skip(self) -> None:
        """A note could not be read. It may have told of any alarm, so the next mark judges none."""
        self._has_skipped = True

    def apply(self, note: AlarmNote | AlarmSettled | OpenSetEnd | Gap) -> Iterator[AlarmUpdate]:
        """What is new about it."""
        if isinstance(note, Gap):
            self._begin_set(has_gap=True)
            yield note
        elif isinstance(note, OpenSetEnd):
            yield from self._end_set()
            yield Mark(note.open_count, note.cursor)
        elif note.fencing_epoch < self._fencing_epoch:
            self.stale_count += 1
        else:
            self._fencing_epoch = note.fencing_epoch
            if isinstance(note, AlarmNote):
                yield from self._told(note)
            else:
                yield from self._settled(note.id, note.transition, note.storage)

    def _told(self, note: AlarmNote) -> Iterator[AlarmUpdate]:
        if note.storage is Storage.WITHDRAWN:
            yield from self._settled(note.id, note.transition, note.storage)
            return
        alarm = self._open.get(note.id) or self._ended.get(note.id)
        if alarm is None:
            alarm = self._open[note.id] = _Alarm()
        has_lost_acts = self._has_lost_acts(alarm, note)
        self._note_told(note)
        if has_lost_acts:
            yield from self._forget_acts(alarm, note)
        is_acted_on = note.revision > alarm.revision
        is_of_the_condition = note.transition.is_of_the_condition
        is_known = note.transition in alarm.changes and not alarm.is_another(note)
        # An act, or how the alarm stands: the node knows best.
        is_latest = note.is_resent or not is_of_the_condition
        if is_of_the_condition and not is_known:
            alarm.changes[note.transition] = (note, note.storage)
        elif is_acted_on or has_lost_acts or (is_latest and alarm.is_acted_by(note)):
            alarm.acted = note
        self._file(note.id, alarm)
        if is_acted_on or has_lost_acts or (is_of_the_condition and not is_known):
            yield Told(note)
        if is_of_the_condition and is_known:
            yield from self._settled(note.id, note.transition, note.storage)
        elif note.storage is Storage.DURABLE:
            yield from self._borne_out(alarm, note.transition, _shown_by(note))

    def _has_lost_acts(self, alarm: _Alarm, note: AlarmNote) -> bool:
        """Whether the node tells how an alarm stands or goes on without what is known of acts.

        So it is where it could not store them and was started anew, or was put back from a backup.
        """
        if any(_is_contradicted(known, note) for known in alarm.notes):
            return True
        if note.revision >= alarm.revision:
            return False
        if note.is_resent and self._told_in_set is not None:
            again = self._told_in_set.get(note.id, _Again())
            return again.revision < alarm.revision
        is_change = note.transition.is_of_the_condition and note.transition not in alarm.changes
        if not note.state.is_retained:
            # Nothing comes after an end.
            return is_change or alarm.is_open
        return is_change and note.transition > max(alarm.changes, default=0)

    def _note_told(self, note: AlarmNote) -> None:
        """Takes note of what is told within a set."""
        if self._told_in_set is not None:
            again = self._told_in_set.setdefault(note.id, _Again())
            again.shown = max(again.shown, _shown_by(note))
            again.revision = max(again.revision, note.revision)

    def _forget_acts(self, alarm: _Alarm, told: AlarmNote) -> Iterator[AlarmUpdate]:
        alarm.acted = None
        for transition in sorted(alarm.changes, reverse=True):
            note, storage = alarm.changes[transition]
            if note.revision > told.revision or _is_contradicted(note, told):
                del alarm.changes[transition]
                if storage not in _KEPT and transition > _shown_by(told):
                    yield Settled(note, Storage.WITHDRAWN)

    def _settled(
        self, alarm_id: str, transition: Transition, storage: Storage
    ) -> Iterator[AlarmUpdate]:
        alarm = self._open.get(alarm_id) or self._ended.get(alarm_id)
        if alarm is None or transition not in alarm.changes:
            return
        note, known = alarm.changes[transition]
        # What is durable stays so: an older word about it may come late.
        if storage is known or known is Storage.DURABLE:
            return
        if storage is Storage.WITHDRAWN:
            self._withdraw(alarm_id, alarm, transition)
        else:
            alarm.changes[transition] = (note, storage)
        yield Settled(note, storage)
        if storage is Storage.DURABLE:
            yield from self._borne_out(alarm, transition, transition)

    def _borne_out(
        self, alarm: _Alarm, transition: Transition, shown: Transition
    ) -> Iterator[AlarmUpdate]:
        # What is durable came after what made it possible, so that is durable too.
        for earlier in sorted(alarm.changes):
            note, known = alarm.changes[earlier]
            if earlier <= shown and earlier != transition and known is not Storage.DURABLE:
                alarm.changes[earlier] = (note, Storage.DURABLE)
                yield Settled(note, Storage.DURABLE)

    def _withdraw(self, alarm_id: str, alarm: _Alarm, transition: Transition) -> None:
        # It may be told again, as news: the vendor sends again what was lost.
        del alarm.changes[transition]
        if alarm.acted is not None and alarm.acted.transition is transition:
            alarm.acted = None
        if alarm.changes:
            self._file(alarm_id, alarm)
        else:
            self._open.pop(alarm_id, None)
            self._ended.pop(alarm_id, None)

    def _file(self, alarm_id: str, alarm: _Alarm) -> None:
        """Keeps an alarm among the open ones or those that ended, whichever it is."""
        if alarm.is_open and alarm_id in self._ended:
            self._open[alarm_id] = self._ended.pop(alarm_id)
        elif not alarm.is_open and alarm_id in self._open:
            self._ended[alarm_id] = self._open.pop(alarm_id)
            if len(self._ended) > ENDED_MAX:
                self._ended.popitem(last=False)

    def _begin_set(self, has_gap: bool) -> None:
        self._has_gap = has_gap
        self._has_skipped = False
        self._told_in_set = {}
        self._known_before = {alarm_id: alarm.provisional for alarm_id, alarm in self._open.items()}
        # An end that is not durable may be lost, and the alarm open after all.
        for alarm_id, alarm in self._ended.items():
            if alarm.provisional:
                self._known_before[alarm_id] = alarm.provisional

    def _end_set(self) -> Iterator[AlarmUpdate]:
        known_before, self._known_before = self._known_before, {}
        told_in_set, self._told_in_set = self._told_in_set or {}, None
        has_skipped, self._has_skipped = self._has_skipped, False
        if has_skipped:
            return
        for alarm_id, provisional in known_before.items():
            alarm = self._open.get(alarm_id) or self._ended.get(alarm_id)
            if alarm is None:
                continue
            again = told_in_set.get(alarm_id)
            if again is None and self._has_gap:
                # What ended within a gap was not told either, so nobody knows which it was.
                if alarm_id in self._open:
                    yield self._gone(alarm_id, alarm)
                elif alarm.provisional:
                    # Should it be raised again, that is news.
                    del self._ended[alarm_id]
                continue
            for transition in sorted(provisional, reverse=True):
                if again is None or transition > again.shown:
                    yield from self._settled(alarm_id, transition, Storage.WITHDRAWN)
            if again is None and alarm_id in self._open:
                yield self._gone(alarm_id, alarm)

    def _gone(self, alarm_id: str, alarm: _Alarm) -> Gone:
        del self._open[alarm_id]
        return Gone(alarm.latest)
