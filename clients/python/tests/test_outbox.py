"""What a vendor keeps: numbers without gaps, nothing forgotten before its time."""

from __future__ import annotations

from ach_client.outbox import Input, Outbox
from ach_client.words import Lane


def filled(count: int, room: int = 100, credit: int = 1_000) -> Outbox:
    box = Outbox(Lane.PINGS, room)
    box.begin(credit)
    for number in range(count):
        box.put(Input(number, str(number).encode()))
    return box


def sent(box: Outbox, most: int = 1_000, ready: int = 1_000) -> tuple[int, list[int]]:
    first, batch = box.next_batch(most, ready)
    return first, [entry.handle for entry in batch]


def test_numbers_are_given_in_order_and_sent_once() -> None:
    box = filled(5)
    assert sent(box, most=3) == (1, [0, 1, 2])
    assert sent(box) == (4, [3, 4])
    assert sent(box) == (6, [])
    assert box.last_seq == 5


def test_nothing_is_sent_beyond_the_credit() -> None:
    box = filled(5, credit=2)
    assert sent(box) == (1, [0, 1])
    assert sent(box) == (3, [])
    box.told(2, 0, 4)
    assert sent(box) == (3, [2, 3])


def test_an_input_whose_handle_is_not_ready_holds_back_those_behind_it() -> None:
    box = filled(5)
    assert sent(box, ready=2) == (1, [0, 1])
    assert sent(box, ready=5) == (3, [2, 3, 4])


def test_only_what_is_durable_is_forgotten() -> None:
    box = filled(5)
    sent(box)
    box.told(5, 2, 1_000)
    assert (box.kept_count, box.durable_count) == (3, 2)
    box.told(5, 5, 1_000)
    assert (box.kept_count, box.durable_count, box.last_seq) == (0, 5, 5)


def test_resuming_sends_again_what_is_not_durable_under_its_numbers() -> None:
    box = filled(5)
    sent(box)
    box.told(4, 2, 1_000)
    box.resume(4, 3, 1_000)
    assert sent(box) == (4, [3, 4])
    assert box.last_seq == 5


def test_a_new_epoch_numbers_what_is_left_from_one() -> None:
    box = filled(5)
    sent(box)
    box.told(5, 2, 1_000)
    box.begin(1_000)
    assert sent(box) == (1, [2, 3, 4])
    assert (box.last_seq, box.durable_count) == (3, 2)


def test_without_a_disk_only_what_was_decided_on_is_given_up_oldest_first() -> None:
    box = filled(3, room=3)
    sent(box)
    assert box.is_full
    assert box.give_up_decided() == 0
    box.told(1, 0, 1_000)
    assert box.give_up_decided() == 1
    assert box.give_up_decided() == 0
    box.resume(1, 0, 1_000)
    assert sent(box) == (2, [1, 2])
    assert box.given_up_count == 1


def test_giving_up_leaves_out_no_number_on_a_connection_that_has_begun() -> None:
    box = filled(3, room=3)
    sent(box)
    box.told(3, 0, 1_000)
    # Connected again. The first is sent; the others wait for their handles.
    box.resume(3, 0, 1_000)
    assert sent(box, ready=1) == (1, [0])
    assert box.give_up_decided() == 1
    assert box.give_up_decided() == 0
    assert sent(box) == (2, [1, 2])
    assert box.give_up_decided() == 1


def test_before_anything_is_sent_a_connection_may_begin_after_what_was_given_up() -> None:
    box = filled(3, room=3)
    sent(box)
    box.told(2, 0, 1_000)
    box.resume(2, 0, 1_000)
    assert [box.give_up_decided() for _ in range(3)] == [1, 1, 0]
    assert sent(box) == (3, [2])


def test_what_was_decided_on_is_counted_whatever_became_of_it() -> None:
    box = filled(4)
    sent(box)
    box.told(1, 0, 1_000)
    assert box.decided_count == 1
    box.told(3, 2, 1_000)
    assert box.decided_count == 3
    box.put(Input(4, b"4"))
    assert box.decided_count == 3
    assert box.give_up_decided() == 1
    assert box.decided_count == 3
    # A node that has lost its disk begins anew and has to decide once more.
    box.begin(1_000)
    assert box.decided_count == 3
    box.told(1, 0, 1_000)
    assert box.decided_count == 4


def ping(handle: int, observed_at: int) -> Input:
    return Input(handle, f"{handle}@{observed_at}".encode(), observed_at)


def test_the_newest_ping_takes_the_place_of_an_unsent_one_and_never_of_a_sent_one() -> None:
    box = Outbox(Lane.PINGS, 3)
    box.begin(1)
    for entry in (ping(1, 10), ping(2, 10), ping(1, 11)):
        box.put(entry)
    assert box.give_way(ping(1, 12))
    assert box.give_way(ping(1, 5)), "the older of the two gives way"
    assert box.give_way(ping(2, 11))
    assert not box.give_way(ping(3, 1)), "nothing of that tag waits"
    first, batch = box.next_batch(10, 10)
    assert (first, [it.content for it in batch]) == (1, [b"1@10"])
    assert box.give_way(ping(1, 13)), "the later one of the tag was not sent"
    box.told(1, 0, 1_000)
    first, batch = box.next_batch(10, 10)
    assert (first, [it.content for it in batch]) == (2, [b"2@11", b"1@13"])
    assert not box.give_way(ping(1, 14))
    # Connected again: what was sent is sent again unchanged.
    box.resume(1, 0, 1_000)
    assert not box.give_way(ping(2, 14))
    first, batch = box.next_batch(10, 10)
    assert (first, [it.content for it in batch]) == (1, [b"1@10", b"2@11", b"1@13"])
    assert (box.entered_count, box.gave_way_count) == (3, 4)


def test_reports_never_give_way() -> None:
    box = Outbox(Lane.DURESS, 1)
    box.begin(0)
    box.put(ping(1, 10))
    assert not box.give_way(ping(1, 11))


def test_what_was_refused_last_is_not_expected_of_a_node_that_starts_again() -> None:
    box = filled(6)
    sent(box)
    box.refused(2, 2)
    box.refused(5, 6)
    box.told(6, 6, 1_000)
    assert box.taken_through == 4
    box.put(Input(7, b"7"))
    sent(box)
    box.told(7, 7, 1_000)
    assert box.taken_through == 7
    box.refused(7, 10_000_000)
    assert box.taken_through == 6


def test_a_grant_waits_until_the_node_knows_the_badge_it_names() -> None:
    for handle, badge, ready, is_sent in [
        (1, None, 2, True),
        (1, 0, 2, True),
        (1, 2, 2, False),
        (1, 2, 3, True),
        (2, 1, 2, False),
    ]:
        box = Outbox(Lane.DOORS_AND_ALARMS, 4)
        box.begin(10)
        box.put(Input(handle, b"a grant", badge=badge))
        _, batch = box.next_batch(10, ready)
        assert bool(batch) is is_sent, (handle, badge, ready)
