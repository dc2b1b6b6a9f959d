"""How many jobs are claimed: those that run at once, and a few ahead where jobs are short."""

import threading
import time

import pytest

from queues.worker.pace import Pace
from queues.worker.slots import LONGEST_AHEAD, MOST_AHEAD, Slots

PAUSE = 0.05


def test_no_more_are_taken_than_run_at_once_while_nothing_is_known_of_their_pace():
    slots = Slots(3, Pace(), ahead=True)

    assert slots.take(10, PAUSE, 0) == 3
    assert slots.take(1, PAUSE, 0) == 0
    slots.free()
    assert slots.take(10, PAUSE, 0) == 1


def test_short_jobs_are_claimed_ahead_and_long_ones_are_not():
    pace = Pace()
    slots = Slots(10, pace, ahead=True)
    for _ in range(100):
        pace.learn(0.02)
    assert 17 <= slots.size <= 20  # twenty milliseconds of work for each of ten threads

    for _ in range(100):
        pace.learn(0.0001)
    assert slots.size == 10 + MOST_AHEAD

    for _ in range(50):
        pace.learn(5.0)
    assert slots.size == 10


def test_where_nothing_may_be_claimed_ahead_the_pace_does_not_matter():
    pace = Pace()
    for _ in range(100):
        pace.learn(0.0)

    assert Slots(2, pace, ahead=False).take(10, PAUSE, 0) == 2


def test_slot_that_is_freed_wakes_whoever_waits_for_one():
    slots = Slots(1, Pace(), ahead=False)
    assert slots.take(1, PAUSE, 0) == 1
    threading.Timer(PAUSE, slots.free).start()

    assert slots.take(1, 10, 0) == 1


def test_one_free_slot_waits_a_moment_for_others():
    slots = Slots(4, Pace(), ahead=False)
    assert slots.take(4, PAUSE, 0) == 4
    slots.free()
    threading.Timer(PAUSE, slots.free, [3]).start()

    assert slots.take(4, 10, gather=10) >= 2


def test_slots_that_shrink_while_more_are_gathered_are_waited_for(monkeypatch: pytest.MonkeyPatch):
    """To return without any would have the lane give all that it has received back."""
    slots, pace = short_jobs_in_all_slots()
    slots.free(5)
    wait_for, waits = slots._wait_for, []

    def shrink_in_the_second(enough: int, seconds: float) -> bool:
        found = wait_for(enough, seconds)
        waits.append(enough)
        if len(waits) == 2:
            pace.mean = 5.0
            threading.Timer(PAUSE, slots.free, [MOST_AHEAD]).start()
        return found

    monkeypatch.setattr(slots, "_wait_for", shrink_in_the_second)

    assert slots.take(10, 10, 0) == 5


def test_while_enough_is_claimed_ahead_a_claim_waits_until_half_of_it_is_begun():
    slots, _ = short_jobs_in_all_slots()
    slots.free(MOST_AHEAD // 2 - 1)
    began = time.monotonic()

    assert slots.take(1000, 10, 0) == MOST_AHEAD // 2 - 1
    assert time.monotonic() - began >= LONGEST_AHEAD / 2

    slots.free(MOST_AHEAD // 2)
    assert slots.take(1000, 10, 0) == MOST_AHEAD // 2


def short_jobs_in_all_slots() -> tuple[Slots, Pace]:
    """Ten threads, and as many jobs claimed ahead as there may be."""
    pace = Pace()
    for _ in range(100):
        pace.learn(0.0001)
    slots = Slots(10, pace, ahead=True)
    assert slots.take(1000, PAUSE, 0) == 10 + MOST_AHEAD
    return slots, pace
