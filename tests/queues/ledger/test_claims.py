"""The claim: one conditional statement, so that one of many wins."""

import threading

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from queues import job, ledger
from queues.definitions import registry
from queues.ledger import outbox
from queues.lifecycle.claim import Claim
from queues.lifecycle.offer import Offer
from queues.lifecycle.verdict import Verdict
from queues.models import Job, Outbox
from queues.settings import queue_named
from queues.states import JobState, Outcome
from tests.jobapp.jobs import record
from tests.queues.claims import claim_for, claim_offers, new_worker, offer_delayed, offer_of, write_verdict

pytestmark = pytest.mark.usefixtures("ledger_db")


def test_claim_makes_the_job_active_and_takes_its_outbox_row():
    worker = new_worker()

    claim = claim_for(worker, record, label="a")

    job = Job.objects.get()
    assert (job.state, job.attempt, job.worker_id, job.token, job.offer) == ("active", 1, worker, claim.token, 1)
    assert job.started_at is not None
    assert not Outbox.objects.exists()
    assert (claim.args, claim.max_attempts, claim.suspect) == ({"label": "a"}, 3, False)


def test_of_eight_claims_at_once_one_wins():
    ledger.enqueue([record.request({"label": str(n)}) for n in range(20)])
    offers = outbox.offer_due("order", 20)
    claims: list[Claim] = []
    start = threading.Barrier(8, timeout=30)

    def claim(worker_id: int) -> None:
        start.wait()
        for offer in offers:
            claims.extend(claim_offers([offer], worker_id))
        connections.close_all()

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(claim.id for claim in claims) == sorted(offer.job_id for offer in offers)
    assert set(Job.objects.values_list("attempt", flat=True)) == {1}


def test_claim_does_not_wait_for_a_row_in_anothers_hands():
    offer = offer_of(record, label="a")
    found: list[list[Claim]] = []

    def claim() -> None:
        found.append(claim_offers([offer], None))
        connections.close_all()

    with transaction.atomic():
        list(Outbox.objects.select_for_update())
        thread = threading.Thread(target=claim)
        thread.start()
        thread.join(5)

    assert found == [[]]
    assert len(claim_offers([offer], None)) == 1


def test_old_number_of_an_offer_claims_nothing():
    first = offer_of(record, label="a")
    outbox.release([first])
    (second,) = outbox.offer_due("order", 1)

    assert claim_offers([first], None) == []
    assert Job.objects.get().state == "waiting"
    assert (first.number, second.number) == (1, 2)
    assert len(claim_offers([second], None)) == 1


def test_claimed_offer_cannot_be_claimed_again():
    offer = offer_of(record, label="a")
    claim_offers([offer], None)

    assert claim_offers([offer], None) == []
    assert Job.objects.get().attempt == 1


def test_old_offer_claims_nothing_while_its_job_waits_to_be_offered_again():
    offer = offer_of(record, label="a")
    (claim,) = claim_offers([offer], None)
    write_verdict(claim, _snoozed())

    assert claim_offers([offer], None) == []
    assert Job.objects.get().state == "waiting"
    (next_offer,) = outbox.offer_due("order", 1)
    assert len(claim_offers([next_offer], None)) == 1


def test_offers_of_a_job_never_repeat():
    numbers = []
    claim = claim_for(None, record, label="a")
    for _ in range(3):
        numbers.append(claim.offer)
        write_verdict(claim, _snoozed())
        (claim,) = claim_offers(outbox.offer_due("order", 1), None)

    assert numbers == [1, 2, 3]


def _snoozed() -> Verdict:
    from queues.lifecycle.verdict import released

    return released("test")


def test_early_offer_is_not_claimed():
    record.using(run_after=60).enqueue(label="a")
    (offer,) = offer_delayed("order", 1, 1)

    assert claim_offers([offer], None) == []
    assert (Job.objects.get().state, Job.objects.get().attempt) == ("waiting", 0)
    assert Outbox.objects.get().offer == 1


def test_withdrawn_offer_is_not_claimed():
    offer = offer_of(record, label="a")
    ledger.cancel([offer.job_id], reason="test")

    assert claim_offers([offer], None) == []
    assert Job.objects.get().state == "cancelled"
    assert Outbox.objects.get().withdrawn  # stays until the dispatcher has taken the message out


