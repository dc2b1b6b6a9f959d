"""Latency: how long after the call to enqueue a job starts, on a worker with nothing else to do."""

import os
from typing import TYPE_CHECKING

from .. import belief, marks
from ..statistics import quantile
from ..systems.base import System
from ..systems.ours import BharatMart
from .base import ALL, Reading, Row

if TYPE_CHECKING:
    from ..bench import Bench

GAP, WARM_UP = 0.05, 30  # seconds between jobs; jobs whose latency is not counted


class StartLatency(Row):
    """`elsewhere`: so many jobs wait, in ledger and Redis, in a queue that this worker does not serve."""

    def __init__(self, name: str, elsewhere: int = 0) -> None:
        super().__init__(name)
        self.elsewhere = elsewhere
        self.systems = (BharatMart.name,) if elsewhere else ALL

    def measure(self, system: System, bench: "Bench") -> list[Reading]:
        count = 1000 if bench.options.full else 200
        system.empty()
        if isinstance(system, BharatMart):
            system.dispatched = False
            self._fill(system)
        system.start(1)
        try:
            system.add("drip", "noop", WARM_UP, GAP)
            system.await_marks(WARM_UP)
            os.truncate(system.marks, 0)
            asked = system.add("drip", "noop", count, GAP)["asked"]
            system.await_marks(count)
        finally:
            system.stop()
        ran = marks.read(system.marks)
        belief.complete(range(count), [mark.number for mark in ran])
        waits = [(mark.at - asked[mark.number]) * 1000 for mark in ran]
        return [self.read(system, quantile(waits, share), "ms", f"_p{share * 100:.0f}") for share in (0.5, 0.99)]

    def _fill(self, system: BharatMart) -> None:
        if self.elsewhere:
            system.add("load", "noop", self.elsewhere, BENCH_QUEUE="bench-elsewhere")
            system.manage("dispatch", "--once")
