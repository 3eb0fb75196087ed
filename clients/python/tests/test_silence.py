"""When a link is dead, counted in ticks."""

from __future__ import annotations

from ach_client.silence import SILENT_TICKS_MAX, TICKS, Silence


def dead_at_tick(last_heard_at: float) -> int:
    """The tick that finds the link dead, if the last sign of life came then, counted in ticks."""
    silence = Silence()
    tick = 0
    while True:
        tick += 1
        # A sign in each tick up to the last one.
        if silence.is_dead_at_tick(int(min(tick, last_heard_at + 1))):
            return tick


def test_a_link_is_known_to_be_dead_before_the_promised_time_is_over() -> None:
    for last_heard_at in (0.0, 0.01, 0.5, 0.99, 7.0, 7.01, 7.99):
        passed = dead_at_tick(last_heard_at) - last_heard_at
        assert SILENT_TICKS_MAX <= passed < TICKS, f"after {passed} ticks of {TICKS}"


def test_a_sign_of_life_now_and_then_is_enough() -> None:
    silence = Silence()
    for tick in range(1, 100):
        assert not silence.is_dead_at_tick(tick // SILENT_TICKS_MAX)
