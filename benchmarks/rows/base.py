"""A row: some systems, each measured once a run."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from ..systems.base import System
from ..systems.ours import BharatMart
from ..systems.peers import BullMQ, Celery, Dramatiq, Procrastinate, RqSimpleWorker, RqWorker

if TYPE_CHECKING:
    from ..bench import Bench

SYSTEMS: dict[str, type[System]] = {
    "bharatmart": BharatMart,
    "bullmq": BullMQ,
    "rq-simpleworker": RqSimpleWorker,
    "rq-worker": RqWorker,
    "celery": Celery,
    "dramatiq": Dramatiq,
    "procrastinate": Procrastinate,
}
ALL = tuple(SYSTEMS)


class Reading(NamedTuple):
    """One figure of one run."""

    row: str
    system: str
    value: float
    unit: str


class Row(ABC):
    """What is measured under one name; a run may give several readings."""

    systems: tuple[str, ...] = ("bharatmart",)

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def measure(self, system: System, bench: "Bench") -> list[Reading]:
        """One run. Raises NotBelieved, BenchError."""

    def read(self, system: System, value: float, unit: str, suffix: str = "") -> Reading:
        return Reading(self.name + suffix, system.name, value, unit)
