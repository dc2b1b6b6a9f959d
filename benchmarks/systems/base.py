"""What the harness asks of a system."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .. import belief, marks

if TYPE_CHECKING:
    from ..bench import Bench

CONCURRENCY = 20
PATIENCE = 60.0  # seconds without any progress


class System(ABC):
    """A job system with workers that the harness starts and stops; `probe` jobs tell roughly how fast it is."""

    name: str
    probe = 400

    def __init__(self, bench: "Bench") -> None:
        self.bench = bench
        self.crew = bench.crew
        self.marks = bench.folder / f"{self.name}.marks"
        self.workers: list[str] = []

    @abstractmethod
    def install(self) -> None:
        """Have it on this machine."""

    @abstractmethod
    def clear(self) -> None:
        """Forget all jobs."""

    @abstractmethod
    def adding(self) -> Sequence[str | Path]:
        """The command that enqueues (benchmarks/adding.py)."""

    @abstractmethod
    def worker(self) -> Sequence[str | Path]:
        """The command of one worker process with 20 slots, or with as many as the system allows."""

    @abstractmethod
    def env(self) -> dict[str, str]:
        """The environment of both."""

    @abstractmethod
    def left(self) -> int:
        """How many jobs its own books count as unfinished."""

    def finished_at(self, ran: Sequence[marks.Mark]) -> float:
        """When the last job was done with; a system may know better than its marks."""
        return ran[-1].at

    def empty(self) -> None:
        """Begin anew: no jobs, no marks."""
        self.marks.unlink(missing_ok=True)
        self.clear()

    def add(self, *words: object, **env: str) -> Any:
        """Run the enqueueing command to its end; what it printed."""
        argv = [*self.adding(), *map(str, words)]
        return self.crew.run(f"{self.name}-add", argv, self.env() | env, seconds=600)

    def load(self, kind: str, count: int) -> None:
        """Have so many jobs waiting."""
        self.add("load", kind, count)

    def start(self, slots: int, env: Mapping[str, str] = MappingProxyType({})) -> None:
        """Start so many worker processes."""
        for slot in range(slots):
            name = f"{self.name}-worker-{slot}"
            (self.crew.supervisor.logs / f"{name}.log").unlink(missing_ok=True)
            self.crew.start(name, self.worker(), self.env() | {"BENCH_SLOT": str(slot)} | dict(env))
            self.workers.append(name)

    def stop(self) -> None:
        """End the workers."""
        self.crew.stop(*self.workers)
        self.workers.clear()

    def await_all(self, count: int) -> list[marks.Mark]:
        """Wait for all marks and for the system's own books, and check that each job ran once. Raises NotBelieved."""
        self.await_marks(count)
        self.crew.wait(lambda: self.left() == 0, PATIENCE, "its books", lambda: f"{self.left()} in its books")
        ran = marks.read(self.marks)
        belief.complete(range(count), [mark.number for mark in ran])
        return ran

    def await_marks(self, count: int, patience: float = PATIENCE) -> None:
        """Until so many jobs have run; `patience`: seconds without any."""
        seen = 0
        while seen < count:
            goal = seen + 1
            self.crew.wait(
                lambda goal=goal: marks.count(self.marks) >= goal,  # type: ignore[misc]
                patience,
                "jobs",
                lambda: f"{marks.count(self.marks):,} of {count:,}",
            )
            seen = marks.count(self.marks)
            self.bench.telling.still(f"{seen:,} of {count:,}")
