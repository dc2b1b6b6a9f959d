"""Throughput: so many jobs wait, the workers start, and the clock runs from the first completion to the last."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil

from .. import belief, cpu, marks
from ..statistics import quantile
from ..systems.base import System
from ..systems.ours import BharatMart
from .base import ALL, Reading, Row

if TYPE_CHECKING:
    from ..bench import Bench

FEWEST, MOST = 100, 60_000


class Drain(Row):
    """Jobs of one kind, in `slots` worker processes; `dispatched`: in Redis beforehand, else only committed.

    How many: what takes the wanted seconds, as trial runs tell.
    """

    def __init__(self, name: str, kind: str, slots: int, dispatched: bool = True) -> None:
        super().__init__(name)
        self.kind = kind
        self.slots = slots
        self.systems = ALL if dispatched else (BharatMart.name,)
        self.dispatched = dispatched
        self.counts: dict[str, int] = {}

    def measure(self, system: System, bench: "Bench") -> list[Reading]:
        if isinstance(system, BharatMart):
            system.dispatched = self.dispatched
        if system.name not in self.counts:
            self.counts[system.name] = min(MOST, self.slots * self._enough(system, bench.options.seconds))
        return self._run(system, self.slots, self.counts[system.name])

    def _enough(self, system: System, seconds: float) -> int:
        """How many jobs one worker does in so many seconds: trials grow until one is long enough to be believed."""
        tried, wanted = 0, system.probe
        while wanted > 2 * tried:
            tried = wanted
            rate = self._run(system, 1, tried)[0].value
            wanted = round(min(MOST, max(FEWEST, rate * seconds)))
        return wanted

    def _run(self, system: System, slots: int, count: int) -> list[Reading]:
        """The rate, and the processor time a job of the workers and of both servers."""
        system.empty()
        system.load(self.kind, count)
        system.start(slots)
        try:
            system.await_marks(1)
            began_at, spent = marks.count(system.marks), cpu.sample(self._parts(system))
            ran = system.await_all(count)
            spent = {part: now - spent[part] for part, now in cpu.sample(self._parts(system)).items()}
        finally:
            system.stop()
        start, inside = belief.window(ran, slots)
        rate = len(inside) / (system.finished_at(ran) - start)
        each = 1e6 / max(1, count - began_at)
        cpus = [self.read(system, part * each, "us/job", f"_cpu_{name}") for name, part in spent.items()]
        return [self.read(system, rate, "jobs/s"), *cpus, *self._verdicts(system, ran)]

    def _verdicts(self, system: System, ran: list[marks.Mark]) -> list[Reading]:
        """How long after a job's end its verdict was sent; the peers have none that is durable."""
        if not isinstance(system, BharatMart):
            return []
        waits = system.waits_for_verdict(ran)
        return [
            self.read(system, quantile(waits, share), "ms", f"_verdict_p{share * 100:.0f}")
            for share in (0.5, 0.9, 0.99)
        ]

    def _parts(self, system: System) -> dict[str, Callable[[], list[psutil.Process]]]:
        servers = system.bench.servers
        return {
            "worker": lambda: [process for name in system.workers for process in system.crew.tree(name)],
            "postgres": lambda: cpu.tree(servers.postgres.pid()),
            "redis": lambda: cpu.tree(servers.valkey.pid()),
        }
