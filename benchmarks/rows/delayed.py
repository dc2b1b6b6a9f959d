"""Delayed jobs: how late they start, and what memory they take while they wait."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .. import belief, marks
from ..memory import pss_mb
from ..statistics import quantile
from ..systems.base import System
from ..systems.ours import BharatMart
from .base import Reading, Row

if TYPE_CHECKING:
    from ..bench import Bench

SCHEDULER = "bench-scheduler"
LEAD = 15.0  # seconds until the first is due: worker and scheduler are up by then


class Delayed(Row):
    """Due times spread evenly; `manage.py rqscheduler` and one worker run. No job may start early."""

    def measure(self, system: System, bench: "Bench") -> list[Reading]:
        assert isinstance(system, BharatMart)
        count, span, hasty = (100_000, 600.0, {}) if bench.options.full else (3_000, 30.0, {"QUEUE_BROKER_DELAY": "5"})
        system.empty()
        system.dispatched = False
        first = time.time() + LEAD + count / 5_000
        system.add("load", "noop", count, BENCH_DUE=f"{first},{span / count}")
        bench.crew.start(SCHEDULER, system.python("manage.py", "rqscheduler"), system.env() | hasty)
        system.start(1, hasty)
        try:
            bench.crew.wait(lambda: time.time() > first - 1, LEAD + 60, "the first due time")
            waiting = self._memory(system, bench)
            system.await_marks(count, patience=LEAD + 60)
        finally:
            system.stop()
            bench.crew.stop(SCHEDULER)
        late = self._lateness(marks.read(system.marks), count, first, span / count)
        shares = [
            self.read(system, quantile(late, share) * 1000, "ms", f"_late_p{share * 100:.0f}") for share in (0.5, 0.99)
        ]
        return [*shares, *waiting]

    def _lateness(self, ran: list[marks.Mark], count: int, first: float, step: float) -> list[float]:
        belief.complete(range(count), [mark.number for mark in ran])
        late = [mark.at - (first + mark.number * step) for mark in ran]
        if min(late) < 0:
            when = datetime.fromtimestamp(first, UTC)
            raise belief.NotBelieved(f"a job ran {-min(late) * 1000:.0f} ms early (the first was due at {when})")
        return late

    def _memory(self, system: System, bench: "Bench") -> list[Reading]:
        with bench.servers.redis() as client:
            used = client.info("memory")["used_memory"] / 2**20
        worker = pss_mb(bench.crew.tree(system.workers[0]))
        return [self.read(system, used, "MB", "_redis"), self.read(system, worker, "MB", "_worker_pss")]
