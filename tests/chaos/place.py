"""Servers and a folder that belong to one run alone: nobody else is met when they are killed, emptied or filled."""

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from bharatmart.demo.slot import Slot
from bharatmart.devservers.keeper import keeper_of
from bharatmart.devservers.place import CLONE, Place
from bharatmart.devservers.postgres import Postgres
from bharatmart.devservers.processes import end
from bharatmart.devservers.server import Server
from bharatmart.devservers.valkey import Valkey

IDLE = "5"  # seconds after which the keeper stops the servers of a run that was itself killed


@dataclass
class OwnServers:
    """PostgreSQL and Valkey of one run, each always on the same port."""

    place: Place
    postgres: Postgres = field(init=False)
    valkey: Valkey = field(init=False)

    def __post_init__(self) -> None:
        self.postgres, self.valkey = Postgres(self.place.root), Valkey(self.place.root)

    @property
    def database_url(self) -> str:
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        return self.valkey.url

    def start(self, server: Server) -> None:
        with self.place.turn():
            server.ensure()

    def stop(self, server: Server, number: signal.Signals) -> None:
        """End it by this signal: SIGKILL for Valkey; for PostgreSQL SIGINT (fast) or SIGQUIT (immediate: a crash)."""
        pid = server.pid()
        if pid is not None:
            with self.place.turn():
                end(pid, server.mark, number)

    def redis(self) -> Any:
        """A client of its own, to be used as a context."""
        return redis.Redis.from_url(self.redis_url, socket_timeout=5, socket_connect_timeout=2)


@contextlib.contextmanager
def own_servers(root: Path) -> Iterator[OwnServers]:
    """Running servers below `root`; they are stopped at the end. Raises DevServerError."""
    os.environ["BHARATMART_SERVERS_IDLE"] = IDLE
    place = Place(root, CLONE)
    place.prepare()
    lock, servers = place.hold(), OwnServers(place)
    both = (servers.postgres, servers.valkey)
    try:
        with place.turn(), keeper_of(place):
            for server in both:
                server.ensure()
        yield servers
    finally:
        with place.turn():
            for server in both:
                server.stop()
        os.close(lock)


def make_slot(seed: int) -> Slot:
    """The run's folder: short, because of PostgreSQL's socket, and open to the user `nobody` that runs it for root."""
    root = Path(tempfile.mkdtemp(prefix=f"bharatmart-chaos{seed}-"))
    root.chmod(0o711 if os.geteuid() == 0 else 0o700)
    slot = Slot("chaos", root)
    for folder in (slot.logs, slot.mails, slot.media):
        folder.mkdir()
    return slot


def remove(slot: Slot) -> None:
    shutil.rmtree(slot.folder, ignore_errors=True)
