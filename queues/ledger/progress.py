"""Reports from running jobs: how far they are; and which of them should stop."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from ..lifecycle.execution import Progress
from .claims import Claim

WRITE = """
UPDATE queues_job SET progress = told.percent, progress_note = told.note
FROM (
    SELECT j.id, said.* FROM unnest(%s::bigint[], %s::uuid[], %s::smallint[], %s::text[])
        AS said(job_id, token, percent, note)
    JOIN queues_job j ON j.id = said.job_id AND j.token = said.token AND j.state = 'active'
    FOR UPDATE OF j SKIP LOCKED
) told
WHERE queues_job.id = told.id RETURNING told.token
"""

TO_STOP = """
SELECT mine.token FROM unnest(%s::bigint[], %s::uuid[]) AS mine(job_id, token)
LEFT JOIN queues_job j ON j.id = mine.job_id AND j.token = mine.token AND j.state = 'active'
WHERE j.id IS NULL OR j.cancel_asked_at IS NOT NULL
"""


def write_progress(told: Sequence[tuple[Claim, Progress]]) -> set[UUID]:
    """Write how far these jobs are, where their tokens stand; the tokens for which it was done.

    A row that is in another's hands is skipped: what locks it is about to end the job, or gone in a moment.
    """
    columns: list[Any] = [
        [claim.id for claim, _ in told],
        [claim.token for claim, _ in told],
        [progress.percent for _, progress in told],
        [progress.note for _, progress in told],
    ]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, columns)
        return {token for (token,) in cursor.fetchall()}


def to_stop(claims: Sequence[Claim]) -> set[UUID]:
    """The tokens of those that an operator asked to stop, or that are this process's no longer."""
    with connection.cursor() as cursor:
        cursor.execute(TO_STOP, [[claim.id for claim in claims], [claim.token for claim in claims]])
        return {token for (token,) in cursor.fetchall()}
