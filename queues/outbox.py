"""The outbox: waiting jobs on their way to a worker. Offers are leased here, published by the dispatcher,
and end with the claim (`ledger.claim` deletes the row).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from .models import Outbox
from .offer import Offer
from .pauses import PAUSED, paused_queues

CHANNEL = "queues_outbox"
LEASE_BATCH = 1000


def ring() -> None:
    """Wake the dispatchers after the commit, once a transaction.

    NOTIFY stands in a statement of its own after the commit: within the transaction it would make all
    commits of the database wait for each other.
    """
    if not connection.in_atomic_block:
        _notify()
    elif not any(hook[1] is _notify for hook in connection.run_on_commit):
        transaction.on_commit(_notify, robust=True)


def _notify() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


LEASE = """
WITH locked AS MATERIALIZED (
    SELECT job_id FROM queues_outbox
    WHERE queue = %s AND offered_at IS NULL AND NOT withdrawn AND due_at {due} AND queue <> ALL ({paused})
    ORDER BY {order} LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE queues_outbox o SET "offer" = o."offer" + 1, offered_at = clock_timestamp()
FROM locked, queues_job j
WHERE o.job_id = locked.job_id AND j.id = locked.job_id
RETURNING o.job_id, o."offer", o.queue, o.due_at, j.name, o.priority
"""
FITTING = "<= clock_timestamp() AND (priority <= %s OR priority > %s)"
DUE_NOW = LEASE.format(paused=PAUSED, due=FITTING, order="priority DESC, due_at, job_id")
LATER = "> clock_timestamp() + %s * interval '1 s' AND priority <= 0"
DUE_LATER = LEASE.format(paused=PAUSED, due=LATER, order="due_at, job_id")


@dataclass(frozen=True)
class Published:
    """The lowest and the highest priority among the offers of a queue that lie in the broker."""

    lowest: int = 32_767
    highest: int = 32_767


def lease(queue: str, limit: int, published: Published | None = None) -> list[Offer]:
    """Number and take up to `limit` due rows of a queue, highest priority first.

    A broker's list has a head and a tail: of rows that fit at neither, because some of what is published should
    come before them and some after, none is taken until the former is claimed.
    """
    bounds = published or Published()
    with connection.cursor() as cursor:
        cursor.execute(DUE_NOW, [queue, bounds.lowest, bounds.highest, limit])
        rows = sorted(cursor.fetchall(), key=lambda row: (-row[5], row[3], row[0]))
    return [replace(Offer(*row[:5]), overtakes=row[5] > bounds.highest) for row in rows]


def lease_delayed(queue: str, limit: int, delay: float) -> list[Offer]:
    """The same for rows that fall due in more than `delay` seconds, soonest first.

    Those of a raised priority are not taken: a broker would put them at the tail when they are due.
    """
    with connection.cursor() as cursor:
        cursor.execute(DUE_LATER, [queue, delay, limit])
        rows = sorted(cursor.fetchall(), key=lambda row: (row[3], row[0]))
    return [Offer(*row[:5]) for row in rows]


def lease_window(queue: str, window: int, delayed_window: int, delay: float | None) -> list[Offer]:
    """Lease what still fits into the broker's windows, in one short transaction; the dispatchers take turns.

    `delay`: from how many seconds on the broker holds a delayed job itself; None if it cannot.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(20251, hashtext(%s))", [queue])
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(
            "SELECT count(*) FILTER (WHERE due_at <= now()), count(*) FILTER (WHERE due_at > now()),"
            " min(priority) FILTER (WHERE due_at <= now()), max(priority) FILTER (WHERE due_at <= now())"
            " FROM queues_outbox WHERE queue = %s AND offered_at IS NOT NULL",
            [queue],
        )
        offered, delayed, *priorities = cursor.fetchone()
        published = Published(*priorities) if offered else Published()
        offers = lease(queue, min(LEASE_BATCH, window - offered), published) if window > offered else []
        if delay is not None and delayed_window > delayed:
            offers += lease_delayed(queue, min(LEASE_BATCH, delayed_window - delayed), delay)
    return offers


RELEASE = """
UPDATE queues_outbox
SET offered_at = NULL, due_at = greatest(due_at, CASE WHEN %(wait)s > 0 THEN now() + %(wait)s * interval '1 s' END)
WHERE job_id IN (
    SELECT o.job_id FROM queues_outbox o JOIN unnest(%(ids)s::bigint[], %(numbers)s::int[]) AS t(job_id, "offer")
    USING (job_id, "offer") WHERE o.offered_at IS NOT NULL FOR UPDATE OF o SKIP LOCKED)
"""


def release(offers: Sequence[Offer], *, postpone: float = 0) -> int:
    """Take offers back, so that their jobs are offered again under the next number; how many were.

    `postpone`: not before so many seconds from now. Rows in another's hands are left to the recheck.
    """
    if not offers:
        return 0
    with connection.cursor() as cursor:
        ids, numbers = [offer.job_id for offer in offers], [offer.number for offer in offers]
        cursor.execute(RELEASE, {"wait": postpone, "ids": ids, "numbers": numbers})
        released = int(cursor.rowcount)
    if released and not postpone:
        ring()
    return released


def offered_before(seconds: float) -> list[Offer]:
    """Offers that were published at least `seconds` ago and not claimed since."""
    before = timezone.now() - timedelta(seconds=seconds)
    rows = Outbox.objects.filter(offered_at__lt=before, withdrawn=False)
    return [Offer(*row) for row in rows.values_list("job_id", "offer", "queue", "due_at")]


def withdrawn(limit: int = LEASE_BATCH) -> list[Offer]:
    """Offers of jobs that were withdrawn, whose messages may still lie in the broker."""
    rows = Outbox.objects.filter(withdrawn=True).order_by("job_id").values_list("job_id", "offer", "queue", "due_at")
    return [Offer(*row) for row in rows[:limit]]


def forget(offers: Sequence[Offer]) -> None:
    """Delete the rows of withdrawn jobs whose messages are out of the broker."""
    for offer in offers:
        Outbox.objects.filter(job_id=offer.job_id, offer=offer.number, withdrawn=True).delete()


def still_waiting(offers: Sequence[Offer]) -> list[Offer]:
    """Of these offers those whose row still stands: they came early, or were not known, or were in another's hands."""
    if not offers:
        return []
    numbers = {offer.job_id: offer for offer in offers}
    rows = Outbox.objects.filter(job_id__in=list(numbers), withdrawn=False)
    return [
        Offer(job_id, number, numbers[job_id].queue, due_at, name)
        for job_id, number, due_at, name in rows.values_list("job_id", "offer", "due_at", "job__name")
        if numbers[job_id].number == number
    ]


def anything_due(queues: Sequence[str]) -> bool:
    """Whether a job of these queues is due, offered or not; paused queues have nothing to do."""
    running = set(queues) - paused_queues()
    return Outbox.objects.filter(queue__in=running, withdrawn=False, due_at__lte=timezone.now()).exists()


def queues_with_work(delay: float | None) -> list[str]:
    """Queues that have rows to offer now (or, beyond `delay`, to hand to a broker that holds them)."""
    later = "OR due_at > clock_timestamp() + %s * interval '1 s'" if delay is not None else ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT queue FROM queues_outbox WHERE offered_at IS NULL AND NOT withdrawn"
            f" AND (due_at <= clock_timestamp() {later}) AND queue <> ALL ({PAUSED})",
            [] if delay is None else [delay],
        )
        return [queue for (queue,) in cursor.fetchall()]
