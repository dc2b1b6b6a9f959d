"""Recurring jobs tick once: over many processes, after a pause, and when the clock is set back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from queues import job
from queues.definitions import recurrence, registry
from queues.definitions.checks import check_jobs
from queues.definitions.job import JobDefinition
from queues.definitions.recurrence import last_due
from queues.maintenance import recurring
from queues.models import Job, Schedule

pytestmark = pytest.mark.usefixtures("ledger_db")


@pytest.fixture
def hourly() -> Iterator[JobDefinition]:
    @job(queue="order", name="test.hourly", every=3600)
    def hourly() -> None: ...

    yield hourly
    registry.forget(hourly.name)


def at_hours(hours: float) -> override_settings:
    """So many hours later than now, for the engine."""
    return override_settings(QUEUE_CLOCK_SHIFT=hours * 3600)


def ticks() -> int:
    return Job.objects.filter(name="test.hourly").count()


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-22T03:30:00Z", "2026-11-22T03:30:00Z"),
        ("2026-11-22T03:29:59.999Z", "2026-11-21T03:30:00Z"),
        ("2026-11-22T20:00:00Z", "2026-11-22T03:30:00Z"),
    ],
)
def test_cron_is_read_in_the_zone_of_the_shop(now: str, due: str):
    # given a job at nine in the morning, Indian time
    nine = JobDefinition(lambda: None, "test.nine", "order", cron="0 9 * * *")

    # then it was last due at half past three UTC
    assert last_due(nine, datetime.fromisoformat(now)) == datetime.fromisoformat(due)


def test_every_is_the_same_moment_for_all_processes():
    quarter = JobDefinition(lambda: None, "test.quarter", "order", every=900)

    assert last_due(quarter, datetime(2026, 11, 22, 3, 44, 59, tzinfo=UTC)) == datetime(2026, 11, 22, 3, 30, tzinfo=UTC)


def test_new_schedule_waits_for_its_next_time(hourly: JobDefinition):
    # when it is seen for the first time
    recurring.tick()

    # then nothing runs at once
    assert ticks() == 0
    assert Schedule.objects.get(name="test.hourly").enabled


def test_tick_happens_once_however_often_it_is_checked(hourly: JobDefinition):
    # given a known schedule
    recurring.tick()

    # when an hour has passed
    with at_hours(1):
        assert "test.hourly" in recurring.tick()
        assert recurring.tick() == []

    # then
    assert ticks() == 1


def test_tick_that_two_processes_find_due_happens_once(hourly: JobDefinition):
    recurring.tick()
    at = recurrence.last_due(hourly, timezone.now()) + timedelta(hours=1)

    assert [recurring._tick(hourly, at) for _ in range(2)] == [True, False]

    assert Job.objects.count() == 1


def test_clock_set_back_ticks_nothing_twice(hourly: JobDefinition):
    # given a tick
    recurring.tick()
    with at_hours(2):
        recurring.tick()

    # when the clock is set back an hour and comes again
    with at_hours(1):
        recurring.tick()
    with at_hours(2):
        recurring.tick()

    # then
    assert ticks() == 1
    with at_hours(3):
        recurring.tick()
    assert ticks() == 2


def test_after_a_pause_it_catches_up_once(hourly: JobDefinition):
    recurring.tick()

    with at_hours(30):
        recurring.tick()
        recurring.tick()

    assert ticks() == 1


def test_switched_off_it_does_not_tick(hourly: JobDefinition):
    recurring.tick()
    Schedule.objects.update(enabled=False)

    with at_hours(1):
        recurring.tick()

    assert ticks() == 0


def test_job_with_a_key_is_not_enqueued_while_it_is_live(hourly: JobDefinition):
    # given a recurring job under a key of its own that still waits
    keyed = hourly.using(key="one-at-a-time")
    registry.forget(hourly.name)
    registry.register(keyed)
    recurring.tick()
    with at_hours(1):
        recurring.tick()

    # when its next time comes
    with at_hours(2):
        recurring.tick()

    # then
    assert ticks() == 1


@pytest.mark.parametrize(
    ("options", "id"),
    [
        ({"cron": "0 9 * *"}, "queues.E017"),
        ({"cron": "61 9 * * *"}, "queues.E017"),
        ({"every": 0}, "queues.E022"),
        ({"every": True}, "queues.E022"),
        ({"cron": "0 9 * * *", "every": 60}, "queues.E019"),
    ],
)
def test_wrong_recurrence_is_found_at_the_start(options: dict[str, Any], id: str):
    job(queue="order", name="test.wrong", **options)(lambda: None)
    try:
        assert [found.id for found in check_jobs()] == [id]
    finally:
        registry.forget("test.wrong")


def test_recurring_job_that_needs_arguments_is_found_at_the_start():
    @job(queue="order", name="test.wrong", every=60)
    def needs(label: str) -> None: ...

    try:
        assert [found.id for found in check_jobs()] == ["queues.E020"]
    finally:
        registry.forget("test.wrong")
