"""Finds dead workers and frees their jobs."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from .. import ledger
from ..definitions import registry
from ..ledger import workers
from ..models import Worker

log = logging.getLogger(__name__)


class Rescuer:
    """Sweeps for dead workers.

    A worker is dead when the same stale heartbeat is seen in two sweeps by a rescuer that was connected throughout: a
    restart of PostgreSQL, during which nobody could send a heartbeat, rescues nobody.
    """

    def __init__(self) -> None:
        self.seen: dict[int, datetime] = {}
        self.backend: int | None = None

    def sweep(self) -> list[int]:
        """Compare once; the ids of the jobs that were freed."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backend = cursor.fetchone()[0]
        if backend != self.backend:
            self.seen = {}
            self.backend = backend
        stale = Worker.objects.filter(stopped_at=None, beat_at__lt=Now() - timedelta(seconds=settings.QUEUE_LEASE))
        found = {worker.pk: worker for worker in stale}
        dead = [worker for worker in found.values() if self.seen.get(worker.pk) == worker.beat_at]
        self.seen = {worker.pk: worker.beat_at for worker in found.values()}
        return [job_id for worker in dead for job_id in self._declare_dead(worker)]

    def _declare_dead(self, worker: Worker) -> list[int]:
        """If its heartbeat is still the one that was seen."""
        rescued = workers.declare_dead(worker.pk, registry.child_rule(), beat_at=worker.beat_at)
        self.seen.pop(worker.pk, None)
        if rescued is not None:
            log.warning("worker %s died; freed %d jobs", worker, len(rescued))
        return rescued or []


def rescue_from_closed_workers() -> list[int]:
    """Free what a process claimed at the moment in which it was declared dead.

    If the process lives, it reassigns what it runs to its new row with its next heartbeat: what is younger than a lease
    may still be taken over.
    """
    lease = settings.QUEUE_LEASE
    closed = Worker.objects.filter(stopped_at__lt=Now() - timedelta(seconds=lease), jobs__state="active").distinct()
    child_rule = registry.child_rule()
    return [job_id for worker in closed for job_id in ledger.rescue(worker.pk, str(worker), child_rule, held_for=lease)]
