"""Enqueueing: what a job costs its caller, in calls (for us: transactions) of so many."""

from typing import TYPE_CHECKING

from ..adding import WARM_UP
from ..belief import NotBelieved
from ..systems.base import System
from .base import ALL, Reading, Row

if TYPE_CHECKING:
    from ..bench import Bench

CALLS = 400


class Enqueue(Row):
    """No worker runs; afterwards all jobs are in the system's books."""

    systems = tuple(name for name in ALL if name != "rq-worker")  # it is enqueued to as rq-simpleworker is

    def __init__(self, name: str, batch: int) -> None:
        super().__init__(name)
        self.batch = batch

    def measure(self, system: System, bench: "Bench") -> list[Reading]:
        system.empty()
        answer = system.add("time", "noop", CALLS * self.batch, self.batch)
        expected, found = (CALLS + WARM_UP) * self.batch, system.left()
        if found != expected:
            raise NotBelieved(f"{expected} jobs were enqueued and {found} are there")
        return [self.read(system, answer["us"], "us/job")]
