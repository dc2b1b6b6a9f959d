"""The peers, each in its stock form: default settings, logs on, no result backend beyond what it always keeps."""

from collections.abc import Sequence
from pathlib import Path

from bharatmart.environment import BASE_DIR

from .base import CONCURRENCY, System


class RedisPeer(System):
    """A peer that keeps its jobs in Redis: `books` are the keys of unfinished ones, and how to count each."""

    books: dict[str, str]
    module: str

    def install(self) -> None:
        self.bench.peers.get_python()

    def clear(self) -> None:
        with self.bench.servers.redis() as client:
            client.flushall()

    def env(self) -> dict[str, str]:
        url = self.bench.servers.valkey.url
        own = {"PEER_REDIS": url, "RQ_REDIS_URL": url, "PYTHONPATH": str(BASE_DIR), "BENCH_MARKS": str(self.marks)}
        return self.bench.bare_env | own | {"BENCH_CONCURRENCY": str(CONCURRENCY)}

    def adding(self) -> Sequence[str | Path]:
        return [self.bench.peers.python, "-m", self.module]

    def left(self) -> int:
        with self.bench.servers.redis() as client:
            return sum(client.execute_command(command, key) for key, command in self.books.items())


class RqWorker(RedisPeer):
    """rq's default worker: a fork for each job."""

    name = "rq-worker"
    module = "benchmarks.peers.rq_jobs"
    books = {"rq:queue:peer": "LLEN", "rq:wip:peer": "ZCARD"}
    probe = 100
    worker_class = "rq.worker.Worker"

    def worker(self) -> Sequence[str | Path]:
        return [self.bench.peers.python, "-m", "rq.cli", "worker", "--worker-class", self.worker_class, "peer"]


class RqSimpleWorker(RqWorker):
    """rq without forks."""

    name = "rq-simpleworker"
    probe = 300
    worker_class = "rq.worker.SimpleWorker"


class Celery(RedisPeer):
    """Celery with 20 threads."""

    name = "celery"
    module = "benchmarks.peers.celery_app"
    books = {"peer": "LLEN", "unacked": "HLEN"}

    def worker(self) -> Sequence[str | Path]:
        app: list[str | Path] = [self.bench.peers.python, "-m", "celery", "-A", self.module, "worker", "-l", "INFO"]
        return [*app, "-P", "threads", "-c", str(CONCURRENCY), "-n", f"slot{len(self.workers)}@bench"]


class Dramatiq(RedisPeer):
    """Dramatiq: one process of 20 threads."""

    name = "dramatiq"
    module = "benchmarks.peers.dramatiq_app"
    books = {"dramatiq:default.msgs": "HLEN"}  # a message leaves it when it is acknowledged
    probe = 1000

    def worker(self) -> Sequence[str | Path]:
        words = ["--processes", "1", "--threads", str(CONCURRENCY)]
        return [self.bench.peers.python, "-m", "dramatiq", self.module, *words]


class BullMQ(RedisPeer):
    """BullMQ on node, 20 at once in one process."""

    name = "bullmq"
    books = {"bull:peer:wait": "LLEN", "bull:peer:active": "LLEN"}
    probe = 4000

    def install(self) -> None:
        self.bench.peers.get_bullmq()

    def adding(self) -> Sequence[str | Path]:
        return [self.bench.peers.node, self.bench.peers.bullmq / "add.mjs"]

    def worker(self) -> Sequence[str | Path]:
        return [self.bench.peers.node, self.bench.peers.bullmq / "worker.mjs"]


class Procrastinate(System):
    """Procrastinate on PostgreSQL, 20 at once."""

    name = "procrastinate"
    module = "benchmarks.peers.procrastinate_app"
    database = "procrastinate"
    probe = 200

    def install(self) -> None:
        self.bench.peers.get_python()

    def clear(self) -> None:
        self.bench.make_database(self.database)
        words: list[str | Path] = ["-m", "procrastinate", "-a", f"{self.module}.app", "schema", "--apply"]
        self.crew.run("procrastinate-schema", [self.bench.peers.python, *words], self.env())

    def env(self) -> dict[str, str]:
        url = self.bench.servers.postgres.url_of(self.database)
        return self.bench.bare_env | {"PEER_DATABASE": url, "PYTHONPATH": str(BASE_DIR), "BENCH_MARKS": str(self.marks)}

    def adding(self) -> Sequence[str | Path]:
        return [self.bench.peers.python, "-m", self.module]

    def worker(self) -> Sequence[str | Path]:
        app: list[str | Path] = [
            self.bench.peers.python,
            "-m",
            "procrastinate",
            "-v",
            "-a",
            f"{self.module}.app",
            "worker",
        ]
        return [*app, "-c", str(CONCURRENCY)]

    def left(self) -> int:
        asked = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
        return int(self.bench.servers.sql(asked, database=self.database)[0][0])
