"""Child processes for CPU work and suspects: their ends, and the fork server's."""

import signal

import psutil

from queues.models import Attempt
from tests.jobapp.jobs import compute, record, wait_for_gate
from tests.jobapp.models import Run
from tests.processes import Processes, is_gone, wait_for
from tests.queues.facts import open_gate, runs, wait_for_state


def test_children_end_each_for_itself_and_a_fork_server_that_dies_is_replaced(processes: Processes):
    worker = processes.manage("rqworker")
    short = compute.enqueue(label="short", gate="s").id
    wait_for(lambda: runs("short") == 1)
    long = compute.enqueue(label="long", gate="g").id
    wait_for(lambda: runs("long") == 1)

    # a short job gets its verdict at once, whether its child was forked before or after that of a long one
    open_gate("s")
    on_cpu_queue = record.using(queue_name="reports").enqueue(label="on a CPU queue").id
    for job_id in (short, on_cpu_queue):
        wait_for_state(job_id, "completed", within=10)
    pids = dict(Run.objects.values_list("label", "pid"))
    assert len({*pids.values(), worker.pid}) == 4

    # when the fork server is killed, its child goes too, and the job runs again without blame
    psutil.Process(pids["long"]).parent().send_signal(signal.SIGKILL)  # type: ignore[union-attr]
    wait_for(lambda: runs("long") == 2)
    assert is_gone(pids["long"])
    open_gate("g")
    job = wait_for_state(long, "completed")
    assert (job.attempt, job.crashes) == (1, 0)
    assert [attempt.outcome for attempt in job.attempts.all()] == ["given back", "completed"]


def test_child_is_killed_at_its_deadline(processes: Processes):
    processes.manage("rqworker", "order", ORDER_TIMEOUT="0.5")
    late = compute.enqueue(label="late", gate="never").id
    wait_for(lambda: runs("late") == 1)
    child = Run.objects.get().pid

    attempt = wait_for(lambda: Attempt.objects.filter(job_id=late, outcome="retry").first())

    assert (attempt.number, attempt.error) == (1, "TimeoutError: timed out after 0.5 s")
    wait_for(lambda: is_gone(child), within=5)


def test_job_in_a_thread_is_not_in_a_child(processes: Processes):
    worker = processes.manage("rqworker", "order", "--burst")
    wait_for_gate.enqueue(label="thread", gate="g")
    open_gate("g")

    assert worker.exit_code() == 0
    assert Run.objects.get().pid == worker.pid
    assert Run.objects.get().thread.startswith("job-order")
