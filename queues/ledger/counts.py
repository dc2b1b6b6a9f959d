"""Reading the ledger."""

from django.db import connection

from ..settings import declared

COUNTED = ("waiting", "active", "completed", "failed", "delayed")

COUNTS = """
SELECT queue, state, sum(jobs)::bigint FROM queues_tally GROUP BY queue, state
UNION ALL
SELECT declared.queue, 'delayed', delayed.jobs FROM unnest(%s::text[]) AS declared(queue), LATERAL (
    SELECT count(*) AS jobs FROM queues_outbox o
    WHERE o.queue = declared.queue AND NOT o.withdrawn AND o.due_at > clock_timestamp()
) AS delayed
"""


def stats() -> dict[str, object]:
    """Jobs by state, in total and per queue; `delayed` (waiting and not yet due) is counted apart from `waiting`."""
    per_queue = {name: dict.fromkeys(COUNTED, 0) for name in declared()}
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [list(per_queue)])
        for queue, state, jobs in cursor.fetchall():
            counts = per_queue.setdefault(queue, dict.fromkeys(COUNTED, 0))
            if state in counts:
                counts[state] = jobs
    for counts in per_queue.values():
        counts["waiting"] -= counts["delayed"]
    total = {name: sum(queue[name] for queue in per_queue.values()) for name in COUNTED}
    return {**total, "queues": per_queue}
