"""A process that nobody replaces abandons hung threads and starts others, up to the size of the pool."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from queues.execution.interrupts import stack_of
from queues.models import Attempt, Job
from queues.worker.fetcher import Fetcher
from queues.worker.process import WorkerProcess
from tests.jobapp.jobs import record, swallow
from tests.jobapp.models import Gate, Run
from tests.processes import wait_for
from tests.queues.facts import ended, open_gate, runs, wait_for_state
from tests.queues.in_thread import run_in_thread


@pytest.fixture
def worker_here(ledger_db: None, settings: Any) -> Iterator[WorkerProcess]:
    """One job at once."""
    settings.QUEUE_POLL = 0.05
    settings.QUEUE_DEADLINE_GRACE = 0.2
    settings.QUEUES = {"order": {"timeout": 60, "attempts": 1}}
    with run_in_thread("order") as worker:
        yield worker
        Gate.objects.bulk_create([Gate(name=name) for name in ("end", "one", "other")], ignore_conflicts=True)


def let_one_hang(worker_here: WorkerProcess, label: str, gate: str) -> Job:
    """A job that swallows its deadline, which comes as soon as it does; once it has its verdict."""
    job_id = swallow.enqueue(label=label, gate=gate).id
    wait_for(lambda: runs(label) == 1)
    (run,) = worker_here.deadlines.runs.values()
    wait_for(lambda: "time.sleep" in stack_of(run.thread))
    run.deadline = 0.0
    return wait_for_state(job_id, "failed")


def test_hung_thread_is_abandoned_and_replaced(worker_here: WorkerProcess, caplog: pytest.LogCaptureFixture):
    # given a job that hangs and has its verdict
    job = let_one_hang(worker_here, "hung", "end")
    hung = job.pk
    assert job.error == "timed out after 60 s"

    # when its thread is needed, another runs the jobs
    for number in range(3):
        wait_for_state(record.enqueue(label=str(number)).id, "completed")
    threads = dict(Run.objects.values_list("label", "thread"))
    assert len({threads[str(number)] for number in range(3)}) == 1
    assert worker_here.fetchers[0].threads.hanging == 1
    assert not worker_here.is_hung

    # then the late end of the first changes nothing and is logged
    before = Job.objects.values().get(pk=hung)
    with caplog.at_level(logging.ERROR):
        open_gate("end")
        wait_for(lambda: ended("hung") == 1 and worker_here.fetchers[0].threads.hanging == 0)
    assert "too late for a verdict" in caplog.text
    assert Job.objects.values().get(pk=hung) == before
    assert [attempt.outcome for attempt in Attempt.objects.filter(job_id=hung)] == ["timed out"]
    assert worker_here.fetchers[0].capacity.taken == 0


def wait_for_a_turn(fetcher: Fetcher) -> None:
    """Until the fetcher has seen that there is nothing for it to run."""
    fetcher.idle = False
    wait_for(lambda: fetcher.idle)


def test_queue_in_which_too_many_threads_hang_runs_nothing_more(
    worker_here: WorkerProcess, caplog: pytest.LogCaptureFixture
):
    # given a pool of one, and two jobs that hang
    for label in ("one", "other"):
        let_one_hang(worker_here, label, label)
    fetcher = worker_here.fetchers[0]
    wait_for_a_turn(fetcher)

    # when there is another job, it waits, and the log says why
    later = record.enqueue(label="later").id
    assert "2 threads of job-order hang: no more jobs are run there until one ends" in caplog.text
    wait_for_a_turn(fetcher)
    assert runs("later") == 0
    assert Job.objects.get(pk=later).state == "waiting"

    # then it runs when one of them has ended
    open_gate("one")
    wait_for_state(later, "completed")
    wait_for(lambda: fetcher.threads.hanging == 1)
    open_gate("other")
    wait_for(lambda: fetcher.threads.hanging == 0)
