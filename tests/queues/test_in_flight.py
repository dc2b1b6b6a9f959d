"""What a process holds by the ledger and never heard of is freed, and only that."""

import pytest
from django.db.models.functions import Now

from queues import ledger
from queues.brokers.none import NoBroker
from queues.ledger import Claim, outbox
from queues.models import Attempt, Job, Outbox
from queues.worker.held import InFlight
from queues.worker.process import Executor
from tests.jobapp.jobs import record
from tests.queues.claims import claim_for, new_worker, offer_of


@pytest.fixture
def worker(db: None) -> int:
    return new_worker()


@pytest.fixture
def in_flight() -> InFlight:
    return InFlight()


def begin(in_flight: InFlight, worker: int) -> Claim:
    """A job that the ledger knows to run here, and the process as well."""
    claim = claim_for(worker, record, label="running")
    in_flight.begin([claim])
    return claim


def test_claim_whose_reply_was_lost_is_freed_and_what_runs_is_not(in_flight: InFlight, worker: int):
    # given a job that runs, another whose claim was not answered, and one of another process
    running = begin(in_flight, worker)
    lost = claim_for(worker, record, label="lost")
    foreign = claim_for(new_worker("other"), record, label="foreign")

    # when the process frees what it never heard of
    unheard_of = in_flight.unheard_of(ledger.held_by(worker))
    freed = ledger.free_unheard_of(unheard_of, worker, "w")

    # then that one waits again, as if it had not been claimed
    assert (unheard_of, freed) == ([lost.token], [lost.id])
    job = Job.objects.get(pk=lost.id)
    assert (job.state, job.attempt, job.crashes, job.suspect) == ("waiting", 0, 0, False)
    assert Attempt.objects.get().outcome == "given back"
    assert set(Job.objects.filter(state="active").values_list("id", flat=True)) == {running.id, foreign.id}


def test_claim_that_is_not_answered_yet_is_left_alone(in_flight: InFlight, worker: int):
    offer = offer_of(record, label="late")

    with in_flight.asking_for([offer]):
        (claim,) = ledger.claim([offer], worker)
        held = ledger.held_by(worker)
        assert held == {claim.id: claim.token}
        assert in_flight.unheard_of(held) == []
        in_flight.begin([claim])

    assert in_flight.unheard_of(held) == []


def test_claim_that_fails_on_its_way_back_is_unheard_of(in_flight: InFlight, worker: int):
    offer = offer_of(record, label="cut")

    with pytest.raises(ConnectionError), in_flight.asking_for([offer]):
        ledger.claim([offer], worker)
        raise ConnectionError

    assert len(in_flight.unheard_of(ledger.held_by(worker))) == 1


def test_verdict_that_is_written_meanwhile_stands(in_flight: InFlight, worker: int):
    # given a job that the ledger told of
    claim = begin(in_flight, worker)
    held = ledger.held_by(worker)

    # when it ends before the process looks at what it knows
    ledger.finish(claim, ledger.COMPLETED, "w")
    in_flight.end([claim])

    # then it is freed by nobody
    assert ledger.free_unheard_of(in_flight.unheard_of(held), worker, "w") == []
    assert Job.objects.get().state == "completed"


def test_later_claim_of_a_job_outlives_the_end_of_the_former(in_flight: InFlight, worker: int):
    """As when a process that was taken for dead gets a job again that still runs in it."""
    former = begin(in_flight, worker)
    later = former._replace(attempt=2)

    in_flight.begin([later])
    in_flight.end([former])

    assert in_flight.all() == [later]


def test_what_is_asked_for_counts_as_work(in_flight: InFlight, worker: int):
    offer = offer_of(record, label="a")
    assert in_flight.is_empty

    with in_flight.asking_for([offer]):
        assert (in_flight.is_empty, len(in_flight)) == (False, 0)

    assert in_flight.is_empty
    in_flight.begin([claim_for(worker, record, label="b")])
    assert not in_flight.is_empty


def test_one_look_tells_whether_anything_is_left(worker: int):
    """A claim takes a job from the outbox to the worker between any two looks."""
    job = record.using(run_after=60).enqueue(label="later")
    assert outbox.anything_left(["order"], worker) is False

    Outbox.objects.filter(job_id=job.id).update(due_at=Now())
    assert outbox.anything_left(["order"], worker) is True
    assert outbox.anything_left(["email"], worker) is False

    (claim,) = ledger.claim(outbox.lease("order", 1), worker)
    assert outbox.anything_left(["order"], worker) is True
    assert outbox.anything_left([], worker) is True
    assert outbox.anything_left(["order"], new_worker("other")) is False

    ledger.finish(claim, ledger.COMPLETED, "w")
    assert outbox.anything_left(["order"], worker) is False


def test_queue_that_is_named_twice_has_one_lane():
    executor = Executor(["order", "email", "order"], NoBroker(), name="w")

    assert [queue.name for queue in executor.queues] == ["order", "email"]
