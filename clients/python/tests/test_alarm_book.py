"""What a receiver makes of notes: each change is news once, and what was lost is said."""

from __future__ import annotations

from typing import Any

import pytest

from ach_client import alarm_book as alarm_book_module
from ach_client.alarm_book import AlarmBook
from ach_client.alarm_state import AlarmState
from ach_client.codes import Code
from ach_client.notes import AlarmLife, AlarmNote, AlarmSettled, Cause, Gap, OpenSetEnd
from ach_client.values import Cursor, Thing
from ach_client.words import (
    AlarmKind,
    CauseKind,
    Gate,
    Priority,
    Storage,
    ThingKind,
    Transition,
)

PROVISIONAL, DURABLE = Storage.PROVISIONAL, Storage.DURABLE
NO_DISK = Storage.PROVISIONAL_FOR_WANT_OF_A_DISK
RAISED, UPHELD = Transition.RAISED, Transition.UPHELD
RETRACTED, CLEARED = Transition.RETRACTED, Transition.CLEARED
ACKNOWLEDGED, CLOSED = Transition.ACKNOWLEDGED, Transition.CLOSED
ACTIVE, RETAINED = AlarmState.ACTIVE, AlarmState.RETAINED
TAKEN_NOTICE = ACTIVE | RETAINED | AlarmState.ACKNOWLEDGED
MARK = OpenSetEnd(open_count=0)


def note(
    alarm: str,
    transition: Transition,
    storage: Storage,
    resent: bool = False,
    fencing: int = 1,
    revision: int = 0,
    state: AlarmState | None = None,
) -> AlarmNote:
    """A note; without a state nothing is asked of people: it is over with its condition."""
    if state is None:
        state = AlarmState(0) if transition in (RETRACTED, CLEARED) else ACTIVE | RETAINED
    return AlarmNote(
        id=alarm * 32,
        transition=transition,
        kind=AlarmKind.DURESS,
        priority=Priority.HIGH,
        site_version=1,
        episode=1,
        place=Thing(ThingKind.SITE),
        is_tentative=False,
        is_late=False,
        cause=Cause(kind=CauseKind.SITE_CHANGE),
        observed_at=1,
        received_at=1,
        changed_at=1,
        accuracy_mm=0,
        gates_passed=Gate(0),
        storage=storage,
        cursor=Cursor(0, 1, 0) if storage is DURABLE else None,
        fencing_epoch=fencing,
        is_resent=resent,
        state=state,
        life=AlarmLife(revision=revision, by="nurse-7") if revision else None,
    )


def settled(alarm: str, transition: Transition, storage: Storage) -> AlarmSettled:
    return AlarmSettled(id=alarm * 32, transition=transition, storage=storage, fencing_epoch=1)


def told(book: AlarmBook, *notes: Any) -> list[str]:
    """What the book makes of notes, in words."""
    said = []
    for each in notes:
        for update in book.apply(each):
            words = [type(update).__name__.lower()]
            about = getattr(update, "note", None)
            if about is not None:
                words += [about.id[0], str(about.transition)]
            if hasattr(update, "storage"):
                words.append(str(update.storage))
            said.append(" ".join(words))
    return said


def open_ids(book: AlarmBook) -> str:
    return "".join(sorted(alarm.id[0] for alarm in book.open_alarms))


def test_a_change_is_news_once_however_often_it_comes() -> None:
    book = AlarmBook()
    book.begin_stream()
    assert told(book, note("a", RAISED, PROVISIONAL)) == ["told a raised"]
    assert told(book, note("a", RAISED, PROVISIONAL)) == []
    assert told(book, settled("a", RAISED, DURABLE)) == ["settled a raised durable"]
    assert told(book, settled("a", RAISED, DURABLE), note("a", RAISED, PROVISIONAL)) == []
    assert open_ids(book) == "a"
    assert told(book, note("a", CLEARED, DURABLE)) == ["told a cleared"]
    assert told(book, note("a", RAISED, DURABLE), note("a", CLEARED, DURABLE)) == []
    assert open_ids(book) == ""


def test_what_cannot_become_durable_is_said_to_be_so() -> None:
    book = AlarmBook()
    assert told(book, note("a", RAISED, PROVISIONAL), note("a", RAISED, NO_DISK)) == [
        "told a raised",
        "settled a raised provisional for want of a disk",
    ]


def test_a_provisional_change_that_does_not_come_again_is_withdrawn_at_the_mark() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, PROVISIONAL), note("b", RAISED, PROVISIONAL))
    book.begin_stream()
    assert told(book, note("b", RAISED, DURABLE, resent=True)) == ["settled b raised durable"]
    assert told(book, MARK) == ["settled a raised withdrawn", "mark"]
    assert open_ids(book) == "b"
    # The vendor sends again what was lost: the same alarm is news.
    assert told(book, note("a", RAISED, PROVISIONAL)) == ["told a raised"]


