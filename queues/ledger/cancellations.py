"""Waiting jobs are cancelled, by an operator or since an event makes them pointless; running ones are asked to stop."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from .. import signals
from . import follow_ups

WITHDRAW = """
WITH target AS (
    SELECT o.job_id FROM queues_outbox o JOIN queues_job j ON j.id = o.job_id
    WHERE {which} AND NOT o.withdrawn ORDER BY o.job_id FOR UPDATE OF o
), marked AS (
    UPDATE queues_outbox SET withdrawn = true WHERE job_id IN (SELECT job_id FROM target) RETURNING job_id, "offer"
)
UPDATE queues_job j SET state = 'cancelled', finished_at = clock_timestamp(), error = %s, "offer" = marked."offer"
FROM marked WHERE j.id = marked.job_id AND j.state = 'waiting'
RETURNING j.args, j.state, j.name, j.id, j.queue, j.subject, j.key, j.attempt
"""

ASK = """
WITH held AS (
    SELECT id FROM queues_job WHERE id = ANY(%s) AND state = 'active' AND cancel_asked_at IS NULL
    ORDER BY id FOR UPDATE
)
UPDATE queues_job SET cancel_asked_at = clock_timestamp()
WHERE id IN (SELECT id FROM held) AND state = 'active' RETURNING id
"""


def withdraw(keys: Sequence[str], *, reason: str) -> list[int]:
    """Cancel the waiting jobs that live under these keys; the ids of those that were."""
    return _withdraw("j.key = ANY(%s)", list(keys), reason) if keys else []


def cancel(job_ids: Sequence[int], *, reason: str) -> list[int]:
    """Cancel these jobs if they wait; the ids of those that did."""
    return _withdraw("o.job_id = ANY(%s)", list(job_ids), reason) if job_ids else []


def ask_to_stop(job_ids: Sequence[int]) -> list[int]:
    """Ask these jobs to stop if they run and were not asked before; the ids of those that were now.

    When its attempt ends, such a job is cancelled, unless it completed.
    """
    with connection.cursor() as cursor:
        cursor.execute(ASK, [list(job_ids)])
        return [found for (found,) in cursor.fetchall()]


def _withdraw(which: str, values: list[Any], reason: str) -> list[int]:
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute(WITHDRAW.format(which=which), [values, reason])
            rows = cursor.fetchall()
        follow_ups.write_for_rows((row[3], row[2], row[0], row[5], row[1]) for row in rows)
    signals.send_rows(signals.job_cancelled, [row[2:] for row in rows], reason=reason)
    return [row[3] for row in rows]
