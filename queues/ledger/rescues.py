"""Rescues: jobs of workers that died, or whose claim was never answered, wait again without an attempt spent.

Those that were asked to stop are cancelled.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from .. import signals
from ..lifecycle.child_rule import ChildRule
from ..lifecycle.claim import Claim
from ..models import Job
from ..states import JobState, Outcome
from . import follow_ups, outbox

NO_CHILDREN = ChildRule()

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
    RETURNING id, name, queue, args, subject, key, priority, run_at, "offer", started_at, attempt + 1 AS number, state
), waiting AS (
    INSERT INTO queues_outbox (job_id, queue, priority, due_at, "offer", withdrawn)
    SELECT id, queue, priority, run_at, "offer", false FROM lost WHERE state = 'waiting'
), history AS (
    INSERT INTO queues_attempt (job_id, number, outcome, worker, started_at, error, traceback)
    SELECT id, number, CASE WHEN state = 'cancelled' AND %(crashed)s = 0 THEN 'cancelled' ELSE %(outcome)s END,
        %(worker)s, started_at, %(error)s, '' FROM lost
)
SELECT args, state, name, id, queue, subject, key, number FROM lost
"""


def rescue(worker_id: int, worker: str, child_rule: ChildRule, *, held_for: float = 0.0) -> list[int]:
    """Free the jobs of a dead worker: their attempts do not count, and what ran beside other jobs becomes a suspect.

    Only those that were claimed at least `held_for` seconds ago. A job that ran in a child process died because its
    parent died; that is not counted as a crash.
    """
    error = f"worker {worker} died"
    return _free(worker_id, worker, outcome=Outcome.CRASHED, error=error, child_rule=child_rule, held_for=held_for)


def held_by(worker_id: int) -> dict[int, UUID]:
    """The tokens of the jobs that are active for this worker, by their ids."""
    rows = Job.objects.filter(worker=worker_id, state=JobState.ACTIVE).values_list("id", "token")
    return {job_id: token for job_id, token in rows if token}


def release_unacknowledged(tokens: Sequence[UUID], worker_id: int, worker: str) -> list[int]:
    """Free those claims of a living worker whose answer never reached it."""
    error = "the reply to the claim was lost"
    return _free(worker_id, worker, outcome=Outcome.GIVEN_BACK, error=error, tokens=tokens)


REASSIGN = """
UPDATE queues_job SET worker_id = %(worker)s
WHERE id = ANY(%(ids)s) AND token = ANY(%(tokens)s::uuid[]) AND state = 'active' AND worker_id <> %(worker)s
"""


def reassign(claims: Sequence[Claim], worker_id: int) -> None:
    """Let these claims, where their tokens stand, belong to the new row of the process that runs them."""
    ids, tokens = [claim.id for claim in claims], [claim.token for claim in claims]
    with connection.cursor() as cursor:
        cursor.execute(REASSIGN, {"worker": worker_id, "ids": ids, "tokens": tokens})


def _free(
    worker_id: int,
    worker: str,
    *,
    outcome: Outcome,
    error: str,
    child_rule: ChildRule = NO_CHILDREN,
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
        **{name: list(words) for name, words in child_rule._asdict().items()},
    }
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute(FREE, values)
            rows = cursor.fetchall()
        follow_ups.write_for_rows((row[3], row[2], row[0], row[5], row[1]) for row in rows)
    if rows:
        outbox.notify()
    about = {state: [row[2:] for row in rows if row[1] == state] for state in ("waiting", "cancelled")}
    if outcome == Outcome.CRASHED:
        signals.send_rows(signals.job_rescued, about["waiting"], error=error)
    signals.send_rows(signals.job_cancelled, about["cancelled"], reason=error)
    return [row[3] for row in rows]
