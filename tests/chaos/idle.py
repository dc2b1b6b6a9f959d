"""Watching for transactions in which nothing happens: they hold locks, and vacuum up."""

import time
from dataclasses import dataclass, field
from typing import Any

import psutil

from .evidence import Finding, finding
from .look import Eye

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
    """Looks again and again. For who stood still by order (SIGSTOP), idleness counts from when it was seen awake."""

    eye: Eye
    looks: int = 0
    looked_at: float = 0.0
    awake_since: dict[tuple[Any, ...], float] = field(default_factory=dict)
    broken: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def look(self) -> None:
        rows = self.eye.glance(IDLE, LONGEST)
        self.looks += rows is not None
        now = time.monotonic()
        watched = now - self.looked_at < ALLOWANCE  # else it may have stood still while nobody looked
        self.looked_at = now
        for row in rows or ():
            transaction = (row["pid"], row["state_change"])
            if not _runs(row["client_port"]):
                self.awake_since[transaction] = now
            since = self.awake_since.setdefault(transaction, now - row["seconds"] if watched else now)
            if now - since > LONGEST + ALLOWANCE:
                self.broken[transaction] = f"idle for {now - since:.1f} s after {row['query']!r}"

    def found(self) -> Finding:
        return finding("no transaction idle for more than a second", f"{self.looks} looks", self.broken.values())


def _runs(port: int) -> bool:
    """Whether the process at the other end of a connection of that port lives and has not been stopped."""
    for end in psutil.net_connections("tcp"):
        if end.laddr and end.laddr.port == port and end.pid:
            try:
                return psutil.Process(end.pid).status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
            except psutil.NoSuchProcess:
                return False
    return False
