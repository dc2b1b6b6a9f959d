"""BharatMart: `manage.py rqworker` on the ledger and Redis, everything as in production."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from bharatmart.devservers.postgres import NAME

from .. import belief, marks
from ..bench import DATABASE
from ..shop import NICE
from .base import System

DISPATCHED_WINDOW = 1_000_000


class BharatMart(System):
    """Jobs are rows. `dispatched`: before the workers start they lie in Redis as well, as those of the peers do."""

    name = "bharatmart"
    queue = "bench"
    dispatched = True
    nice = False

    def install(self) -> None:
        """It is what this clone is; its tables are made once."""

    def clear(self) -> None:
        with self.bench.servers.redis() as client:
            client.flushall()
        self.bench.make_database(DATABASE, template=NAME)

    def env(self) -> dict[str, str]:
        return self.bench.house.env | {"BENCH_MARKS": str(self.marks)}

    def adding(self) -> Sequence[str | Path]:
        return self.python("-m", "benchmarks.jobapp.add")

    def python(self, *words: str) -> list[str | Path]:
        return [*(NICE if self.nice else ()), sys.executable, *words]

    def worker(self) -> Sequence[str | Path]:
        return self.python("manage.py", "rqworker", self.queue)

    def load(self, kind: str, count: int) -> None:
        super().load(kind, count)
        if self.dispatched:
            self.manage("dispatch", "--once", QUEUE_WINDOW=str(DISPATCHED_WINDOW))

    def start(self, slots: int, env: Mapping[str, str] = MappingProxyType({})) -> None:
        window = {"QUEUE_WINDOW": str(DISPATCHED_WINDOW)} if self.dispatched else {}
        super().start(slots, {**window, **env})

    def manage(self, *words: str, **env: str) -> None:
        """A command to its end."""
        self.crew.python(f"manage-{words[0]}", "manage.py", *words, env=self.env() | env, seconds=600)

    def left(self) -> int:
        """Of the benchmark's own queues: the shop's recurring jobs wait for workers that are not there."""
        asked = "SELECT count(*) FROM queues_job WHERE state IN ('waiting', 'active') AND queue LIKE 'bench%%'"
        return int(self.bench.run_sql(asked, [])[0][0])

    def finished_at(self, ran: Sequence[marks.Mark]) -> float:
        """The ledger's last verdict, which is later than the last job. Raises NotBelieved if the ledger disagrees."""
        asked = """SELECT extract(epoch FROM max(finished_at)), count(*) FROM queues_job
            WHERE state = 'completed' AND queue = %s"""
        last, completed = self.bench.run_sql(asked, [self.queue])[0]
        if completed != len(ran):
            raise belief.NotBelieved(f"{len(ran)} jobs ran, but {completed} have a verdict of completion")
        return float(last)

    def waits_for_verdict(self, ran: Sequence[marks.Mark]) -> list[float]:
        """Milliseconds from each job's end until its verdict reached PostgreSQL, where the attempt keeps this time."""
        asked = """
            SELECT (j.args ->> 'n')::int, extract(epoch FROM a.finished_at)::float8
            FROM queues_job j JOIN queues_attempt a ON a.job_id = j.id WHERE j.queue = %s"""
        sent_at = dict(self.bench.run_sql(asked, [self.queue]))
        return [(sent_at[mark.number] - mark.at) * 1000 for mark in ran]
