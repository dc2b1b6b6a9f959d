"""Watching for transactions in which nothing happens: they hold locks, and vacuum up."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from .evidence import Finding, finding
from .look import Eye
from .victims import StandStill

LONGEST = 1.0  # seconds
PERIOD = 0.25  # seconds between two looks
BLIND = "nobody has looked until the end"
IDLE = """
SELECT pid, client_port, state_change, left(query, 80) AS query
FROM pg_stat_activity
WHERE state LIKE 'idle in transaction%%' AND clock_timestamp() - state_change > %s * interval '1 s'
"""


@dataclass(frozen=True)
class Sight:
    """A transaction seen idle: since when, by which process, and how long its threads had waited for a processor."""

    since: float
    owner: int
    waited: dict[int, float]


@dataclass
class IdleWatch:
    """Looks again and again, on a thread of its own, at transactions in which nothing has happened meanwhile.

    Time in which the owner stood still by order does not count, nor time in which its threads were ready to run and
    waited for a processor: fifty processes share two of them. The kernel counts the latter.
    """

    eye: Eye
    stills: Sequence[StandStill]
    looks: int = 0
    seen: dict[tuple[Any, ...], Sight] = field(default_factory=dict)
    broken: dict[tuple[Any, ...], str] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread = field(init=False)

    def start(self) -> None:
        self.thread = threading.Thread(target=self._run, name="idle-watch", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.over.wait(PERIOD):
            self.look()
        self.eye.close()

    def look(self) -> None:
        rows = self.eye.glance(IDLE, PERIOD)
        now = time.monotonic()
        self.looks += rows is not None
        before, self.seen = self.seen, {}
        for row in rows or ():
            transaction = (row["pid"], row["state_change"])
            sight = before.get(transaction) or _sight(row["client_port"], now)
            if sight is None or not _lives(sight.owner):
                continue  # its owner was killed: the server ends the transaction as soon as it hears of it
            self.seen[transaction] = sight
            still = sum(each.share(sight.since, now) for each in self.stills if each.pid == sight.owner)
            waited = sum(each - sight.waited.get(thread, 0) for thread, each in _waited(sight.owner).items())
            idle = now - sight.since - still - waited
            if idle > LONGEST:
                self.broken[transaction] = f"{sight.owner} idle for {idle:.1f} s after {row['query']!r}"

    def found(self) -> Finding:
        blind = () if self.looks and self.thread.is_alive() else (BLIND,)
        broken = (*self.broken.values(), *blind)
        return finding("no transaction idle for more than a second", f"{self.looks} looks", broken)


def _sight(port: int, now: float) -> Sight | None:
    """The living process at the other end of a connection of that port, as it is now."""
    for end in psutil.net_connections("tcp"):
        if end.laddr and end.laddr.port == port and end.pid and _lives(end.pid):
            return Sight(now, end.pid, _waited(end.pid))
    return None


def _lives(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def _waited(pid: int) -> dict[int, float]:
    """Seconds that each living thread of a process was ready to run without a processor (proc(5), schedstat)."""
    waited = {}
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                waited[int(thread.name)] = int((thread / "schedstat").read_text().split()[1]) / 1e9
    return waited
