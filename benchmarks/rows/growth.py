"""Growth: whether a ledger full of finished jobs makes the daily acts slower."""

import sys
from typing import TYPE_CHECKING

from ..history import grow_to
from ..systems.base import System
from ..systems.ours import BharatMart
from .base import Reading, Row

if TYPE_CHECKING:
    from ..bench import Bench

SIZES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
ACTS = ("claim", "dispatch", "stats", "admin")


class Growth(Row):
    """The first jobs are really run (100,000 of them with FULL=1), the others are copies of them."""

    def measure(self, system: System, bench: "Bench") -> list[Reading]:
        assert isinstance(system, BharatMart)
        found: list[Reading] = []
        system.empty()
        self._run(system, 5_000 if bench.options.full else 500)
        for name, size in SIZES.items():
            if size > 100_000 and not bench.options.full:
                break
            if size == 100_000 and bench.options.full:
                self._run(system, 90_000)
            bench.telling.still(f"{size:,} finished jobs")
            grow_to(bench.run_sql, size)
            argv = [sys.executable, "-m", "benchmarks.jobapp.growth"]
            answer = bench.crew.run("growth", argv, system.env(), seconds=300)
            found += [self.read(system, answer[act], "ms", f"_{act}_{name}") for act in ACTS]
            bench.run_sql("DELETE FROM queues_job WHERE state = 'active'")
        return found

    def _run(self, system: BharatMart, count: int) -> None:
        system.marks.unlink(missing_ok=True)
        system.load("noop", count)
        system.start(2)
        try:
            system.await_all(count)
        finally:
            system.stop()
