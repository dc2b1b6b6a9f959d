"""What an operator does with jobs, in code and in the admin: retry, discard, clean, pause; each act audited."""

from datetime import timedelta

import pytest
from django.utils import timezone

from queues.errors import UnknownQueue
from queues.models import Attempt, AuditEntry, Job, Outbox, QueueState
from queues.ops import actions
from queues.states import JobState
from tests.jobapp.jobs import record
from tests.queues.ops.test_admin import act, failed_job, staff

pytestmark = pytest.mark.django_db

QUEUES = "/admin/queues/queuestate/"


def finished(state: JobState = JobState.FAILED, *, hours_ago: float = 1, **fields: object) -> Job:
    defaults = {"name": "jobapp.record", "queue": "order", "error": "ValueError: no luck", "max_attempts": 3}
    ago = timezone.now() - timedelta(hours=hours_ago)
    return Job.objects.create(**{**defaults, **fields}, state=state, attempt=3, run_at=ago, finished_at=ago)


def audit() -> list[tuple[str, int | None, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", "job_id", "detail"))


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"queue": "order"}, ["here", "words", "name"]),
        ({"queue": "order", "name": "jobapp.record"}, ["here", "words"]),
        ({"error": "ValueError: no luck"}, ["here", "elsewhere", "name"]),
        ({"containing": "NO LUCK"}, ["here", "words", "elsewhere", "name"]),
        ({"queue": "order", "containing": "at all"}, ["words"]),
        ({"queue": "payment"}, []),
    ],
)
def test_failed_jobs_that_match_are_retried(criteria: dict[str, str], expected: list[str], monkeypatch):
    # given failed jobs, and others that must be left alone; more than a batch
    monkeypatch.setattr(actions, "BATCH", 2)
    jobs = {
        "here": finished(),
        "words": finished(error="ValueError: no luck at all"),
        "elsewhere": finished(queue="email"),
        "name": finished(name="jobapp.fail"),
    }
    finished(JobState.CANCELLED)
    finished(JobState.COMPLETED)

    # when
    ids = actions.retry_matching(actor="asha", **criteria)

    # then they wait, and each has its audit line
    assert ids == [jobs[label].pk for label in expected]
    waiting = Job.objects.filter(state=JobState.WAITING).order_by("pk")
    assert list(waiting.values_list("pk", flat=True)) == ids
    assert Outbox.objects.count() == len(ids)
    assert [(action, job_id) for action, job_id, _ in audit()] == [("retry", job_id) for job_id in ids]


def test_retry_of_everything_must_be_asked_for_by_queue():
    finished()

    with pytest.raises(ValueError, match="say which failed jobs to retry: by queue, name or error"):
        actions.retry_matching(actor="asha")

    assert not Job.objects.filter(state=JobState.WAITING).exists()


def test_audit_of_a_retry_names_its_criteria():
    job = finished()

    actions.retry_matching(actor="asha", queue="order", containing="luck")

    assert audit() == [("retry", job.pk, "all failed: queue 'order', error 'luck'")]


def test_finished_jobs_are_discarded_with_their_attempts_and_live_ones_are_not(monkeypatch):
    # given jobs in every final state, one that waits, and a cancelled one whose message is still in Redis
    monkeypatch.setattr(actions, "BATCH", 2)
    jobs = [finished(state) for state in (JobState.FAILED, JobState.CANCELLED, JobState.COMPLETED)]
    Attempt.objects.create(job=jobs[0], number=1, outcome="failed")
    actions.retry_jobs([finished().pk], actor="earlier")
    waiting = Job.objects.get(state=JobState.WAITING)
    on_its_way = finished(JobState.CANCELLED)
    Outbox.objects.create(job=on_its_way, queue="order", due_at=timezone.now(), withdrawn=True)
    AuditEntry.objects.all().delete()

    # when
    ids = actions.discard_jobs([waiting.pk, on_its_way.pk, *(job.pk for job in jobs), 10**9], actor="asha")

    # then
    assert ids == [job.pk for job in jobs]
    assert set(Job.objects.all()) == {waiting, on_its_way}
    assert not Attempt.objects.exists()
    assert audit() == [("discard", None, f"#{job.pk} jobapp.record of queue order, {job.state}") for job in jobs]


def test_clean_deletes_a_queues_old_jobs_of_one_state(monkeypatch):
    monkeypatch.setattr(actions, "BATCH", 2)
    old = [finished(hours_ago=25) for _ in range(5)]
    kept = {
        finished(hours_ago=23),
        finished(hours_ago=25, queue="email"),
        finished(JobState.CANCELLED, hours_ago=25),
    }

    assert actions.clean("order", "failed", timedelta(days=1), actor="asha") == len(old)

    assert set(Job.objects.all()) == kept
    assert [(action, job_id) for action, job_id, _ in audit()] == [("clean", None)] * 3
    assert [detail.split(" that")[0] for _, _, detail in audit()] == [f"order: {n} failed jobs" for n in (2, 2, 1)]


