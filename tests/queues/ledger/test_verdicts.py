"""What becomes of a job: errors say what they mean, and only the current token may write it."""

from typing import Any

import pytest

from queues import Cancel, JobDefinition, Permanent, Retry, Snooze
from queues.execution.judge import judge_crash
from queues.ledger import outbox
from queues.lifecycle.claim import Claim
from queues.lifecycle.verdict import Verdict, released
from queues.models import Attempt, Job, Outbox
from queues.states import JobState, Outcome
from queues.testing import make_due, run_next
from tests.jobapp.jobs import fail, record
from tests.queues.claims import claim_for, claim_offers, execution_of, rescue_from, write_verdict
from tests.queues.raising import raised, run, seconds_until

pytestmark = pytest.mark.usefixtures("ledger_db")


def test_completed_job():
    job = run(record, label="a")

    assert (job.state, job.attempt, job.error, job.token) == ("completed", 1, "", None)
    assert job.finished_at is not None
    assert not Outbox.objects.exists()
    assert Attempt.objects.values_list("number", "outcome", "worker", "error").get() == (1, "completed", "test", "")


def test_exception_is_tried_again_after_the_queues_back_off():
    job = run(fail, label="a")

    assert (job.state, job.attempt, job.error, job.finished_at) == ("waiting", 1, "ValueError: no luck", None)
    assert 1.5 <= seconds_until(job) <= 2.5
    row = Outbox.objects.get()
    assert (row.due_at, row.offer, row.offered_at) == (job.run_at, 1, None)
    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.outcome, attempt.error) == (1, "retry", "ValueError: no luck")
    assert "raise {" in attempt.traceback


def test_back_off_doubles_and_the_last_attempt_is_the_dead_letter():
    job = run(fail, label="a")
    make_due()
    job = run_next(raises=False) or job
    assert (job.state, job.attempt) == ("waiting", 2)
    assert 3 <= seconds_until(job) <= 5
    make_due()
    job = run_next(raises=False) or job

    assert (job.state, job.attempt, job.error) == ("failed", 3, "ValueError: no luck")
    assert job.finished_at is not None
    assert [attempt.outcome for attempt in job.attempts.all()] == ["retry", "retry", "failed"]
    assert Job.objects.filter(name="jobapp.last_resort", state="waiting").count() == 1


def test_retry_after_its_own_time_spends_an_attempt():
    job = run(fail, label="a", how="retry")

    assert (job.state, job.attempt, job.error) == ("waiting", 1, "Retry: later")
    assert 120 <= seconds_until(job) <= 130


def test_snooze_does_not_count_the_attempt():
    job = run(fail, label="a", how="snooze")

    assert (job.state, job.attempt, job.error) == ("waiting", 0, "Snooze: not yet")
    assert 60 <= seconds_until(job) <= 70
    assert Attempt.objects.get().outcome == "snoozed"


def test_snooze_has_no_limit():
    run(fail, label="a", how="snooze")
    for _ in range(5):
        make_due()
        run_next(raises=False)

    assert (Job.objects.get().state, Job.objects.get().attempt) == ("waiting", 0)


def test_cancel_ends_the_job():
    job = run(fail, label="a", how="cancel")

    assert (job.state, job.attempt, job.error) == ("cancelled", 1, "Cancel: not needed")
    assert not Outbox.objects.exists()


def test_permanent_fails_at_once():
    job = run(fail, label="a", how="permanent")

    assert (job.state, job.attempt, job.error) == ("failed", 1, "Permanent: never")


def test_exit_is_an_error_like_any_other():
    job = run(fail, label="a", how="exit")

    assert (job.state, job.error) == ("waiting", "SystemExit: bye")


def completed() -> Verdict:
    return Verdict(JobState.COMPLETED, Outcome.COMPLETED)


def freed_and_claimed_again(first: Claim) -> Claim:
    """What happens to a job whose worker was taken for dead."""
    assert rescue_from(7, "w") == [first.id]
    (second,) = claim_offers(outbox.offer_due("order", 1), 8)
    return second


@pytest.mark.parametrize("verdict", [completed(), Verdict(JobState.FAILED, Outcome.FAILED), released("late")])
def test_verdict_with_an_old_token_changes_nothing(verdict: Verdict):
    first = claim_for(7, fail, label="a")
    second = freed_and_claimed_again(first)
    before = Job.objects.values().get()

    assert write_verdict(first, verdict, "zombie") is False

    assert Job.objects.values().get() == before
    assert not Outbox.objects.exists()
    assert not Attempt.objects.filter(worker="zombie").exists()
    assert write_verdict(second, completed(), "living") is True


def test_verdict_counts_once():
    claim = claim_for(None, record, label="a")

    assert write_verdict(claim, completed()) is True
    assert write_verdict(claim, Verdict(JobState.FAILED, Outcome.FAILED)) is False

    assert Job.objects.get().state == "completed"
    assert Attempt.objects.count() == 1


def test_three_lone_crashes_are_the_end():
    claim = claim_for(None, fail, label="a")
    states = []
    for _ in range(3):
        write_verdict(claim, judge_crash(execution_of(claim), "was killed by SIGKILL"))
        row = Job.objects.get(pk=claim.id)
        states.append((row.state, row.attempt, row.crashes, row.suspect))
        make_due()
        claims = claim_offers(outbox.offer_due("order", 1), None)
        claim = claims[0] if claims and claims[0].id == row.pk else claim

    assert states == [("waiting", 0, 1, True), ("waiting", 0, 2, True), ("failed", 1, 3, True)]
    assert Job.objects.get(pk=claim.id).error == "its process was killed by SIGKILL; crashed 3 times alone"
    assert Job.objects.filter(name="jobapp.last_resort").count() == 1


def test_back_off_that_fails_does_not_lose_the_job(settings, raising: JobDefinition):
    settings.QUEUES = {**settings.QUEUES, "order": {"backoff": lambda attempt: 1 / 0}}
    raised.append(ValueError("no luck"))

    job = run(raising)

    assert (job.state, job.attempt) == ("waiting", 1)
    assert "no luck" in job.error


def test_last_resort_that_cannot_be_written_does_not_lose_the_verdict(monkeypatch: pytest.MonkeyPatch):
    fail.enqueue(label="a", how="permanent")
    monkeypatch.setattr(JobDefinition, "request", lambda *_, **__: 1 / 0)

    job = run_next(raises=False)

    assert job is not None
    assert (job.state, job.error) == ("failed", "Permanent: never")


def test_cancel_and_permanent_carry_their_reason():
    assert (str(Cancel("why")), str(Permanent("why")), str(Retry()), str(Snooze(3))) == (
        "why",
        "why",
        "retry asked for",
        "not yet",
    )


def test_job_is_given_up_also_if_the_queue_of_its_last_resort_is_no_longer_declared(settings: Any):
    execution = execution_of(claim_for(7, fail, label="a"))
    settings.QUEUES = {"email": settings.QUEUES["email"]}

    assert write_verdict(execution, Verdict(JobState.FAILED, Outcome.FAILED), "w") is True

    assert Job.objects.values_list("name", "state").get() == (fail.name, "failed")
