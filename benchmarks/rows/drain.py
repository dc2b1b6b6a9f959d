"""Throughput: so many jobs wait, the workers start, and the clock runs from the first completion to the last."""

from typing import TYPE_CHECKING

from .. import belief
from ..systems.base import System
from ..systems.ours import BharatMart
from .base import ALL, Reading, Row

if TYPE_CHECKING:
    from ..bench import Bench

FEWEST, MOST = 100, 60_000


class Drain(Row):
    """Jobs of one kind, in `slots` worker processes; `dispatched`: in Redis beforehand, else only committed.

    How many: what takes the wanted seconds, as a trial run tells."""

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
            wanted = self._rate(system, 1, system.probe) * bench.options.seconds * self.slots
            self.counts[system.name] = round(min(MOST, max(FEWEST, wanted)))
        return [self.read(system, self._rate(system, self.slots, self.counts[system.name]), "jobs/s")]

    def _rate(self, system: System, slots: int, count: int) -> float:
        system.empty()
        system.load(self.kind, count)
        system.start(slots)
        try:
            ran = system.await_all(count)
        finally:
            system.stop()
        start, inside = belief.window(ran, slots)
        return len(inside) / (system.finished_at(ran) - start)
