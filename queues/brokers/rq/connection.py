"""One Redis client per process, with time-outs, and its errors in the engine's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from ...errors import BrokerUnavailable
from .keys import delete_wrong_types

OPTIONS: dict[str, Any] = {
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "health_check_interval": 30,
    "retry": Retry(ExponentialBackoff(cap=0.5, base=0.05), 1),  # redis-py's own ten tries take a minute
}


@cache
def client() -> redis.Redis:
    """The client for settings.QUEUE_REDIS_URL; connections are opened when first used."""
    return redis.Redis.from_url(settings.QUEUE_REDIS_URL, **OPTIONS)


@contextmanager
def broker_errors() -> Iterator[None]:
    """Whatever Redis raises is told as BrokerUnavailable; keys of a wrong type are deleted before the next try."""
    try:
        yield
    except redis.RedisError as error:
        if "WRONGTYPE" in str(error):
            delete_wrong_types(client())
        raise BrokerUnavailable(f"Redis: {error}") from error


def evicting_policy(connection: redis.Redis) -> str:
    """The eviction policy if it may drop keys, else the empty string."""
    policy = str(connection.info("memory").get("maxmemory_policy", "noeviction"))
    return "" if policy == "noeviction" else policy
