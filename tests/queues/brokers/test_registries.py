"""rq's registries: what Redis shows of the jobs that a worker process runs."""

from typing import Any

import pytest
import redis as redis_py
from redis import Redis

from queues.brokers.rq.registries import ENDED, FAILED, FINISHED, STALE, STARTED, Registries, RegistryUpdate

pytestmark = pytest.mark.usefixtures("redis")

FETCHED = "rq:fetched:7:order"
WORKER = "rq:worker:w"


@pytest.fixture
def registries(redis: Redis) -> Registries:
    """Those of a worker that has fetched 1-1, 2-1 and 3-1."""
    redis.rpush(FETCHED, "1-1", "2-1", "3-1")
    for number in (1, 2, 3):
        redis.hset(f"rq:job:{number}-1", "status", "queued")
    registries = Registries(redis)
    registries.worker_keys = (WORKER,)
    return registries


def update(number: int, status: str, *, fetched: str = "") -> RegistryUpdate:
    return RegistryUpdate("order", f"{number}-1", f"t{number}", status, fetched)


def started(number: int) -> RegistryUpdate:
    return update(number, STARTED, fetched=FETCHED)


def still_fetched(redis: Redis) -> list[bytes]:
    return redis.lrange(FETCHED, 0, -1)  # type: ignore[return-value]


def test_run_is_in_progress_until_it_ends(registries: Registries, redis: Redis):
    registries.write(started(1))
    registries.flush(10)
    assert redis.zrange("rq:wip:order", 0, -1) == [b"1-1:t1"]
    assert still_fetched(redis) == [b"2-1", b"3-1"]

    registries.write(update(1, FINISHED))
    registries.flush(10)

    assert redis.zcard("rq:wip:order") == 0
    assert redis.zrange("rq:finished:order", 0, -1) == [b"1-1"]
    assert redis.hget("rq:job:1-1", "status") == b"finished"
    assert redis.ttl("rq:job:1-1") > 0
    assert redis.hgetall(WORKER) == {b"successful_job_count": b"1"}


@pytest.mark.parametrize(
    ("status", "counts"), [(FINISHED, {b"successful_job_count": b"3"}), (FAILED, {b"failed_job_count": b"3"})]
)
def test_runs_that_start_and_end_together_leave_nothing_in_progress(
    registries: Registries, redis: Redis, status: str, counts: dict[bytes, bytes]
):
    registries.write(*map(started, (1, 2, 3)), *(update(number, status) for number in (1, 2, 3)))
    registries.flush(10)

    assert redis.zcard("rq:wip:order") == redis.llen(FETCHED) == 0
    assert redis.zcard(f"rq:{status}:order") == 3
    assert redis.hgetall(WORKER) == counts


def test_messages_of_stale_offers_and_of_runs_to_be_repeated_are_dropped(registries: Registries, redis: Redis):
    registries.write(RegistryUpdate("order", "1-1", "", STALE, FETCHED), started(2), update(2, ENDED))
    registries.flush(10)

    assert still_fetched(redis) == [b"3-1"]
    assert redis.keys("rq:job:*") == [b"rq:job:3-1"]
    assert redis.zcard("rq:wip:order") == 0


def test_outage_drops_the_updates_of_its_time_and_no_others(
    registries: Registries, redis: Redis, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: Any, **__: Any) -> None:
        raise redis_py.ConnectionError("test")

    with monkeypatch.context() as patch:
        patch.setattr(registries, "_script", broken)
        registries.write(started(1))
        registries.flush(10)

    registries.write(started(2))
    registries.flush(10)

    assert redis.zrange("rq:wip:order", 0, -1) == [b"2-1:t2"]
