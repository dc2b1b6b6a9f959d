"""kill -9 and long stalls: the jobs run again elsewhere, and their attempts show what happened."""

import os
import signal

from redis import Redis

from queues.models import Attempt, Job, Worker
from queues.ops.metrics import exposition
from tests.jobapp.jobs import compute, record, wait_for_gate
from tests.jobapp.models import Run
from tests.processes import Processes, children_of, is_gone, wait_for
from tests.queues.facts import ended, open_gate, runs, states, wait_for_state, wait_for_workers


def test_killed_workers_running_and_prefetched_jobs_run_on_another(processes: Processes, redis: Redis):
    # given a worker with two running jobs and two more that it has only fetched
    doomed = processes.manage("rqworker", "order", QUEUE_ORDER_CONCURRENCY="2")
    running = [wait_for_gate.enqueue(label=f"running {n}", gate="g").id for n in range(2)]
    wait_for(lambda: runs("running 0") == runs("running 1") == 1)
    prefetched = [record.enqueue(label=f"prefetched {n}").id for n in range(2)]
    fetched = f"rq:fetched:{Worker.objects.get().pk}:*"
    wait_for(lambda: any(redis.llen(key) == 2 for key in redis.keys(fetched)), every=0.01)

    # when it is killed and another comes
    doomed.kill()
    open_gate("g")
    processes.manage("rqworker", "order")

    # then all four are completed; what ran is marked, what was only fetched is not
    wait_for(lambda: states() == {"completed": 4})
    assert [runs(f"running {n}") for n in range(2)] == [2, 2]
    assert [runs(f"prefetched {n}") for n in range(2)] == [1, 1]
    for job in Job.objects.filter(pk__in=running):
        assert (job.attempt, job.crashes, job.lone_crashes, job.suspect) == (1, 1, 0, True)
        assert list(job.attempts.values_list("number", "outcome")) == [(1, "crashed"), (1, "completed")]
    for job in Job.objects.filter(pk__in=prefetched):
        assert (job.attempt, job.crashes, job.suspect) == (1, 0, False)
        assert list(job.attempts.values_list("number", "outcome")) == [(1, "completed")]


def test_job_that_ran_in_a_child_dies_with_its_worker_and_is_not_to_blame(processes: Processes):
    doomed = processes.manage("rqworker", "order")
    job_id = compute.enqueue(label="cpu", gate="g").id
    wait_for(lambda: runs("cpu") == 1)
    child = Run.objects.get().pid
    family = [process.pid for process in children_of(doomed.pid)]
    assert child in family
    assert child not in (doomed.pid, Worker.objects.get().pid)

    doomed.kill()
    wait_for(lambda: all(is_gone(pid) for pid in family))
    processes.manage("rqworker", "order")
    wait_for(lambda: runs("cpu") == 2)
    open_gate("g")

    job = wait_for_state(job_id, "completed")
    assert (job.attempt, job.crashes, job.suspect) == (1, 0, False)


def test_zombie_cannot_write_its_verdict(processes: Processes):
    # given a worker that is stopped in the middle of a job, beyond its lease
    zombie = processes.manage("rqworker", "order", "--name", "zombie")
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    wait_for(lambda: runs("a") == 1)
    pid = Worker.objects.get().pid
    os.kill(pid, signal.SIGSTOP)

    # when another worker has run the job, and the stopped one goes on
    processes.manage("rqworker", "order", "--name", "other")
    wait_for(lambda: runs("a") == 2)
    open_gate("g")
    job = wait_for_state(job_id, "completed")
    before = Job.objects.values().get()
    os.kill(pid, signal.SIGCONT)
    wait_for(lambda: ended("a") == 2)
    wait_for(lambda: f"verdict on #{job_id} came too late" in zombie.output)

    # then its verdict changed nothing and was counted, and it works on under a new lease
    assert Job.objects.values().get() == before
    wait_for(lambda: b'bharatmart_late_verdicts_total{queue="order"} 1.0' in exposition())
    assert (job.attempt, job.crashes) == (1, 1)
    assert list(job.attempts.values_list("outcome", "worker")) == [
        ("crashed", str(Worker.objects.filter(name="zombie").earliest("pk"))),
        ("completed", "other"),
    ]
    wait_for(lambda: Worker.objects.filter(name="zombie", stopped_at=None).exists())
    assert "it continues under a new lease" in zombie.output


def test_crashing_jobs_die_alone_and_take_no_innocent_along(processes: Processes):
    """A pool replaces each worker that the poison takes down."""
    from tests.jobapp.jobs import crash, crash_in_company

    innocents = [wait_for_gate.enqueue(label=f"innocent {n}", gate="g").id for n in range(3)]
    processes.manage("rqworker-pool", "order", "--num-workers", "1", QUEUE_ORDER_BACKOFF_DELAY="50")
    wait_for(lambda: all(runs(f"innocent {n}") for n in range(3)))
    poison = crash.enqueue(label="poison").id
    clumsy = crash_in_company.enqueue(label="clumsy").id

    dead = wait_for_state(poison, "failed", within=60)
    open_gate("g")
    wait_for(lambda: states() == {"failed": 1, "completed": 4})

    assert dead.error == "its process was killed by SIGSEGV; crashed 3 times alone"
    assert (dead.crashes - dead.lone_crashes, dead.lone_crashes) == (1, 3)
    assert runs("poison") in (3, 4)  # the clumsy one may have taken its first worker down before it began
    assert [attempt.outcome for attempt in dead.attempts.all()] == ["crashed"] * 4
    for job in Job.objects.filter(pk__in=[*innocents, clumsy]):
        assert (job.attempt, job.lone_crashes) == (1, 0)
        assert 0 <= job.crashes <= 2
    assert Attempt.objects.filter(job_id=clumsy).latest("pk").outcome == "completed"


def test_worker_is_soon_replaced_by_the_next_start(processes: Processes):
    """With every worker dead, the jobs wait for the next start and for nothing else."""
    doomed = processes.manage("rqworker", "order")
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    wait_for(lambda: runs("a") == 1)
    doomed.kill()
    open_gate("g")

    wait_for_workers(1)
    processes.manage("work", "order")

    assert wait_for_state(job_id, "completed").crashes == 1