def test_stray_row_of_a_finished_job_claims_nothing():
    claim = claim_for(None, record, label="a")
    write_verdict(claim, Verdict(JobState.COMPLETED, Outcome.COMPLETED))
    Outbox.objects.create(job_id=claim.id, queue="order", due_at=timezone.now(), offer=2, offered_at=timezone.now())

    assert claim_offers([Offer(claim.id, 2, "order")], None) == []
    assert (Job.objects.get().state, Job.objects.get().attempt) == ("completed", 1)


def test_unknown_job_is_not_claimed():
    offer = offer_of(record, label="a")
    definition = registry.get("jobapp.record")
    registry.forget("jobapp.record")
    try:
        assert claim_offers([offer], None) == []
    finally:
        registry.register(definition)

    assert Job.objects.get().state == "waiting"
    assert len(claim_offers([offer], None)) == 1


def test_offer_of_no_job_claims_nothing():
    assert claim_offers([Offer(2**63 - 1, 2**31 - 1, "order")], None) == []


def test_batch_is_claimed_in_one_statement(django_assert_num_queries):
    ledger.enqueue([record.request({"label": str(n)}) for n in range(10)])
    offers = outbox.offer_due("order", 10)

    with django_assert_num_queries(1):
        claims = claim_offers(offers, None)

    assert len({claim.token for claim in claims}) == 10


@pytest.mark.parametrize(
    "message",
    [
        "",
        "7",
        "7-",
        "-7",
        "0-1",
        "7-0",
        "07-1",
        "7-1-1",
        "7-1 ",
        "7-1\n",
        "../../7-1",
        "\x007-1",
        "७-१",
        "jobapp.record",
    ],
)
def test_message_that_is_no_offer_is_nothing(message: str):
    assert Offer.parse(message, "order") is None


@pytest.mark.parametrize("name", ['say "hello"', "back\\slash", "tab\there", "a,b", "{NULL}", "नमस्ते"])
def test_job_of_any_name_is_claimed(name: str):
    @job(queue="order", name=name)
    def greet() -> None: ...

    try:
        greet.enqueue()
        claims = claim_offers(outbox.offer_due("order", 1), None)
    finally:
        registry.forget(name)

    assert [claim.name for claim in claims] == [name]


@pytest.mark.parametrize("message", ["9" * 19 + "-1", "9223372036854775808-1", "7-2147483648", "9" * 5000 + "-1"])
def test_number_that_postgresql_cannot_hold_is_nothing(message: str):
    assert Offer.parse(message, "order") is None


def test_message_bears_job_and_offer():
    assert Offer.parse("9223372036854775807-2147483647", "order") == Offer(2**63 - 1, 2**31 - 1, "order")
    assert Offer(7, 3, "order").message_id == "7-3"


def test_ledger_keeps_its_rule_after_a_mix_of_everything():
    """A job waits if and only if it has a row in the outbox that is not withdrawn."""
    ids = ledger.enqueue([record.request({"label": str(n)}) for n in range(9)])
    claims = claim_offers(outbox.offer_due("order", 6), None)
    write_verdict(claims[0], _snoozed())
    ledger.cancel([*ids[6:8], claims[0].id, claims[1].id], reason="test")
    ledger.retry([claims[0].id])

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM queues_job j FULL JOIN queues_outbox o ON o.job_id = j.id AND NOT o.withdrawn"
            " WHERE (j.state = 'waiting') IS DISTINCT FROM (o.job_id IS NOT NULL) AND NOT coalesce(o.withdrawn, false)"
        )
        assert cursor.fetchone() == (0,)
    assert sorted(Job.objects.values_list("state", flat=True)) == ["active"] * 5 + ["cancelled"] * 2 + ["waiting"] * 2


def test_offer_in_another_queues_list_is_not_claimed():
    """As when somebody has pushed its message there: its own queue's limits and time-out would not hold."""
    offer = offer_of(record, label="a")

    admitted = ledger.claim(queue_named("email"), [offer], None, registry.names())

    assert admitted.claims == []
    assert len(claim_offers([offer], None)) == 1
