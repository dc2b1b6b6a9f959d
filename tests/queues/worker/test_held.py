"""What the ledger lists for a process and the process never got is freed, and only that."""

import pytest
from django.db.models.functions import Now

from queues import ledger
from queues.brokers.none import NoBroker
from queues.ledger import outbox
from queues.lifecycle.execution import Execution
from queues.lifecycle.verdict import COMPLETED
from queues.models import Attempt, Job, Outbox
from queues.worker.held import Held
from queues.worker.process import WorkerProcess
from tests.jobapp.jobs import record
from tests.queues.claims import claim_for, claim_offers, execution_of, new_worker, offer_of, write_verdict


@pytest.fixture
def worker(db: None) -> int:
    return new_worker()


@pytest.fixture
def held() -> Held:
    return Held()


def begin(held: Held, worker: int) -> Execution:
    """A job that the ledger knows to run here, and the process as well."""
    execution = execution_of(claim_for(worker, record, label="running"))
    held.begin([execution])
    return execution


def test_claim_whose_reply_was_lost_is_freed_and_what_runs_is_not(held: Held, worker: int):
    # given a job that runs, another whose claim was not answered, and one of another process
    running = begin(held, worker)
    lost = claim_for(worker, record, label="lost")
    foreign = claim_for(new_worker("other"), record, label="foreign")

    # when the process frees what it never got
    unacknowledged = held.unacknowledged(ledger.held_by(worker))
    freed = ledger.release_unacknowledged(unacknowledged, worker, "w")

    # then that one waits again, as if it had not been claimed
    assert (unacknowledged, freed) == ([lost.token], [lost.id])
    job = Job.objects.get(pk=lost.id)
    assert (job.state, job.attempt, job.crashes, job.suspect) == ("waiting", 0, 0, False)
    assert Attempt.objects.get().outcome == "given back"
    assert set(Job.objects.filter(state="active").values_list("id", flat=True)) == {running.claim.id, foreign.id}


def test_claim_that_is_not_answered_yet_is_left_alone(held: Held, worker: int):
    offer = offer_of(record, label="late")

    with held.claiming([offer]):
        (claim,) = claim_offers([offer], worker)
        listed = ledger.held_by(worker)
        assert listed == {claim.id: claim.token}
        assert held.unacknowledged(listed) == []
        held.begin([execution_of(claim)])

    assert held.unacknowledged(listed) == []


def test_claim_that_fails_on_its_way_back_is_unacknowledged(held: Held, worker: int):
    offer = offer_of(record, label="cut")

    with pytest.raises(ConnectionError), held.claiming([offer]):
        claim_offers([offer], worker)
        raise ConnectionError

    assert len(held.unacknowledged(ledger.held_by(worker))) == 1


def test_verdict_that_is_written_meanwhile_stands(held: Held, worker: int):
    # given a job that the ledger has listed
    execution = begin(held, worker)
    listed = ledger.held_by(worker)

    # when it ends before the process compares that with what it holds
    write_verdict(execution.claim, COMPLETED, "w")
    held.end([execution])

    # then it is freed by nobody
    assert ledger.release_unacknowledged(held.unacknowledged(listed), worker, "w") == []
    assert Job.objects.get().state == "completed"


def test_later_claim_of_a_job_outlives_the_end_of_the_former(held: Held, worker: int):
    """As when a process that was taken for dead gets a job again that still runs in it."""
    former = begin(held, worker)
    later = execution_of(former.claim._replace(attempt=2))

    held.begin([later])
    held.end([former])

    assert held.all() == [later]


def test_what_is_asked_for_counts_as_work(held: Held, worker: int):
    offer = offer_of(record, label="a")
    assert held.is_empty

    with held.claiming([offer]):
        assert (held.is_empty, len(held)) == (False, 0)

    assert held.is_empty
    begin(held, worker)
    assert not held.is_empty


def test_one_statement_finds_whether_anything_is_left(worker: int):
    """A claim may move a job from the outbox to the worker between any two statements."""
    job = record.using(run_after=60).enqueue(label="later")
    assert outbox.anything_left(["order"], worker) is False

    Outbox.objects.filter(job_id=job.id).update(due_at=Now())
    assert outbox.anything_left(["order"], worker) is True
    assert outbox.anything_left(["email"], worker) is False

    (claim,) = claim_offers(outbox.offer_due("order", 1), worker)
    assert outbox.anything_left(["order"], worker) is True
    assert outbox.anything_left([], worker) is True
    assert outbox.anything_left(["order"], new_worker("other")) is False

    write_verdict(claim, COMPLETED, "w")
    assert outbox.anything_left(["order"], worker) is False


def test_queue_that_is_named_twice_has_one_fetcher():
    worker = WorkerProcess(["order", "email", "order"], NoBroker(), name="w")

    assert [queue.name for queue in worker.queues] == ["order", "email"]