@pytest.mark.parametrize("state", ["waiting", "active", "nonsense"])
def test_only_final_states_are_cleaned(state: str):
    with pytest.raises(ValueError, match=f"expected one of completed, failed, cancelled, got '{state}'"):
        actions.clean("order", state, timedelta(0), actor="asha")


def test_queue_that_is_not_declared_is_not_cleaned():
    with pytest.raises(UnknownQueue):
        actions.clean("abolished", "failed", timedelta(0), actor="asha")


def test_waiting_job_is_cancelled_by_its_key():
    job = record.using(key="k").enqueue(label="a")

    assert actions.cancel_under("other", actor="asha") == ([], [])
    assert actions.cancel_under("k", actor="asha") == ([job.id], [])
    assert (job.status, audit()) == (JobState.CANCELLED, [("cancel", job.id, "")])


def test_admin_retries_all_that_share_an_error():
    # given three failed jobs, two of them with the same error
    chosen, same, other = failed_job(), failed_job("b"), finished()

    # when one is chosen
    page = act(staff("view_job", "retry_job"), "retry_same_error", chosen)

    # then both run again
    assert "2 jobs will run again." in page
    waiting = Job.objects.filter(state=JobState.WAITING, name="jobapp.fail")
    assert set(waiting) == {chosen, same}
    other.refresh_from_db()
    assert other.state == JobState.FAILED


def test_admin_discards_finished_jobs_and_reports_what_was_left():
    waiting, failed = record.enqueue(label="w"), finished()

    page = act(staff("view_job", "discard_job"), "discard_selected", waiting.id, failed)

    assert "1 job deleted." in page
    assert "1 job was left as it is: it was not finished" in page
    assert list(Job.objects.all()) == [Job.objects.get(pk=waiting.id)]


@pytest.mark.parametrize("action", ["discard_selected", "retry_same_error"])
def test_without_the_permission_no_action_runs(action: str):
    job = finished()

    act(staff("view_job"), action, job)

    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert not AuditEntry.objects.exists()


def test_page_of_a_failed_job_offers_what_may_be_done():
    url = f"/admin/queues/job/{finished().pk}/change/"

    page = staff("view_job", "retry_job", "discard_job").get(url).content.decode()

    assert "Retry all with this error" in page
    assert "discard_selected" in page


def test_admin_shows_every_declared_queue_and_pauses_and_resumes_it(settings):
    # given staff who may pause, and a queue that is declared no longer
    QueueState.objects.create(name="abolished")
    client = staff("view_queuestate", "pause_queue")

    # when they open the page, pause two queues, and resume one
    names = [row.name for row in client.get(QUEUES).context["cl"].result_list]
    act = {"action": "pause_selected", "_selected_action": ["order", "email"]}
    paused = client.post(QUEUES, act, follow=True).content.decode()
    client.post(QUEUES, {"action": "resume_selected", "_selected_action": ["email"]})

    # then
    assert names == sorted(settings.QUEUES)
    assert "Paused: email, order" in paused
    assert list(QueueState.objects.filter(paused_at__isnull=False)) == [QueueState.objects.get(name="order")]
    assert audit() == [
        ("pause", None, "queue email"),
        ("pause", None, "queue order"),
        ("resume", None, "queue email"),
    ]


def test_queues_are_not_paused_without_the_permission():
    client = staff("view_queuestate")
    client.get(QUEUES)

    client.post(QUEUES, {"action": "pause_selected", "_selected_action": ["order"]})

    assert not QueueState.objects.filter(paused_at__isnull=False).exists()


def test_links_of_a_queue_lead_to_its_jobs():
    client = staff("view_queuestate", "view_job")
    finished()

    page = client.get(QUEUES).content.decode()
    url = "/admin/queues/job/?queue=order&amp;state__exact=failed"

    assert f'href="{url}"' in page
    found = client.get(url.replace("&amp;", "&")).context["cl"].result_list
    assert [job.queue for job in found] == ["order"]


def test_job_that_does_not_wait_is_never_cancelled_whatever_the_outbox_says():
    # given a ledger that was damaged by hand
    job_id = record.enqueue(label="a").id
    Job.objects.filter(pk=job_id).update(state=JobState.ACTIVE)

    assert actions.cancel_jobs([job_id], actor="asha") == ([], [job_id])
    assert Job.objects.get(pk=job_id).state == JobState.ACTIVE
