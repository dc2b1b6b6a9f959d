"""Deadlines of jobs in the threads of real workers: every job that hangs is timed out, and harms no other."""

import psutil
import pytest
from django.db import connection

from queues import JobDefinition
from queues.models import Attempt, Job, Worker
from tests.jobapp.jobs import block, query, record, spin, swallow, wait_for_gate
from tests.jobapp.models import Run
from tests.processes import Processes, is_gone, wait_for
from tests.queues.facts import open_gate, runs, states, wait_for_state

BESIDE = wait_for_gate.using(queue_name="email")
QUICK = {"ORDER_TIMEOUT": "3", "QUEUE_ORDER_BACKOFF_DELAY": "1000"}


def first_attempt(job_id: int) -> Attempt:
    return wait_for(lambda: Attempt.objects.filter(job_id=job_id).first())


def seconds_of(attempt: Attempt) -> float:
    assert attempt.started_at is not None
    return (attempt.finished_at - attempt.started_at).total_seconds()


def outcomes(job_id: int) -> list[str]:
    return [attempt.outcome for attempt in Attempt.objects.filter(job_id=job_id)]


@pytest.mark.parametrize("hang", [block, swallow])
def test_job_that_hangs_is_timed_out_and_its_process_replaced(processes: Processes, hang: JobDefinition):
    # given a job that hangs beside two that run in the same process
    worker = processes.manage("rqworker", "order", "email", "--name", "w", QUEUE_GRACE="6", **QUICK)
    short, long = (BESIDE.enqueue(label=label, gate=label).id for label in ("short", "long"))
    wait_for(lambda: runs("short") == runs("long") == 1)
    hung = hang.enqueue(label="hung", gate="end").id

    # when its deadline has passed, its verdict is written in time
    attempt = first_attempt(hung)
    assert (attempt.outcome, attempt.error) == ("timed out", "timed out after 3 s")
    assert 3 <= seconds_of(attempt) <= 3 + 8
    assert f", in {hang.name.split('.')[1]}\n" in attempt.traceback
    assert f"{hang.name} #{hung} still hangs" in worker.output

    # and another process takes the place of its own
    open_gate("short")
    open_gate("end")
    wait_for(lambda: runs("long") == 2)
    open_gate("long")
    wait_for(lambda: states() == {"completed": 3})
    first, second = Worker.objects.order_by("pk")
    assert first.pid != second.pid
    assert is_gone(first.pid)
    assert first.stopped_at is not None
    assert psutil.Process(second.pid).ppid() == worker.pid
    assert (first.name, second.name) == ("w", "w")

    # then the jobs beside it have ended or ran again, and none of them is to blame
    assert outcomes(short) == ["completed"]
    assert outcomes(long) == ["given back", "completed"]
    assert outcomes(hung) == ["timed out", "completed"]
    assert dict(Job.objects.values_list("pk", "attempt")) == {short: 1, long: 1, hung: 2}
    assert set(Job.objects.values_list("crashes", "suspect")) == {(0, False)}


def test_pool_replaces_a_process_in_which_a_job_hangs(processes: Processes):
    pool = processes.manage("rqworker-pool", "order", "--num-workers", "1", **QUICK)
    job_id = block.enqueue(label="hung", gate="end").id
    wait_for(lambda: runs("hung") == 1)

    assert first_attempt(job_id).outcome == "timed out"
    open_gate("end")

    assert wait_for_state(job_id, "completed").attempt == 2
    first, second = Worker.objects.order_by("pk")
    assert is_gone(first.pid)
    assert psutil.Process(second.pid).ppid() == pool.pid
    assert list(Run.objects.order_by("pk").values_list("pid", flat=True)) == [first.pid, second.pid]


@pytest.mark.parametrize("endless", [spin, query])
def test_job_that_can_be_interrupted_ends_at_its_deadline_and_its_process_lives_on(
    processes: Processes, one_attempt: None, endless: JobDefinition
):
    processes.manage("rqworker", "order", QUEUE_ORDER_CONCURRENCY="1", **QUICK)
    late = endless.enqueue(label="late").id
    wait_for(lambda: runs("late") == 1)
    after = record.enqueue(label="after").id

    job = wait_for_state(late, "failed")
    wait_for_state(after, "completed")

    attempt = first_attempt(late)
    assert (job.error, attempt.outcome) == ("timed out after 3 s", "timed out")
    assert "DeadlineExceeded" in attempt.traceback
    assert f", in {endless.name.split('.')[1]}\n" in attempt.traceback
    assert len(set(Run.objects.values_list("pid", "thread"))) == 1
    assert Worker.objects.get().stopped_at is None
    assert _sleeping_backends() == 0


def _sleeping_backends() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE query LIKE %s AND state = 'active' AND datname = current_database()",
            ["SELECT pg_sleep%"],
        )
        return int(cursor.fetchone()[0])


def test_worker_that_is_stopped_keeps_the_deadlines_while_it_drains(processes: Processes):
    worker = processes.manage("rqworker", "order", QUEUE_GRACE="20", **QUICK)
    job_id = block.enqueue(label="hung", gate="end").id
    wait_for(lambda: runs("hung") == 1)

    assert worker.stop() == 0

    assert outcomes(job_id) == ["timed out"]
    assert Job.objects.get().state == "waiting"
    assert Worker.objects.count() == 1


def test_burst_goes_on_in_the_next_process(processes: Processes):
    worker = processes.manage("rqworker", "order", "email", "--burst", QUEUE_GRACE="0.5", **QUICK)
    hung = block.enqueue(label="hung", gate="end").id
    beside = BESIDE.enqueue(label="beside", gate="g").id
    wait_for(lambda: runs("hung") == runs("beside") == 1)

    assert first_attempt(hung).outcome == "timed out"
    open_gate("end")
    wait_for(lambda: runs("beside") == 2)
    wait_for_state(hung, "completed")
    open_gate("g")

    assert worker.exit_code() == 0
    assert Job.objects.get(pk=beside).state == "completed"