def test_a_later_change_bears_out_the_earlier_ones() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, PROVISIONAL))
    book.begin_stream()
    assert told(book, note("a", UPHELD, PROVISIONAL, resent=True), MARK) == [
        "told a upheld",
        "mark",
    ]
    assert open_ids(book) == "a"


def test_what_is_durable_shows_that_what_came_before_it_is_so_too() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, PROVISIONAL))
    assert told(book, Gap(code=Code.TOO_SLOW)) == ["gap"]
    assert told(book, note("a", UPHELD, DURABLE, resent=True), MARK) == [
        "told a upheld",
        "settled a raised durable",
        "mark",
    ]


def test_an_earlier_change_does_not_bear_out_a_later_one() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, DURABLE), note("a", UPHELD, PROVISIONAL))
    book.begin_stream()
    assert told(book, note("a", RAISED, DURABLE, resent=True), MARK) == [
        "settled a upheld withdrawn",
        "mark",
    ]
    assert [(alarm.id[0], alarm.transition) for alarm in book.open_alarms] == [("a", RAISED)]


def test_an_open_alarm_that_does_not_come_again_is_gone() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, DURABLE), note("b", RAISED, DURABLE))
    book.begin_stream()
    assert told(book, note("b", RAISED, DURABLE, resent=True), MARK) == ["gone a raised", "mark"]
    assert open_ids(book) == "b"


def test_one_that_ended_while_the_link_was_down_is_told_to_have_ended_and_is_not_gone() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, PROVISIONAL))
    book.begin_stream()
    assert told(book, note("a", RAISED, DURABLE), note("a", CLEARED, DURABLE), MARK) == [
        "settled a raised durable",
        "told a cleared",
        "mark",
    ]


def test_after_a_gap_within_a_stream_the_set_is_judged_anew() -> None:
    book = AlarmBook()
    book.begin_stream()
    told(book, note("a", RAISED, DURABLE, resent=True), MARK)
    told(book, note("b", RAISED, PROVISIONAL))
    assert told(book, Gap(code=Code.TOO_SLOW)) == ["gap"]
    assert told(book, note("a", RAISED, DURABLE, resent=True), MARK) == ["gone b raised", "mark"]
    assert open_ids(book) == "a"


def test_a_leader_that_is_none_any_more_is_not_listened_to() -> None:
    book = AlarmBook()
    assert told(book, note("a", RAISED, DURABLE, fencing=2)) == ["told a raised"]
    assert told(book, note("b", RAISED, DURABLE, fencing=1)) == []
    assert book.stale_count == 1


def test_an_alarm_whose_clearing_was_lost_is_open_again_at_the_mark() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, DURABLE), note("a", CLEARED, NO_DISK))
    assert open_ids(book) == ""
    book.begin_stream()
    assert told(book, note("a", RAISED, DURABLE, resent=True), MARK) == [
        "settled a cleared withdrawn",
        "mark",
    ]
    assert open_ids(book) == "a"


def test_an_alarm_that_was_lost_altogether_is_news_when_the_vendor_sends_again() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, NO_DISK), note("a", CLEARED, NO_DISK))
    book.begin_stream()
    assert told(book, MARK) == ["settled a cleared withdrawn", "settled a raised withdrawn", "mark"]
    assert told(book, note("a", RAISED, PROVISIONAL)) == ["told a raised"]
    assert open_ids(book) == "a"


def test_after_a_gap_nobody_says_what_became_of_one_that_ended_and_it_may_be_news_again() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, NO_DISK), note("a", CLEARED, NO_DISK))
    assert told(book, Gap(code=Code.TOO_SLOW), MARK) == ["gap", "mark"]
    assert told(book, note("a", RAISED, PROVISIONAL)) == ["told a raised"]


def test_what_ended_and_is_durable_is_not_judged_again() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, PROVISIONAL), note("a", CLEARED, DURABLE))
    book.begin_stream()
    assert told(book, MARK) == ["mark"]


def test_a_mark_after_a_note_that_could_not_be_read_takes_no_alarm_off() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, DURABLE), note("b", RAISED, PROVISIONAL))
    book.begin_stream()
    book.skip()
    assert told(book, MARK) == ["mark"]
    assert open_ids(book) == "ab"
    # The next mark does, if all before it was read.
    book.begin_stream()
    assert told(book, MARK) == ["gone a raised", "settled b raised withdrawn", "mark"]


def test_what_is_told_outside_of_a_set_is_not_kept_for_its_mark() -> None:
    book = AlarmBook()
    book.begin_stream()
    told(book, note("a", RAISED, DURABLE, resent=True), MARK)
    for each in "bcdef":
        told(book, note(each, RAISED, DURABLE), note(each, CLEARED, DURABLE))
    assert not book._told_in_set


