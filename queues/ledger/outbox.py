"""The outbox: waiting jobs on their way to a worker. Offers are numbered here, published by the dispatcher, and end
with the claim (`ledger.claim` deletes the row).
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from ..lifecycle.offer import Offer
from ..models import Outbox
from ..postgres import prepared
from .pauses import PAUSED

CHANNEL = "queues_outbox"
BATCH = 1000


def notify() -> None:
    """Wake the dispatchers after the commit, once a transaction.

    NOTIFY stands in a statement of its own after the commit: within the transaction it would make all
    commits of the database wait for each other.
    """
    if not connection.in_atomic_block:
        _send_notify()
    elif not any(hook[1] is _send_notify for hook in connection.run_on_commit):
        transaction.on_commit(_send_notify, robust=True)


def _send_notify() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


OFFER_DUE = f"""
WITH locked AS MATERIALIZED (
    SELECT job_id FROM queues_outbox
    WHERE queue = %(queue)s AND offered_at IS NULL AND NOT withdrawn AND due_at <= clock_timestamp()
          AND queue <> ALL ({PAUSED})
    ORDER BY priority DESC, due_at, job_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE queues_outbox o SET "offer" = o."offer" + 1, offered_at = clock_timestamp()
FROM locked, queues_job j
WHERE o.job_id = ANY(ARRAY[locked.job_id]) AND j.id = ANY(ARRAY[locked.job_id])
RETURNING o.job_id, o."offer", o.queue, o.due_at, j.name, o.priority, false, 32767
"""


def offer_due(queue: str, limit: int) -> list[Offer]:
    """Offer up to `limit` due rows of a queue, highest priority first: each gets its next number."""
    return _offers(prepared.execute(OFFER_DUE, {"queue": queue, "limit": limit}))


OFFER_WINDOWS = "SELECT * FROM queues_lease_windows(%s::text[], %s, %s, %s, %s::float)"
"""The function is in migration 0003: one message instead of four, since most of its time is the way to the server."""


def offer_windows(queues: list[str], window: int, delayed_window: int, delay: float | None) -> list[Offer]:
    """Offer what still fits into the broker's windows, of each queue; the dispatchers take turns at a queue.

    The commit does not wait for the disk: do nothing in the same transaction that has to last.

    `delay`: from how many seconds on the broker holds a delayed job itself; None if it cannot. Delayed jobs of a raised
    priority are not taken: a broker would put them at the tail when they are due.
    A broker's list has a head and a tail: of rows that fit at neither, because some of what is published should
    come before them and some after, none is taken until the former is claimed.
    """
    return _offers(prepared.execute(OFFER_WINDOWS, [queues, window, delayed_window, BATCH, delay]))


def _offers(rows: Sequence[tuple[Any, ...]]) -> list[Offer]:
    """Due ones by priority, then delayed ones, soonest first; `highest` is the highest priority that is published."""

    def order(row: tuple[Any, ...]) -> tuple[Any, ...]:
        job_id, _, _, due_at, _, priority, later, _ = row
        return later, 0 if later else -priority, due_at, job_id

    return [
        Offer(job_id, number, queue, due_at, name, to_front=not later and priority > highest)
        for job_id, number, queue, due_at, name, priority, later, highest in sorted(rows, key=order)
    ]


RELEASE = """
WITH locked AS MATERIALIZED (
    SELECT o.job_id FROM unnest(%(ids)s::bigint[], %(numbers)s::int[]) AS t(job_id, "offer"), LATERAL (
        SELECT * FROM queues_outbox o
        WHERE o.job_id = t.job_id AND (o."offer" = t."offer" AND o.offered_at IS NOT NULL) IS TRUE
        FOR UPDATE OF o SKIP LOCKED
    ) o
)
UPDATE queues_outbox
SET offered_at = NULL,
    due_at = greatest(due_at, CASE WHEN %(wait)s::float > 0 THEN now() + %(wait)s::float * interval '1 s' END)
WHERE job_id = ANY(ARRAY(SELECT job_id FROM locked))
RETURNING job_id
"""


def release(offers: Sequence[Offer], *, postpone: float = 0) -> int:
    """Take offers back, so that their jobs are offered again under the next number; how many were.

    `postpone`: not before so many seconds from now. Rows that others have locked are left to the recheck.
    """
    if not offers:
        return 0
    ids, numbers = [offer.job_id for offer in offers], [offer.number for offer in offers]
    released = prepared.execute(RELEASE, {"wait": postpone, "ids": ids, "numbers": numbers})
    if released and not postpone:
        notify()
    return len(released)


OFFERED_BEFORE = """
SELECT job_id, "offer", queue FROM queues_outbox
WHERE offered_at < clock_timestamp() - %s::float * interval '1 s' AND NOT withdrawn
"""


def offered_before(seconds: float) -> list[Offer]:
    """Offers that were published at least `seconds` ago and not claimed since."""
    return [Offer(*row) for row in prepared.execute(OFFERED_BEFORE, [seconds])]


WITHDRAWN = 'SELECT job_id, "offer", queue, due_at FROM queues_outbox WHERE withdrawn ORDER BY job_id LIMIT %s'


def withdrawn(limit: int = BATCH) -> list[Offer]:
    """Offers of jobs that were withdrawn, whose messages may still lie in the broker."""
    return [Offer(*row) for row in prepared.execute(WITHDRAWN, [limit])]


def forget(offers: Sequence[Offer]) -> None:
    """Delete the rows of withdrawn jobs whose messages are out of the broker."""
    for offer in offers:
        Outbox.objects.filter(job_id=offer.job_id, offer=offer.number, withdrawn=True).delete()


def still_waiting(offers: Sequence[Offer]) -> list[Offer]:
    """Of these offers those whose row still exists: they came early, were not known, or were locked by others."""
    if not offers:
        return []
    numbers = {offer.job_id: offer for offer in offers}
    rows = Outbox.objects.filter(job_id__in=list(numbers), withdrawn=False)
    return [
        Offer(job_id, number, numbers[job_id].queue, due_at, name)
        for job_id, number, due_at, name in rows.values_list("job_id", "offer", "due_at", "job__name")
        if numbers[job_id].number == number
    ]


LEFT = f"""
SELECT EXISTS (SELECT FROM queues_outbox WHERE queue = ANY(%(queues)s) AND NOT withdrawn
               AND due_at <= clock_timestamp() AND queue <> ALL ({PAUSED}))
    OR EXISTS (SELECT FROM queues_job WHERE worker_id = %(worker)s AND state = 'active')
"""


def anything_left(queues: Sequence[str], worker_id: int) -> bool:
    """Whether a job of these queues is due, offered or not, or is active for this worker; paused queues have none due.

    Asked in one statement, since a claim may move a job from the former to the latter at any moment.
    """
    with connection.cursor() as cursor:
        cursor.execute(LEFT, {"queues": list(queues), "worker": worker_id})
        (left,) = cursor.fetchone()
    return bool(left)
