"""The receiving end in Redis: messages that a broken connection or a crash left behind come back."""

from typing import Any

import pytest
import redis as redis_py
from django.core.management import call_command
from redis import Redis

from queues import ledger
from queues.brokers.rq.broker import RqBroker
from queues.brokers.rq.consumer import RqConsumer
from queues.dispatcher import dispatch_all
from queues.errors import BrokerUnavailable
from queues.ledger import workers
from queues.lifecycle.offer import Offer
from queues.maintenance.housekeeper import Housekeeper
from tests.jobapp.jobs import record, record_mail
from tests.processes import Processes, wait_for
from tests.queues.claims import claim_offers, new_worker
from tests.queues.facts import messages, wait_for_state, wait_for_workers

pytestmark = pytest.mark.usefixtures("ledger_db", "redis")


@pytest.fixture
def consumer() -> RqConsumer:
    return RqBroker().consumer(new_worker(), ["order", "email"])


def published(count: int) -> list[Offer]:
    ids = ledger.enqueue([record.request({"label": str(n)}) for n in range(count)])
    dispatch_all(RqBroker())
    return [Offer(job_id, 1, "order") for job_id in ids]


def break_pipelines(monkeypatch: pytest.MonkeyPatch, consumer: RqConsumer) -> None:
    """From now on the connection breaks in the middle of things."""

    def broken(*_: Any, **__: Any) -> None:
        raise redis_py.ConnectionError("test")

    monkeypatch.setattr(consumer.connection, "pipeline", broken)


def lose_reply(monkeypatch: pytest.MonkeyPatch, consumer: RqConsumer) -> None:
    """From now on the connection breaks after Redis has handed messages out."""
    receive = consumer._receive

    def broken(*args: Any, **kwargs: Any) -> None:
        receive(*args, **kwargs)
        raise redis_py.ConnectionError("test")

    monkeypatch.setattr(consumer, "_receive", broken)


def test_received_messages_are_held_until_they_are_claimed(consumer: RqConsumer, redis: Redis):
    offers = published(3)

    assert consumer.receive("order", 10, 0.1) == offers
    assert RqBroker().lost(offers, workers.living()) == []
    assert RqBroker().lost(offers, []) == offers
    claims = claim_offers(offers, 1)
    consumer.claimed(offers, claims)
    consumer.registries.flush(10)

    assert redis.keys("rq:fetched:*") == []
    assert redis.zcard("rq:wip:order") == 3


def test_messages_of_a_lost_reply_come_back(consumer: RqConsumer, redis: Redis, monkeypatch: pytest.MonkeyPatch):
    offers = published(2)
    with monkeypatch.context() as patch:
        lose_reply(patch, consumer)
        with pytest.raises(BrokerUnavailable):
            consumer.receive("order", 10, 0.1)
    assert redis.llen("rq:queue:order") == 0

    consumer.recover("order")

    assert consumer.receive("order", 10, 0.1) == offers


def test_receiving_is_not_repeated_behind_our_back(consumer: RqConsumer, redis: Redis, monkeypatch: pytest.MonkeyPatch):
    """A second answer would hide that the first was lost, with messages that no fetcher knows."""
    # given messages, and a connection that breaks once, after Redis has answered
    offers = published(2)
    consumer.receive("email", 1, 0.1)
    read, breaks = redis_py.Connection.read_response, iter([True])

    def read_or_break(*args: Any, **kwargs: Any) -> Any:
        response = read(*args, **kwargs)
        if next(breaks, False):
            raise redis_py.ConnectionError("test")
        return response

    monkeypatch.setattr(redis_py.Connection, "read_response", read_or_break)

    # when they are received, then the fetcher learns of the break and gets them back
    with pytest.raises(BrokerUnavailable):
        consumer.receive("order", 10, 0.1)
    consumer.recover("order")
    assert consumer.receive("order", 10, 0.1) == offers


def test_messages_that_could_not_be_requeued_come_back(
    consumer: RqConsumer, redis: Redis, monkeypatch: pytest.MonkeyPatch
):
    offers = published(3)
    consumer.receive("order", 2, 0.1)
    with monkeypatch.context() as patch:
        break_pipelines(patch, consumer)
        with pytest.raises(BrokerUnavailable):
            consumer.requeue(offers[:2])

    consumer.recover("order")

    assert messages(redis) == [offer.message_id for offer in offers]


def test_recovery_of_one_queue_leaves_what_other_queues_have_fetched(consumer: RqConsumer, redis: Redis):
    published(1)
    record_mail.enqueue(label="mail")
    dispatch_all(RqBroker())
    consumer.receive("order", 1, 0.1)
    (mail,) = consumer.receive("email", 1, 0.1)

    consumer.recover("order")

    assert (redis.llen("rq:queue:order"), redis.llen("rq:queue:email")) == (1, 0)
    assert RqBroker().lost([mail], workers.living()) == []


def test_requeued_messages_keep_their_order(consumer: RqConsumer, redis: Redis):
    offers = published(5)
    consumer.receive("order", 3, 0.1)

    consumer.requeue(offers[:3])

    assert messages(redis) == [offer.message_id for offer in offers]


def test_list_of_a_worker_that_was_killed_does_not_stay_for_ever(consumer: RqConsumer, redis: Redis):
    published(1)
    consumer.receive("order", 1, 0.1)

    (key,) = redis.keys("rq:fetched:*")
    assert 0 < redis.ttl(key) <= 600


def test_worker_recovers_a_message_that_its_fetcher_never_got(processes: Processes, redis: Redis):
    # given a message in the fetched list of a living worker, whose fetcher never got it
    call_command("rqsuspend")
    processes.manage("rqworker", "order", QUEUE_RECHECK="60")
    (worker,) = wait_for_workers(1)
    job_id = record.enqueue(label="a").id
    wait_for(lambda: redis.llen("rq:queue:order") == 1)
    redis.lmove("rq:queue:order", f"rq:fetched:{worker.pk}:order", "LEFT", "RIGHT")

    # when the fetcher meets an error
    redis.set("rq:queue:order", "no list")
    call_command("rqresume")

    wait_for_state(job_id, "completed")


def test_claimed_job_is_not_offered_again_though_its_worker_got_no_reply():
    (offer,) = published(1)
    claim_offers([offer], new_worker())

    assert Housekeeper(RqBroker()).recheck() == 0
