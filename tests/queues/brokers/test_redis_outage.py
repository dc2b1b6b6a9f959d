"""Redis may stop or lose everything: jobs wait in PostgreSQL, and each runs once."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from queues import ledger
from queues.management.rq.worker import Worker as RqWorker
from queues.models import Job, Outbox, Worker
from tests.jobapp.jobs import record, wait_for_gate
from tests.jobapp.models import Run
from tests.processes import Processes, wait_for
from tests.queues.brokers.own_redis import OwnRedis
from tests.queues.facts import open_gate, runs, states, wait_for_state, wait_for_workers


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path)
    yield server
    server.close()


def test_jobs_enqueued_while_redis_is_stopped_run_when_it_is_back(processes: Processes, own_redis: OwnRedis):
    # given a worker in the middle of a job, a dispatcher, a scheduler that holds a delayed one, and Redis gone
    commands = (("rqworker", "order"), ("dispatch",), ("rqscheduler",))
    started = [processes.manage(*command, QUEUE_REDIS_URL=own_redis.url) for command in commands]
    worker, dispatcher, scheduler = started
    running = wait_for_gate.enqueue(label="running", gate="g").id
    wait_for(lambda: runs("running") == 1)
    delayed = record.using(run_after=8).enqueue(label="delayed").id
    wait_for(lambda: own_redis.client.zcard("rq:scheduler:scheduled_jobs") == 1)
    own_redis.stop()

    # when jobs are written and the running one ends meanwhile
    during = [record.enqueue(label=f"during {n}").id for n in range(20)]
    open_gate("g")
    wait_for_state(running, "completed")
    for process, word in ((worker, "dispatcher pauses"), (dispatcher, "dispatcher pauses"), (scheduler, "Redis")):
        wait_for(lambda process=process, word=word: word in process.output)
    assert runs("during 0") == 0
    own_redis.start()

    # then all of them run once, on the same processes
    for job_id in [*during, delayed]:
        wait_for_state(job_id, "completed")
    assert all(runs(f"during {n}") == 1 for n in range(20))
    assert (runs("delayed"), runs("running")) == (1, 1)
    assert set(Run.objects.values_list("pid", flat=True)) == {Worker.objects.get().pid}
    assert set(Job.objects.values_list("attempt", "crashes")) == {(1, 0)}
    assert all(process.lives for process in started)
    wait_for(lambda: own_redis.client.keys("rq:scheduler_instance:*") and own_redis.client.keys("rq:worker:*"))


def test_redis_that_hangs_costs_no_lease(processes: Processes, own_redis: OwnRedis):
    """The lease is renewed in PostgreSQL, whatever Redis does meanwhile."""
    # given a worker in the middle of a job, a scheduler, and a worker in another mode that would rescue it
    worker = processes.manage("rqworker", "order", "--name", "w", QUEUE_REDIS_URL=own_redis.url, QUEUE_LEASE="5")
    scheduler = processes.manage("rqscheduler", QUEUE_REDIS_URL=own_redis.url)
    processes.manage("work", "email", WORKER_MODE="in-process", QUEUE_LEASE="5")
    wait_for_workers(2)
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    wait_for(lambda: runs("a") == 1)

    # when Redis answers nothing for longer than a lease
    own_redis.pause()
    row = Worker.objects.get(name="w")
    wait_for(lambda: (Worker.objects.get(name="w").beat_at - row.beat_at).total_seconds() > 8)
    open_gate("g")

    # then nobody takes the worker for dead
    assert wait_for_state(job_id, "completed").crashes == 0
    assert Worker.objects.get(name="w").pk == row.pk

    # and when it answers again, the same processes go on
    waiting = [record.enqueue(label="due").id, record.using(run_after=3).enqueue(label="delayed").id]
    own_redis.resume()
    for job_id in waiting:
        wait_for_state(job_id, "completed")
    assert (worker.lives, scheduler.lives) == (True, True)


def test_flushall_with_waiting_and_delayed_jobs_runs_each_once(processes: Processes, redis: Redis):
    # given a worker that claims nothing yet, and 1,000 messages and 100 delayed ones in Redis
    redis.set("rq:suspended", 1)
    processes.manage("rqscheduler")
    worker = processes.manage("rqworker", "order", QUEUE_RECHECK="5")
    wait_for_workers(1)
    waiting = [record.request({"label": f"waiting {n}"}) for n in range(1000)]
    delayed = [record.using(run_after=8).request({"label": f"delayed {n}"}) for n in range(100)]
    ids = ledger.enqueue([*waiting, *delayed])
    wait_for(lambda: redis.llen("rq:queue:order") == 1000)
    wait_for(lambda: redis.zcard("rq:scheduler:scheduled_jobs") == 100)
    assert Outbox.objects.filter(offer=1, offered_at__isnull=False).count() == 1100

    # when Redis loses it all, the suspension too
    redis.flushall()

    # then every job runs once, none early
    wait_for(lambda: states() == {"completed": 1100}, within=60)
    assert Run.objects.count() == 1100
    assert Run.objects.values("label").distinct().count() == 1100
    assert not any(job.started_at < job.run_at for job in Job.objects.filter(pk__in=ids))  # type: ignore[operator]
    assert set(Job.objects.values_list("attempt", "crashes")) == {(1, 0)}
    assert sum(map(int, re.findall(r"the broker lost (\d+) messages", worker.output))) >= 1100
    wait_for(lambda: redis.keys("rq:worker:*"))
    wait_for_workers(1)


def test_worker_whose_job_is_counted_right_after_a_flush_registers_again(processes: Processes, redis: Redis):
    processes.manage("rqworker", "order", "--name", "w")
    wait_for(lambda: redis.sismember("rq:workers", "rq:worker:w"))

    with redis.pipeline() as pipeline:
        pipeline.flushdb()
        pipeline.hincrby("rq:worker:w", "successful_job_count", 1)
        pipeline.execute()

    wait_for(lambda: redis.sismember("rq:workers", "rq:worker:w"))
    assert redis.hexists("rq:worker:w", "birth")


def test_processes_that_are_started_while_redis_is_full_wait_for_room(processes: Processes, own_redis: OwnRedis):
    # given a Redis that takes nothing, and two jobs
    own_redis.client.config_set("maxmemory", 1)
    due = record.enqueue(label="due").id
    delayed = record.using(run_after=2).enqueue(label="delayed").id

    # when workers and a scheduler start
    commands = ("rqworker", "rqworker-pool", "rqscheduler")
    started = [processes.manage(command, QUEUE_REDIS_URL=own_redis.url) for command in commands]
    wait_for(lambda: all("used memory > 'maxmemory'" in process.output for process in started))
    own_redis.client.config_set("maxmemory", 0)

    # then they go on as soon as there is room
    for job_id in (due, delayed):
        wait_for_state(job_id, "completed")
    assert all(process.lives for process in started)
    wait_for(lambda: own_redis.client.scard("rq:workers") == 2)


def test_worker_whose_registration_was_not_answered_registers_again(redis: Redis):
    worker = RqWorker(["order"], name="w")
    worker._register()

    worker._register()

    assert redis.hexists("rq:worker:w", "birth")
    redis.flushdb()


def test_redis_without_memory_stops_no_enqueueing_and_drains_after(processes: Processes, own_redis: OwnRedis):
    # given a worker and a scheduler at work, and a Redis that takes nothing more
    worker = processes.manage("rqworker", "order", QUEUE_REDIS_URL=own_redis.url)
    scheduler = processes.manage("rqscheduler", QUEUE_REDIS_URL=own_redis.url)
    wait_for_state(record.enqueue(label="before").id, "completed")
    running = wait_for_gate.enqueue(label="running", gate="g").id
    wait_for(lambda: runs("running") == 1)
    own_redis.client.config_set("maxmemory", 1)

    # when jobs are written, due and delayed ones, and the running one ends
    ids = [record.enqueue(label=f"during {n}").id for n in range(50)]
    ids += [record.using(run_after=2).enqueue(label=f"delayed {n}").id for n in range(20)]
    wait_for(lambda: "used memory > 'maxmemory'" in worker.output)
    open_gate("g")
    wait_for_state(running, "completed")
    assert Outbox.objects.count() == 70

    # then they wait in PostgreSQL, and each runs once when there is room again, on the same processes
    own_redis.client.config_set("maxmemory", 0)
    for job_id in ids:
        wait_for_state(job_id, "completed")
    assert Run.objects.count() == 72
    assert set(Job.objects.values_list("attempt", "crashes")) == {(1, 0)}
    assert (worker.lives, scheduler.lives) == (True, True)
