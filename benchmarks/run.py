"""A run of the harness from its first line to its last."""

import contextlib
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase

from bharatmart.demo.supervisor import Supervisor
from bharatmart.environment import BASE_DIR

from . import machine, report
from .belief import NotBelieved
from .bench import Bench, Options
from .errors import BenchError
from .install import Peers
from .publish import publish
from .rows import ROWS
from .rows.base import SYSTEMS, Reading, Row
from .servers import own_servers
from .statistics import Figure
from .systems.base import System
from .telling import Telling

QUIET = 0.7  # load before the start from which on the figures say little
TRIES = 2  # a run that is not believed is done again once


def wanted(patterns: str) -> list[Row]:
    """The rows of that comma list. Raises BenchError for a pattern that fits none."""
    for pattern in patterns.split(","):
        if not any(fnmatchcase(row.name, pattern.strip()) for row in ROWS):
            raise BenchError(f"no row is named {pattern!r}; known: {', '.join(row.name for row in ROWS)}")
    return [row for row in ROWS if any(fnmatchcase(row.name, pattern.strip()) for pattern in patterns.split(","))]


def run(rows: str, systems: str, options: Options) -> int:
    """Measure, write and print; what to exit with. Raises BenchError, DemoError, DevServerError."""
    telling, chosen = Telling(), wanted(rows)
    with contextlib.ExitStack() as stack:
        servers = stack.enter_context(own_servers())
        supervisor = stack.enter_context(Supervisor(servers.folder / "logs", BASE_DIR))
        bench = Bench(options, servers, supervisor, telling, Peers(telling))
        about = _about(bench)
        bench.make_tables()
        measured = Measured(bench, systems)
        for row in chosen:
            measured.measure(row)
        about |= bench.peers.versions()
    figures = measured.figures()
    publish(figures, about, order=[row.name for row in ROWS])
    telling.say("\n" + report.table(figures))
    for problem in measured.problems:
        telling.say(f"NOT MEASURED: {problem}")
    return 1 if measured.problems else 0


def _about(bench: Bench) -> dict[str, str]:
    median, slow = machine.fsync_ms(bench.folder)
    fsync = {"fsync": f"{median:.2f} ms (p99 {slow:.2f} ms) for 8 kB in {bench.folder.parent}"}
    about = machine.describe() | bench.servers.settings() | fsync
    for name, value in about.items():
        bench.telling.say(f"{name:<14}{value}")
    if float(about["load before"]) > QUIET:
        bench.telling.say("Others are using this machine: ratios are worth more than figures now.")
    return about


class Measured:
    """Figures as they come."""

    def __init__(self, bench: Bench, systems: str) -> None:
        self.bench = bench
        self.patterns = systems.split(",")
        self.found: dict[tuple[str, str], Figure] = {}
        self.problems: list[str] = []
        self.last: list[Reading] = []

    def measure(self, row: Row) -> None:
        """All runs of a row, its systems taking turns."""
        names = [name for name in row.systems if any(fnmatchcase(name, pattern) for pattern in self.patterns)]
        systems = [SYSTEMS[name](self.bench) for name in names]
        for system in systems:
            system.install()
        for number in range(self.bench.options.runs):
            for system in systems:
                with self._reported(row, system, number):
                    self._run(row, system)

    def figures(self) -> list[Figure]:
        return list(self.found.values())

    @contextlib.contextmanager
    def _reported(self, row: Row, system: System, number: int) -> Iterator[None]:
        """A system that fails costs its own figures, not the others'."""
        what = f"{row.name}, {system.name}, run {number + 1} of {self.bench.options.runs}"
        self.bench.telling.head(what)
        began = time.monotonic()
        try:
            yield
            self.bench.telling.say(f"{what}: {self._told(row)}  ({time.monotonic() - began:.0f} s)")
        except (BenchError, NotBelieved) as error:
            system.stop()
            self.problems.append(f"{what}: {error}")
            self.bench.telling.say(f"{what}: {error}")

    def _run(self, row: Row, system: System) -> None:
        for left in reversed(range(TRIES)):
            try:
                readings = row.measure(system, self.bench)
                break
            except NotBelieved as error:
                if not left:
                    raise
                self.bench.telling.say(f"  not believed, done again: {error}")
        self.last = readings
        for name, by, value, unit in readings:
            self.found.setdefault((name, by), Figure(name, by, unit)).runs.append(value)

    def _told(self, row: Row) -> str:
        told = [(name.removeprefix(row.name).lstrip("_"), value, unit) for name, _, value, unit in self.last]
        return ", ".join(f"{name} {value:,.4g} {unit}".lstrip() for name, value, unit in told)
