"""One Redis client for each process, with time-outs; its errors become BrokerUnavailable."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

import redis
from django.conf import settings
from redis.backoff import ExponentialBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from ...errors import BrokerUnavailable, UnfitBroker
from ...postgres.outages import START, wait_out
from ...settings.redis_url import SentinelAddress, is_sentinel, parse_sentinel
from .keys import delete_wrong_types

OPTIONS: dict[str, Any] = {
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "health_check_interval": 30,
}


@cache
def client(retries: int = 1) -> redis.Redis:
    """The client for settings.QUEUE_REDIS_URL; connections are opened when first used.

    `retries`: how often a command is sent again if its reply was lost; redis-py's default of ten takes a minute.
    """
    url, options = settings.QUEUE_REDIS_URL, OPTIONS | {"retry": Retry(ExponentialBackoff(cap=0.5, base=0.05), retries)}
    return _master(parse_sentinel(url), options) if is_sentinel(url) else redis.Redis.from_url(url, **options)


def _master(address: SentinelAddress, options: dict[str, Any]) -> redis.Redis:
    """A client that asks the Sentinels for the master whenever it connects, and so follows a fail-over."""
    sentinel = Sentinel(
        address.sentinels,
        sentinel_kwargs={**options, "password": address.sentinel_password},
        db=address.db,
        username=address.username,
        password=address.password,
        **options,
    )
    return cast(redis.Redis, sentinel.master_for(address.master))


@contextmanager
def broker_errors() -> Iterator[None]:
    """Raise every Redis error as BrokerUnavailable. Keys of a wrong type are deleted, so that the next try can work."""
    try:
        yield
    except redis.RedisError as error:
        if "WRONGTYPE" in str(error):
            delete_wrong_types(client())
        raise BrokerUnavailable(f"Redis: {error}") from error


def await_redis(command: Callable[[], object] = lambda: client().ping()) -> None:
    """Call `command` until Redis answers and has memory for it. It may run twice, if only its reply was lost.

    Raises UnfitBroker if Redis refuses our account, or after outages.START seconds.
    """

    def attempt() -> None:
        try:
            with broker_errors():
                command()
        except BrokerUnavailable as error:
            if isinstance(error.__cause__, redis.AuthenticationError):
                raise UnfitBroker(f"{error}; check the account in QUEUE_REDIS_URL") from None
            raise

    try:
        wait_out(attempt, "the start", within=START)
    except BrokerUnavailable as error:
        raise UnfitBroker(f"{error}; so it was for {START:g} s") from error


def refuse_unfit(connection: redis.Redis) -> None:
    """Raise UnfitBroker for a server that may drop waiting messages, or one of a cluster."""
    policy = str(connection.info("memory").get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        raise UnfitBroker(
            f"Redis evicts keys (maxmemory-policy {policy}) and would lose waiting jobs; set it to noeviction"
        )
    if connection.info("cluster").get("cluster_enabled"):
        raise UnfitBroker("Redis runs as a Cluster, which rq cannot use; take a single server or one behind Sentinels")
