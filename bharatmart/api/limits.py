"""Count requests in PostgreSQL, so that a limit holds over all web processes together."""

from dataclasses import dataclass

from django.db import connection

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
PRUNE_BATCH = 1000

# The rows are written in order of key, so that two requests with the same keys cannot deadlock. The
# database's clock decides, and a statement that comes late does not turn a window back.
COUNT = """
    INSERT INTO api_throttle AS kept (key, ends_at, count)
    SELECT key, (floor(extract(epoch FROM statement_timestamp()) / period)::bigint + 1) * period, 1
    FROM unnest(%s::text[], %s::bigint[]) AS hit (key, period) ORDER BY key
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN kept.ends_at >= excluded.ends_at THEN kept.count + 1 ELSE 1 END,
        ends_at = greatest(kept.ends_at, excluded.ends_at)
    RETURNING key, count, ceil(ends_at - extract(epoch FROM statement_timestamp()))::int
"""

PRUNE = """
    DELETE FROM api_throttle WHERE key IN (
        SELECT key FROM api_throttle WHERE ends_at < extract(epoch FROM statement_timestamp())
        LIMIT %s FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True)
class Rate:
    """So many requests in a fixed window of `period` seconds."""

    requests: int
    period: int

    @classmethod
    def parse(cls, text: str) -> "Rate | None":
        """From "600/minute"; None for "off". settings.py has checked the form."""
        if text == "off":
            return None
        requests, _, period = text.partition("/")
        return cls(int(requests), SECONDS[period])


def count(hits: dict[str, Rate]) -> int | None:
    """Count one request under every key, in one statement.

    Returns None when all are within their rates, else the seconds until the last of the exceeded windows ends.
    """
    keys = list(hits)
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [keys, [hits[key].period for key in keys]])
        waits = [max(1, wait) for key, counted, wait in cursor.fetchall() if counted > hits[key].requests]
    longest: int | None = max(waits, default=None)
    return longest


def prune() -> int:
    """Delete the counters whose window is over, in short batches; returns how many."""
    deleted = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(PRUNE, [PRUNE_BATCH])
            found = int(cursor.rowcount)
        deleted += found
        if found < PRUNE_BATCH:
            return deleted
