"""Alarm book: what a receiver knows of alarms, so that each change is news once and none is missed.

The rules are those of docs/specs/wire.md, "Flow of a receiver", and docs/specs/cursor.md.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from .notes import AlarmNote, AlarmSettled, Gap, OpenSetEnd
from .values import Cursor
from .words import Storage, Transition

ENDED_MAX = 65_536
"""Alarms that ended and are remembered, lest a repetition is taken for news."""
_KEPT = (Storage.DURABLE, Storage.WITHDRAWN)


@dataclass(frozen=True)
class Told:
    """A change of an alarm that is news."""

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


@dataclass
class _Alarm:
    """The changes of one alarm, each with how it is kept."""

    changes: dict[Transition, tuple[AlarmNote, Storage]] = field(default_factory=dict)

    @property
    def latest(self) -> AlarmNote:
        return self.changes[max(self.changes)][0]

    @property
    def is_open(self) -> bool:
        return not max(self.changes).is_end

    @property
    def provisional(self) -> set[Transition]:
        """Changes that may still be lost."""
        return {change for change, (_, storage) in self.changes.items() if storage not in _KEPT}


class AlarmBook:
    """All alarms that are open, and the latest that ended."""

    def __init__(self) -> None:
        self._open: dict[str, _Alarm] = {}
        self._ended: OrderedDict[str, _Alarm] = OrderedDict()
        self._fencing_epoch = 0
        self._known_before: dict[str, set[Transition]] = {}
        """Changes that were provisional when the set began, of all that was open or had any."""
        self._told_in_set: dict[str, Transition] | None = None
        """The latest change of each alarm that was told within the set; None outside of one."""
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
        if self._told_in_set is not None:
            told = self._told_in_set.get(note.id, note.transition)
            self._told_in_set[note.id] = max(note.transition, told)
        alarm = self._open.get(note.id) or self._ended.get(note.id)
        if alarm is not None and note.transition in alarm.changes:
            yield from self._settled(note.id, note.transition, note.storage)
            return
        if alarm is None:
            alarm = self._open[note.id] = _Alarm()
        alarm.changes[note.transition] = (note, note.storage)
        if not alarm.is_open and note.id in self._open:
            self._retire(note.id)
        yield Told(note)
        yield from self._borne_out(alarm, note.transition, note.storage)

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
        yield from self._borne_out(alarm, transition, storage)

    def _borne_out(
        self, alarm: _Alarm, transition: Transition, storage: Storage
    ) -> Iterator[AlarmUpdate]:
        # What is durable came after what made it possible, so that is durable too.
        if storage is not Storage.DURABLE:
            return
        for earlier in sorted(alarm.changes):
            note, known = alarm.changes[earlier]
            if earlier < transition and known is not Storage.DURABLE:
                alarm.changes[earlier] = (note, storage)
                yield Settled(note, storage)

    def _withdraw(self, alarm_id: str, alarm: _Alarm, transition: Transition) -> None:
        # It may be told again, as news: the vendor sends again what was lost.
        del alarm.changes[transition]
        if not alarm.changes:
            self._open.pop(alarm_id, None)
            self._ended.pop(alarm_id, None)
        elif alarm.is_open and alarm_id in self._ended:
            self._open[alarm_id] = self._ended.pop(alarm_id)

    def _retire(self, alarm_id: str) -> None:
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
            told = told_in_set.get(alarm_id)
            if told is None and self._has_gap:
                # What ended within a gap was not told either, so nobody knows which it was.
                if alarm_id in self._open:
                    yield self._gone(alarm_id, alarm)
                elif alarm.provisional:
                    # Should it be raised again, that is news.
                    del self._ended[alarm_id]
                continue
            for transition in sorted(provisional, reverse=True):
                if told is None or transition > told:
                    yield from self._settled(alarm_id, transition, Storage.WITHDRAWN)
            if told is None and alarm_id in self._open:
                yield self._gone(alarm_id, alarm)

    def _gone(self, alarm_id: str, alarm: _Alarm) -> Gone:
        del self._open[alarm_id]
        return Gone(alarm.latest)
