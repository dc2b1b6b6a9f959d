"""What every worker does beside its jobs: rescue, re-offer, take over late delays, tick, prune.

Rescue needs two sweeps by the same process, so every process sweeps. The other chores are done by whichever
process finds them due first: one row a chore, taken by a conditional UPDATE, so nobody leads and nobody's
death or pause holds them up.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from ..brokers.base import Broker
from ..definitions import recurrence
from ..errors import unforeseen
from ..ledger import deletions, outbox, tallies, workers
from ..models import Chore, Worker
from ..settings import Queue, declared

log = logging.getLogger(__name__)

PRUNE_BATCH = 1000
TICK = 1.0
TALLIES = 2.0
RECOUNT = 24 * 3600.0
WORKER_ROWS_KEPT = timedelta(days=7)


class Housekeeper:
    """Runs the chores until `stopping` is set; outages are waited out."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.stopping = threading.Event()
        self.sweeper = workers.Sweeper()
        self.next_sweep = 0.0

    def run(self) -> None:
        shortest = min(settings.QUEUE_SWEEP, settings.QUEUE_RECHECK, settings.QUEUE_OVERDUE, 5.0)
        while not self.stopping.wait(shortest / 4):
            try:
                self.look()
            except Exception as error:
                log.warning("housekeeping has to wait: %s", error, exc_info=unforeseen(error))
                connection.close()
        connection.close()

    def look(self) -> None:
        """Do what is due."""
        if time.monotonic() >= self.next_sweep:
            self.sweeper.sweep()
            self.next_sweep = time.monotonic() + settings.QUEUE_SWEEP
        chores: list[tuple[str, float, Callable[[], object]]] = [
            ("orphans", settings.QUEUE_SWEEP, workers.rescue_orphans),
            ("prune", settings.QUEUE_PRUNE, prune),
            ("recurring", TICK, recurrence.tick),
            ("tallies", TALLIES, tallies.fold),
            ("recount", RECOUNT, tallies.recount),
        ]
        if self.broker.holds_delays:
            chores.append(("overdue", settings.QUEUE_OVERDUE, self._take_over))
        chores.append(("recheck", settings.QUEUE_RECHECK, self.recheck))
        pending = set(Chore.objects.filter(next_at__gt=Now()).values_list("name", flat=True))
        for name, every, chore in chores:
            if name not in pending and _is_our_turn(name, every):
                chore()

    def _take_over(self) -> None:
        taken = self.broker.take_over(settings.QUEUE_OVERDUE)
        if taken:
            log.warning("no scheduler moved %d delayed jobs in time; published them", taken)

    def recheck(self) -> int:
        """Offer again what the broker no longer holds, checked row by row; how many."""
        offers = outbox.offered_before(settings.QUEUE_RECHECK)
        if not offers:
            return 0
        released = outbox.release(self.broker.lost(offers, workers.living()))
        if released:
            log.warning("the broker lost %d messages; their jobs are offered again", released)
        return released


def _is_our_turn(name: str, every: float) -> bool:
    """Take a chore for this round if its time has come; one process succeeds."""
    due = Chore.objects.filter(name=name, next_at__lte=Now())
    if due.update(next_at=Now() + timedelta(seconds=every)):
        return True
    Chore.objects.get_or_create(name=name)
    return False


def prune() -> int:
    """Delete finished jobs that their queue keeps no longer, by age and by count, in short batches; how many."""
    queues = declared()
    parts = [(Q(queue=name), queue) for name, queue in queues.items()]
    parts.append((~Q(queue__in=list(queues)), Queue("no longer declared")))
    overdue = (jobs for part in parts for room in deletions.rooms(*part) for jobs in room.overdue())
    deleted = sum(deletions.delete_all(jobs, PRUNE_BATCH) for jobs in overdue)
    Worker.objects.filter(stopped_at__lt=timezone.now() - WORKER_ROWS_KEPT).exclude(jobs__state="active").delete()
    return deleted
