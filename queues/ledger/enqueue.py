"""Enqueueing: jobs and their outbox rows are written in one statement."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from .. import signals
from ..lifecycle.request import JobRequest, RunAfter
from ..postgres import prepared
from ..settings import queue_named
from . import outbox

ENQUEUE = """
WITH wanted AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('queues_job', 'id')) AS id, n, r ->> 'name' AS name, r ->> 'queue' AS queue,
           r -> 'args' AS args, r ->> 'subject' AS subject, r ->> 'key' AS key,
           (r ->> 'priority')::smallint AS priority, (r ->> 'max_attempts')::int AS max_attempts,
           coalesce((r ->> 'run_at')::timestamptz, clock_timestamp() + (r ->> 'wait')::float * interval '1 s') AS run_at
    FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS t(r, n)
), inserted AS (
    INSERT INTO queues_job (id, name, queue, args, subject, key, priority, state, attempt, max_attempts, crashes,
                            lone_crashes, suspect, "offer", run_at, error)
    SELECT id, name, queue, args, subject, key, priority, 'waiting', 0, max_attempts, 0, 0, false, 0, run_at, ''
    FROM wanted
    ON CONFLICT (key) WHERE (key IS NOT NULL AND state IN ('waiting', 'active')) DO NOTHING
    RETURNING id, queue, priority, run_at
), sent AS (
    INSERT INTO queues_outbox (job_id, queue, priority, due_at, "offer", withdrawn)
    SELECT id, queue, priority, run_at, 0, false FROM inserted
)
SELECT wanted.n, inserted.id FROM wanted LEFT JOIN inserted USING (id) ORDER BY wanted.n
"""


def enqueue(requests: Sequence[JobRequest]) -> list[int]:
    """Write jobs and their outbox rows in one statement; the ids, in the order of the requests.

    A request under a live key gets the id of the job that lives there.
    """
    if not requests:
        return []
    rows = [_row(request) for request in requests]
    ids = [found for _, found in prepared.execute(ENQUEUE, [json.dumps(rows)])]
    outbox.notify()
    written = ((row, found) for row, found in zip(rows, ids, strict=True) if found)
    about = ((row["name"], found, row["queue"], row["subject"], row["key"], 0) for row, found in written)
    signals.send_rows(signals.job_enqueued, about)
    return [found or _live_under(request) for request, found in zip(requests, ids, strict=True)]


def _row(request: JobRequest) -> dict[str, Any]:
    queue = queue_named(request.queue)
    return {
        "name": request.name,
        "queue": request.queue,
        "args": request.args,
        "subject": request.subject,
        "key": request.key,
        "priority": request.priority,
        "max_attempts": queue.attempts,
        **_when(request.run_after),
    }


def _when(run_after: RunAfter) -> dict[str, Any]:
    if isinstance(run_after, datetime):
        return {"run_at": run_after.isoformat()}
    if isinstance(run_after, timedelta):
        return {"wait": run_after.total_seconds()}
    return {"wait": float(run_after or 0)}


def _live_under(request: JobRequest) -> int:
    """The job that lives under the request's key; if it has just ended, a new one."""
    key = request.key
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM queues_job WHERE key = %s AND state IN ('waiting', 'active')", [key])
        found = cursor.fetchone()
    return found[0] if found else enqueue([request])[0]
