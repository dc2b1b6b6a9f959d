"""`rqworker`, `work` and `dispatch`, bare and with arguments."""

from pathlib import Path

import psutil
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from redis import Redis

from queues.models import Job, Outbox, Worker
from queues.settings import declared
from tests.jobapp.jobs import enqueue_another, record, record_mail, wait_for_gate
from tests.jobapp.models import Run
from tests.processes import Processes, wait_for
from tests.queues.facts import ended, open_gate, runs, states, wait_for_state, wait_for_workers


def test_named_worker_serves_its_queue_alone(processes: Processes, redis: Redis, tmp_path: Path):
    pid_file = tmp_path / "worker.pid"
    order = record.enqueue(label="order").id

    worker = processes.manage("rqworker", "email", "--name", "w1", "--pid", str(pid_file), "--worker-ttl", "100")
    mail = record_mail.enqueue(label="mail").id

    wait_for_state(mail, "completed")
    assert Job.objects.get(pk=order).state == "waiting"
    assert pid_file.read_text() == str(worker.pid)
    row = Worker.objects.get()
    assert (row.name, row.queues) == ("w1", ["email"])
    assert psutil.Process(row.pid).ppid() == worker.pid
    assert redis.smembers("rq:workers:email") == {b"rq:worker:w1"}
    assert 100 < redis.ttl("rq:worker:w1") <= 160
    wait_for(lambda: redis.hget("rq:worker:w1", "successful_job_count") == b"1")

    # a second one of that name is refused while the first lives
    second = processes.manage("rqworker", "email", "--name", "w1")
    assert second.exit_code() == 1
    assert "There exists an active worker named 'w1' already" in second.output
    assert "Traceback" not in second.output


def test_bare_worker_in_burst_runs_everything_that_is_due(processes: Processes, redis: Redis):
    queues = list(declared())
    for queue in queues:
        record.using(queue_name=queue).enqueue(label=queue)
    enqueue_another.using(queue_name="payment").enqueue(label="enqueued by a job into another queue")
    record.using(run_after=600).enqueue(label="not yet")
    assert redis.dbsize() == 0

    worker = processes.manage("rqworker", "--burst")

    assert worker.exit_code() == 0
    assert set(Run.objects.values_list("label", flat=True)) == {*queues, "enqueued by a job into another queue"}
    assert states() == {"completed": len(queues) + 2, "waiting": 1}
    assert Worker.objects.get().queues == queues
    assert Worker.objects.get().stopped_at is not None


def test_burst_waits_for_what_still_lies_in_the_outbox(processes: Processes):
    job_id = record.enqueue(label="a").id

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(20251, hashtext('order'))")  # the dispatchers' turn
        worker = processes.manage("rqworker", "order", "--burst")
        (row,) = wait_for_workers(1)
        wait_for(lambda: (Worker.objects.get().beat_at - row.started_at).total_seconds() > 1)
        assert worker.lives

    assert worker.exit_code() == 0
    assert Job.objects.get(pk=job_id).state == "completed"


def test_burst_waits_for_its_own_running_jobs(processes: Processes):
    slow = wait_for_gate.enqueue(label="slow", gate="g").id
    worker = processes.manage("rqworker", "order", "--burst")
    wait_for(lambda: runs("slow") == 1)
    record.enqueue(label="late")
    wait_for(lambda: ended("late") == 1)
    assert worker.lives

    open_gate("g")

    assert worker.exit_code() == 0
    assert Job.objects.get(pk=slow).state == "completed"


def test_max_jobs_is_exact_also_with_messages_of_no_job(processes: Processes, redis: Redis):
    redis.rpush("rq:queue:order", *(f"{number}-1" for number in range(10**12, 10**12 + 20)))
    for number in range(10):
        record.enqueue(label=str(number))

    worker = processes.manage("rqworker", "--max-jobs", "3")

    assert worker.exit_code() == 0
    assert states() == {"completed": 3, "waiting": 7}
    assert Run.objects.count() == 3


def test_last_job_of_max_jobs_may_take_longer_than_the_grace(processes: Processes):
    # given a worker that may run one job, whose grace is over before it is asked to stop
    worker = processes.manage("rqworker", "order", "--max-jobs", "1", QUEUE_GRACE="0.1")
    slow = wait_for_gate.enqueue(label="slow", gate="g").id
    record.enqueue(label="another")
    wait_for(lambda: runs("slow") == 1)

    # when a second has passed in which it might have ended
    beat = Worker.objects.get().beat_at
    wait_for(lambda: (Worker.objects.get().beat_at - beat).total_seconds() > 1)
    open_gate("g")

    # then the job is completed, and was the only one
    assert worker.exit_code() == 0
    assert Job.objects.get(pk=slow).attempts.get().outcome == "completed"
    assert states() == {"completed": 1, "waiting": 1}


