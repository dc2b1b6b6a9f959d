"""How many jobs there are in each state, without counting them: a trigger on `Job` writes every change down."""

import logging

from django.db import connection

log = logging.getLogger(__name__)

UNFOLDED = 200
"""So many rows are quickly added up by whoever asks."""

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


def fold() -> None:
    """Put the rows of each queue and state together, if there are many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT FROM queues_tally LIMIT %s) AS few", [UNFOLDED + 1])
        if cursor.fetchone()[0] > UNFOLDED:
            cursor.execute(FOLD)


def recount() -> int:
    """Count once what is really there and correct the tallies; how many were wrong.

    They can be wrong only if somebody has written to the table without its trigger (as a restore of data alone does).
    """
    with connection.cursor() as cursor:
        cursor.execute(RECOUNT)
        wrong = int(cursor.rowcount)
    if wrong:
        log.warning("corrected %d tallies of jobs: they were written without the trigger", wrong)
    return wrong
