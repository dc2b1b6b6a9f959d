"""Celery on Redis, without a result backend."""

import os
import time

from celery import Celery

from benchmarks.marks import mark

app = Celery("peer", broker=os.environ["PEER_REDIS"])
app.conf.task_ignore_result = True
app.conf.task_default_queue = "peer"
app.conf.worker_prefetch_multiplier = 4


@app.task(name="noop")
def noop(n: int) -> None:
    mark(n)


@app.task(name="nap")
def nap(n: int) -> None:
    time.sleep(0.02)
    mark(n)


def main() -> None:
    from benchmarks.adding import run

    tasks = {"noop": noop, "nap": nap}

    def add(kind: str, numbers: list[int]) -> None:
        with app.producer_or_acquire() as producer:
            for number in numbers:
                tasks[kind].apply_async((number,), producer=producer)

    run(add)


if __name__ == "__main__":
    main()
