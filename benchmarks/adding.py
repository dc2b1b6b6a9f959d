"""The same three ways of enqueueing for every Python system; benchmarks/peers/bullmq/add.mjs does the same for BullMQ.

    load KIND COUNT          as fast as it can, in thousands
    time KIND COUNT BATCH    COUNT jobs in calls (transactions) of BATCH; prints how many microseconds a job takes
    drip KIND COUNT GAP      one after another, about GAP seconds apart; prints when each was asked for

Standard library only: it runs in the peers' environments as well.
"""

import json
import random
import sys
import time
from collections.abc import Callable

Add = Callable[[str, list[int]], None]
CHUNK = 1000
WARM_UP = 20  # calls whose times are not counted


def run(add: Add) -> None:
    """Do what the command line says. `add` enqueues jobs with these numbers, in one call."""
    verb, kind, count, *more = sys.argv[1:]
    verbs: dict[str, Callable[..., object]] = {"load": load, "time": clock, "drip": drip}
    answer = verbs[verb](add, kind, int(count), *map(float, more))
    print(json.dumps(answer), flush=True)


def load(add: Add, kind: str, count: int) -> dict[str, float]:
    for start in range(0, count, CHUNK):
        add(kind, list(range(start, min(count, start + CHUNK))))
    return {"loaded": count}


def clock(add: Add, kind: str, count: int, batch: float) -> dict[str, float]:
    """Microseconds a job over all calls after the first few."""
    size, times = int(batch), []
    for start in range(-WARM_UP * size, count, size):
        began = time.perf_counter()
        add(kind, list(range(start, start + size)))
        if start >= 0:
            times.append(time.perf_counter() - began)
    return {"us": sum(times) / (len(times) * size) * 1e6}


def drip(add: Add, kind: str, count: int, gap: float) -> dict[str, list[float]]:
    """When each job was asked for, before the call."""
    asked = []
    for number in range(count):
        time.sleep(gap * random.uniform(0.5, 1.5))
        asked.append(time.time())
        add(kind, [number])
    return {"asked": asked}
