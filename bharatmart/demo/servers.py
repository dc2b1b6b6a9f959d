"""A database and a Redis database of the demo's own, on whichever servers there are.

Without DATABASE_URL or QUEUE_REDIS_URL these are the development servers of the clone. On somebody's own servers
nothing but the demo's database is dropped, and no Redis database is emptied that is not empty or marked as the demo's.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

import psycopg
import redis
from psycopg import sql

from bharatmart import devservers
from bharatmart.devservers import shared
from bharatmart.devservers.__main__ import stop
from bharatmart.devservers.keeper import running_servers
from bharatmart.devservers.place import Place
from bharatmart.environment import read_dotenv

from . import interrupts
from .errors import ServersRefused
from .slot import Slot

MARK = "bharatmart:demo"  # the key that marks a Redis database as a demo's; its value tells whose
REDIS_DATABASES = range(15, 0, -1)


@dataclass(frozen=True)
class Servers:
    """The URLs of the demo's own databases."""

    database_url: str
    redis_url: str


@contextlib.contextmanager
def take_servers(slot: Slot) -> Iterator[Servers]:
    """Servers with an empty database each. Raises ServersRefused, DevServerError."""
    read_dotenv()
    ran_before = list(running_servers(Place.of().root))
    try:
        with interrupts.held():
            devservers.ensure()
        servers = Servers(
            make_database(os.environ["DATABASE_URL"], slot.database),
            take_redis(os.environ["QUEUE_REDIS_URL"], owner=str(slot.folder)),
        )
        try:
            yield servers
        finally:
            _empty(servers.redis_url)
    finally:
        if not ran_before:
            with interrupts.held():
                _stop_unused()


def make_database(url: str, name: str) -> str:
    """Drop the database of that name on the server of `url` and make it anew; its URL."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            for statement in ("DROP DATABASE IF EXISTS {}", "CREATE DATABASE {}"):
                connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
    except psycopg.errors.ObjectInUse:
        raise ServersRefused(f"The database {name} is in use: by a demo of another clone, or by a psql.") from None
    except psycopg.Error as error:
        raise ServersRefused(f"PostgreSQL (DATABASE_URL) does not give the demo a database: {error}") from error
    parts = urlsplit(url)
    return _url(parts, f"/{name}", parts.query)


def take_redis(url: str, owner: str) -> str:
    """An empty database of that Redis, marked as the owner's; its URL. No other database is touched."""
    try:
        for number in REDIS_DATABASES:
            candidate = redis_database(url, number)
            if _take(candidate, owner):
                return candidate
    except redis.RedisError as error:
        raise ServersRefused(f"Redis (QUEUE_REDIS_URL) cannot be used: {error}") from error
    raise ServersRefused("Redis (QUEUE_REDIS_URL) has no empty database among 1 to 15.")


def redis_database(url: str, number: int) -> str:
    """The same Redis, another database."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "db"]
    if parts.scheme == "unix":
        return _url(parts, parts.path, urlencode([*query, ("db", str(number))]))
    return _url(parts, f"/{number}", urlencode(query))


def _url(parts: SplitResult, path: str, query: str) -> str:
    """Unlike urlunsplit this keeps the slashes of an empty host, as in unix:///run/redis.sock."""
    return f"{parts.scheme}://{parts.netloc}{path}" + (f"?{query}" if query else "")


def _take(url: str, owner: str) -> bool:
    with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
        try:
            left_behind = client.get(MARK) == owner.encode()
        except redis.ResponseError:  # this server has fewer databases
            return False
        if left_behind:
            client.flushdb()
        return client.dbsize() == 0 and bool(client.set(MARK, owner, nx=True))


def _empty(url: str) -> None:
    with contextlib.suppress(redis.RedisError), redis.Redis.from_url(url, socket_timeout=5) as client:
        client.flushdb()


def _stop_unused() -> None:
    """Stop the servers that this demo has started, unless somebody else uses them by now."""
    while shared._held:
        os.close(shared._held.pop())
    with contextlib.suppress(devservers.DevServerError):
        stop(forget=False)
