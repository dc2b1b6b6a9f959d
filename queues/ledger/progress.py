"""The progress of running jobs is written; which of them should stop is read."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from ..lifecycle.claim import Claim
from ..lifecycle.execution import Report

WRITE = """
UPDATE queues_job SET progress = reported.percent, progress_note = reported.note
FROM (
    SELECT j.id, r.* FROM unnest(%s::bigint[], %s::uuid[], %s::smallint[], %s::text[])
        AS r(job_id, token, percent, note)
    JOIN queues_job j ON j.id = r.job_id AND j.token = r.token AND j.state = 'active'
    FOR UPDATE OF j SKIP LOCKED
) reported
WHERE queues_job.id = reported.id RETURNING reported.token
"""

TO_STOP = """
SELECT mine.token FROM unnest(%s::bigint[], %s::uuid[]) AS mine(job_id, token)
LEFT JOIN queues_job j ON j.id = mine.job_id AND j.token = mine.token AND j.state = 'active'
WHERE j.id IS NULL OR j.cancel_asked_at IS NOT NULL
"""


def write_progress(reports: Sequence[tuple[Claim, Report]]) -> set[UUID]:
    """Write how far these jobs are, where their tokens stand; the tokens for which it was done.

    A row that another transaction has locked is skipped: it is about to end the job, or gone in a moment.
    """
    columns: list[Any] = [
        [claim.id for claim, _ in reports],
        [claim.token for claim, _ in reports],
        [report.percent for _, report in reports],
        [report.note for _, report in reports],
    ]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, columns)
        return {token for (token,) in cursor.fetchall()}


def to_stop(claims: Sequence[Claim]) -> set[UUID]:
    """The tokens of those that an operator asked to stop, or that are this process's no longer."""
    with connection.cursor() as cursor:
        cursor.execute(TO_STOP, [[claim.id for claim in claims], [claim.token for claim in claims]])
        return {token for (token,) in cursor.fetchall()}
