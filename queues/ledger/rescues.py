"""Rescues: jobs of workers that died or never heard of them wait again, without an attempt spent.

Those that were asked to stop are cancelled.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from .. import settings as queue_settings
from .. import signals
from ..definitions import registry
from ..models import Job
from ..states import JobState, Outcome
from . import outbox
from .claims import Claim

IN_CHILD = """CASE WHEN name = ANY(%(in_child)s) THEN true WHEN name = ANY(%(in_thread)s) THEN false
    ELSE queue = ANY(%(cpu_queues)s) END"""

FREE = f"""
WITH held AS (
    SELECT id FROM queues_job
    WHERE worker_id = %(worker_id)s AND state = 'active' AND (%(tokens)s::uuid[] IS NULL OR token = ANY(%(tokens)s))
        AND (%(held_for)s = 0 OR started_at < clock_timestamp() - %(held_for)s * interval '1 s')
    ORDER BY id FOR UPDATE
), lost AS (
    UPDATE queues_job
    SET state = CASE WHEN cancel_asked_at IS NULL THEN 'waiting' ELSE 'cancelled' END,
        finished_at = CASE WHEN cancel_asked_at IS NULL THEN NULL ELSE clock_timestamp() END,
        token = NULL, worker_id = NULL, attempt = attempt - 1, run_at = clock_timestamp(),
        crashes = crashes
            + CASE WHEN suspect OR {IN_CHILD} THEN 0 ELSE %(crashed)s END,
        suspect = suspect OR (%(crashed)s > 0 AND NOT {IN_CHILD}),
        error = %(error)s
    WHERE id IN (SELECT id FROM held) AND worker_id = %(worker_id)s AND state = 'active'
    RETURNING id, name, queue, subject, key, priority, run_at, "offer", started_at, attempt + 1 AS number, state
), waiting AS (
    INSERT INTO queues_outbox (job_id, queue, priority, due_at, "offer", withdrawn)
    SELECT id, queue, priority, run_at, "offer", false FROM lost WHERE state = 'waiting'
), told AS (
    INSERT INTO queues_attempt (job_id, number, outcome, worker, started_at, error, traceback)
    SELECT id, number, CASE WHEN state = 'cancelled' AND %(crashed)s = 0 THEN 'cancelled' ELSE %(outcome)s END,
        %(worker)s, started_at, %(error)s, '' FROM lost
)
SELECT state, name, id, queue, subject, key, number FROM lost
"""


def rescue(worker_id: int, worker: str, *, held_for: float = 0.0) -> list[int]:
    """Free the jobs of a dead worker: attempts are given back, and what ran beside others becomes a suspect.

    Only those that were claimed at least `held_for` seconds ago.
    A job that ran in a child process fell with its parent, which says nothing against it: no crash is counted.
    """
    return _free(worker_id, worker, outcome=Outcome.CRASHED, error=f"worker {worker} died", held_for=held_for)


def held_by(worker_id: int) -> dict[int, UUID]:
    """The tokens of the jobs that are active for this worker, by their ids."""
    rows = Job.objects.filter(worker=worker_id, state=JobState.ACTIVE).values_list("id", "token")
    return {job_id: token for job_id, token in rows if token}


def free_unheard_of(tokens: Sequence[UUID], worker_id: int, worker: str) -> list[int]:
    """Free those claims of a living worker that never heard of them (the reply was lost)."""
    error = "the reply to the claim was lost"
    return _free(worker_id, worker, outcome=Outcome.GIVEN_BACK, error=error, tokens=tokens)


ADOPT = """
UPDATE queues_job SET worker_id = %(worker)s
WHERE id = ANY(%(ids)s) AND token = ANY(%(tokens)s::uuid[]) AND state = 'active' AND worker_id <> %(worker)s
"""


def adopt(claims: Sequence[Claim], worker_id: int) -> None:
    """Let these runs, as far as their tokens stand, be those of the new row of the process that runs them."""
    ids, tokens = [claim.id for claim in claims], [claim.token for claim in claims]
    with connection.cursor() as cursor:
        cursor.execute(ADOPT, {"worker": worker_id, "ids": ids, "tokens": tokens})


def _free(
    worker_id: int,
    worker: str,
    *,
    outcome: Outcome,
    error: str,
    tokens: Sequence[UUID] | None = None,
    held_for: float = 0.0,
) -> list[int]:
    values: dict[str, Any] = {
        "worker_id": worker_id,
        "worker": worker,
        "outcome": outcome.value,
        "crashed": int(outcome == Outcome.CRASHED),
        "error": error,
        "tokens": None if tokens is None else list(tokens),
        "held_for": held_for,
        "in_child": [definition.name for definition in registry.all_jobs() if definition.cpu],
        "in_thread": [definition.name for definition in registry.all_jobs() if definition.cpu is False],
        "cpu_queues": [queue.name for queue in queue_settings.declared().values() if queue.cpu],
    }
    with connection.cursor() as cursor:
        cursor.execute(FREE, values)
        rows = cursor.fetchall()
    if rows:
        outbox.ring()
    if outcome == Outcome.CRASHED:
        signals.tell_rows(signals.job_rescued, [row for state, *row in rows if state == "waiting"], error=error)
    signals.tell_rows(signals.job_cancelled, [row for state, *row in rows if state == "cancelled"], reason=error)
    return [job_id for _, _, job_id, *_ in rows]


def runs_in_child(name: str, queue: str) -> bool:
    """Whether such a job always runs in a child process of its own."""
    cpu = registry.get(name).cpu
    return queue_settings.get(queue).cpu if cpu is None else cpu
