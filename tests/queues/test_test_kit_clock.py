"""The kit's clock: delayed jobs fall due, back-offs pass and recurring jobs tick when it is moved."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from queues import job
from queues.definitions import recurrence, registry
from queues.definitions.job import JobDefinition
from queues.models import Job, Outbox
from queues.testing import assert_enqueued, drain, moved, run_next, tick
from tests.jobapp.jobs import fail, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def hourly() -> Iterator[JobDefinition]:
    @job(queue="order", name="test.hourly", every=3600)
    def hourly() -> None: ...

    yield hourly
    registry.forget(hourly.name)


def due_times() -> list[datetime]:
    """Of the waiting jobs; the ledger's and the outbox's must agree."""
    times = list(Outbox.objects.order_by("job_id").values_list("due_at", flat=True))
    assert list(Job.objects.filter(state="waiting").order_by("pk").values_list("run_at", flat=True)) == times
    return times


def ran() -> Counter[str]:
    """How often the tests' own jobs have run."""
    names = Job.objects.filter(state="completed").values_list("name", flat=True)
    return Counter(name for name in names if name.startswith(("jobapp.", "test.")))


def test_delayed_job_falls_due_and_not_before():
    record.using(run_after=timedelta(hours=1)).enqueue(label="a")

    with moved(minutes=59):
        assert drain() == 0
    with moved(minutes=61):
        assert drain() == 1


def test_length_may_be_a_timedelta():
    record.using(run_after=60).enqueue(label="a")

    with moved(timedelta(minutes=2)):
        assert drain() == 1


def test_job_that_was_enqueued_until_a_datetime_is_moved_too():
    record.using(run_after=timezone.now() + timedelta(days=3)).enqueue(label="a")

    with moved(days=2, hours=23):
        assert drain() == 0
    with moved(days=3, minutes=1):
        assert drain() == 1


def test_afterwards_all_times_are_as_before_also_when_the_test_fails():
    record.using(run_after=60).enqueue(label="a")
    record.using(run_after=7200).enqueue(label="b")
    before = due_times()

    with pytest.raises(ZeroDivisionError), moved(hours=1):
        assert due_times() == [time - timedelta(hours=1) for time in before]
        1 / 0  # noqa: B018

    assert due_times() == before
    assert abs(recurrence.now() - timezone.now()) < timedelta(minutes=1)


def test_what_is_enqueued_inside_counts_from_there():
    # given a job that is enqueued an hour later, for half an hour after that
    with moved(hours=1):
        record.using(run_after=1800).enqueue(label="a")
        assert drain() == 0

    # then it runs an hour and a half from now
    with moved(hours=1, minutes=29):
        assert drain() == 0
    with moved(hours=1, minutes=31):
        assert drain() == 1


def test_moves_add_up(hourly: JobDefinition):
    record.using(run_after=7200).enqueue(label="a")

    with moved(hours=1):
        assert hourly.name in tick()
        with moved(hours=1, minutes=1):
            assert hourly.name in tick()
            assert drain(queue="order") >= 1

    assert ran()["jobapp.record"] == 1


def test_back_off_passes():
    # given a job that failed once and comes back after two seconds
    fail.enqueue(label="a")
    run_next(raises=False)
    assert run_next() is None

    # when
    with moved(minutes=1):
        again = run_next(raises=False)

    # then
    assert again is not None
    assert (again.state, again.attempt) == ("waiting", 2)


def test_recurring_job_ticks_without_having_been_seen_before(hourly: JobDefinition):
    assert hourly.name not in tick()

    with moved(hours=1):
        assert hourly.name in tick()
        assert hourly.name not in tick()
        assert_enqueued(hourly)
        assert drain(queue="order") >= 1


def test_recurring_job_ticks_the_first_time_that_the_clock_is_moved(hourly: JobDefinition):
    with moved(hours=1):
        assert hourly.name in tick()


def test_relation_to_the_ticks_stays(hourly: JobDefinition):
    # given a job that is due between the next tick and the one after
    record.using(run_after=7200 - 1).enqueue(label="a")

    # when both have come, then it is due as well
    with moved(hours=1):
        assert hourly.name in tick()
        drain(queue="order")
        assert ran() == {"test.hourly": 1}
    with moved(hours=2):
        assert hourly.name in tick()
        drain(queue="order")
        assert ran() == {"test.hourly": 2, "jobapp.record": 1}


@pytest.mark.django_db(transaction=True)
def test_works_without_a_transaction_around_the_test_too():
    assert not transaction.get_connection().in_atomic_block
    record.using(run_after=60).enqueue(label="a")

    with moved(minutes=2):
        assert drain() == 1
