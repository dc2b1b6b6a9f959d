"""What every worker does beside its jobs: which chore is due, and whose turn it is.

A rescue needs two sweeps by the same process, so every process sweeps. The other chores are done by whichever process
finds them due first: one row a chore, taken by a conditional UPDATE, so that nobody leads and nobody's death or pause
delays them.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from ..brokers.base import Broker
from ..helper_thread import HelperThread
from ..ledger import counts, outbox, workers
from ..models import Chore
from . import recurring
from .pruner import prune
from .rescuer import Rescuer, rescue_from_closed_workers

log = logging.getLogger(__name__)

TICK = 1.0
FOLD = 2.0
RECOUNT = 24 * 3600.0
"""Seconds between two runs of a chore."""


class Housekeeper:
    """Runs the chores of one process."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.rescuer = Rescuer()
        self.next_sweep = 0.0

    def helper(self) -> HelperThread:
        """The thread that runs what is due until it is stopped."""
        shortest = min(settings.QUEUE_SWEEP, settings.QUEUE_RECHECK, settings.QUEUE_OVERDUE, 5.0)
        return HelperThread("housekeeper", self.run_due, every=shortest / 4)

    def run_due(self) -> None:
        """Run the chores that are due."""
        if time.monotonic() >= self.next_sweep:
            self.rescuer.sweep()
            self.next_sweep = time.monotonic() + settings.QUEUE_SWEEP
        chores: list[tuple[str, float, Callable[[], object]]] = [
            ("orphans", settings.QUEUE_SWEEP, rescue_from_closed_workers),
            ("prune", settings.QUEUE_PRUNE, prune),
            ("recurring", TICK, recurring.tick),
            ("tallies", FOLD, counts.fold),
            ("recount", RECOUNT, counts.recount),
        ]
        if self.broker.holds_delays:
            chores.append(("overdue", settings.QUEUE_OVERDUE, self._take_over))
        chores.append(("recheck", settings.QUEUE_RECHECK, self.recheck))
        pending = set(Chore.objects.filter(next_at__gt=Now()).values_list("name", flat=True))
        for name, every, run in chores:
            if name not in pending and _take_turn(name, every):
                run()

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


def _take_turn(name: str, every: float) -> bool:
    """Take a chore for this round if its time has come; one process succeeds."""
    due = Chore.objects.filter(name=name, next_at__lte=Now())
    if due.update(next_at=Now() + timedelta(seconds=every)):
        return True
    Chore.objects.get_or_create(name=name)
    return False
