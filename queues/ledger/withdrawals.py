"""Withdrawals: waiting jobs are cancelled; running ones are left alone."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

WITHDRAW = """
WITH target AS (
    SELECT o.job_id FROM queues_outbox o JOIN queues_job j ON j.id = o.job_id
    WHERE {which} AND NOT o.withdrawn ORDER BY o.job_id FOR UPDATE OF o
), marked AS (
    UPDATE queues_outbox SET withdrawn = true WHERE job_id IN (SELECT job_id FROM target) RETURNING job_id, "offer"
)
UPDATE queues_job j SET state = 'cancelled', finished_at = clock_timestamp(), error = %s, "offer" = marked."offer"
FROM marked WHERE j.id = marked.job_id AND j.state = 'waiting' RETURNING j.id
"""


def withdraw(keys: Sequence[str], *, reason: str) -> list[int]:
    """Cancel the waiting jobs that live under these keys; the ids of those that were."""
    return _withdraw("j.key = ANY(%s)", list(keys), reason) if keys else []


def cancel(job_ids: Sequence[int], *, reason: str) -> list[int]:
    """Cancel these jobs if they wait; the ids of those that did. A running job is left alone."""
    return _withdraw("o.job_id = ANY(%s)", list(job_ids), reason) if job_ids else []


def _withdraw(which: str, values: list[Any], reason: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(WITHDRAW.format(which=which), [values, reason])
        return [found for (found,) in cursor.fetchall()]
