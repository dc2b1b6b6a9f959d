"""An operator's retry: failed and cancelled jobs wait again with a new budget of attempts.

The retry after a failed attempt is a verdict (`verdicts.py`); its rule is in `execution/judge.py`.
"""

from collections.abc import Iterable

from django.db import connection

from .. import signals
from ..models import Job
from ..settings import Queue, declared
from . import outbox

RETRY = """
WITH target AS (
    SELECT job_id FROM queues_outbox WHERE job_id = ANY(%(ids)s) ORDER BY job_id FOR UPDATE
), revived AS (
    UPDATE queues_job
    SET state = 'waiting', max_attempts = attempt + %(budget)s, run_at = clock_timestamp(), finished_at = NULL,
        lone_crashes = 0, suspect = false, progress = NULL, progress_note = '', result = NULL, cancel_asked_at = NULL
    WHERE id = ANY(%(ids)s) AND state IN ('failed', 'cancelled') AND (SELECT count(*) FROM target) >= 0
      AND NOT EXISTS (
          SELECT 1 FROM queues_job other WHERE other.key = queues_job.key AND (
              other.state IN ('waiting', 'active')
              OR (other.id = ANY(%(ids)s) AND other.id < queues_job.id AND other.state IN ('failed', 'cancelled'))))
    RETURNING id, name, queue, subject, key, attempt, priority, run_at, "offer"
), waiting AS (
    INSERT INTO queues_outbox (job_id, queue, priority, due_at, "offer", withdrawn)
    SELECT id, queue, priority, run_at, "offer", false FROM revived
    ON CONFLICT (job_id) DO UPDATE SET withdrawn = false, offered_at = NULL, due_at = excluded.due_at
)
SELECT name, id, queue, subject, key, attempt FROM revived ORDER BY id
"""


def retry(job_ids: Iterable[int]) -> list[int]:
    """Let failed or cancelled jobs wait again with a new budget of attempts; the ids of those that do.

    A job whose key lives in another job is left as it is, and of several under one key the oldest is taken.
    """
    revived: list[int] = []
    by_queue: dict[str, list[int]] = {}
    for job_id, queue in Job.objects.filter(pk__in=list(job_ids)).order_by("pk").values_list("pk", "queue"):
        by_queue.setdefault(queue, []).append(job_id)
    for queue, ids in by_queue.items():
        budget = declared().get(queue, Queue(queue)).attempts
        with connection.cursor() as cursor:
            cursor.execute(RETRY, {"ids": ids, "budget": budget})
            rows = cursor.fetchall()
        revived += [row[1] for row in rows]
        signals.send_rows(signals.job_enqueued, rows)
    if revived:
        outbox.notify()
    return revived
