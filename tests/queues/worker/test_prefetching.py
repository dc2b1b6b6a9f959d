"""Prefetched jobs: run by the same process if jobs are short, released if those before them take long."""

import signal
from contextlib import closing

from django.db import connection
from redis import Redis

from queues import ledger
from queues.models import Attempt, Job, Worker
from tests.jobapp.jobs import record, wait_for_gate
from tests.processes import Processes, wait_for
from tests.queues.facts import open_gate, runs, states, wait_for_state

SHORT, LONG = 300, 30


def test_long_jobs_behind_short_ones_are_released_and_run_elsewhere(processes: Processes):
    # given a worker that has learned that jobs are short, then meets long ones
    processes.manage("rqworker", "order", "--name", "w", QUEUE_ORDER_CONCURRENCY="2", QUEUE_LEASE="30")
    ids = ledger.enqueue([record.request({"label": "short"}) for _ in range(SHORT)])
    wait_for(lambda: states() == {"completed": SHORT})
    ledger.enqueue([wait_for_gate.request({"label": "long", "gate": "g"}) for _ in range(LONG)])
    wait_for(lambda: runs("long") == 2)

    # when another worker comes
    processes.manage("rqworker", "order", "--name", "other", QUEUE_ORDER_CONCURRENCY="40", QUEUE_LEASE="30")

    # then it gets all that the first one has not begun, and none has spent an attempt for it
    wait_for(lambda: runs("long") == LONG)
    open_gate("g")
    wait_for(lambda: states() == {"completed": SHORT + LONG})
    assert set(Job.objects.values_list("attempt", "crashes")) == {(1, 0)}
    assert set(Attempt.objects.exclude(outcome="completed").values_list("outcome", flat=True)) <= {"given back"}
    assert runs("short") == len(ids)


def test_prefetched_jobs_are_released_when_the_worker_stops(processes: Processes, redis: Redis):
    # given a worker that has learned that jobs are short, and whose two threads are taken by long ones
    worker = processes.manage("rqworker", "order", QUEUE_ORDER_CONCURRENCY="2")
    ledger.enqueue([record.request({"label": "short"}) for _ in range(SHORT)])
    wait_for(lambda: states() == {"completed": SHORT})
    ledger.enqueue([wait_for_gate.request({"label": "long", "gate": "g"}) for _ in range(LONG)])
    wait_for(lambda: runs("long") == 2)

    # when it is asked to stop, all but those two wait as if they had not been claimed
    worker.send(signal.SIGTERM)
    wait_for(lambda: Worker.objects.exclude(draining_at=None).exists())
    wait_for(lambda: redis.keys("rq:fetched:*") == [])
    wait_for(lambda: states() == {"completed": SHORT, "active": 2, "waiting": LONG - 2})
    assert set(Job.objects.filter(state="waiting").values_list("attempt", "crashes")) == {(0, 0)}

    # then it ends the two, and none of the others was begun
    open_gate("g")
    assert worker.exit_code() == 0
    assert states() == {"completed": SHORT + 2, "waiting": LONG - 2}
    assert runs("long") == 2


def test_verdict_that_cannot_be_written_with_others_is_written_alone(processes: Processes):
    """A batch must not fail for ever for one of its jobs: here PostgreSQL refuses one row of the history."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE queues_attempt ADD CONSTRAINT refused CHECK (job_id % 7 <> 0) NOT VALID")
    try:
        processes.manage("rqworker", "order", QUEUE_ORDER_CONCURRENCY="20")
        ids = ledger.enqueue([record.request({"label": str(n)}) for n in range(21)])
        for job_id in ids:
            if job_id % 7:
                wait_for_state(job_id, "completed")
        assert states() == {"completed": 18, "active": 3}
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE queues_attempt DROP CONSTRAINT refused")
    wait_for(lambda: states() == {"completed": 21})


def test_verdict_is_written_while_postgresql_is_busy_with_another(processes: Processes):
    # given a job that has ended, and whose row another transaction has locked
    processes.manage("rqworker", "order", DATABASE_LOCK_TIMEOUT="60")
    first = wait_for_gate.enqueue(label="first", gate="g").id
    wait_for(lambda: runs("first") == 1)
    with closing(connection.copy()) as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1 FROM queues_job WHERE id = %s FOR UPDATE", [first])
        open_gate("g")
        wait_for(verdicts_that_wait)

        # when another job ends, then its verdict is written
        second = record.enqueue(label="second").id
        wait_for_state(second, "completed")
        assert verdicts_that_wait() == 1
        cursor.execute("ROLLBACK")

    # and that of the first as soon as it can be
    wait_for_state(first, "completed")


def verdicts_that_wait() -> int:
    """How many statements that write verdicts wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%WITH verdicts AS%'"
        )
        return int(cursor.fetchone()[0])
