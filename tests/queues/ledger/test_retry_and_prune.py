"""An operator's retry and cancel; what the ledger keeps, and how long."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from queues import ledger
from queues.dispatcher import Dispatcher
from queues.ledger import outbox
from queues.lifecycle.verdict import Verdict
from queues.maintenance.pruner import prune
from queues.models import Attempt, AuditEntry, Job, Outbox, Worker
from queues.states import JobState, Outcome
from queues.testing import drain, make_due, run_next
from tests.jobapp.jobs import fail, record, something_happened, something_was_undone
from tests.queues.claims import claim_for, claim_offers, offer_of, write_verdict

pytestmark = pytest.mark.usefixtures("ledger_db")


def dead_letter(**usage: str) -> int:
    job_id = fail.using(**usage).enqueue(label="a", how="permanent").id  # type: ignore[arg-type]
    drain(raises=False, queue="order")
    Job.objects.filter(name="jobapp.last_resort").delete()
    return job_id


def test_retry_grants_a_new_budget():
    job_id = dead_letter()

    assert ledger.retry([job_id]) == [job_id]

    job = Job.objects.get()
    assert (job.state, job.attempt, job.max_attempts, job.finished_at) == ("waiting", 1, 4, None)
    assert Outbox.objects.values_list("job_id", "offered_at").get() == (job_id, None)
    Job.objects.update(args={"label": "a", "how": "error"})
    for _ in range(3):
        make_due()
        run_next(raises=False)
    assert (Job.objects.get(pk=job_id).state, Job.objects.get(pk=job_id).attempt) == ("failed", 4)


def test_retry_forgives_crashes():
    job_id = dead_letter()
    Job.objects.update(crashes=3, lone_crashes=3, suspect=True)

    ledger.retry([job_id])

    job = Job.objects.get()
    assert (job.crashes, job.lone_crashes, job.suspect) == (3, 0, False)


@pytest.mark.parametrize("state", [JobState.WAITING, JobState.ACTIVE, JobState.COMPLETED])
def test_only_failed_and_cancelled_jobs_are_retried(state: JobState):
    job_id = record.enqueue(label="a").id
    if state != JobState.WAITING:
        (claim,) = claim_offers(outbox.offer_due("order", 1), None)
        if state == JobState.COMPLETED:
            write_verdict(claim, Verdict(state, Outcome.COMPLETED))
    before = Job.objects.values().get()

    assert ledger.retry([job_id]) == []

    assert Job.objects.values().get() == before


def test_two_retries_at_once_grant_one_budget():
    job_id = dead_letter()

    assert (ledger.retry([job_id, job_id]), ledger.retry([job_id])) == ([job_id], [])
    assert Job.objects.get().max_attempts == 4


def test_retry_does_not_take_a_key_that_lives_in_another_job():
    job_id = dead_letter(key="only-one")
    living = fail.using(key="only-one").enqueue(label="b").id

    assert ledger.retry([job_id]) == []
    assert dict(Job.objects.values_list("pk", "state")) == {job_id: "failed", living: "waiting"}


def test_of_several_under_one_key_the_oldest_is_retried():
    ids = [dead_letter(key="only-one") for _ in range(3)]

    assert ledger.retry(reversed(ids)) == [ids[0]]
    assert list(Job.objects.order_by("pk").values_list("state", flat=True)) == ["waiting", "failed", "failed"]


def test_offers_do_not_repeat_after_a_withdrawal_that_the_dispatcher_has_forgotten():
    """An old message may still lie somewhere: it must not claim the job anew."""
    first = offer_of(record, label="a")
    outbox.release([first])
    (second,) = outbox.offer_due("order", 1)
    ledger.cancel([first.job_id], reason="test")
    outbox.forget([second])

    ledger.retry([first.job_id])
    (third,) = outbox.offer_due("order", 1)

    assert third.number == 3
    assert claim_offers([first, second], None) == []
    assert len(claim_offers([third], None)) == 1


def test_withdrawn_job_can_be_retried_before_its_message_is_gone():
    with transaction.atomic():
        something_happened.emit(label="a", number=1)
        something_was_undone.emit(label="a")
    job_id = Job.objects.get(key="undo-a").pk

    assert ledger.retry([job_id]) == [job_id]

    row = Outbox.objects.get(job_id=job_id)
    assert (row.withdrawn, row.offered_at) == (False, None)
    assert row.due_at <= timezone.now()


def test_operators_cancel_takes_waiting_jobs_alone():
    running = claim_for(None, record, label="a").id
    waiting = record.enqueue(label="b").id

    assert ledger.cancel([running, waiting], reason="by asha") == [waiting]
    assert dict(Job.objects.values_list("pk", "error")) == {running: "", waiting: "by asha"}


def grown_old(state: JobState, age: timedelta, **fields: object) -> Job:
    return Job.objects.create(
        name="jobapp.record",
        queue=fields.pop("queue", "order"),
        state=state,
        max_attempts=3,
        run_at=timezone.now() - age,
        finished_at=None if state in ("waiting", "active") else timezone.now() - age,
        **fields,
    )


def test_finished_jobs_are_pruned_when_their_queue_keeps_them_no_longer():
    week, month = timedelta(days=7, minutes=1), timedelta(days=30, minutes=1)
    old = [grown_old(JobState.COMPLETED, week), grown_old(JobState.FAILED, month), grown_old(JobState.CANCELLED, month)]
    Attempt.objects.create(job=old[0], number=1, outcome=Outcome.COMPLETED)
    AuditEntry.objects.create(actor="asha", action="retry", job=old[1])
    kept = [
        grown_old(JobState.COMPLETED, timedelta(days=6)),
        grown_old(JobState.FAILED, week),
        grown_old(JobState.CANCELLED, week),
        grown_old(JobState.WAITING, 2 * month),
        grown_old(JobState.ACTIVE, 2 * month),
    ]

    assert prune() == 3

    assert set(Job.objects.values_list("pk", flat=True)) == {job.pk for job in kept}
    assert not Attempt.objects.exists()
    assert AuditEntry.objects.get().actor == "asha"
    assert AuditEntry.objects.get().job is None
    assert prune() == 0


def test_each_queue_keeps_its_own_time(settings):
    keep = {"keep_completed": timedelta(hours=1)}
    settings.QUEUES = {**settings.QUEUES, "email": {**settings.QUEUES["email"], **keep}}
    day = timedelta(days=1)
    grown_old(JobState.COMPLETED, day, queue="email")
    kept = grown_old(JobState.COMPLETED, day)

    assert prune() == 1
    assert Job.objects.get() == kept


def test_pruning_takes_many_batches(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("queues.maintenance.pruner.PRUNE_BATCH", 10)
    for _ in range(25):
        grown_old(JobState.COMPLETED, timedelta(days=8))

    assert prune() == 25


def test_job_whose_message_is_not_out_of_the_broker_yet_is_kept():
    job = grown_old(JobState.CANCELLED, timedelta(days=99))
    Outbox.objects.create(job=job, queue="order", due_at=timezone.now(), withdrawn=True)

    assert prune() == 0


def test_jobs_of_queues_that_are_declared_no_longer_are_pruned_as_well():
    grown_old(JobState.COMPLETED, timedelta(days=99), queue="abolished")

    assert prune() == 1


def test_rows_of_stopped_workers_are_pruned():
    ago = timezone.now() - timedelta(days=8)
    Worker.objects.create(name="old", host="h", pid=1, stopped_at=ago)
    holds = Worker.objects.create(name="holds a job", host="h", pid=2, stopped_at=ago)
    Worker.objects.create(name="lives", host="h", pid=3)
    claim_for(holds.pk, record, label="a")

    prune()

    assert sorted(Worker.objects.values_list("name", flat=True)) == ["holds a job", "lives"]


def test_withdrawn_row_is_forgotten_by_the_dispatcher_in_every_mode():
    from queues.brokers.none import NoBroker

    record.using(key="k").enqueue(label="a")
    record.cancel(key="k")

    Dispatcher(NoBroker()).sweep()

    assert not Outbox.objects.exists()
