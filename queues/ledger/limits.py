"""Limits that hold over all processes and brokers: starts in a time (`rate`), and jobs at once (`scope: "global"`).

A claim for a limited queue locks the queue's row, computes how many jobs may start now, claims that many, and writes
what it has spent of the rate, all in one short transaction. Nothing is requeued: an offer whose job may not start yet
stays with its fetcher until it may. The rate is a token bucket (GCRA: the row holds the time up to which starts are
spent). Jobs at once are counted, not reserved; the jobs of a dead worker count until its lease is over.
"""

import math
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from ..models import QueueState
from ..settings import Queue

ASK_AGAIN = 0.2
"""Seconds until a fetcher asks again whether one of the jobs that other processes run has ended."""

LONGEST_LOCK_MS = 10_000
"""A process that is stopped within the transaction loses it, and with it the lock, after so long."""

LOCK = "SELECT spent_until, set_config('idle_in_transaction_session_timeout', %s, true) \
FROM queues_queuestate WHERE name = %s FOR UPDATE"
ACTIVE = "SELECT clock_timestamp(), count(*) FROM queues_job WHERE queue = %s AND state = 'active'"
NOW = "SELECT clock_timestamp(), 0"


class Allowance(NamedTuple):
    """How many jobs may start now; if none, in how many seconds to ask again; up to when the rate is spent."""

    jobs: int
    wait: float
    spent_until: datetime


def lock_queue(queue: Queue, wanted: int) -> Allowance:
    """Lock the queue's row until the end of the transaction; what is allowed of the wanted jobs."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [str(LONGEST_LOCK_MS), queue.name])
        row = cursor.fetchone()
        if row is None:
            QueueState.objects.get_or_create(name=queue.name)
            return lock_queue(queue, wanted)
        cursor.execute(*(ACTIVE, [queue.name]) if queue.scope == "global" else (NOW, None))
        now, active = cursor.fetchone()
    spent_until = max(row[0] or now, now)
    return Allowance(*_allowed(queue, wanted, (spent_until - now).total_seconds(), active), spent_until)


def spend(queue: Queue, allowance: Allowance, claimed: int) -> None:
    """Write down what was spent of the rate."""
    if queue.rate and claimed:
        until = allowance.spent_until + timedelta(seconds=claimed * queue.rate.interval)
        QueueState.objects.filter(name=queue.name).update(spent_until=until)


def _allowed(queue: Queue, wanted: int, debt: float, active: int) -> tuple[int, float]:
    """How many of the wanted jobs may start now, and if none, in how many seconds to ask again."""
    free = queue.concurrency - active if queue.scope == "global" else wanted
    if free <= 0:
        return 0, ASK_AGAIN
    if queue.rate is None:
        return min(wanted, free), 0.0
    rate = queue.rate
    tokens = rate.burst - debt / rate.interval
    if tokens >= 1:
        return min(wanted, free, int(tokens)), 0.0
    enough = min(wanted, free, math.ceil(rate.burst / 2))
    return 0, (enough - tokens) * rate.interval