def test_without_a_cursor_nobody_knows_whether_what_is_not_told_again_was_lost() -> None:
    book = AlarmBook()
    book.begin_stream(has_gap=True)
    told(book, note("a", RAISED, PROVISIONAL))
    book.begin_stream(has_gap=True)
    assert told(book, MARK) == ["gone a raised", "mark"]


def test_one_that_was_gone_and_is_told_as_open_again_is_news() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, DURABLE))
    # A node that has lost its journal, and then the same with a backup put back.
    book.begin_stream()
    assert told(book, MARK) == ["gone a raised", "mark"]
    book.begin_stream()
    again = note("a", RAISED, DURABLE, resent=True)
    assert told(book, again, MARK, note("a", CLEARED, DURABLE)) == [
        "told a raised",
        "mark",
        "told a cleared",
    ]
    book.begin_stream()
    assert told(book, again, MARK) == ["mark"]


def test_a_node_can_say_that_an_alarm_is_withdrawn() -> None:
    book = AlarmBook()
    withdrawn = settled("a", RAISED, Storage.WITHDRAWN)
    assert told(book, note("a", RAISED, PROVISIONAL), withdrawn) == [
        "told a raised",
        "settled a raised withdrawn",
    ]
    assert told(book, note("a", RAISED, PROVISIONAL)) == ["told a raised"]
    assert told(book, note("a", RAISED, Storage.WITHDRAWN)) == ["settled a raised withdrawn"]
    # What is durable is not withdrawn, and of what nobody told nothing is said.
    assert told(book, note("b", RAISED, DURABLE), settled("b", RAISED, Storage.WITHDRAWN)) == [
        "told b raised"
    ]
    assert told(book, settled("c", RAISED, PROVISIONAL)) == []


def test_ended_alarms_are_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm_book_module, "ENDED_MAX", 3)
    book = AlarmBook()
    for alarm in "abcdef":
        told(book, note(alarm, RAISED, DURABLE), note(alarm, CLEARED, DURABLE))
    assert told(book, note("f", CLEARED, DURABLE)) == []
    assert [alarm[0] for alarm in book._ended] == ["d", "e", "f"]


def test_an_act_that_is_told_twice_is_news_once() -> None:
    book = AlarmBook()
    acknowledged = note("a", ACKNOWLEDGED, DURABLE, revision=1, state=TAKEN_NOTICE)
    assert told(book, note("a", RAISED, DURABLE), acknowledged, acknowledged) == [
        "told a raised",
        "told a acknowledged",
    ]
    assert book.open_alarms == [acknowledged]
    book.begin_stream()
    found = note("a", RAISED, DURABLE, resent=True, revision=1, state=TAKEN_NOTICE)
    assert told(book, acknowledged, found, MARK) == ["mark"]


def test_what_was_done_while_nobody_listened_is_found_on_the_open_alarm() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, DURABLE))
    book.begin_stream(has_gap=True)
    found = note("a", RAISED, DURABLE, resent=True, revision=3, state=TAKEN_NOTICE)
    assert told(book, found, MARK) == ["told a raised", "mark"]
    assert book.open_alarms == [found]
    # What led there comes late, or never.
    older = note("a", Transition.ASSIGNED, DURABLE, revision=2, state=TAKEN_NOTICE)
    assert told(book, older) == []
    assert book.open_alarms == [found]


def test_what_was_done_and_that_the_alarm_is_durable_are_both_told() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, PROVISIONAL))
    book.begin_stream(has_gap=True)
    found = note("a", RAISED, DURABLE, resent=True, revision=1, state=TAKEN_NOTICE)
    assert told(book, found, MARK) == ["told a raised", "settled a raised durable", "mark"]


def test_an_alarm_is_open_as_long_as_it_is_retained() -> None:
    book = AlarmBook()
    waits = RETAINED | AlarmState.NEEDS_CLOSING
    told(book, note("a", RAISED, DURABLE), note("a", CLEARED, DURABLE, state=waits))
    assert [alarm.transition for alarm in book.open_alarms] == [CLEARED]
    book.begin_stream()
    assert told(book, note("a", CLEARED, DURABLE, resent=True, state=waits), MARK) == ["mark"]
    assert open_ids(book) == "a"
    over = AlarmState.NEEDS_CLOSING | AlarmState.ACKNOWLEDGED | AlarmState.CLOSED
    acknowledged = note("a", ACKNOWLEDGED, DURABLE, revision=1, state=waits)
    closed = note("a", CLOSED, DURABLE, revision=2, state=over)
    assert told(book, acknowledged, closed) == ["told a acknowledged", "told a closed"]
    assert open_ids(book) == ""
    # It ended, so it is not missed; nor do repetitions open it.
    book.begin_stream()
    assert told(book, note("a", RAISED, DURABLE), acknowledged, MARK) == ["mark"]
    assert open_ids(book) == ""


