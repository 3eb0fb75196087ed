"""The book of a receiver that comes and goes, against a node that stores, stops storing and dies.

The oracle is simple: whenever the receiver has come to the mark, and after each note from then on,
what it takes for open is what the node has told as open, with the same state and life.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from test_alarm_book import NO_DISK, note

from ach_client.alarm_book import AlarmBook, Told
from ach_client.alarm_state import AlarmState
from ach_client.codes import Code
from ach_client.notes import AlarmLife, AlarmNote, AlarmSettled, Gap, OpenSetEnd
from ach_client.subscriber import _cursor_after
from ach_client.values import Cursor
from ach_client.words import Storage, Transition

ROUNDS = 200
STEPS = 60
ALARMS = "abc"
NEEDS = AlarmState.NEEDS_ACKNOWLEDGING | AlarmState.NEEDS_CLOSING
AT_ONCE = (Transition.RAISED, Transition.UPHELD)


def settled(state: AlarmState) -> AlarmState:
    """With `retained` as it follows from the other flags."""
    state &= ~AlarmState.RETAINED
    owes = AlarmState.NEEDS_ACKNOWLEDGING in state and not state.is_acknowledged
    owes |= AlarmState.NEEDS_CLOSING in state and AlarmState.CLOSED not in state
    return state | AlarmState.RETAINED if AlarmState.ACTIVE in state or owes else state


@dataclass
class Node:
    """Alarms in the order of what happened to them; up to `durable` it is on disk."""

    chance: random.Random
    history: list[AlarmNote] = field(default_factory=list)
    durable: int = 0
    is_storing: bool = True
    episodes: int = 0
    acts: int = 0

    def latest(self, notes: list[AlarmNote]) -> dict[str, AlarmNote]:
        """What these notes leave open, each as it is told to who comes."""
        found: dict[str, AlarmNote] = {}
        for each in notes:
            before = found.pop(each.id, None)
            if each.state.is_retained:
                said = each.transition
                if not said.is_of_the_condition and before is not None:
                    said = before.transition
                found[each.id] = replace(each, transition=said)
        return found

    def is_told(self, index: int) -> bool:
        at_once = self.history[index].transition in AT_ONCE
        return index < self.durable or at_once or not self.is_storing

    @property
    def open(self) -> dict[str, AlarmNote]:
        told = [self.told(at) for at in range(len(self.history)) if self.is_told(at)]
        return self.latest(told)

    def told(self, index: int) -> AlarmNote:
        """A note as it is told now."""
        if index < self.durable:
            cursor = Cursor(0, index + 1, 0)
            return replace(self.history[index], storage=Storage.DURABLE, cursor=cursor)
        storage = Storage.PROVISIONAL if self.is_storing else NO_DISK
        return replace(self.history[index], storage=storage)

    def happen(self) -> list[Any]:
        """Something becomes of an alarm; what is told of it at once."""
        now = self.latest(self.history)
        if not now or (len(now) < len(ALARMS) and self.chance.random() < 0.3):
            self.episodes += 1
            needs = NEEDS if self.chance.random() < 0.6 else AlarmState(0)
            state = settled(AlarmState.ACTIVE | needs)
            raised = note("0", Transition.RAISED, Storage.PROVISIONAL, state=state)
            return self._append(replace(raised, id=f"{self.episodes:032x}", is_tentative=True))
        before = now[self.chance.choice(sorted(now))]
        return self._append(self._changed(before))

    def _changed(self, before: AlarmNote) -> AlarmNote:
        state, revision = before.state, before.revision
        can = [Transition.COMMENTED]
        if before.transition is Transition.RAISED:
            can += [Transition.UPHELD, Transition.RETRACTED]
        if AlarmState.ACTIVE in state:
            can.append(Transition.CLEARED)
        can.append(Transition.CLOSED if state.is_acknowledged else Transition.ACKNOWLEDGED)
        said = self.chance.choice(can)
        if said is Transition.RETRACTED:
            state = AlarmState(0)
        elif said is Transition.CLEARED:
            state &= ~AlarmState.ACTIVE
        elif not said.is_of_the_condition:
            revision += 1
            if said is not Transition.COMMENTED:
                state |= AlarmState[said.name]
        storage = Storage.PROVISIONAL
        changed = note("0", said, storage, state=settled(state))
        is_tentative = before.is_tentative and said is not Transition.UPHELD
        life = before.life
        if not said.is_of_the_condition:
            self.acts += 1
            life = AlarmLife(revision=revision, by="nurse-7", remark=f"act {self.acts}")
        return replace(changed, id=before.id, is_tentative=is_tentative, life=life)

    def _append(self, change: AlarmNote) -> list[Any]:
        self.history.append(change)
        at = len(self.history) - 1
        return [self.told(at)] if self.is_told(at) else []

    def store(self) -> list[Any]:
        """The disk takes some of what waits for it."""
        if not self.is_storing:
            return []
        first = self.durable
        self.durable = self.chance.randint(first, len(self.history))
        said: list[Any] = []
        for at in range(first, self.durable):
            it = self.told(at)
            durable = AlarmSettled(
                id=it.id,
                transition=it.transition,
                storage=Storage.DURABLE,
                cursor=it.cursor,
                fencing_epoch=1,
            )
            said.append(durable if it.transition in AT_ONCE else it)
        return said

    def stop_storing(self) -> list[Any]:
        """The disk is full: what waits for it leaves all the same."""
        if not self.is_storing:
            return []
        self.is_storing = False
        return [self.told(at) for at in range(self.durable, len(self.history))]

    def die(self) -> None:
        """It is killed and started anew, with a disk."""
        del self.history[self.durable :]
        self.is_storing = True

    def stream(self, after: Cursor | None, is_slow: bool = False) -> list[Any]:
        """What a stream begins with."""
        said: list[Any] = []
        if is_slow:
            said.append(Gap(code=Code.TOO_SLOW))
        else:
            first = self.durable if after is None else after.index
            said += [self.told(at) for at in range(first, self.durable)]
            rest = range(self.durable, len(self.history))
            said += [self.told(at) for at in rest if self.is_told(at)]
        for it in self.open.values():
            said.append(replace(it, is_resent=True))
        mark = Cursor(0, self.durable, 0)
        return [*said, OpenSetEnd(open_count=len(self.open), cursor=mark)]


def shown(alarms: list[AlarmNote]) -> dict[str, tuple[AlarmState, AlarmLife | None]]:
    return {alarm.id: (alarm.state, alarm.life) for alarm in alarms}


def follow(chance: random.Random) -> None:
    node, book = Node(chance), AlarmBook()
    cursor: Cursor | None = None
    acts: set[tuple[str, int]] = set()
    is_connected = False

    def hear(notes: list[Any]) -> None:
        nonlocal cursor
        for each in notes:
            for update in book.apply(each):
                if isinstance(update, Told) and not update.note.transition.is_of_the_condition:
                    act = (update.note.id, update.note.revision)
                    assert act not in acts, f"{act} is told twice"
                    acts.add(act)
            cursor = _cursor_after(cursor, each)

    for _ in range(STEPS):
        what = chance.random()
        said: list[Any] = []
        if what < 0.5:
            said = node.happen()
        elif what < 0.7:
            said = node.store()
        elif what < 0.73:
            said = node.stop_storing()
        elif what < 0.78:
            node.die()
            # What it lost may happen again.
            acts.clear()
            is_connected = False
        elif what < 0.83:
            is_connected = False
        elif what < 0.87 and is_connected:
            said = node.stream(None, is_slow=True)
            # What ended and was provisional is not known any more after a gap.
            acts.clear()
        elif not is_connected:
            book.begin_stream(has_gap=cursor is None)
            is_connected = True
            if cursor is None:
                acts.clear()
            said = node.stream(cursor)
        if is_connected:
            hear(said)
            assert shown(book.open_alarms) == shown(list(node.open.values()))


def test_what_a_receiver_takes_for_open_is_what_the_node_has_told() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(ROUNDS):
        follow(chance)
