"""Cancelling a running job: it is asked to stop, can see that, and is cancelled when its attempt ends."""

import signal
from typing import Any

import psutil
import pytest

from queues import JobDefinition, ledger
from queues.execution.judge import judge_crash
from queues.lifecycle.claim import Claim
from queues.lifecycle.verdict import Verdict, released
from queues.models import Attempt, AuditEntry, Job, Outbox
from queues.ops import actions
from queues.states import JobState, Outcome
from queues.testing import drain, run_next
from tests.jobapp.jobs import fail, record
from tests.jobapp.reporting import obey_in_child, obey_in_thread, report_in_child
from tests.processes import Processes, wait_for
from tests.queues.claims import claim_for, execution_of, rescue_from, write_verdict
from tests.queues.facts import ended, runs, wait_for_state

pytestmark = pytest.mark.usefixtures("ledger_db")


def asked_to_stop(definition: JobDefinition = record, worker: int | None = None, **args: Any) -> Claim:
    """A claimed job that an operator has asked to stop."""
    claim = claim_for(worker, definition, **args)
    assert actions.cancel_jobs([claim.id], actor="asha") == ([], [claim.id])
    return claim


@pytest.mark.parametrize("definition", [obey_in_thread, obey_in_child])
def test_running_job_learns_that_it_should_stop_and_is_cancelled(processes: Processes, definition: JobDefinition):
    # given a job that runs in a worker
    processes.manage("rqworker", "order")
    job_id = definition.enqueue(label="a", how="error").id
    wait_for(lambda: runs("a") == 1)

    # when an operator cancels it
    assert actions.cancel_jobs([job_id], actor="asha") == ([], [job_id])

    # then it stops and is cancelled, although it raised an error and had attempts left
    job = wait_for_state(job_id, "cancelled")
    assert ended("a") == 1
    assert (job.error, job.token, job.finished_at is not None) == ("ValueError: stopped half-way", None, True)
    assert job.attempts.values_list("outcome", "error").get() == ("cancelled", "ValueError: stopped half-way")
    assert not Outbox.objects.exists()
    assert AuditEntry.objects.values_list("actor", "action", "job_id", "detail").get() == (
        *("asha", "cancel", job_id),
        "asked to stop",
    )


def test_child_that_does_not_listen_is_cancelled_when_it_crashes(processes: Processes):
    # given a job that runs in a child process and was asked to stop
    processes.manage("rqworker", "order")
    job_id = report_in_child.enqueue(percents=[5], gate="never").id
    wait_for(lambda: Job.objects.filter(progress=5).exists())
    worker = Job.objects.get(pk=job_id).worker
    assert worker is not None
    actions.cancel_jobs([job_id], actor="asha")

    # when its process is killed
    grandchildren = [p for child in psutil.Process(worker.pid).children() for p in child.children()]
    assert len(grandchildren) == 1
    grandchildren[0].send_signal(signal.SIGKILL)

    # then it does not run again
    job = wait_for_state(job_id, "cancelled")
    assert (job.error, job.crashes) == ("its process was killed by SIGKILL", 1)
    assert job.attempts.get().outcome == "crashed"


def test_job_of_a_stopped_worker_is_cancelled_and_not_released(processes: Processes):
    # given a job that was asked to stop and does not listen
    worker = processes.manage("rqworker", "order", QUEUE_GRACE="0.3")
    job_id = report_in_child.enqueue(percents=[5], gate="never").id
    wait_for(lambda: Job.objects.filter(progress=5).exists())
    actions.cancel_jobs([job_id], actor="asha")

    # when its worker stops
    worker.stop()

    # then
    job = Job.objects.get(pk=job_id)
    assert (job.state, job.error) == ("cancelled", "the worker stopped")
    assert not Outbox.objects.exists()


ENDS = {
    "retry": Verdict(JobState.WAITING, Outcome.RETRY, error="ValueError: no luck", traceback="T", wait=5),
    "snooze": Verdict(JobState.WAITING, Outcome.SNOOZED, wait=60, attempt_not_counted=True),
    "released": released("the worker stopped"),
    "last attempt": Verdict(JobState.FAILED, Outcome.FAILED, error="ValueError: no luck"),
    "cancel": Verdict(JobState.CANCELLED, Outcome.CANCELLED, error="Cancel: not needed"),
}


@pytest.mark.parametrize("verdict", ENDS.values(), ids=ENDS)
def test_whatever_ends_the_attempt_the_job_is_cancelled_at_once(verdict: Verdict):
    claim = asked_to_stop(fail, label="a")

    assert write_verdict(claim, verdict, "w") is True

    job = Job.objects.get()
    assert (job.state, job.token, job.error) == ("cancelled", None, verdict.error)
    assert job.finished_at is not None
    assert not Outbox.objects.exists()
    assert Attempt.objects.get().outcome == "cancelled"


