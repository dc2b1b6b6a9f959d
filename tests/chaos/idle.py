"""Watching for transactions in which nothing happens: they hold locks, and vacuum up."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil

from .evidence import Finding, finding
from .look import Eye
from .victims import StandStill

LONGEST = 1.0  # seconds
ALLOWANCE = 0.5  # seconds more for threads that wait for a processor: fifty processes share two of them
IDLE = """
SELECT pid, client_port, state_change, left(query, 80) AS query,
       extract(epoch FROM clock_timestamp() - state_change)::float AS seconds
FROM pg_stat_activity
WHERE state LIKE 'idle in transaction%%' AND clock_timestamp() - state_change > %s * interval '1 s'
"""


@dataclass
class IdleWatch:
    """Looks again and again. Time in which the owner of a transaction stood still by order does not count."""

    eye: Eye
    looks: int = 0
    broken: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def look(self, still: Sequence[StandStill]) -> None:
        rows = self.eye.glance(IDLE, LONGEST)
        self.looks += rows is not None
        now = time.monotonic()
        for row in rows or ():
            owner = _owner(row["client_port"])
            if owner is None:
                continue  # killed: the server ends the transaction as soon as it hears of it
            began = now - row["seconds"]
            idle = row["seconds"] - sum(each.share(began, now) for each in still if each.pid == owner)
            if idle > LONGEST + ALLOWANCE:
                transaction = (row["pid"], row["state_change"])
                self.broken[transaction] = f"{owner} idle for {idle:.1f} s after {row['query']!r}"

    def found(self) -> Finding:
        return finding("no transaction idle for more than a second", f"{self.looks} looks", self.broken.values())


def _owner(port: int) -> int | None:
    """The living process at the other end of a connection of that port."""
    for end in psutil.net_connections("tcp"):
        if end.laddr and end.laddr.port == port and end.pid and psutil.pid_exists(end.pid):
            return end.pid
    return None
