"""Delayed jobs: held by rq-scheduler, never early, once, also when no scheduler lives."""

import time

from django.db import transaction
from redis import Redis

from queues.models import Job, Outbox
from tests.jobapp.jobs import record, something_happened, something_was_undone
from tests.processes import Processes, wait_for
from tests.queues.facts import runs, wait_for_state, wait_for_workers

SCHEDULED = "rq:scheduler:scheduled_jobs"


def lateness(job: Job) -> float:
    assert job.started_at is not None
    return (job.started_at - job.run_at).total_seconds()


def test_rq_scheduler_moves_a_delayed_job_in_time(processes: Processes, redis: Redis):
    scheduler = processes.manage("rqscheduler", "--interval", "0.2")
    worker = processes.manage("rqworker", "order", QUEUE_OVERDUE="600")
    wait_for_workers(1)
    wait_for(lambda: redis.keys("rq:scheduler_instance:*"))

    job_id = record.using(run_after=5).enqueue(label="a").id
    wait_for(lambda: redis.zcard(SCHEDULED) == 1)

    job = wait_for_state(job_id, "completed")
    assert lateness(job) >= 0
    assert runs("a") == 1
    wait_for(lambda: "published 1 delayed jobs" in scheduler.output)
    assert "no scheduler moved" not in worker.output
    assert scheduler.stop() == 0
    assert redis.hexists(redis.keys("rq:scheduler_instance:*")[0], "death")


def test_delayed_job_still_runs_once_when_the_scheduler_is_killed(processes: Processes, redis: Redis):
    scheduler = processes.manage("rqscheduler")
    worker = processes.manage("rqworker", "order")
    wait_for_workers(1)
    job_id = record.using(run_after=6).enqueue(label="a").id
    wait_for(lambda: redis.zcard(SCHEDULED) == 1)

    scheduler.kill()

    job = wait_for_state(job_id, "completed")
    assert lateness(job) >= 1
    assert runs("a") == 1
    assert redis.zcard(SCHEDULED) == 0
    wait_for(lambda: "no scheduler moved 1 delayed jobs in time" in worker.output)


def test_interval_is_how_often_the_scheduler_checks(processes: Processes, redis: Redis):
    """Between three checks lie two intervals at least, however busy the machine is."""
    redis.config_resetstat()
    processes.manage("rqscheduler", "--interval", "1.3")
    wait_for(lambda: _checks(redis) >= 2)
    began, seen = time.monotonic(), _checks(redis)

    wait_for(lambda: _checks(redis) >= seen + 3)

    assert time.monotonic() - began > 2 * 1.2


def _checks(redis: Redis) -> int:
    return int(redis.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])


def test_withdrawn_job_never_runs(processes: Processes, redis: Redis):
    """The auto-cancel's way: held by rq-scheduler, taken out when the money arrives."""
    with transaction.atomic():
        something_happened.emit(label="a", number=1)
    job_id = Job.objects.get(key="undo-a").pk
    processes.manage("rqworker", "order")
    wait_for(lambda: redis.zscore(SCHEDULED, f"{job_id}-1"))
    assert redis.hget(f"rq:job:{job_id}-1", "status") == b"scheduled"

    with transaction.atomic():
        something_was_undone.emit(label="a")

    wait_for(lambda: redis.zscore(SCHEDULED, f"{job_id}-1") is None)
    wait_for(lambda: not Outbox.objects.filter(job_id=job_id).exists())
    assert Job.objects.get(pk=job_id).state == "cancelled"
    assert runs("a-1") == 0


def test_what_cannot_run_yet_is_put_back_and_runs_later(processes: Processes, redis: Redis):
    # given a worker, a job whose name it does not know yet, and one whose message comes before its time
    processes.manage("rqworker", "order", QUEUE_RECHECK="60")
    wait_for_workers(1)
    with transaction.atomic():
        unknown = record.enqueue(label="unknown").id
        Job.objects.filter(pk=unknown).update(name="jobapp.of_the_next_release")
    early = record.using(run_after=6).enqueue(label="early").id
    wait_for(lambda: redis.zrem(SCHEDULED, f"{early}-1"))
    redis.rpush("rq:queue:order", f"{early}-1")
    other = record.enqueue(label="other").id

    # then neither holds others up, is spent, or is dropped
    wait_for_state(other, "completed")
    wait_for(lambda: Outbox.objects.get(job_id=unknown).due_at > Job.objects.get(pk=unknown).run_at)
    waiting = Job.objects.filter(pk__in=[unknown, early])
    assert set(waiting.values_list("state", "attempt", "crashes")) == {("waiting", 0, 0)}
    row = Outbox.objects.get(job_id=unknown)
    assert 3 < (row.due_at - Job.objects.get(pk=unknown).run_at).total_seconds() < 30
    job = wait_for_state(early, "completed")
    assert lateness(job) >= 0
    assert (job.attempt, runs("early")) == (1, 1)
