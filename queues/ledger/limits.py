"""Limits that hold over all processes and brokers: starts in a time (`rate`), and jobs at once (`scope: "global"`).

Who wants to claim jobs of a limited queue locks the queue's row, asks how many may start now, claims so many and
writes down what was spent, in one short transaction. Nothing is put back into a broker: what may not start yet
stays with its lane until its time has come. The rate is a token bucket (GCRA: the row holds the time up to which
starts are spent); jobs at once are counted, so that a dead worker's count as long as its lease.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction

from .. import ledger
from ..lifecycle.offer import Offer
from ..models import QueueState
from ..settings import Queue
from . import Claim

ASK_AGAIN = 0.2
"""Seconds until a lane asks again whether one of the jobs that other processes run has ended."""

LONGEST_HOLD_MS = 10_000
"""A process that stands still within the transaction loses it, and with it the lock, after so long."""

LOCK = "SELECT spent_until, set_config('idle_in_transaction_session_timeout', %s, true) \
FROM queues_queuestate WHERE name = %s FOR UPDATE"
ACTIVE = "SELECT clock_timestamp(), count(*) FROM queues_job WHERE queue = %s AND state = 'active'"
NOW = "SELECT clock_timestamp(), 0"


@dataclass(frozen=True)
class Admitted:
    """What was claimed; the offers that may not start yet, and in how many seconds to ask again."""

    claims: list[Claim]
    refused: list[Offer] = field(default_factory=list)
    wait: float = 0.0


def claim(queue: Queue, offers: Sequence[Offer], worker_id: int | None) -> Admitted:
    """Claim as many of these offers as the limits of their queue allow now."""
    if queue.rate is None and queue.scope == "process":
        return Admitted(ledger.claim(offers, worker_id))
    with transaction.atomic():
        spent_until, now, active = _look(queue)
        allowed, wait = _allowed(queue, len(offers), spent_until, now, active)
        claims = ledger.claim(offers[:allowed], worker_id) if allowed else []
        if queue.rate and claims:
            spent_until += timedelta(seconds=len(claims) * queue.rate.interval)
            QueueState.objects.filter(name=queue.name).update(spent_until=spent_until)
    return Admitted(claims, list(offers[allowed:]), wait)


def _look(queue: Queue) -> tuple[datetime, datetime, int]:
    """Lock the queue's row: up to when its starts are spent, the time, and how many of its jobs run."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [str(LONGEST_HOLD_MS), queue.name])
        row = cursor.fetchone()
        if row is None:
            QueueState.objects.get_or_create(name=queue.name)
            return _look(queue)
        cursor.execute(*(ACTIVE, [queue.name]) if queue.scope == "global" else (NOW, None))
        now, active = cursor.fetchone()
    return max(row[0] or now, now), now, active


def _allowed(queue: Queue, wanted: int, spent_until: datetime, now: datetime, active: int) -> tuple[int, float]:
    """How many of the wanted jobs may start now, and if none, in how many seconds to ask again."""
    free = queue.concurrency - active if queue.scope == "global" else wanted
    if free <= 0:
        return 0, ASK_AGAIN
    if queue.rate is None:
        return min(wanted, free), 0.0
    rate, debt = queue.rate, (spent_until - now).total_seconds()
    tokens = rate.burst - debt / rate.interval
    if tokens >= 1:
        return min(wanted, free, int(tokens)), 0.0
    enough = min(wanted, free, math.ceil(rate.burst / 2))
    return 0, (enough - tokens) * rate.interval
