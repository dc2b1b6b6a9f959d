"""Retention by count: beyond the newest N of a queue, finished jobs are deleted before their time."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from queues.maintenance.pruner import prune
from queues.models import Job
from queues.settings import mistakes_in
from queues.states import JobState

pytestmark = pytest.mark.django_db


def finished(state: JobState, count: int, queue: str = "order") -> list[Job]:
    """Finished jobs, the oldest first."""
    now = timezone.now()
    times = [now - timedelta(minutes=count - number) for number in range(count)]
    values = {"name": "jobapp.record", "queue": queue, "state": state, "max_attempts": 3}
    return Job.objects.bulk_create(Job(**values, run_at=at, finished_at=at) for at in times)


def keep(settings, **options: object) -> None:
    settings.QUEUES = {**settings.QUEUES, "order": {**settings.QUEUES["order"], **options}}


@pytest.mark.parametrize("count", [0, 1, 3, 5, 9])
def test_the_newest_are_kept(settings, monkeypatch, count: int):
    # given five completed jobs of a queue that keeps a number of them, and of one that keeps them by age alone
    monkeypatch.setattr("queues.maintenance.pruner.PRUNE_BATCH", 2)
    keep(settings, keep_completed_count=count)
    jobs, others = finished(JobState.COMPLETED, 5), finished(JobState.COMPLETED, 5, "email")

    # when
    deleted = prune()

    # then
    assert deleted == max(0, 5 - count)
    assert set(Job.objects.filter(queue="order")) == set(jobs[deleted:])
    assert Job.objects.filter(queue="email").count() == len(others)


def test_failed_and_cancelled_jobs_share_a_count_and_completed_ones_have_their_own(settings):
    keep(settings, keep_failed_count=3)
    failed, cancelled = finished(JobState.FAILED, 3), finished(JobState.CANCELLED, 2)
    completed = finished(JobState.COMPLETED, 4)

    assert prune() == 2

    assert set(Job.objects.all()) == {failed[2], *cancelled, *completed}


def test_live_jobs_are_neither_counted_nor_deleted(settings):
    keep(settings, keep_completed_count=0, keep_failed_count=0)
    for state in (JobState.WAITING, JobState.ACTIVE):
        Job.objects.create(name="a", queue="order", state=state, max_attempts=1, run_at=timezone.now())

    assert prune() == 0
    assert Job.objects.count() == 2


def test_of_jobs_that_ended_at_once_the_younger_is_kept(settings):
    keep(settings, keep_completed_count=1)
    jobs = finished(JobState.COMPLETED, 2)
    Job.objects.update(finished_at=jobs[0].finished_at)

    prune()

    assert Job.objects.get() == jobs[1]


def test_age_still_counts_below_the_count(settings):
    keep(settings, keep_completed_count=100, keep_completed=timedelta(minutes=3, seconds=30))
    jobs = finished(JobState.COMPLETED, 5)

    assert prune() == 2
    assert set(Job.objects.all()) == set(jobs[2:])


def test_every_batch_is_locked_and_deleted_in_a_transaction_of_its_own(settings, monkeypatch):
    monkeypatch.setattr("queues.maintenance.pruner.PRUNE_BATCH", 2)
    keep(settings, keep_completed_count=0)
    finished(JobState.COMPLETED, 5)

    with CaptureQueriesContext(connection) as queries:
        prune()

    statements = [query["sql"] for query in queries.captured_queries]
    locks = [sql for sql in statements if "FOR UPDATE" in sql and "LIMIT 2" in sql]
    assert all("SKIP LOCKED" in sql for sql in locks)
    steps = [
        "lock" if "FOR UPDATE" in sql else sql.split()[0]
        for sql in statements
        if "LIMIT 2" in sql or "SAVEPOINT" in sql
    ]
    assert steps.count("lock") == steps.count("SAVEPOINT") == steps.count("RELEASE")
    assert "lock lock" not in " ".join(steps)


@pytest.mark.parametrize("option", ["keep_completed_count", "keep_failed_count"])
@pytest.mark.parametrize("value", [-1, 1.5, True, "10", timedelta(1)])
def test_wrong_counts_are_reported(option: str, value: object):
    (mistake,) = mistakes_in({"email": {option: value}})

    expected = f"QUEUES['email']['{option}']: expected a whole number of at least 0, or None, got {value!r}."
    assert (mistake.id, mistake.text) == ("queues.E005", expected)


@pytest.mark.parametrize("value", [None, 0, 10])
def test_right_counts_are_taken(value: int | None):
    assert mistakes_in({"email": {"keep_completed_count": value, "keep_failed_count": value}}) == []
