"""Watching for transactions in which nothing happens: they hold locks, and vacuum up."""

import time
from dataclasses import dataclass, field
from typing import Any

import psutil

from .evidence import Finding, finding
from .look import Eye

LONGEST = 1.0  # seconds
AWAKE = 0.5  # seconds for which its process must have been running meanwhile: one that stood still has just woken up
IDLE = """
SELECT pid, client_port, state_change, left(query, 80) AS query FROM pg_stat_activity
WHERE state LIKE 'idle in transaction%%' AND clock_timestamp() - state_change > %s * interval '1 s'
"""


@dataclass
class IdleWatch:
    """Looks again and again; whoever stands still by order (SIGSTOP) is not to blame."""

    eye: Eye
    looks: int = 0
    awake_since: dict[tuple[Any, ...], float] = field(default_factory=dict)
    broken: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def look(self) -> None:
        rows = self.eye.glance(IDLE, LONGEST)
        self.looks += rows is not None
        now, before = time.monotonic(), self.awake_since
        self.awake_since = {}
        for row in rows or ():
            if _runs(row["client_port"]):
                transaction = (row["pid"], row["state_change"])
                self.awake_since[transaction] = before.get(transaction, now)
                if now - self.awake_since[transaction] > AWAKE:
                    self.broken[transaction] = f"idle after {row['query']!r}"

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
