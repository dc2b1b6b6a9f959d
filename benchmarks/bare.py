"""What each promise costs by itself: bare loops over PostgreSQL and Redis, without Django, rq or threads.

`python -m benchmarks.bare`, with BARE_DATABASE and BARE_REDIS. Each step is done for all jobs in batches of 1, 10 and
50, one statement or pipeline a batch, each statement its own durable commit; that of the lease does not wait for the
disk. Prints microseconds a job, as JSON.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import redis

BATCHES = {1: 1_000, 10: 5_000, 50: 10_000}  # size -> jobs
TABLES = """
DROP TABLE IF EXISTS bare_job, bare_outbox, bare_attempt;
CREATE TABLE bare_job (id bigint PRIMARY KEY, name text, queue text, args jsonb, state text, attempt int, token uuid,
    worker bigint, created_at timestamptz DEFAULT now(), started_at timestamptz, finished_at timestamptz)
    WITH (fillfactor = 80);
CREATE INDEX ON bare_job (worker) WHERE state = 'active';
CREATE INDEX ON bare_job (queue, finished_at) WHERE state = 'completed';
CREATE TABLE bare_outbox (job bigint PRIMARY KEY, queue text, due_at timestamptz, offer int, offered_at timestamptz);
CREATE INDEX ON bare_outbox (queue, due_at, job) WHERE offered_at IS NULL;
CREATE TABLE bare_attempt (id bigserial PRIMARY KEY, job bigint, number int, outcome text, started_at timestamptz,
    finished_at timestamptz DEFAULT now())
"""
INSERT = """
WITH made AS (INSERT INTO bare_job (id, name, queue, args, state, attempt)
    SELECT id, 'bench.noop', 'bench', '{"n": 1}', 'waiting', 0 FROM unnest(%s::bigint[]) id RETURNING id)
INSERT INTO bare_outbox (job, queue, due_at, offer) SELECT id, 'bench', now(), 0 FROM made
"""
LEASE = """
UPDATE bare_outbox SET offer = offer + 1, offered_at = now() FROM set_config('synchronous_commit', 'off', true)
WHERE job IN (SELECT job FROM bare_outbox
    WHERE job = ANY(%s) AND offered_at IS NULL ORDER BY due_at FOR UPDATE SKIP LOCKED)
"""
CLAIM = """
WITH taken AS (DELETE FROM bare_outbox WHERE job = ANY(%s) RETURNING job)
UPDATE bare_job SET state = 'active', attempt = attempt + 1, token = gen_random_uuid(), worker = 1, started_at = now()
FROM taken WHERE id = job AND state = 'waiting'
"""
VERDICT = """
WITH done AS (UPDATE bare_job SET state = 'completed', token = NULL, worker = NULL, finished_at = now()
    WHERE id = ANY(%s) AND state = 'active' RETURNING id, started_at)
INSERT INTO bare_attempt (job, number, outcome, started_at) SELECT id, 1, 'completed', started_at FROM done
"""


class Steps:
    """The way of a batch, step by step."""

    def __init__(self, sql: "psycopg.Connection[Any]", client: Any) -> None:
        self.sql = sql
        self.client = client

    def steps(self) -> dict[str, Callable[[list[int]], object]]:
        """In the order in which a job takes them."""
        return {
            "enqueue": lambda ids: self.sql.execute(INSERT, [ids]),
            "lease": lambda ids: self.sql.execute(LEASE, [ids]),
            "publish": self.publish,
            "receive": lambda ids: self.client.lmpop(1, "bare:queue", direction="LEFT", count=len(ids)),
            "claim": lambda ids: self.sql.execute(CLAIM, [ids]),
            "books_start": self.books_start,
            "verdict": lambda ids: self.sql.execute(VERDICT, [ids]),
            "books_end": self.books_end,
        }

    def publish(self, ids: list[int]) -> None:
        pipeline = self.client.pipeline(transaction=False)
        for job in ids:
            pipeline.hset(f"bare:job:{job}", mapping={"status": "queued", "created_at": "now", "data": "[]"})
        pipeline.rpush("bare:queue", *ids)
        pipeline.execute()

    def books_start(self, ids: list[int]) -> None:
        """rq's list of what runs."""
        self.client.zadd("bare:wip", {str(job): 1e10 for job in ids})

    def books_end(self, ids: list[int]) -> None:
        """rq's lists of what runs and what is finished, its job's hash, its worker's counters."""
        pipeline = self.client.pipeline(transaction=False)
        for job in ids:
            pipeline.hset(f"bare:job:{job}", "status", "finished")
            pipeline.expire(f"bare:job:{job}", 60)
        pipeline.zrem("bare:wip", *ids)
        pipeline.zadd("bare:finished", {str(job): 1e10 for job in ids})
        pipeline.hincrby("bare:worker", "successful_job_count", len(ids))
        pipeline.execute()


def chunks(count: int, size: int) -> Iterator[list[int]]:
    for start in range(0, count, size):
        yield list(range(start, start + size))


def main() -> None:
    answer = {}
    with (
        psycopg.connect(os.environ["BARE_DATABASE"], autocommit=True) as sql,
        redis.Redis.from_url(os.environ["BARE_REDIS"]) as client,
    ):
        for size, count in BATCHES.items():
            sql.execute(TABLES.encode())
            client.flushdb()
            for name, step in Steps(sql, client).steps().items():
                began = time.perf_counter()
                for ids in chunks(count, size):
                    step(ids)
                answer[f"{name}_batch{size}"] = (time.perf_counter() - began) / count * 1e6
            done = sql.execute("SELECT count(*) FROM bare_job WHERE state = 'completed'").fetchone()
            if done != (count,):
                raise SystemExit(f"{done} of {count} jobs were completed")
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
