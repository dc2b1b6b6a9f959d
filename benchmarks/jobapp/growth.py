"""`python -m benchmarks.jobapp.growth`: what four daily acts cost on the ledger as it is; milliseconds as JSON."""

import json
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

BATCH, TIMES = 20, 30


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.jobapp.settings")
    import django

    django.setup()
    print(json.dumps(engine() | pages()))


def engine() -> dict[str, float]:
    """Dispatching and claiming a batch, through the names and plans that the engine's own worker uses."""
    from redis import Redis

    from queues import brokers, ledger
    from queues.definitions import registry
    from queues.dispatcher import dispatch_all
    from queues.lifecycle.offer import Offer
    from queues.postgres import prepared
    from queues.settings import queue_named

    from . import jobs

    prepared.use_generic_index_plans()
    broker, dispatched, claimed = brokers.current(), [], []
    queue, names = queue_named("bench"), registry.names()
    with Redis.from_url(os.environ["QUEUE_REDIS_URL"]) as redis:
        for number in range(TIMES):
            ledger.enqueue([jobs.noop.request({"n": number}) for _ in range(BATCH)])
            dispatched.append(milliseconds(lambda: dispatch_all(broker)))
            raw: Any = redis.lpop("rq:queue:bench", BATCH)
            parts = [message.decode().split("-") for message in raw]
            offers = [Offer(int(job), int(number), "bench") for job, number in parts]
            began = time.perf_counter()
            claims = ledger.claim(queue, offers, None, names).claims
            claimed.append((time.perf_counter() - began) * 1000)
            if len(claims) != BATCH:
                raise SystemExit(f"{len(claims)} of {BATCH} jobs were claimed")
    return {"dispatch": statistics.median(dispatched), "claim": statistics.median(claimed)}


def pages() -> dict[str, float]:
    """The counts for staff, and the first page of the admin's list of jobs."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(get_user_model().objects.get(is_superuser=True))
    found = {}
    for name, path in (("stats", "/api/queues/stats"), ("admin", "/admin/queues/job/")):
        times = [milliseconds(partial(load, client, path)) for _ in range(TIMES)]
        found[name] = statistics.median(times[1:])
    return found


def load(client: Any, path: str) -> None:
    response = client.get(path)
    if response.status_code != 200:
        raise SystemExit(f"{path} answered {response.status_code}")


def milliseconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
