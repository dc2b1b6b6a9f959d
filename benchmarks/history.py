"""A long history for the ledger: copies of a job that has really run, spread over the last week and over the queues."""

from collections.abc import Callable
from typing import Any

from .shop import QUEUES

Sql = Callable[..., list[tuple[Any, ...]]]
CHUNK = 100_000
COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_name = %s AND column_name <> ALL (%s) AND is_generated = 'NEVER' ORDER BY ordinal_position
"""
TIMES = ("created_at", "run_at", "started_at", "finished_at")
COPY = """
WITH model AS (SELECT * FROM queues_job WHERE state = 'completed' ORDER BY id LIMIT 1),
told AS (SELECT * FROM queues_attempt WHERE job_id = (SELECT id FROM model) LIMIT 1),
made AS (
    INSERT INTO queues_job ({job})
    SELECT {job_values} FROM (SELECT n, random() * interval '6 days' AS ago FROM generate_series(1, {count}) n) t, model
    RETURNING id
)
INSERT INTO queues_attempt (job_id, {attempt}) SELECT made.id, {attempt_values} FROM made, told
"""


def grow_to(sql: Sql, size: int) -> None:
    """Have so many finished jobs, each with its attempt; whatever columns the two tables have."""
    missing = size - sql("SELECT count(*) FROM queues_job WHERE state = 'completed'")[0][0]
    while missing > 0:
        sql(_statement(sql, min(CHUNK, missing)))
        missing -= CHUNK
    sql("VACUUM ANALYZE queues_job")
    sql("VACUUM ANALYZE queues_attempt")


def _statement(sql: Sql, count: int) -> str:
    job = [name for (name,) in sql(COLUMNS, ["queues_job", ["id"]])]
    attempt = [name for (name,) in sql(COLUMNS, ["queues_attempt", ["id", "job_id"]])]
    return COPY.format(
        count=count,
        job=", ".join(f'"{name}"' for name in job),
        job_values=", ".join(_value(name) for name in job),
        attempt=", ".join(f'"{name}"' for name in attempt),
        attempt_values=", ".join(f'told."{name}"' for name in attempt),
    )


def _value(column: str) -> str:
    if column in TIMES:
        return f"model.{column} - ago"
    if column == "queue":
        return f"(ARRAY[{', '.join(repr(queue) for queue in QUEUES)}])[1 + n % {len(QUEUES)}]"
    return f'model."{column}"'
