"""How many jobs each queue has in each state, without counting them.

A trigger on `Job` writes every change as a row of counters (`Tally`). The number of jobs is the sum over these rows.
"""

import logging
from collections import Counter
from typing import NamedTuple

from django.db import connection

from ..settings import declared

log = logging.getLogger(__name__)

COUNTS = """
SELECT queue, state, sum(jobs)::bigint FROM queues_tally GROUP BY queue, state
UNION ALL
SELECT declared.queue, 'delayed', delayed.jobs FROM unnest(%s::text[]) AS declared(queue), LATERAL (
    SELECT count(*) AS jobs FROM queues_outbox o
    WHERE o.queue = declared.queue AND NOT o.withdrawn AND o.due_at > clock_timestamp()
) AS delayed
"""

UNFOLDED = 200
"""Up to this number, rows of counters stay as they are: they are added up quickly by each query."""

FOLD = """
WITH gone AS (
    DELETE FROM queues_tally WHERE id IN (SELECT id FROM queues_tally ORDER BY id FOR UPDATE SKIP LOCKED)
    RETURNING queue, state, jobs
)
INSERT INTO queues_tally (queue, state, jobs)
SELECT queue, state, sum(jobs) FROM gone GROUP BY queue, state HAVING sum(jobs) <> 0
"""

RECOUNT = """
INSERT INTO queues_tally (queue, state, jobs)
SELECT queue, state, sum(jobs) FROM (
    SELECT queue, state, count(*) AS jobs FROM queues_job GROUP BY queue, state
    UNION ALL
    SELECT queue, state, -jobs FROM queues_tally
) AS difference GROUP BY queue, state HAVING sum(jobs) <> 0
"""


class Counts(NamedTuple):
    """Jobs by state. Those that wait and are not yet due are `delayed`; `waiting` are the others."""

    waiting: int = 0
    active: int = 0
    completed: int = 0
    failed: int = 0
    delayed: int = 0


class Stats(NamedTuple):
    """The counts of each queue, and their sums. Every declared queue is there, and others that have jobs."""

    total: Counts
    queues: dict[str, Counts]


def stats() -> Stats:
    """The current counts."""
    jobs: dict[str, Counter[str]] = {name: Counter() for name in declared()}
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [list(jobs)])
        for queue, state, number in cursor.fetchall():
            jobs.setdefault(queue, Counter())[state] = number
    queues = {name: _counts(by_state) for name, by_state in jobs.items()}
    return Stats(Counts(*map(sum, zip(*queues.values(), strict=True))), queues)


def _counts(jobs: Counter[str]) -> Counts:
    return Counts(
        waiting=jobs["waiting"] - jobs["delayed"],
        active=jobs["active"],
        completed=jobs["completed"],
        failed=jobs["failed"],
        delayed=jobs["delayed"],
    )


def fold() -> None:
    """If there are many rows of counters, merge those of the same queue and state."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT FROM queues_tally LIMIT %s) AS few", [UNFOLDED + 1])
        if cursor.fetchone()[0] > UNFOLDED:
            cursor.execute(FOLD)


def recount() -> int:
    """Count the jobs once and correct the counters; the number of wrong ones.

    They can be wrong only if somebody wrote to the table without its trigger (as a restore of data alone does).
    """
    with connection.cursor() as cursor:
        cursor.execute(RECOUNT)
        wrong = int(cursor.rowcount)
    if wrong:
        log.warning("corrected %d tallies of jobs: they were written without the trigger", wrong)
    return wrong
