"""The verbs of a broker, called by hand: what each must hold, hand out, lose or refuse."""

import pytest
from django.core.management import CommandError, call_command

from queues import ledger
from queues.brokers import broker_class, broker_of
from queues.brokers.base import Broker, Consumer
from queues.dispatcher import Dispatcher, dispatch_all
from queues.lifecycle.offer import Offer
from queues.lifecycle.verdict import COMPLETED, Finished
from queues.maintenance.housekeeper import Housekeeper
from queues.models import Job, Outbox
from queues.settings import MODES
from tests.contracts.brokers import BROKERS, DISPATCHED, NOT_DISPATCHED, WITHOUT_WORKERS
from tests.jobapp.jobs import record, record_mail
from tests.queues.claims import claim_offers, execution_of, new_worker, offer_of
from tests.queues.facts import states, write_jobs

pytestmark = pytest.mark.usefixtures("ledger_db", "redis")


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> Broker:
    """The broker of each mode that has workers."""
    return broker_of(request.param)


@pytest.fixture
def consumer(broker: Broker) -> Consumer:
    return broker.consumer(new_worker(), ["order", "email"])


def job_ids(offers: list[Offer]) -> list[int]:
    return [offer.job_id for offer in offers]


def outbox_rows() -> list[tuple[object, ...]]:
    return list(Outbox.objects.order_by("job_id").values_list("job_id", "offer", "offered_at", "withdrawn"))


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_names_its_broker(mode: str):
    assert issubclass(broker_class(mode), Broker)
    assert type(broker_of(mode)) is broker_class(mode)


@pytest.mark.parametrize("mode", MODES)
def test_offers_that_nobody_holds_are_lost(mode: str):
    offers = [offer_of(record, label=str(number)) for number in range(3)]

    assert broker_of(mode).lost(offers, [new_worker()]) == offers


@pytest.mark.parametrize("mode", MODES)
def test_lost_offers_are_offered_again(mode: str, settings):
    settings.QUEUE_RECHECK = 0
    offer = offer_of(record, label="a")

    assert Housekeeper(broker_of(mode)).recheck() == 1

    row = Outbox.objects.get(job_id=offer.job_id)
    assert (row.offer, row.offered_at) == (offer.number, None)


@pytest.mark.parametrize("mode", MODES)
def test_verbs_with_nothing_to_do_change_nothing(mode: str):
    offers = [offer_of(record, label="a")]
    before = outbox_rows()

    broker_of(mode).remove(offers)
    broker_of(mode).wake()

    assert broker_of(mode).take_over(0.0) == 0
    assert outbox_rows() == before
    assert states() == {"waiting": 1}


@pytest.mark.parametrize("mode", DISPATCHED)
def test_published_offers_are_held_until_they_are_removed(mode: str):
    kept, removed = (offer_of(record, label=label) for label in ("kept", "removed"))

    broker_of(mode).publish([kept, removed])
    assert broker_of(mode).lost([kept, removed], []) == []

    broker_of(mode).remove([removed])
    assert broker_of(mode).lost([kept, removed], []) == [removed]


@pytest.mark.parametrize("mode", NOT_DISPATCHED)
def test_what_is_not_dispatched_cannot_be_published(mode: str):
    offer = offer_of(record, label="a")
    before = outbox_rows()

    with pytest.raises(RuntimeError, match=f"WORKER_MODE={mode} publishes nothing|{mode} consumers lease from"):
        broker_of(mode).publish([offer])

    assert outbox_rows() == before


@pytest.mark.parametrize("mode", NOT_DISPATCHED)
def test_dispatcher_leaves_the_outbox_to_the_consumers(mode: str):
    write_jobs(2)
    before = outbox_rows()

    assert Dispatcher(broker_of(mode)).sweep() == 0

    assert outbox_rows() == before


@pytest.mark.parametrize("mode", WITHOUT_WORKERS)
def test_mode_without_workers_has_no_consumer(mode: str):
    with pytest.raises(RuntimeError, match=f"WORKER_MODE={mode} runs no jobs"):
        broker_of(mode).consumer(new_worker(), ["order"])


@pytest.mark.parametrize("mode", WITHOUT_WORKERS)
def test_jobs_of_a_mode_without_workers_wait_for_another_mode(mode: str, settings):
    settings.WORKER_MODE = mode
    write_jobs(2)
    before = outbox_rows()

    with pytest.raises(CommandError, match=f"WORKER_MODE is '{mode}': jobs stay waiting") as refused:
        call_command("work", "order", "--burst")

    assert refused.value.returncode == 2
    assert outbox_rows() == before
    assert states() == {"waiting": 2}


def test_consumer_receives_so_many_of_one_queue_and_no_more(broker: Broker, consumer: Consumer):
    (mail,) = ledger.enqueue([record_mail.request({"label": "mail"})])
    first, second, third = write_jobs(3)
    dispatch_all(broker)

    assert job_ids(consumer.receive("order", 2, 0.1)) == [first, second]
    assert job_ids(consumer.receive("order", 2, 0.1)) == [third]
    assert consumer.receive("order", 2, 0.1) == []
    assert job_ids(consumer.receive("email", 2, 0.1)) == [mail]


def test_received_offers_are_received_by_nobody_else(broker: Broker, consumer: Consumer):
    write_jobs(1)
    dispatch_all(broker)
    assert consumer.receive("order", 1, 0.1)

    assert broker.consumer(new_worker("other"), ["order"]).receive("order", 1, 0.1) == []


def test_requeued_offers_are_received_by_others_in_their_order(broker: Broker, consumer: Consumer):
    ids = write_jobs(3)
    dispatch_all(broker)

    consumer.requeue(consumer.receive("order", 2, 0.1))

    assert job_ids(broker.consumer(new_worker("other"), ["order"]).receive("order", 3, 0.1)) == ids


def test_offers_that_a_dead_worker_received_are_lost(broker: Broker, consumer: Consumer):
    write_jobs(2)
    dispatch_all(broker)
    offers = consumer.receive("order", 2, 0.1)

    assert broker.lost(offers, []) == offers


def test_way_of_a_job_through_a_consumer(broker: Broker, consumer: Consumer):
    # given an offer that was received and claimed
    (job_id,) = write_jobs(1)
    dispatch_all(broker)
    assert not consumer.suspended()
    offers = consumer.receive("order", 1, 0.1)
    claims = claim_offers(offers, None)
    consumer.claimed(offers, claims)
    consumer.beat()

    # when its verdict is written
    finished = Finished(execution_of(claims[0]), COMPLETED)
    ledger.finish([finished])
    consumer.finished([finished])
    consumer.close()

    # then the job is done, and nothing is left of it
    assert Job.objects.get(pk=job_id).state == "completed"
    assert not Outbox.objects.exists()
    assert broker.consumer(new_worker("other"), ["order"]).receive("order", 1, 0.1) == []


def test_recovery_loses_no_job(broker: Broker, consumer: Consumer, settings):
    # given a job whose offer was received, and forgotten after an error
    settings.QUEUE_RECHECK = 0
    (job_id,) = write_jobs(1)
    dispatch_all(broker)
    consumer.receive("order", 1, 0.1)

    # when the consumer recovers, and lost offers are offered again
    consumer.recover("order")
    Housekeeper(broker).recheck()
    dispatch_all(broker)

    assert job_ids(consumer.receive("order", 1, 0.1)) == [job_id]
