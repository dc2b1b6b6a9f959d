"""Writing jobs: they exist if and only if the transaction committed."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from queues import ledger
from queues.definitions.job import RunAfter
from queues.errors import JobArgumentError, UnknownQueue
from queues.models import Job, Outbox
from queues.states import JobState
from tests.jobapp.jobs import enqueue_another, fail, record, record_mail

pytestmark = pytest.mark.usefixtures("ledger_db")


def test_job_and_its_outbox_row_are_written_together():
    result = record.enqueue(label="a")

    job = Job.objects.get()
    assert (job.pk, job.name, job.queue, job.args) == (result.id, "jobapp.record", "order", {"label": "a"})
    assert (job.state, job.attempt, job.max_attempts, job.crashes) == ("waiting", 0, 3, 0)
    row = Outbox.objects.get()
    assert (row.job_id, row.queue, row.due_at, row.offer, row.offered_at) == (job.pk, "order", job.run_at, 0, None)


def test_rolled_back_transaction_leaves_no_job():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record.enqueue(label="a")
        1 / 0  # noqa: B018

    assert not Job.objects.exists()
    assert not Outbox.objects.exists()


def test_job_is_invisible_to_others_until_the_commit():
    seen: list[int] = []

    def count_jobs() -> None:
        seen.append(Job.objects.count())
        connections.close_all()

    with transaction.atomic():
        record.enqueue(label="a")
        thread = threading.Thread(target=count_jobs)
        thread.start()
        thread.join()

    assert seen == [0]
    assert Job.objects.count() == 1


def test_result_has_status_attempts_and_errors():
    result = record.enqueue(label="a")

    assert (result.status, result.attempts, result.errors) == ("waiting", 0, [])


def test_live_key_returns_the_job_that_is_there():
    first = record.using(key="only-one").enqueue(label="a")
    second = record.using(key="only-one").enqueue(label="b")

    assert second.id == first.id
    assert [job.args for job in Job.objects.all()] == [{"label": "a"}]


def test_key_of_a_finished_job_is_free():
    first = record.using(key="only-one").enqueue(label="a")
    Job.objects.update(state=JobState.COMPLETED)
    Outbox.objects.all().delete()

    second = record.using(key="only-one").enqueue(label="b")

    assert second.id != first.id


def test_one_key_at_once_from_eight_connections_is_one_job():
    ids: list[int] = []
    start = threading.Barrier(8, timeout=30)

    def enqueue() -> None:
        start.wait()
        ids.append(record.using(key="only-one").enqueue(label="a").id)
        connections.close_all()

    threads = [threading.Thread(target=enqueue) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(ids) == {Job.objects.get().pk}
    assert len(ids) == 8


def test_key_is_made_of_defaults_as_well():
    fail.using(key="fail-{label}-{how}").enqueue(label="a")

    assert Job.objects.get().key == "fail-a-error"


def test_cancel_by_key():
    job_id = record.using(key="undo-1").enqueue(label="a").id

    assert record.cancel(key="undo-1") is True

    job = Job.objects.get(pk=job_id)
    assert (job.state, job.error) == ("cancelled", "cancelled by its key")
    assert job.finished_at is not None
    assert record.cancel(key="undo-1") is False


def test_cancel_leaves_a_running_job_alone():
    record.using(key="undo-1").enqueue(label="a")
    Outbox.objects.all().delete()
    Job.objects.update(state=JobState.ACTIVE)

    assert record.cancel(key="undo-1") is False

    assert Job.objects.get().state == "active"


@pytest.mark.parametrize("kind", ["whole seconds", "seconds", "timedelta", "datetime"])
def test_run_after_takes_seconds_a_timedelta_or_a_time(kind: str):
    delays: dict[str, RunAfter] = {
        "whole seconds": 90,
        "seconds": 90.0,
        "timedelta": timedelta(seconds=90),
        "datetime": timezone.now() + timedelta(seconds=90),
    }

    record.using(run_after=delays[kind]).enqueue(label="a")

    assert 80 < (Job.objects.get().run_at - timezone.now()).total_seconds() <= 90
    assert Outbox.objects.get().due_at == Job.objects.get().run_at


def test_naive_run_after_is_refused():
    with pytest.raises(JobArgumentError, match="expected a timedelta, seconds or an aware datetime"):
        record.using(run_after=timezone.now().replace(tzinfo=None)).enqueue(label="a")

    assert not Job.objects.exists()


def test_using_changes_queue_and_priority():
    record.using(queue_name="email", priority=7).enqueue(label="a")

    assert Job.objects.values_list("queue", "priority", "max_attempts").get() == ("email", 7, 5)
    assert Outbox.objects.values_list("queue", "priority").get() == ("email", 7)


def test_unknown_queue_is_refused_with_the_one_that_was_meant():
    with pytest.raises(UnknownQueue, match=r"no queue named 'emial' is declared\. Did you mean 'email'\?"):
        record.using(queue_name="emial").enqueue(label="a")

    assert not Job.objects.exists()


def test_many_jobs_are_one_statement(django_assert_num_queries):
    requests = [record.request({"label": str(n)}) for n in range(500)]

    with transaction.atomic(), django_assert_num_queries(1):
        ids = ledger.enqueue(requests)

    assert len(set(ids)) == 500
    labels = dict(Job.objects.values_list("pk", "args__label"))
    assert [labels[job_id] for job_id in ids] == [str(n) for n in range(500)]


def test_commit_rings_once_for_all_jobs_of_a_transaction():
    with connection.execute_wrapper(_only_after_commit), transaction.atomic():
        record.enqueue(label="a")
        record_mail.enqueue(label="b")
        assert len(connection.run_on_commit) == 1


def _only_after_commit(execute, sql, params, many, context):
    """NOTIFY within the transaction would make all commits of the database wait for each other."""
    assert "NOTIFY" not in sql or not connection.in_atomic_block
    return execute(sql, params, many, context)


def test_calling_a_job_runs_it_at_once():
    enqueue_another(label="a")

    assert [job.name for job in Job.objects.all()] == ["jobapp.record"]
