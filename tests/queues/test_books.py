"""rq's books: what Redis tells of the jobs that a worker process runs."""

from typing import Any

import pytest
import redis as redis_py
from redis import Redis

from queues.brokers.rq.registries import BEGAN, ENDED, FAILED, FINISHED, STALE, Books, Entry

pytestmark = pytest.mark.usefixtures("redis")

FETCHED = "rq:fetched:7:order"
WORKER = "rq:worker:w"


@pytest.fixture
def books(redis: Redis) -> Books:
    """Those of a worker that has fetched 1-1, 2-1 and 3-1."""
    redis.rpush(FETCHED, "1-1", "2-1", "3-1")
    for number in (1, 2, 3):
        redis.hset(f"rq:job:{number}-1", "status", "queued")
    made = Books(redis)
    made.worker_keys = (WORKER,)
    return made


def entry(number: int, what: str, *, fetched: str = "") -> Entry:
    return Entry("order", f"{number}-1", f"t{number}", what, fetched)


def began(number: int) -> Entry:
    return entry(number, BEGAN, fetched=FETCHED)


def left(redis: Redis) -> list[bytes]:
    return redis.lrange(FETCHED, 0, -1)  # type: ignore[return-value]


def test_run_is_in_progress_until_it_ends(books: Books, redis: Redis):
    books.write(began(1))
    books.flush(10)
    assert redis.zrange("rq:wip:order", 0, -1) == [b"1-1:t1"]
    assert left(redis) == [b"2-1", b"3-1"]

    books.write(entry(1, FINISHED))
    books.flush(10)

    assert redis.zcard("rq:wip:order") == 0
    assert redis.zrange("rq:finished:order", 0, -1) == [b"1-1"]
    assert redis.hget("rq:job:1-1", "status") == b"finished"
    assert redis.ttl("rq:job:1-1") > 0
    assert redis.hgetall(WORKER) == {b"successful_job_count": b"1"}


@pytest.mark.parametrize(
    ("what", "counts"), [(FINISHED, {b"successful_job_count": b"3"}), (FAILED, {b"failed_job_count": b"3"})]
)
def test_runs_that_begin_and_end_together_leave_nothing_in_progress(
    books: Books, redis: Redis, what: str, counts: dict[bytes, bytes]
):
    books.write(*map(began, (1, 2, 3)), *(entry(number, what) for number in (1, 2, 3)))
    books.flush(10)

    assert redis.zcard("rq:wip:order") == redis.llen(FETCHED) == 0
    assert redis.zcard(f"rq:{what}:order") == 3
    assert redis.hgetall(WORKER) == counts


def test_messages_of_stale_offers_and_of_runs_to_be_repeated_are_dropped(books: Books, redis: Redis):
    books.write(Entry("order", "1-1", "", STALE, FETCHED), began(2), entry(2, ENDED))
    books.flush(10)

    assert left(redis) == [b"3-1"]
    assert redis.keys("rq:job:*") == [b"rq:job:3-1"]
    assert redis.zcard("rq:wip:order") == 0


def test_outage_drops_what_came_meanwhile_and_no_more(books: Books, redis: Redis, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: Any, **__: Any) -> None:
        raise redis_py.ConnectionError("test")

    with monkeypatch.context() as patch:
        patch.setattr(books, "_script", broken)
        books.write(began(1))
        books.flush(10)

    books.write(began(2))
    books.flush(10)

    assert redis.zrange("rq:wip:order", 0, -1) == [b"2-1:t2"]
