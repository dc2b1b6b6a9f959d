"""What a dispatcher leases in a round: so much as fits into each queue's window, in its turn."""

from contextlib import closing

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from redis import Redis

from queues import ledger
from queues.brokers.rq.broker import RqBroker
from queues.dispatcher import Dispatcher, dispatch_all
from queues.lifecycle.offer import Offer
from queues.lifecycle.verdict import released
from queues.models import Outbox
from tests.jobapp.jobs import record, record_mail
from tests.queues.claims import claim_offers, write_verdict
from tests.queues.facts import messages, write_jobs

pytestmark = pytest.mark.usefixtures("ledger_db", "redis")


def test_window_is_exact_over_many_sweeps(redis: Redis, settings):
    settings.QUEUE_WINDOW = 7
    write_jobs(30)

    assert [Dispatcher(RqBroker()).sweep() for _ in range(10)] == [7] + [0] * 9

    assert len(set(messages(redis))) == 7


def test_each_queue_has_a_window_of_its_own(redis: Redis, settings):
    settings.QUEUE_WINDOW = 2
    write_jobs(5)
    ledger.enqueue([record_mail.request({"label": str(n)}) for n in range(5)])

    dispatch_all(RqBroker())

    assert (len(messages(redis)), len(messages(redis, "email"))) == (2, 2)


def test_claimed_job_makes_room_in_the_window(redis: Redis, settings):
    settings.QUEUE_WINDOW = 2
    write_jobs(5)
    dispatch_all(RqBroker())

    row = Outbox.objects.filter(offer=1).first()
    assert row is not None
    claim_offers([Offer(row.job_id, 1, "order")], None)

    assert Dispatcher(RqBroker()).sweep() == 1


def test_dispatchers_take_turns_at_a_queue(redis: Redis, settings):
    """Whoever counts while another leases would not see what that one takes, and exceed the window."""
    settings.QUEUE_WINDOW = 7
    write_jobs(30)
    with closing(connection.copy()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(20251, hashtext('order'))")
        assert Dispatcher(RqBroker()).sweep() == 0
        cursor.execute(
            "SELECT pg_advisory_unlock(20251, hashtext('order'))"
        )  # a closed connection keeps it for a while

    assert Dispatcher(RqBroker()).sweep() == 7


def test_lease_that_a_crash_of_postgresql_undid_is_leased_again_and_its_job_runs_once(redis: Redis):
    """A lease does not wait for the disk: its message may be in Redis although the lease is lost."""
    # given a job whose message is out, and whose lease is undone
    job_id = record.enqueue(label="a").id
    with transaction.atomic():
        assert Dispatcher(RqBroker()).offer() == 1
        transaction.set_rollback(True)
    assert Outbox.objects.get().offered_at is None
    assert messages(redis) == [f"{job_id}-1"]
    assert claim_offers([Offer(job_id, 1, "order")], None) == []

    # when it is leased again, then under the same number, and the second message claims nothing
    assert Dispatcher(RqBroker()).offer() == 1
    assert messages(redis) == [f"{job_id}-1", f"{job_id}-1"]
    (claim,) = claim_offers([Offer(job_id, 1, "order")], None)
    assert claim_offers([Offer(job_id, 1, "order")], None) == []

    # also when the job waits once more
    write_verdict(claim, released("test"))
    assert claim_offers([Offer(job_id, 1, "order")], None) == []


def test_round_over_all_queues_is_one_statement(redis: Redis):
    write_jobs(3)
    ledger.enqueue([record_mail.request({"label": "mail"})])

    with CaptureQueriesContext(connection) as queries:
        assert Dispatcher(RqBroker()).offer() == 4

    assert len(queries) == 1
