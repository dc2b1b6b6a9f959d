"""The demo takes databases of its own and leaves everybody else's alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from bharatmart.demo import interrupts
from bharatmart.demo.errors import ServersRefused
from bharatmart.demo.servers import make_database, redis_database, take_redis
from bharatmart.demo.slot import take_slot

NAME = f"bharatmart_demo_test{os.getpid()}"


@pytest.fixture
def redis_url() -> Iterator[str]:
    """The tests' Redis with its databases 13 to 15 empty, before and after."""
    url = os.environ["QUEUE_REDIS_URL"]
    clients = [redis.Redis.from_url(redis_database(url, number)) for number in (13, 14, 15)]
    for client in clients:
        client.flushdb()
    yield url
    for client in clients:
        client.flushdb()
        client.close()


@pytest.fixture
def database_url() -> Iterator[str]:
    url = os.environ["DATABASE_URL"].rpartition("/")[0] + "/postgres"
    yield url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)".encode())


def test_redis_database_with_other_peoples_keys_is_left_alone(redis_url: str) -> None:
    with redis.Redis.from_url(redis_database(redis_url, 15)) as others:
        others.set("cart", "3 mangoes")

        taken = take_redis(redis_url, owner="ours")

        assert taken == redis_database(redis_url, 14)
        assert others.get("cart") == b"3 mangoes"


def test_two_demos_take_two_redis_databases(redis_url: str) -> None:
    assert take_redis(redis_url, owner="ours") == redis_database(redis_url, 15)
    assert take_redis(redis_url, owner="theirs") == redis_database(redis_url, 14)


def test_what_a_killed_demo_left_in_redis_is_cleared_away(redis_url: str) -> None:
    with redis.Redis.from_url(take_redis(redis_url, owner="ours")) as left:
        left.set("rq:queue:email", "a message")

        assert take_redis(redis_url, owner="ours") == redis_database(redis_url, 15)
        assert left.get("rq:queue:email") is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379/9"),
        (
            "rediss://:secret@redis.example:6380/0?db=3&ssl_cert_reqs=none",
            "rediss://:secret@redis.example:6380/9?ssl_cert_reqs=none",
        ),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=9"),
    ],
)
def test_another_database_of_the_same_redis(url: str, expected: str) -> None:
    assert redis_database(url, 9) == expected


def test_database_is_made_anew(database_url: str) -> None:
    with psycopg.connect(make_database(database_url, NAME), autocommit=True) as connection:
        connection.execute("CREATE TABLE left_behind ()")

    with psycopg.connect(make_database(database_url, NAME)) as connection:
        assert connection.execute("SELECT to_regclass('left_behind')").fetchone() == (None,)


def test_server_that_does_not_answer_is_told() -> None:
    with pytest.raises(ServersRefused, match=r"PostgreSQL \(DATABASE_URL\) does not give the demo a database"):
        make_database("postgresql://nobody@127.0.0.1:9/shop", NAME)
    with pytest.raises(ServersRefused, match=r"Redis \(QUEUE_REDIS_URL\) cannot be used"):
        take_redis("redis://127.0.0.1:9/0", owner="ours")


def test_two_demos_of_one_clone_live_in_two_folders(tmp_path: Path) -> None:
    with take_slot(tmp_path) as first, take_slot(tmp_path) as second:
        assert [slot.folder.name for slot in (first, second)] == ["demo", "demo-2"]
        assert [slot.database for slot in (first, second)] == ["bharatmart_demo", "bharatmart_demo_2"]
        (first.mails / "old.eml").touch()

    with take_slot(tmp_path) as third:
        assert third == first
        assert list(third.mails.iterdir()) == []


def test_interrupt_waits_for_the_end_of_what_must_not_be_left_half_done() -> None:
    done = []

    def start_servers() -> None:
        with interrupts.held():
            interrupts._interrupt(2, None)
            done.append("servers started")
        done.append("not reached")

    with pytest.raises(KeyboardInterrupt):
        start_servers()
    assert done == ["servers started"]
    assert interrupts.exit_code() == 130
