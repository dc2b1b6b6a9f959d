"""Rescues: jobs of workers that died or never heard of them wait again, without an attempt spent."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from .. import outbox, registry
from .. import settings as queue_settings
from ..states import Outcome

FREE = """
WITH lost AS (
    UPDATE queues_job
    SET state = 'waiting', token = NULL, worker_id = NULL, attempt = attempt - 1, run_at = clock_timestamp(),
        crashes = crashes
            + CASE WHEN suspect OR name = ANY(%(in_child)s) OR queue = ANY(%(in_child)s) THEN 0 ELSE %(crashed)s END,
        suspect = suspect OR (%(crashed)s > 0 AND NOT (name = ANY(%(in_child)s) OR queue = ANY(%(in_child)s))),
        error = %(error)s
    WHERE worker_id = %(worker_id)s AND state = 'active' AND NOT id = ANY(%(running)s)
      AND started_at < clock_timestamp() - %(older)s * interval '1 s'
    RETURNING id, queue, priority, run_at, "offer", started_at, attempt
), waiting AS (
    INSERT INTO queues_outbox (job_id, queue, priority, due_at, "offer", withdrawn)
    SELECT id, queue, priority, run_at, "offer", false FROM lost
)
INSERT INTO queues_attempt (job_id, number, outcome, worker, started_at, error, traceback)
SELECT id, attempt + 1, %(outcome)s, %(worker)s, started_at, %(error)s, '' FROM lost RETURNING job_id
"""


def rescue(worker_id: int, worker: str) -> list[int]:
    """Free the jobs of a dead worker: attempts are given back, and what ran beside others becomes a suspect.

    A job that ran in a child process fell with its parent, which says nothing against it: no crash is counted.
    """
    return _free(worker_id, worker, outcome=Outcome.CRASHED, error=f"worker {worker} died")


def free_forgotten(worker_id: int, worker: str, running: Sequence[int], older: float) -> list[int]:
    """Free what was claimed for a living worker that never heard of it (the reply to its claim was lost)."""
    error = "the reply to the claim was lost"
    return _free(worker_id, worker, outcome=Outcome.GIVEN_BACK, error=error, running=running, older=older)


def _free(
    worker_id: int, worker: str, *, outcome: Outcome, error: str, running: Sequence[int] = (), older: float = 0
) -> list[int]:
    values: dict[str, Any] = {
        "worker_id": worker_id,
        "worker": worker,
        "outcome": outcome.value,
        "crashed": int(outcome == Outcome.CRASHED),
        "error": error,
        "running": list(running),
        "older": older,
        "in_child": [definition.name for definition in registry.all_jobs() if definition.cpu]
        + [queue.name for queue in queue_settings.declared().values() if queue.cpu],
    }
    with connection.cursor() as cursor:
        cursor.execute(FREE, values)
        freed = [found for (found,) in cursor.fetchall()]
    if freed:
        outbox.ring()
    return freed


def runs_in_child(name: str, queue: str) -> bool:
    """Whether such a job always runs in a child process of its own."""
    return registry.get(name).cpu or queue_settings.get(queue).cpu
