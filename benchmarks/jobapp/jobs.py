"""The benchmark's jobs."""

import time

from benchmarks.marks import mark
from queues import job


@job(queue="bench")
def noop(n: int) -> None:
    """Nothing but the mark."""
    mark(n)


@job(queue="bench")
def nap(n: int) -> None:
    """Wait for 20 ms, as for somebody else's answer."""
    time.sleep(0.02)
    mark(n)
