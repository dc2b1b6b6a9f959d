"""Limits of a queue over all processes: starts in a time, and jobs at once."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from django.db import DatabaseError, connection, connections
from hypothesis import given
from hypothesis import strategies as st

from queues import ledger
from queues.definitions import registry
from queues.ledger import Admitted, limits, outbox
from queues.lifecycle.claim import Claim
from queues.lifecycle.offer import Offer
from queues.lifecycle.verdict import Verdict
from queues.models import QueueState
from queues.settings import Queue, queue_named
from queues.settings.rate import Rate
from queues.states import JobState, Outcome
from tests.queues.claims import claim_offers, new_worker, write_verdict
from tests.queues.facts import write_jobs

pytestmark = pytest.mark.usefixtures("ledger_db")

ORDER = queue_named("order")
LIMITED = replace(ORDER, rate=Rate.parse("100/h"))
GLOBAL = replace(ORDER, scope="global", concurrency=3)


def claim_all(queue: Queue, worker_id: int | None = None) -> Admitted:
    return claim_some(queue, outbox.offer_due("order", 1000), worker_id)


def claim_some(queue: Queue, offers: Sequence[Offer], worker_id: int | None = None) -> Admitted:
    return ledger.claim(queue, offers, worker_id, registry.names())


def let_pass(seconds: float) -> None:
    """What was spent was spent so much longer ago."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE queues_queuestate SET spent_until = spent_until - %s * interval '1 s'", [seconds])


@pytest.mark.parametrize(
    ("text", "rate"), [("100/s", Rate(100, 1)), ("30/m", Rate(30, 60)), ("5/h", Rate(5, 3600)), ("1/s", Rate(1, 1))]
)
def test_rate_is_read(text: str, rate: Rate):
    assert Rate.parse(text) == rate


@pytest.mark.parametrize(
    "text", ["", "100", "0/s", "-1/s", "1.5/s", "100/d", "100 /s", "١/s", "100/s\n", "x/s"], ids=repr
)
def test_what_is_no_rate_is_refused(text: str):
    with pytest.raises(ValueError, match="expected a rate such as"):
        Rate.parse(text)


@given(count=st.integers(1, 5000), period=st.sampled_from([1.0, 60.0, 3600.0]))
def test_burst_and_steady_flow_together_stay_below_the_rate_and_near_it(count: int, period: float):
    rate = Rate(count, period)

    in_any_period = rate.burst + int(period / rate.interval)

    assert in_any_period <= count
    assert period / rate.interval >= 0.93 * count


def test_queue_without_limits_claims_all():
    write_jobs(20)

    admitted = claim_all(ORDER)

    assert (len(admitted.claims), admitted.refused, admitted.wait) == (20, [], 0)
    assert not QueueState.objects.exists()


def test_burst_starts_and_the_rest_gets_a_time_to_ask_again():
    write_jobs(20)

    first = claim_all(LIMITED)
    again = claim_some(LIMITED, first.refused, None)

    assert (len(first.claims), len(first.refused)) == (4, 16)
    assert again.claims == []
    assert again.refused == first.refused
    enough_for_two = 2 * 3600 / 94
    assert enough_for_two - 20 < again.wait <= enough_for_two


def test_starts_come_back_evenly_and_never_more_than_a_burst():
    write_jobs(20)
    first = claim_all(LIMITED)

    let_pass(3600 / 94 * 2.5)
    second = claim_some(LIMITED, first.refused, None)
    let_pass(3 * 3600)
    third = claim_some(LIMITED, second.refused, None)

    assert [len(admitted.claims) for admitted in (first, second, third)] == [4, 2, 4]


def test_what_could_not_be_claimed_is_not_spent():
    write_jobs(4)
    offers = outbox.offer_due("order", 4)
    claim_offers(offers, None)

    stale = claim_some(LIMITED, offers, None)
    write_jobs(20)
    admitted = claim_all(LIMITED)

    assert (len(stale.claims), len(admitted.claims)) == (0, 4)


def test_jobs_of_all_processes_count_at_a_global_queue():
    write_jobs(5)
    offers = outbox.offer_due("order", 5)

    first = claim_some(GLOBAL, offers[:2], new_worker())
    second = claim_some(GLOBAL, offers[2:], new_worker())
    third = claim_some(GLOBAL, second.refused, new_worker())

    assert [len(admitted.claims) for admitted in (first, second, third)] == [2, 1, 0]
    assert third.wait == limits.ASK_AGAIN


def test_place_is_free_again_when_a_job_has_ended():
    write_jobs(4)
    admitted = claim_all(GLOBAL)

    ended = admitted.claims[0]
    write_verdict(ended, Verdict(JobState.COMPLETED, Outcome.COMPLETED))

    assert len(claim_some(GLOBAL, admitted.refused, None).claims) == 1


@pytest.mark.parametrize(("queue", "expected"), [(GLOBAL, 3), (LIMITED, 4)], ids=["global", "rate"])
def test_many_at_once_get_no_more_than_the_limit(queue: Queue, expected: int):
    write_jobs(40)
    offers = outbox.offer_due("order", 40)
    claims: list[Claim] = []
    start = threading.Barrier(8, timeout=30)

    def claim(turn: int) -> None:
        start.wait()
        for offer in offers[turn * 5 : turn * 5 + 5]:
            claims.extend(claim_some(queue, [offer], None).claims)
        connections.close_all()

    threads = [threading.Thread(target=claim, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claims) == expected


def test_process_that_stands_still_loses_the_lock():
    # given a process that stands still while it holds the queue's row
    write_jobs(1)
    claim_some(LIMITED, outbox.offer_due("order", 1), None)
    still = connection.copy()
    still.set_autocommit(False)
    with pytest.raises(DatabaseError), still.cursor() as cursor:
        cursor.execute(limits.LOCK, ["3000", "order"])

        # when another wants to claim
        write_jobs(1)
        admitted = claim_all(LIMITED)

        # then it does, and the first finds its connection closed
        assert len(admitted.claims) == 1
        cursor.execute("SELECT 1")
    still.close()
