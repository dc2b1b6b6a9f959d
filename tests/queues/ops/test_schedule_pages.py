"""Recurring jobs on the admin page and in `manage.py queues`: seen, run now, switched on and off."""

import getpass
import re
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from queues import job
from queues.definitions import recurrence, registry
from queues.definitions.job import JobDefinition
from queues.management.commands.queues import Command
from queues.models import AuditEntry, Job, Schedule
from queues.ops import schedules
from tests.queues.management.test_queues_command import queues
from tests.queues.ops.test_admin import staff

pytestmark = pytest.mark.django_db

NAME = "test.nine"
PAGE = "/admin/queues/schedule/"
ME = f"command:{getpass.getuser()}"


@pytest.fixture(autouse=True)
def nine() -> Iterator[JobDefinition]:
    @job(queue="order", name=NAME, cron="0 9 * * *")
    def nine() -> None: ...

    yield nine
    registry.forget(NAME)


def row_of(page: str) -> str:
    """The words of the job's row on the admin page."""
    row = next(row for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if NAME in row)
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


def act(client: Client, action: str) -> str:
    client.get(PAGE)
    return client.post(PAGE, {"action": action, "_selected_action": [NAME]}, follow=True).content.decode()


@pytest.mark.parametrize(
    ("now", "next_one"),
    [
        ("2026-11-22T03:29:59Z", "2026-11-22T09:00:00+05:30"),
        ("2026-11-22T03:30:00Z", "2026-11-23T09:00:00+05:30"),
        ("2026-11-22T20:00:00Z", "2026-11-23T09:00:00+05:30"),
    ],
)
def test_next_time_is_shown_in_the_zone_of_the_shop(nine: JobDefinition, now: str, next_one: str):
    due = recurrence.next_due(nine, datetime.fromisoformat(now))

    assert due == datetime.fromisoformat(next_one)
    assert due.tzinfo == ZoneInfo("Asia/Kolkata")


def test_next_time_of_an_interval_is_the_next_whole_one():
    quarter = JobDefinition(lambda: None, "test.quarter", "order", every=900)

    due = recurrence.next_due(quarter, datetime.fromisoformat("2026-11-22T03:30:00Z"))

    assert due == datetime.fromisoformat("2026-11-22T03:45:00Z")


@pytest.mark.parametrize(
    ("every", "text"),
    [(1, "1 s"), (90, "90 s"), (1.5, "1.5 s"), (600, "10 min"), (7200, "2 h"), (5400, "90 min"), (172_800, "2 d")],
)
def test_interval_is_shown_in_the_largest_whole_unit(every: float, text: str):
    assert schedules.recurrence_text(JobDefinition(lambda: None, "test.any", "order", every=every)) == f"every {text}"


def test_admin_page_shows_every_declared_recurring_job(nine: JobDefinition):
    # given one that nobody has seen yet, and one that is declared no longer
    Schedule.objects.create(name="test.gone", last_tick=recurrence.now())

    # when staff open the page
    page = staff("view_schedule").get(PAGE).content.decode()

    # then
    due = schedules.in_shop_zone(recurrence.next_due(nine, recurrence.now()))
    assert due.endswith("09:00:00 IST")
    assert row_of(page) == f"{NAME} 0 9 * * * on never {due} jobs"
    assert 'href="/admin/queues/job/?name=test.nine"' in page
    assert "test.gone" not in page


def test_link_to_its_jobs_lists_them_alone():
    # given a job of the schedule and another
    schedules.run_schedule_now(NAME, actor="asha")
    Job.objects.create(name="jobapp.record", queue="order", max_attempts=1, run_at=recurrence.now())

    # when
    answer = staff("view_job").get("/admin/queues/job/", {"name": NAME})

    # then
    assert [job.name for job in answer.context["cl"].queryset] == [NAME]


def test_staff_run_a_recurring_job_now_and_are_warned_when_it_has_not_ended():
    client = staff("view_schedule", "view_job", "steer_schedule")

    first, second = act(client, "run_selected"), act(client, "run_selected")

    link = f'<a href="/admin/queues/job/{Job.objects.get().pk}/change/">#{Job.objects.get().pk}</a>'
    assert f"Enqueued {NAME}: job {link}." in first
    assert f"Job {link} of {NAME} has not ended; none was enqueued." in second
    assert AuditEntry.objects.get().actor == "ops@example.com"


def test_staff_switch_a_recurring_job_off_and_on():
    client = staff("view_schedule", "steer_schedule")

    assert f"Switched off: {NAME}" in act(client, "switch_off_selected")
    assert row_of(client.get(PAGE).content.decode()) == f"{NAME} 0 9 * * * switched off never - jobs"

    assert f"Switched on: {NAME}" in act(client, "switch_on_selected")
    assert "Switched on: none" in act(client, "switch_on_selected")
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == ["switch off", "switch on"]


@pytest.mark.parametrize("action", ["run_selected", "switch_off_selected", "switch_on_selected"])
def test_without_the_permission_no_action_runs(action: str):
    client = staff("view_schedule", "retry_job", "pause_queue")

    act(client, action)

    assert Schedule.objects.get(name=NAME).enabled
    assert not Job.objects.exists()
    assert not AuditEntry.objects.exists()


def test_command_lists_recurring_jobs(nine: JobDefinition):
    schedules.switch_schedule(NAME, False, actor="asha")

    head, *lines = queues("schedules").splitlines()

    assert re.split("  +", head) == ["recurring job", "when", "last tick", "next tick"]
    (line,) = (line for line in lines if line.startswith(NAME))
    assert re.split("  +", line) == [NAME, "0 9 * * *", "never", "-", "off"]


def test_command_runs_and_switches():
    assert queues("schedule", "off", NAME) == f"{NAME} is switched off\n"
    assert queues("schedule", "off", NAME) == f"{NAME} was switched off already\n"
    assert queues("schedule", "on", NAME) == f"{NAME} is switched on\n"
    output = queues("schedule", "run", NAME)

    number = Job.objects.get().pk
    assert output == f"{NAME}: job #{number} is enqueued\n"
    assert queues("schedule", "run", NAME) == f"{NAME}: job #{number} has not ended; none was enqueued\n"
    lines = [(ME, "switch off"), (ME, "switch on"), (ME, "run now")]
    assert list(AuditEntry.objects.order_by("pk").values_list("actor", "action")) == lines


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("schedule", "the following arguments are required: act"),
        ("schedule stop test.nine", "argument act: invalid choice: 'stop'"),
        ("schedule run", "the following arguments are required: JOB"),
        ("schedule run test.nin", "argument JOB: no recurring job named 'test.nin'. Did you mean 'test.nine'?"),
        ("schedule off jobapp.record", "argument JOB: no recurring job named 'jobapp.record'."),
        ("schedule on test.nine now", "unrecognized arguments: now"),
        ("schedules test.nine", "unrecognized arguments: test.nine"),
    ],
)
def test_wrong_use_changes_nothing_and_ends_with_2(words: str, message: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        Command().run_from_argv(["manage.py", "queues", *words.split()])

    output = capsys.readouterr().err
    assert end.value.code == 2
    assert message in output
    assert "usage: manage.py queues" in output
    assert not Job.objects.exists()
    assert not AuditEntry.objects.exists()
