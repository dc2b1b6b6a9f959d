"""Jobs in the admin: staff views them and runs the actions that it may; each is audited."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from queues.execution import runner
from queues.ledger import outbox
from queues.models import AuditEntry, Job
from queues.states import JobState
from queues.testing import drain, run_next
from tests.jobapp.jobs import fail, record
from tests.queues.claims import claim_offers, execution_of, write_verdict

pytestmark = pytest.mark.django_db

JOBS = "/admin/queues/job/"


def staff(*permissions: str) -> Client:
    user = get_user_model().objects.create_user(email="ops@example.com", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="queues"))
    client = Client()
    client.force_login(user)
    return client


def failed_job(label: str = "f") -> Job:
    enqueued = fail.enqueue(label=label, how="permanent")
    claim = claim_offers([offer for offer in outbox.offer_due("order", 100) if offer.job_id == enqueued.id], None)[0]
    write_verdict(claim, runner.run(execution_of(claim)), "test")
    return Job.objects.get(pk=enqueued.id)


def act(client: Client, action: str, *jobs: Job | int) -> str:
    chosen = [job if isinstance(job, int) else job.pk for job in jobs]
    answer = client.post(JOBS, {"action": action, "_selected_action": chosen}, follow=True)
    return answer.content.decode()


def test_failed_jobs_run_again_with_a_new_budget_and_leave_an_audit_line():
    # given a job that has failed for good, and staff who may retry
    job = failed_job()
    client = staff("view_job", "retry_job")

    # when they retry it
    page = act(client, "retry_selected", job)

    # then it waits with attempts left, and it is written who did it
    job.refresh_from_db()
    assert "1 job will run again." in page
    assert (job.state, job.max_attempts - job.attempt) == (JobState.WAITING, 3)
    assert list(AuditEntry.objects.values_list("actor", "action", "job_id")) == [("ops@example.com", "retry", job.pk)]
    assert run_next(queue="order", raises=False) is not None


def test_without_the_permission_nothing_is_retried():
    # given staff who may only view jobs
    job = failed_job()
    client = staff("view_job")

    # when they post the action all the same
    act(client, "retry_selected", job)

    # then nothing changed
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert not AuditEntry.objects.exists()


def test_retry_and_cancel_have_permissions_of_their_own():
    # given a waiting job and staff who may retry but not cancel
    waiting = record.enqueue(label="w")
    client = staff("view_job", "retry_job")

    # when they try to cancel it
    act(client, "cancel_selected", waiting.id)

    # then it still waits
    assert waiting.status == JobState.WAITING


def test_waiting_jobs_are_cancelled_and_others_are_left_alone():
    # given a waiting and a failed job
    waiting, done = record.enqueue(label="w"), failed_job()

    # when both are chosen to be cancelled
    page = act(staff("view_job", "cancel_job"), "cancel_selected", waiting.id, done)

    # then the waiting one is cancelled, and the page says that the other was not
    assert "1 cancelled." in page
    assert "1 job was left as it is" in page
    assert waiting.status == JobState.CANCELLED
    done.refresh_from_db()
    assert done.state == JobState.FAILED


def test_two_failed_jobs_under_one_key_do_not_both_come_back():
    # given two jobs that failed one after the other under the same key
    keyed = fail.using(key="only-one")
    jobs = []
    for _ in range(2):
        jobs.append(keyed.enqueue(label="k", how="permanent").id)
        drain(queue="order", raises=False)

    # when both are retried
    act(staff("view_job", "retry_job"), "retry_selected", *jobs)

    # then the older waits and the younger is left as it was
    states = dict(Job.objects.filter(pk__in=jobs).values_list("pk", "state"))
    assert states == {jobs[0]: JobState.WAITING, jobs[1]: JobState.FAILED}


def test_the_page_of_a_job_shows_its_attempts_with_the_traceback_and_a_retry_button():
    # given a failed job
    job = failed_job()

    # when its page is opened
    page = staff("view_job", "retry_job").get(f"{JOBS}{job.pk}/change/").content.decode()

    # then
    assert "Permanent: never" in page
    assert "Traceback (most recent call last)" in page
    assert "Retry with a new budget" in page


@pytest.mark.parametrize(
    ("term", "found"), [("thing-7", {"by subject"}), ("key-8", {"by key"}), ("never", {"failed"}), ("nothing", set())]
)
def test_jobs_are_found_by_subject_key_and_error(term, found):
    # given one job for each way to find it
    names = {
        record.using(subject="thing-7").enqueue(label="a").id: "by subject",
        record.using(key="key-8").enqueue(label="b").id: "by key",
        failed_job().pk: "failed",
    }

    # when staff search
    answer = staff("view_job").get(JOBS, {"q": term})

    # then
    assert {names[job.pk] for job in answer.context["cl"].result_list} == found


def test_the_list_counts_no_further_than_its_cap():
    # given jobs
    record.enqueue(label="a")
    client = staff("view_job")

    # when the list is opened
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(JOBS)

    # then no statement counts the whole table
    counts = [q["sql"] for q in queries.captured_queries if "COUNT(" in q["sql"] and "queues_job" in q["sql"]]
    assert counts
    assert all("LIMIT 10000" in sql for sql in counts)


def test_django_rqs_own_pages_are_not_served(admin_client):
    # when an administrator opens them, then there is nothing
    assert admin_client.get("/admin/django_rq/dashboard/").status_code == 404
    assert admin_client.get("/django-rq/").status_code == 404
    assert "django_rq" not in admin_client.get("/admin/").content.decode()
