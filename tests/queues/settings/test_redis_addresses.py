"""Where Redis is: one server, one behind TLS, one that wants an account, a master that Sentinels know."""

import pytest

from queues.settings import redis_url, rq_queues
from queues.settings.redis_url import SentinelAddress, parse_sentinel
from tests.processes import Processes


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "redis://redis",
        "redis://user:p%40ss@[::1]:6379/15",
        "rediss://redis.example:6380/1?ssl_ca_certs=/etc/ca.pem",
        "unix:///run/redis.sock?db=2",
        "sentinel://s1:26379,s2,s3:26380/mymaster",
        "sentinel://user:pass@s1/mymaster/3?sentinel_password=x",
    ],
)
def test_addresses_of_redis_are_taken(url: str):
    redis_url.check(url)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("127.0.0.1:6379", "got the scheme ''"),
        ("http://:secret@127.0.0.1", "got the scheme 'http'"),
        ("redis://", "got '' instead of host:port"),
        ("redis://:secret@host:port/0", "got 'host:port' instead of host:port"),
        ("redis://host:65536/0", "got 'host:65536' instead of host:port"),
        ("redis://host:6379/zero", "got 'zero' instead of the number of a database"),
        ("unix://", "got no path"),
        ("sentinel://s1:26379", "got no name of a master"),
        ("sentinel://s1,,s2/mymaster", "got '' instead of host:port"),
        ("sentinel://s1/mymaster/x", "got 'x' instead of the number of a database"),
    ],
)
def test_wrong_address_is_refused_without_showing_its_password(url: str, problem: str):
    with pytest.raises(ValueError, match=r"expected redis://") as refused:
        redis_url.check(url)

    assert problem in str(refused.value)
    assert "secret" not in str(refused.value)


def test_address_behind_sentinels_has_its_parts():
    url = "sentinel://us%2Fer:p%40ss@s1:26379,[::1]:26380/my-master/3?sentinel_password=x"

    assert parse_sentinel(url) == SentinelAddress(
        sentinels=(("s1", 26379), ("::1", 26380)),
        master="my-master",
        db=3,
        username="us/er",
        password="p@ss",
        sentinel_password="x",
    )
    assert "p@ss" not in repr(parse_sentinel(url))


def test_django_rq_gets_the_sentinels():
    email = rq_queues({"email": {}}, "sentinel://s1,s2/mymaster/3")["email"]

    assert email["SENTINELS"] == [("s1", 26379), ("s2", 26379)]
    assert (email["MASTER_NAME"], email["DB"]) == ("mymaster", 3)
    assert "URL" not in email


def test_worker_does_not_start_with_a_wrong_address(processes: Processes):
    worker = processes.manage("rqworker", "email", QUEUE_REDIS_URL="redis://:secret@host:port/0")

    assert worker.exit_code() != 0
    assert "QUEUE_REDIS_URL: expected redis://host:port/db" in worker.output
    assert "secret" not in worker.output
