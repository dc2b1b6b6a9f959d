"""How many jobs are claimed: those that run at once, and a few more (prefetched) where jobs are short."""

import threading
import time

import pytest

from queues.settings import Queue
from queues.settings.rate import Rate
from queues.worker.capacity import MOST_PREFETCHED, PREFETCH_SECONDS, Capacity, Durations, JobQuota

PAUSE = 0.05


def capacity_of(queue: Queue, limit: int | None = None) -> Capacity:
    return Capacity(queue, JobQuota(limit), Durations())


def take(capacity: Capacity, wanted: int, *, keep: float = PAUSE, gather: float = 0) -> int:
    return capacity.take(wanted, keep=keep, gather=gather)


def short_jobs(capacity: Capacity) -> None:
    for _ in range(100):
        capacity.durations.learn(0.0001)


def test_no_more_are_taken_than_run_at_once_while_no_duration_is_known():
    capacity = capacity_of(Queue("order", concurrency=3))

    assert take(capacity, 10) == 3
    assert take(capacity, 1) == 0
    capacity.free()
    assert take(capacity, 10) == 1


def test_short_jobs_are_prefetched_and_long_ones_are_not():
    capacity = capacity_of(Queue("order", concurrency=10))
    for _ in range(100):
        capacity.durations.learn(0.02)
    assert 17 <= capacity.size <= 20  # twenty milliseconds of work for each of ten threads

    short_jobs(capacity)
    assert capacity.size == 10 + MOST_PREFETCHED

    for _ in range(50):
        capacity.durations.learn(5.0)
    assert capacity.size == 10


@pytest.mark.parametrize(
    "capacity",
    [
        capacity_of(Queue("order", concurrency=2, rate=Rate.parse("100/s"))),
        capacity_of(Queue("order", concurrency=2, scope="global")),
        capacity_of(Queue("order", concurrency=2), limit=50),
    ],
    ids=["rate", "global", "--max-jobs"],
)
def test_nothing_is_prefetched_where_a_claim_takes_something_from_others(capacity: Capacity):
    short_jobs(capacity)

    assert take(capacity, 10) == 2


def test_slot_that_is_freed_wakes_whoever_waits_for_one():
    capacity = capacity_of(Queue("order", concurrency=1))
    assert take(capacity, 1) == 1
    threading.Timer(PAUSE, capacity.free).start()

    assert take(capacity, 1, keep=10) == 1


def test_one_free_slot_waits_a_moment_for_others():
    capacity = capacity_of(Queue("order", concurrency=4))
    assert take(capacity, 4) == 4
    capacity.free()
    threading.Timer(PAUSE, capacity.free, [3]).start()

    assert take(capacity, 4, keep=10, gather=10) >= 2


def test_slots_without_quota_are_free_again():
    # given a process that may claim three jobs, of two queues
    quota = JobQuota(3)
    order = Capacity(Queue("order", concurrency=10), quota, Durations())
    email = Capacity(Queue("email", concurrency=10), quota, Durations())

    # when one queue takes two slots, and the other wants ten
    assert take(order, 2) == 2
    assert take(email, 10) == 1

    # then the process has no more to give until a claim has failed
    assert take(email, 10) == 0
    assert email.taken == 1
    assert not quota.is_used_up
    order.claimed(1, of=2)
    email.claimed(1, of=1)
    assert take(email, 10) == 1
    email.claimed(1, of=1)
    assert quota.is_used_up
    assert (order.taken, email.taken) == (1, 2)


def test_slots_that_shrink_while_more_are_gathered_are_waited_for(monkeypatch: pytest.MonkeyPatch):
    """To return without any would have the fetcher requeue all that it has received."""
    capacity = short_jobs_in_all_slots()
    capacity.free(5)
    wait_for, waits = capacity._wait_for, []

    def shrink_in_the_second(enough: int, seconds: float) -> bool:
        found = wait_for(enough, seconds)
        waits.append(enough)
        if len(waits) == 2:
            capacity.durations.mean = 5.0
            threading.Timer(PAUSE, capacity.free, [MOST_PREFETCHED]).start()
        return found

    monkeypatch.setattr(capacity, "_wait_for", shrink_in_the_second)

    assert take(capacity, 10, keep=10) == 5
    assert len(waits) > 2


def test_while_enough_is_prefetched_a_claim_waits_until_half_of_it_is_begun():
    capacity = short_jobs_in_all_slots()
    capacity.free(MOST_PREFETCHED // 2 - 1)
    began = time.monotonic()

    assert take(capacity, 1000, keep=10) == MOST_PREFETCHED // 2 - 1
    assert time.monotonic() - began >= PREFETCH_SECONDS / 2

    capacity.free(MOST_PREFETCHED // 2)
    assert take(capacity, 1000, keep=10) == MOST_PREFETCHED // 2


def short_jobs_in_all_slots() -> Capacity:
    """Ten threads, and as many prefetched jobs as there may be."""
    capacity = capacity_of(Queue("order", concurrency=10))
    short_jobs(capacity)
    assert take(capacity, 1000) == 10 + MOST_PREFETCHED
    return capacity
