"""Dramatiq on Redis, with its default middleware (without the Prometheus exporter)."""

import os
import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.marks import mark

dramatiq.set_broker(RedisBroker(url=os.environ["PEER_REDIS"]))


@dramatiq.actor
def noop(n: int) -> None:
    mark(n)


@dramatiq.actor
def nap(n: int) -> None:
    time.sleep(0.02)
    mark(n)


def main() -> None:
    from benchmarks.adding import run

    actors = {"noop": noop, "nap": nap}

    def add(kind: str, numbers: list[int]) -> None:
        for number in numbers:
            actors[kind].send(number)

    run(add)


if __name__ == "__main__":
    main()
