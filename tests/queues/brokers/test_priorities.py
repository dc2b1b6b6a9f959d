"""Priorities in a list that has only a head and a tail: no job is published before one that should precede it."""

import pytest
from redis import Redis

from queues.brokers.rq.broker import RqBroker
from queues.brokers.rq.keys import SCHEDULED
from queues.dispatcher import dispatch_all
from queues.lifecycle.offer import Offer
from tests.queues.claims import claim_offers
from tests.queues.facts import messages, write_jobs

pytestmark = pytest.mark.usefixtures("ledger_db", "redis")


def test_higher_priority_goes_first(redis: Redis):
    low, high = write_jobs(2, priority=-1), write_jobs(2, priority=5)
    normal = write_jobs(1)

    dispatch_all(RqBroker())

    assert [int(message.split("-")[0]) for message in messages(redis)] == [*high, *normal, *low]


def test_higher_priority_overtakes_what_is_published_and_the_rest_comes_behind(redis: Redis):
    # given published jobs of the usual priority
    usual = write_jobs(2)
    dispatch_all(RqBroker())

    # when others are written
    lower, higher = write_jobs(2, priority=-1), write_jobs(2, priority=5)
    highest, equal = write_jobs(1, priority=9), write_jobs(1)
    dispatch_all(RqBroker())

    assert [int(message.split("-")[0]) for message in messages(redis)] == [
        *highest,
        *higher,
        *usual,
        *equal,
        *lower,
    ]


def test_job_that_fits_neither_the_head_nor_the_tail_waits_for_the_head_to_be_claimed(redis: Redis):
    # given jobs of a low and of a high priority in Redis
    (low,) = write_jobs(1, priority=-1)
    dispatch_all(RqBroker())
    (high,) = write_jobs(1, priority=5)
    dispatch_all(RqBroker())

    # when one between them is written
    (between,) = write_jobs(1)
    assert dispatch_all(RqBroker()) == 0

    # then it goes to the head once the high one is claimed
    claim_offers([Offer(high, 1, "order")], None)
    redis.lpop("rq:queue:order")
    assert dispatch_all(RqBroker()) == 1
    assert messages(redis) == [f"{between}-1", f"{low}-1"]


def test_long_delay_of_an_urgent_job_stays_in_the_outbox(redis: Redis):
    write_jobs(1, run_after=300, priority=5)

    assert dispatch_all(RqBroker()) == 0
    assert redis.zcard(SCHEDULED) == 0
