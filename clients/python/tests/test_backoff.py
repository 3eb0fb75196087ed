"""How long a client leaves a node alone."""

from __future__ import annotations

import random

from ach_client.backoff import Backoff
from ach_client.codes import Code
from ach_client.link import Ending

LOST = Ending("lost")


def test_after_a_loss_waits_double_up_to_five_seconds_and_vary() -> None:
    for seed in range(20):
        backoff = Backoff(random.Random(seed))
        limit = 0.05
        for _ in range(10):
            wait_s = backoff.wait_s(LOST)
            assert wait_s is not None and limit / 2 <= wait_s <= limit, f"seed {seed}"
            limit = min(limit * 2, 5.0)
    waits = {Backoff(random.Random(seed)).wait_s(LOST) for seed in range(20)}
    assert len(waits) > 10


def test_a_connection_that_lived_counts_as_a_new_start() -> None:
    backoff = Backoff()
    for _ in range(10):
        backoff.wait_s(LOST)
    backoff.settled()
    wait_s = backoff.wait_s(LOST)
    assert wait_s is not None and wait_s <= 0.05


def test_a_refusal_that_does_not_pass_by_itself_keeps_away_for_ten_seconds() -> None:
    for code in Code:
        wait_s = Backoff().wait_s(Ending("said so", code))
        if code is Code.TAKEN_OVER:
            assert wait_s is None
        elif code.may_be_tried_again:
            assert wait_s is not None and wait_s <= 0.05
        else:
            assert wait_s is not None and wait_s >= 10.0
    refused = Backoff().wait_s(Ending("bad certificate", None, True))
    assert refused is not None and refused >= 10.0
