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
