"""The dispatcher: what it publishes, what it holds back, what it takes out again."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connections
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from queues.brokers.rq import broker as rq_broker
from queues.brokers.rq.broker import RqBroker
from queues.brokers.rq.keys import SCHEDULED, queue_key
from queues.dispatcher import Dispatcher, dispatch_all
from queues.errors import BrokerUnavailable
from queues.lifecycle.offer import Offer
from queues.models import Job, Outbox
from tests.jobapp.jobs import record
from tests.queues.facts import messages, write_jobs

pytestmark = pytest.mark.usefixtures("ledger_db", "redis")

ORDERS = queue_key("order")


@pytest.fixture
def broken_redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    nowhere: Redis = Redis(port=9, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(rq_broker, "client", lambda: nowhere)
    yield
    nowhere.close()


def test_due_jobs_are_published_once(redis: Redis):
    ids = write_jobs(3)

    assert Dispatcher(RqBroker()).sweep() == 3
    assert Dispatcher(RqBroker()).sweep() == 0

    assert messages(redis) == [f"{job_id}-1" for job_id in ids]
    assert set(Outbox.objects.values_list("offer", flat=True)) == {1}


def test_message_has_the_name_and_no_argument_of_its_job(redis: Redis):
    job_id = record.enqueue(label="4111-1111").id
    dispatch_all(RqBroker())

    values = redis.hgetall(f"rq:job:{job_id}-1")

    assert values[b"description"] == b"jobapp.record"
    assert "4111" not in str(values)
    assert redis.ttl(f"rq:job:{job_id}-1") > 0


def test_long_delays_go_to_rq_schedulers_set_soonest_first(redis: Redis, settings):
    settings.QUEUE_DELAYED_WINDOW = 2
    late, soon, sooner = (write_jobs(1, run_after=seconds)[0] for seconds in (300, 200, 100))

    dispatch_all(RqBroker())

    assert redis.zrange(SCHEDULED, 0, -1) == [f"{sooner}-1".encode(), f"{soon}-1".encode()]
    due = Job.objects.get(pk=soon).run_at.timestamp()
    score = redis.zscore(SCHEDULED, f"{soon}-1")
    assert score is not None
    assert due - 0.001 <= score <= due + 0.5
    assert Outbox.objects.get(job_id=late).offered_at is None


def test_delayed_messages_do_not_fill_the_window_of_due_ones(redis: Redis, settings):
    settings.QUEUE_WINDOW = settings.QUEUE_DELAYED_WINDOW = 3
    write_jobs(9, run_after=100)
    write_jobs(9)

    dispatch_all(RqBroker())

    assert (redis.llen(ORDERS), redis.zcard(SCHEDULED)) == (3, 3)


def test_short_delay_waits_in_postgresql(redis: Redis, settings):
    settings.QUEUE_BROKER_DELAY = 60
    write_jobs(1, run_after=59)

    assert dispatch_all(RqBroker()) == 0

    assert redis.zcard(SCHEDULED) == redis.llen(ORDERS) == 0


def test_two_dispatchers_side_by_side_publish_each_job_once(redis: Redis):
    ids = write_jobs(3000)
    stop = threading.Event()

    def sweep() -> None:
        dispatcher = Dispatcher(RqBroker())
        while not stop.is_set() and Outbox.objects.filter(offered_at=None).exists():
            dispatcher.sweep()
        connections.close_all()

    threads = [threading.Thread(target=sweep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    stop.set()

    assert sorted(messages(redis)) == sorted(f"{job_id}-1" for job_id in ids)


def test_outage_of_redis_leaves_the_jobs_to_be_offered(redis: Redis, broken_redis: None):
    write_jobs(3)

    with pytest.raises(BrokerUnavailable):
        Dispatcher(RqBroker()).sweep()

    assert set(Outbox.objects.values_list("offer", "offered_at")) == {(1, None)}


def test_dispatcher_outlives_an_outage_of_redis(redis: Redis, monkeypatch: pytest.MonkeyPatch):
    write_jobs(1)
    helper = Dispatcher(RqBroker()).helper()
    outages = iter([True, True, False])
    publish = RqBroker.publish

    def sometimes(self: RqBroker, offers: list[Offer]) -> None:
        if next(outages):
            raise BrokerUnavailable("test")
        publish(self, offers)
        helper.stop()

    monkeypatch.setattr(RqBroker, "publish", sometimes)

    helper.start()
    helper.join(20)

    assert not helper.is_alive()
    assert len(messages(redis)) == 1


def test_withdrawn_message_is_taken_out_of_the_list(redis: Redis):
    kept, gone = record.enqueue(label="a").id, record.using(key="k").enqueue(label="b").id
    dispatch_all(RqBroker())

    record.cancel(key="k")
    dispatch_all(RqBroker())

    assert messages(redis) == [f"{kept}-1"]
    assert not redis.exists(f"rq:job:{gone}-1")
    assert [row.job_id for row in Outbox.objects.all()] == [kept]


def test_withdrawn_message_is_taken_out_of_rq_schedulers_set(redis: Redis):
    job_id = record.using(key="k", run_after=100).enqueue(label="a").id
    dispatch_all(RqBroker())
    assert redis.zcard(SCHEDULED) == 1

    record.cancel(key="k")
    dispatch_all(RqBroker())

    assert redis.zcard(SCHEDULED) == 0
    assert not redis.exists(f"rq:job:{job_id}-1")
    assert not Outbox.objects.exists()


def test_withdrawn_row_stays_while_redis_is_away(redis: Redis, broken_redis: None):
    record.using(key="k").enqueue(label="a")
    record.cancel(key="k")

    with pytest.raises(BrokerUnavailable):
        Dispatcher(RqBroker()).sweep()

    assert Outbox.objects.get().withdrawn
