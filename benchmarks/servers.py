"""PostgreSQL and Valkey of one benchmark, in a folder of their own; durable, and checked to be."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import redis

from bharatmart.devservers.keeper import keeper_of
from bharatmart.devservers.place import CLONE, Place
from bharatmart.devservers.postgres import Postgres
from bharatmart.devservers.valkey import Valkey

from .errors import BenchError

IDLE = "5"  # seconds after which the keeper stops the servers of a benchmark that was itself killed
PREFIX = "bharatmart-bench-"
OLD = 60.0  # seconds
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True)
class Servers:
    """The running servers; `folder` holds them."""

    folder: Path
    postgres: Postgres
    valkey: Valkey

    def sql(self, statement: str, values: Any = None, database: str = "") -> list[tuple[Any, ...]]:
        """One statement on a connection of its own."""
        url = self.postgres.url_of(database) if database else self.postgres.url
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def redis(self) -> Any:
        """A client, to be used as a context."""
        return redis.Redis.from_url(self.valkey.url, socket_timeout=30)

    def settings(self) -> dict[str, str]:
        """Versions, and the settings that make PostgreSQL durable. Raises BenchError if one is off."""
        found = {name: self.sql(f"SHOW {name}")[0][0] for name in ("server_version", *DURABLE)}
        if off := [name for name in DURABLE if found[name] != "on"]:
            raise BenchError(f"PostgreSQL is not durable: {', '.join(off)} is off.")
        with self.redis() as client:
            info = client.info("server")
        valkey = info.get("valkey_version") or info["redis_version"]
        durable = ", ".join(f"{name}={found[name]}" for name in DURABLE)
        return {"PostgreSQL": f"{found['server_version']}, {durable}", "Valkey": f"{valkey}, nothing on disk"}


@contextlib.contextmanager
def own_servers() -> Iterator[Servers]:
    """Running servers in a new folder, which is deleted at the end. Raises DevServerError."""
    os.environ["BHARATMART_SERVERS_IDLE"] = IDLE
    _remove_left_behind()
    # Short, because of PostgreSQL's socket, and open to the user `nobody` that runs it for root.
    root = Path(tempfile.mkdtemp(prefix=PREFIX))
    root.chmod(0o711 if os.geteuid() == 0 else 0o700)
    place = Place(root, CLONE)
    lock, postgres, valkey = place.hold(), Postgres(root), Valkey(root)
    try:
        with place.turn(), keeper_of(place):
            postgres.ensure()
            valkey.ensure()
        yield Servers(root, postgres, valkey)
    finally:
        with place.turn():
            postgres.stop()
            valkey.stop()
        os.close(lock)
        shutil.rmtree(root, ignore_errors=True)


def _remove_left_behind() -> None:
    """Folders of benchmarks that were killed, and that neither they nor a keeper use any more."""
    for root in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        found, place = root.lstat(), Place(root, CLONE)
        is_old_and_ours = found.st_uid == os.geteuid() and time.time() - found.st_mtime > OLD
        if is_old_and_ours and not place.is_used() and not place.is_kept():
            shutil.rmtree(root, ignore_errors=True)
