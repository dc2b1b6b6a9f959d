"""Stock rq: jobs and enqueueing, in rq's own default ways."""

import os
import time

from redis import Redis
from rq import Queue

from benchmarks.marks import mark


def noop(n: int) -> None:
    mark(n)


def nap(n: int) -> None:
    time.sleep(0.02)
    mark(n)


def main() -> None:
    from benchmarks.adding import run

    queue = Queue("peer", connection=Redis.from_url(os.environ["PEER_REDIS"]))

    def add(kind: str, numbers: list[int]) -> None:
        name = f"benchmarks.peers.rq_jobs.{kind}"
        if len(numbers) == 1:
            queue.enqueue(name, numbers[0])
        else:
            queue.enqueue_many([Queue.prepare_data(name, (number,)) for number in numbers])

    run(add)


if __name__ == "__main__":
    main()
