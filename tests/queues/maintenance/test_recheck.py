"""The recheck: what the broker lost is offered again, what it holds is not; and who does such chores."""

import pytest
from redis import Redis

from queues.brokers.rq.broker import RqBroker
from queues.brokers.rq.keys import SCHEDULED, queue_key
from queues.dispatcher import dispatch_all
from queues.ledger import workers
from queues.maintenance.housekeeper import Housekeeper
from queues.models import Chore
from tests.queues.claims import grow_old, new_worker
from tests.queues.facts import messages, write_jobs

pytestmark = pytest.mark.usefixtures("ledger_db", "redis")

ORDERS = queue_key("order")
MAILS = queue_key("email")


@pytest.fixture
def no_patience(settings) -> None:
    """Every offer is old enough to be checked."""
    settings.QUEUE_RECHECK = 0.0001


def test_lost_message_is_offered_under_the_next_number(redis: Redis, no_patience: None):
    lost, held = write_jobs(2)
    dispatch_all(RqBroker())
    redis.lrem(ORDERS, 1, f"{lost}-1")

    assert Housekeeper(RqBroker()).recheck() == 1
    dispatch_all(RqBroker())

    assert messages(redis) == [f"{held}-1", f"{lost}-2"]


def test_message_in_rq_schedulers_set_is_not_lost(redis: Redis, no_patience: None):
    kept, lost = (write_jobs(1, run_after=100)[0] for _ in range(2))
    dispatch_all(RqBroker())
    redis.zrem(SCHEDULED, f"{lost}-1")

    assert Housekeeper(RqBroker()).recheck() == 1
    dispatch_all(RqBroker())

    assert sorted(redis.zrange(SCHEDULED, 0, -1)) == sorted([f"{kept}-1".encode(), f"{lost}-2".encode()])


def test_message_that_a_living_worker_fetched_is_not_lost(redis: Redis, no_patience: None):
    write_jobs(1)
    dispatch_all(RqBroker())
    worker = new_worker()
    RqBroker().consumer(worker, ["order"]).receive("order", 1, 0.1)

    assert Housekeeper(RqBroker()).recheck() == 0

    grow_old(worker, 3600)
    assert Housekeeper(RqBroker()).recheck() == 1


def test_fresh_offer_is_not_checked(redis: Redis, settings):
    settings.QUEUE_RECHECK = 60
    write_jobs(1)
    dispatch_all(RqBroker())
    redis.flushdb()

    assert Housekeeper(RqBroker()).recheck() == 0


def test_chore_is_done_by_one_process_a_round(settings):
    settings.QUEUE_SWEEP = settings.QUEUE_PRUNE = settings.QUEUE_OVERDUE = settings.QUEUE_RECHECK = 60
    done: list[str] = []
    housekeepers = [Housekeeper(RqBroker()) for _ in range(3)]
    for housekeeper in housekeepers:
        housekeeper.recheck = lambda: done.append("recheck")  # type: ignore[assignment,return-value,func-returns-value]

    for _ in range(3):
        for housekeeper in housekeepers:
            housekeeper.run_due()

    assert done == ["recheck"]
    assert sorted(Chore.objects.values_list("name", flat=True)) == [
        "orphans",
        "overdue",
        "prune",
        "recheck",
        "recount",
        "recurring",
        "tallies",
    ]


def test_living_workers_are_those_with_a_fresh_beat(settings):
    settings.QUEUE_LEASE = 30
    living, stale = new_worker("living"), new_worker("stale", beat_seconds_ago=31)
    stopped = new_worker("stopped")
    workers.deregister(stopped)

    assert workers.living() == [living]
    assert stale not in workers.living()