def test_max_idle_time_ends_an_idle_worker_but_no_running_job(processes: Processes):
    job_id = wait_for_gate.enqueue(label="slow", gate="g").id
    worker = processes.manage("rqworker", "order", "--max-idle-time", "4")
    wait_for(lambda: runs("slow") == 1)
    beats = Worker.objects.get().beat_at
    wait_for(lambda: (Worker.objects.get().beat_at - beats).total_seconds() > 4.5)
    late = record.enqueue(label="late").id
    wait_for_state(late, "completed")
    assert worker.lives

    open_gate("g")

    assert worker.exit_code() == 0
    assert Job.objects.get(pk=job_id).state == "completed"


def test_nothing_starts_while_suspended(processes: Processes, redis: Redis):
    processes.manage("rqworker", "order")
    running = wait_for_gate.enqueue(label="running", gate="g").id
    wait_for(lambda: runs("running") == 1)

    call_command("rqsuspend")
    wait_for(lambda: not _serves(redis))
    held = record.enqueue(label="held").id
    wait_for(lambda: Outbox.objects.filter(job_id=held, offered_at__isnull=False).exists())
    open_gate("g")
    wait_for_state(running, "completed")
    beats = Worker.objects.get().beat_at
    wait_for(lambda: (Worker.objects.get().beat_at - beats).total_seconds() > 1)
    assert runs("held") == 0

    call_command("rqresume")
    wait_for_state(held, "completed")


def test_burst_ends_while_suspended(processes: Processes):
    call_command("rqsuspend")
    job_id = record.enqueue(label="a").id

    worker = processes.manage("rqworker", "order", "--burst")

    assert worker.exit_code() == 0
    assert Job.objects.get(pk=job_id).state == "waiting"


def _serves(redis: Redis) -> bool:
    """Whether a fetcher of the worker still waits for messages: a message may still come to one that does.

    Between two turns it does not wait for a moment, so it is checked for some time.
    """
    beats = Worker.objects.get().beat_at

    def lived_on() -> bool:
        return (Worker.objects.get().beat_at - beats).total_seconds() > 0.7

    def waits() -> bool:
        return any("b" in client["flags"] for client in redis.client_list())

    return wait_for(lambda: "serves" if waits() else "rests" if lived_on() else "") == "serves"


def test_suspension_with_a_duration_ends_by_itself(processes: Processes):
    call_command("rqsuspend", "--duration", "2")
    job_id = record.enqueue(label="a").id
    processes.manage("rqworker", "order")
    wait_for_workers(1)

    job = wait_for_state(job_id, "completed")

    assert job.started_at is not None
    assert (job.started_at - job.created_at).total_seconds() > 1.5


@pytest.mark.parametrize("mode", ["rq", "in-process"])
def test_work_runs_a_worker_type_in_any_mode(processes: Processes, mode: str):
    order, mail = record.enqueue(label="order").id, record_mail.enqueue(label="mail").id

    by_word = processes.manage("work", "email", "--burst", WORKER_MODE=mode)

    assert by_word.exit_code() == 0
    assert (Job.objects.get(pk=mail).state, Job.objects.get(pk=order).state) == ("completed", "waiting")

    by_variable = processes.manage("work", "--burst", WORKER_MODE=mode, WORKER_TYPE="order")

    assert by_variable.exit_code() == 0
    assert Job.objects.get(pk=order).state == "completed"
    assert Worker.objects.latest("pk").queues == ["order", "inventory-release", "manual-review", "reports"]


def test_bare_rqworker_serves_the_queues_of_worker_type(processes: Processes):
    worker = processes.manage("rqworker", "--burst", WORKER_TYPE="payment")

    assert worker.exit_code() == 0
    assert Worker.objects.get().queues == ["payment", "payment-webhook", "payment-retry"]


def test_dispatch_once_publishes_and_ends(processes: Processes, redis: Redis):
    record.enqueue(label="a")
    record.using(run_after=600).enqueue(label="b")

    dispatch = processes.manage("dispatch", "--once")

    assert dispatch.exit_code() == 0
    assert dispatch.output == "2 offers published\n"
    assert (redis.llen("rq:queue:order"), redis.zcard("rq:scheduler:scheduled_jobs")) == (1, 1)


def test_dispatch_publishes_until_it_is_stopped(processes: Processes, redis: Redis):
    dispatch = processes.manage("dispatch", QUEUE_RECHECK="60")
    for count in (1, 2):
        record.enqueue(label=str(count))
        wait_for(lambda count=count: redis.llen("rq:queue:order") == count)

    assert dispatch.stop() == 0
    assert dispatch.output == ""


def test_worker_refuses_a_redis_that_evicts(processes: Processes, redis: Redis):
    redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        worker = processes.manage("rqworker", "email")
        code = worker.exit_code()
    finally:
        redis.config_set("maxmemory-policy", "noeviction")

    assert code == 1
    assert "Redis evicts keys (maxmemory-policy allkeys-lru)" in worker.output
    assert "Traceback" not in worker.output
    assert not Worker.objects.exists()
