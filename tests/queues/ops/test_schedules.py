"""Actions of an operator on recurring jobs: run now, switched off, switched on; every act audited."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

from queues import job
from queues.definitions import registry
from queues.definitions.job import JobDefinition
from queues.errors import UnknownSchedule
from queues.maintenance import recurring
from queues.models import AuditEntry, Job, Schedule
from queues.ops import schedules
from queues.testing import drain
from tests.jobapp.jobs import record_mail

pytestmark = pytest.mark.django_db

NAME = "test.hourly"


@pytest.fixture(autouse=True)
def hourly() -> Iterator[JobDefinition]:
    @job(queue="order", name=NAME, every=3600)
    def hourly() -> None: ...

    yield hourly
    registry.forget(NAME)


def at_hours(hours: float) -> override_settings:
    return override_settings(QUEUE_CLOCK_SHIFT=hours * 3600)


def ticks() -> int:
    return Job.objects.filter(name=NAME).count()


def audit() -> list[tuple[str, str, str, int | None]]:
    return list(AuditEntry.objects.order_by("pk").values_list("actor", "action", "detail", "job_id"))


def test_run_now_enqueues_one_job_that_runs_and_is_audited():
    # given another job without a key
    record_mail.enqueue(label="other")

    # when
    job_id, is_new = schedules.run_schedule_now(NAME, actor="asha")

    # then
    assert is_new
    assert drain(queue="order") == 1
    assert Job.objects.get(pk=job_id).state == "completed"
    assert audit() == [("asha", "run now", f"schedule {NAME}", job_id)]


def test_second_run_by_hand_is_not_enqueued_while_the_first_is_live():
    # given one that waits
    first, _ = schedules.run_schedule_now(NAME, actor="asha")

    # when it is asked for again, then the first is returned
    assert schedules.run_schedule_now(NAME, actor="ravi") == (first, False)
    assert ticks() == 1
    assert [actor for actor, *_ in audit()] == ["asha"]

    # and once it has ended, there is a new one
    drain(queue="order")
    assert schedules.run_schedule_now(NAME, actor="ravi")[1]


def test_run_now_of_a_job_with_a_key_finds_the_one_that_ticked(hourly: JobDefinition):
    # given a job with a key of its own whose tick still waits
    registry.forget(NAME)
    registry.register(hourly.using(key="one-at-a-time"))
    recurring.tick()
    with at_hours(1):
        recurring.tick()

    # when
    job_id, is_new = schedules.run_schedule_now(NAME, actor="asha")

    # then
    assert (job_id, is_new) == (Job.objects.get(key="one-at-a-time").pk, False)
    assert ticks() == 1


def test_run_now_leaves_the_ticks_and_the_switch_as_they_are():
    # given a job that is switched off
    schedules.switch_schedule(NAME, False, actor="asha")
    before = Schedule.objects.filter(name=NAME).values().get()

    # when
    schedules.run_schedule_now(NAME, actor="asha")

    # then
    assert Schedule.objects.filter(name=NAME).values().get() == before


def test_run_now_of_a_delayed_job_does_not_wait(hourly: JobDefinition):
    registry.forget(NAME)
    registry.register(hourly.using(run_after=600))

    schedules.run_schedule_now(NAME, actor="asha")

    assert drain(queue="order") == 1


def test_switched_off_it_never_ticks():
    schedules.switch_schedule(NAME, False, actor="asha")

    with at_hours(3):
        recurring.tick()

    assert ticks() == 0
    assert audit() == [("asha", "switch off", f"schedule {NAME}", None)]


def test_switched_on_again_it_waits_for_its_next_time():
    # given a job that was off over three of its times
    schedules.switch_schedule(NAME, False, actor="asha")

    # when it is switched on
    with at_hours(3):
        assert schedules.switch_schedule(NAME, True, actor="ravi")
        recurring.tick()

    # then nothing is made up for, and its next time counts
    assert ticks() == 0
    with at_hours(4):
        assert NAME in recurring.tick()
    assert ticks() == 1


def test_switching_on_does_not_bring_a_tick_back_when_the_clock_is_set_back():
    # given a tick at a later hour, whose job has ended
    recurring.tick()
    with at_hours(2):
        recurring.tick()
    drain(queue="order")

    # when the clock is set back and the job switched off and on
    schedules.switch_schedule(NAME, False, actor="asha")
    schedules.switch_schedule(NAME, True, actor="asha")

    # then that hour ticks no second time
    with at_hours(2):
        recurring.tick()
    assert ticks() == 1


def test_switching_twice_changes_nothing_and_leaves_one_audit_line():
    assert not schedules.switch_schedule(NAME, True, actor="asha")
    assert schedules.switch_schedule(NAME, False, actor="asha")
    assert not schedules.switch_schedule(NAME, False, actor="ravi")

    assert [(actor, action) for actor, action, *_ in audit()] == [("asha", "switch off")]


@pytest.mark.parametrize(
    "act", [schedules.run_schedule_now, lambda name, actor: schedules.switch_schedule(name, False, actor=actor)]
)
@pytest.mark.parametrize("name", ["test.hurly", "jobapp.record"])
def test_what_does_not_recur_can_be_neither_run_nor_switched(act, name: str):
    with pytest.raises(UnknownSchedule, match=f"no recurring job named '{name}'"):
        act(name, actor="asha")

    assert audit() == []
    assert ticks() == 0


def test_unknown_name_gets_a_suggestion():
    with pytest.raises(UnknownSchedule, match=r"Did you mean 'test\.hourly'\?"):
        schedules.recurring_job("test.hurly")


def test_the_tick_is_remembered():
    recurring.tick()
    assert Schedule.objects.get(name=NAME).ticked_at is None

    with at_hours(1):
        recurring.tick()

    assert Schedule.objects.get(name=NAME).ticked_at is not None
