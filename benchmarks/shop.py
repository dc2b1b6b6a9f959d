"""The whole shop for one run: gunicorn, gateway, mail server, rq-scheduler, and one worker for all queues."""

import contextlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bharatmart.demo.errors import DemoError
from bharatmart.demo.shop import Shop
from queues.settings import WORKER_TYPES

from .belief import NotBelieved
from .errors import BenchError
from .mailbox import ARRIVED

if TYPE_CHECKING:
    from .bench import Bench

CONFIRMATION = re.compile(r"(\S+) Your order (\d+) at ")
WORKER = "shop-worker"
PROCESSES = ("web", "mailbox", "scheduler", "gateway")
CHEAP = "SELECT sku FROM orders_product WHERE price_paise < 200000 ORDER BY sku"
QUEUES = [queue for queues in WORKER_TYPES.values() for queue in queues]
NICE = ["nice", "-n", "10"]


@dataclass(frozen=True)
class Sales:
    """What the shoppers saw."""

    orders: list[tuple[int, float, float]]  # id, when asked, milliseconds until the answer
    seconds: float
    sold_out: int

    @property
    def waits(self) -> list[float]:
        return [took for _, _, took in self.orders]

    @property
    def rate(self) -> float:
        return len(self.orders) / self.seconds


class OpenShop:
    """The running shop."""

    def __init__(self, bench: "Bench") -> None:
        self.bench = bench
        self.crew = bench.crew
        self.tokens: list[str] = []

    def sign_up(self, shoppers: int) -> None:
        """New customers, who then order at the same time."""
        self.tokens = self._clients("sign-up", str(shoppers))

    def skus(self) -> list[str]:
        """What costs so little that no order needs a review."""
        return [sku for (sku,) in self.bench.run_sql(CHEAP)]

    def sell(self, orders: int, skus: list[str], pause: float = 0.0) -> Sales:
        """Let the shoppers post so many orders. Raises NotBelieved for any other answer than 201 and sold out."""
        answer = self._clients("order", str(orders), str(pause), ",".join(skus))
        if answer["unexpected"]:
            raise NotBelieved(f"the shop answered {answer['unexpected'][0]}")
        return Sales([tuple(order) for order in answer["orders"]], answer["seconds"], answer["sold_out"])

    def _clients(self, verb: str, *words: str) -> Any:
        env = self.bench.bare_env | {"BENCH_TOKENS": json.dumps(self.tokens)}
        argv = ["-m", "benchmarks.clients", verb, self.bench.house.url, *words]
        return self.crew.python("clients", *argv, env=env, seconds=600)

    def start_worker(self) -> None:
        """One process for all queues of the shop, at their declared concurrency, niced."""
        argv = [*NICE, sys.executable, "manage.py", "rqworker", *QUEUES]
        self.crew.start(WORKER, argv, self.bench.house.env)
        self.crew.wait(self._worker_is_up, 60, "the worker")

    def manage(self, *words: str) -> None:
        self.crew.python(f"manage-{words[0]}", "manage.py", *words, env=self.bench.house.env)

    def waiting(self) -> int:
        """Jobs of the shop that are due and not begun."""
        asked = (
            "SELECT count(*) FROM queues_job WHERE state = 'waiting' AND run_at <= now() AND queue NOT LIKE 'bench%'"
        )
        return int(self.bench.run_sql(asked)[0][0])

    def mails(self) -> dict[int, float]:
        """When the confirmation of which order came."""
        path = self.bench.house.slot.mails / ARRIVED
        lines = path.read_text().splitlines() if path.exists() else []
        return {int(found[2]): float(found[1]) for line in lines if (found := CONFIRMATION.match(line))}

    def _worker_is_up(self) -> bool:
        with self.bench.servers.redis() as client:
            return bool(client.scard("rq:workers"))


@contextlib.contextmanager
def open_shop(bench: "Bench", worker: bool = True) -> Iterator[OpenShop]:
    """Open it on the run's database; everything is stopped at the end. Raises BenchError."""
    shop, customer = OpenShop(bench), Shop(bench.house.url)
    (bench.house.slot.mails / ARRIVED).unlink(missing_ok=True)
    try:
        try:
            bench.house.start_what_needs_no_tables()
        except DemoError as error:
            raise BenchError(str(error)) from error
        bench.crew.wait(customer.is_ready, 60, "the web")
        if worker:
            shop.start_worker()
        yield shop
    finally:
        customer.close()
        bench.crew.stop(WORKER, *PROCESSES, seconds=40)
