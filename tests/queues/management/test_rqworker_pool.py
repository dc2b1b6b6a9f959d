"""`rqworker-pool`: real processes, replaced when they die, ended together."""

import os
import signal
from pathlib import Path

from queues.models import Worker
from tests.jobapp.jobs import record, wait_for_gate
from tests.jobapp.models import Run
from tests.processes import Processes, is_gone, wait_for
from tests.queues.facts import open_gate, runs, states, wait_for_state, wait_for_workers


def test_pool_of_two_works_in_two_processes_and_replaces_the_dead(processes: Processes, tmp_path: Path):
    # given a pool on a queue that runs one job at once in each process
    alone = wait_for_gate.using(queue_name="payment-retry")
    for _ in range(2):
        alone.enqueue(label="one each", gate="g")
    pid_file = tmp_path / "pool.pid"
    words = ("rqworker-pool", "payment-retry", "--num-workers", "2", "--pid", str(pid_file))
    pool = processes.manage(*words, QUEUE_PAYMENT_RETRY_CONCURRENCY="1")
    wait_for(lambda: runs("one each") == 2)
    pids = set(Run.objects.values_list("pid", flat=True))
    assert len(pids) == 2
    assert pool.pid not in pids
    assert pid_file.read_text() == str(pool.pid)

    # when one of them is killed, another takes its place and its job
    victim = pids.pop()
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: runs("one each") == 3)
    replaced = {worker.pid for worker in wait_for_workers(2)}
    assert victim not in replaced
    assert pids < replaced

    # then SIGTERM drains and ends all
    pool.send(signal.SIGTERM)
    open_gate("g")
    assert pool.exit_code() == 0
    assert all(is_gone(pid) for pid in replaced)
    assert states() == {"completed": 2}
    assert not Worker.objects.filter(stopped_at=None).exists()


def test_bare_pool_in_burst_runs_what_is_due_and_ends(processes: Processes):
    jobs = [record.using(queue_name=queue).enqueue(label="a").id for queue in ("email", "order", "payment")]

    pool = processes.manage("rqworker-pool", "--burst", "--num-workers", "2")

    assert pool.exit_code() == 0
    for job_id in jobs:
        wait_for_state(job_id, "completed", within=1)
    assert runs("a") == 3
