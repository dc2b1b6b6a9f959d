"""Memory (PSS) of workers that have nothing to do."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import belief
from ..memory import pss_mb
from ..shop import QUEUES
from ..systems.base import CONCURRENCY, System
from ..systems.ours import BharatMart
from .base import Reading, Row

if TYPE_CHECKING:
    from ..bench import Bench

JOBS, SETTLE = 500, 3.0  # jobs that the slots run first; seconds of quiet before the look
SLOT_SYSTEMS = ("bharatmart", "bullmq", "rq-simpleworker", "celery", "dramatiq", "procrastinate")


class MemoryOfSlots(Row):
    """A worker of 20 slots (rq: of one) after some jobs, with its parent and children; whole and by slot."""

    systems = SLOT_SYSTEMS

    def measure(self, system: System, bench: "Bench") -> list[Reading]:
        system.empty()
        if isinstance(system, BharatMart):
            system.dispatched = False
        system.load("nap", JOBS)
        system.start(1)
        try:
            system.await_all(JOBS)
            bench.crew.wait(_after(SETTLE), SETTLE + 5, "quiet")
            whole = pss_mb(bench.crew.tree(system.workers[0]))
        finally:
            system.stop()
        slots = 1 if system.name.startswith("rq-") else CONCURRENCY
        return [self.read(system, whole, "MB", "_whole"), self.read(system, whole / slots, "MB", "_slot")]


class MemoryOfQueues(Row):
    """All queues of the shop at their declared concurrency: in one process, and in a process each; parents counted.

    With the packages of production: what is installed for developers may be loaded, too.
    """

    def measure(self, system: System, bench: "Bench") -> list[Reading]:
        system.empty()
        one = self._pss(system, bench, [QUEUES])
        each = self._pss(system, bench, [[queue] for queue in QUEUES])
        return [
            self.read(system, one, "MB", "_in_one_process"),
            self.read(system, each, "MB", "_in_a_process_each"),
        ]

    def _pss(self, system: System, bench: "Bench", groups: list[list[str]]) -> float:
        names, python = [f"memory-{number}" for number in range(len(groups))], bench.peers.get_shop()
        with bench.servers.redis() as client:
            client.flushall()
        for name, queues in zip(names, groups, strict=True):
            bench.crew.start(name, [python, "manage.py", "rqworker", *queues], system.env())
        try:
            with bench.servers.redis() as client:
                bench.crew.wait(lambda: client.scard("rq:workers") == len(groups), 120, "the workers")
            bench.crew.wait(_after(SETTLE), SETTLE + 5, "quiet")
            trees = [bench.crew.tree(name) for name in names]
            if not all(trees):
                raise belief.NotBelieved("a worker is gone")
            return pss_mb(process for tree in trees for process in tree)
        finally:
            bench.crew.stop(*names, seconds=40)


def _after(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() > until