def test_one_that_is_given_up_is_over() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, DURABLE), note("a", CLEARED, DURABLE, state=RETAINED))
    dropped = note("a", Transition.DROPPED, DURABLE, revision=1, state=AlarmState(0))
    assert told(book, dropped) == ["told a dropped"]
    assert open_ids(book) == ""


def test_an_alarm_that_ended_for_nobody_to_hear_is_gone_however_often_it_was_answered() -> None:
    book = AlarmBook()
    acknowledged = note("a", ACKNOWLEDGED, DURABLE, revision=1, state=TAKEN_NOTICE)
    told(book, note("a", RAISED, DURABLE), acknowledged)
    book.begin_stream()
    assert told(book, MARK) == ["gone a acknowledged", "mark"]


def test_an_act_bears_out_what_its_condition_had_said_and_nothing_later() -> None:
    book = AlarmBook()
    acknowledged = note("a", ACKNOWLEDGED, DURABLE, revision=1, state=TAKEN_NOTICE)
    told(book, note("a", RAISED, PROVISIONAL), note("a", CLEARED, NO_DISK))
    book.begin_stream()
    found = note("a", RAISED, DURABLE, resent=True, revision=1, state=TAKEN_NOTICE)
    assert told(book, acknowledged, found, MARK) == [
        "told a acknowledged",
        "settled a raised durable",
        "settled a cleared withdrawn",
        "mark",
    ]
    assert open_ids(book) == "a"


def test_without_a_disk_an_act_is_told_and_never_settled() -> None:
    book = AlarmBook()
    acknowledged = note("a", ACKNOWLEDGED, NO_DISK, revision=1, state=TAKEN_NOTICE)
    assert told(book, note("a", RAISED, NO_DISK), acknowledged) == [
        "told a raised",
        "told a acknowledged",
    ]
    assert told(book, settled("a", ACKNOWLEDGED, DURABLE)) == []
    # The node still runs.
    book.begin_stream()
    found = note("a", RAISED, NO_DISK, resent=True, revision=1, state=TAKEN_NOTICE)
    assert told(book, acknowledged, found, MARK) == ["mark"]
    assert [alarm.state for alarm in book.open_alarms] == [TAKEN_NOTICE]


def test_an_act_that_the_node_lost_is_taken_back_and_may_be_news_again() -> None:
    book = AlarmBook()
    acknowledged = note("a", ACKNOWLEDGED, NO_DISK, revision=1, state=TAKEN_NOTICE)
    told(book, note("a", RAISED, DURABLE), acknowledged)
    # It was started anew, and has a disk.
    book.begin_stream()
    told_again = note("a", RAISED, DURABLE, resent=True)
    assert told(book, told_again, MARK) == ["told a raised", "mark"]
    assert [alarm.state for alarm in book.open_alarms] == [ACTIVE | RETAINED]
    stored = note("a", ACKNOWLEDGED, DURABLE, revision=1, state=TAKEN_NOTICE)
    assert told(book, stored) == ["told a acknowledged"]


def test_an_end_that_the_node_lost_leaves_the_alarm_open() -> None:
    book = AlarmBook()
    waits = RETAINED | AlarmState.NEEDS_ACKNOWLEDGING
    told(book, note("a", RAISED, DURABLE), note("a", CLEARED, DURABLE, state=waits))
    over = AlarmState.NEEDS_ACKNOWLEDGING | AlarmState.ACKNOWLEDGED
    told(book, note("a", ACKNOWLEDGED, NO_DISK, revision=1, state=over))
    assert open_ids(book) == ""
    book.begin_stream()
    still = note("a", CLEARED, DURABLE, resent=True, state=waits)
    assert told(book, still, MARK) == ["told a cleared", "mark"]
    assert open_ids(book) == "a"


def test_a_change_that_is_withdrawn_takes_what_it_told_of_acts_with_it() -> None:
    book = AlarmBook()
    told(book, note("a", RAISED, DURABLE))
    # It leaves at once, before the act that it already shows.
    told(book, note("a", UPHELD, PROVISIONAL, revision=1, state=TAKEN_NOTICE))
    assert told(book, settled("a", UPHELD, Storage.WITHDRAWN)) == ["settled a upheld withdrawn"]
    assert [alarm.revision for alarm in book.open_alarms] == [0]
    acknowledged = note("a", ACKNOWLEDGED, DURABLE, revision=1, state=TAKEN_NOTICE)
    assert told(book, acknowledged) == ["told a acknowledged"]