def test_crash_of_its_process_cancels_the_job_and_counts():
    claim = asked_to_stop(fail, label="a")

    write_verdict(claim, judge_crash(execution_of(claim), "was killed by SIGKILL"))

    job = Job.objects.get()
    assert (job.state, job.crashes, Attempt.objects.get().outcome) == ("cancelled", 1, "crashed")
    assert not Outbox.objects.exists()


def test_job_that_completes_all_the_same_is_completed():
    claim = asked_to_stop(label="a")

    write_verdict(claim, Verdict(JobState.COMPLETED, Outcome.COMPLETED))

    assert (Job.objects.get().state, Attempt.objects.get().outcome) == ("completed", "completed")


def test_on_failed_does_not_run_for_a_cancelled_job():
    claim = asked_to_stop(fail, label="a")

    write_verdict(claim, Verdict(JobState.FAILED, Outcome.FAILED, error="Permanent: never"))

    assert not Job.objects.filter(name="jobapp.last_resort").exists()


def test_job_whose_worker_died_is_cancelled_and_not_rescued():
    # given two jobs of a worker, one of them asked to stop
    claim = asked_to_stop(label="a", worker=7)
    other = claim_for(7, record, label="b")

    # when the worker is found dead
    assert sorted(rescue_from(7, "w")) == [claim.id, other.id]

    # then that one is cancelled and the other waits
    job = Job.objects.get(pk=claim.id)
    assert (job.state, job.token, job.worker_id, job.error) == ("cancelled", None, None, "worker w died")
    assert job.finished_at is not None
    assert job.attempts.get().outcome == "crashed"
    assert list(Outbox.objects.values_list("job_id", flat=True)) == [other.id]
    waiting = Job.objects.get(pk=other.id)
    assert (waiting.state, waiting.finished_at) == ("waiting", None)


def test_unacknowledged_job_that_was_asked_to_stop_is_cancelled():
    claim = asked_to_stop(label="a", worker=7)

    assert ledger.release_unacknowledged([claim.token], 7, "w") == [claim.id]

    assert (Job.objects.get().state, Attempt.objects.get().outcome) == ("cancelled", "cancelled")


def test_job_is_asked_once():
    claim = asked_to_stop(label="a")
    first = Job.objects.get().cancel_asked_at

    assert actions.cancel_jobs([claim.id], actor="ravi") == ([], [])

    assert Job.objects.get().cancel_asked_at == first
    assert list(AuditEntry.objects.values_list("actor", flat=True)) == ["asha"]


def test_waiting_jobs_are_cancelled_running_ones_asked_and_finished_ones_left():
    # given a job in each state
    done = record.enqueue(label="done").id
    drain()
    active = claim_for(None, record, label="active").id
    waiting = record.enqueue(label="waiting").id

    # when all are cancelled
    cancelled = actions.cancel_jobs([done, active, waiting], actor="asha")

    # then
    assert cancelled == ([waiting], [active])
    assert str(cancelled) == "1 cancelled, 1 running job was asked to stop"
    states = dict(Job.objects.values_list("pk", "state"))
    assert states == {done: "completed", active: "active", waiting: "cancelled"}
    assert list(Job.objects.filter(cancel_asked_at=None).values_list("pk", flat=True)) == [done, waiting]


def test_job_that_comes_back_while_it_is_being_cancelled_is_cancelled(monkeypatch):
    # given a running job whose attempt ends just after it was not found among the waiting ones
    claim = claim_for(None, fail, label="a")
    cancel = ledger.cancel

    def cancel_just_before_it_waits(job_ids: list[int], *, reason: str) -> list[int]:
        found = cancel(job_ids, reason=reason)
        write_verdict(claim, ENDS["retry"])
        return found

    monkeypatch.setattr(ledger, "cancel", cancel_just_before_it_waits)

    # when
    cancelled = actions.cancel_jobs([claim.id], actor="asha")

    # then the second round finds it
    assert cancelled == ([claim.id], [])
    assert Job.objects.get().state == "cancelled"


def test_operators_retry_forgets_the_wish_to_stop():
    claim = asked_to_stop(fail, label="a", how="permanent")
    write_verdict(claim, ENDS["retry"])

    actions.retry_jobs([claim.id], actor="asha")
    job = run_next(raises=False)

    assert job is not None
    assert (job.state, job.cancel_asked_at) == ("failed", None)
