"""Worker processes and their leases: one row a process, one heartbeat for all the jobs it holds."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from .. import ledger
from ..errors import unforeseen
from ..models import Worker

log = logging.getLogger(__name__)


def register(name: str, queues: Sequence[str]) -> int:
    """Write this process's row; its id is what claims are made for."""
    return int(Worker.objects.create(name=name, host=socket.gethostname(), pid=os.getpid(), queues=list(queues)).pk)


def begin_to_drain(worker_id: int) -> None:
    """The process claims nothing more from now on: it is not ready any longer."""
    Worker.objects.filter(pk=worker_id, stopped_at=None).update(draining_at=Now())


def is_ready(name: str = "") -> bool:
    """Whether a worker process of this host (of that name) has a fresh heartbeat and is not draining."""
    here = Worker.objects.filter(pk__in=living(), host=socket.gethostname(), draining_at=None)
    return here.filter(name=name).exists() if name else here.exists()


def sign_off(worker_id: int) -> None:
    """The process ends in good order and holds no jobs any more."""
    Worker.objects.filter(pk=worker_id, stopped_at=None).update(stopped_at=Now())


def living() -> list[int]:
    """The processes whose heartbeat is fresh."""
    fresh = Now() - timedelta(seconds=settings.QUEUE_LEASE)
    return list(Worker.objects.filter(stopped_at=None, beat_at__gte=fresh).values_list("pk", flat=True))


def renew(worker_id: int) -> bool:
    """One heartbeat; False if a sweeper took the process for dead and freed its jobs."""
    return bool(Worker.objects.filter(pk=worker_id, stopped_at=None).update(beat_at=Now()))


def bury(worker_id: int) -> list[int]:
    """Free the jobs of a process that is known to be dead; nothing if it ended in good order."""
    with transaction.atomic():
        rows = Worker.objects.filter(pk=worker_id, stopped_at=None)
        dead = rows.first()
        return ledger.rescue(worker_id, str(dead)) if dead and rows.update(stopped_at=Now()) else []


class Heartbeat:
    """Calls `beat` every QUEUE_HEARTBEAT seconds, on a connection of its thread's own.

    After a beat that took longer the next follows at once: what PostgreSQL writes is the time at which a beat began.
    """

    def __init__(self, beat: Callable[[], None]) -> None:
        self.beat = beat
        self.stopping = threading.Event()

    def run(self) -> None:
        took = 0.0
        while not self.stopping.wait(max(0.0, settings.QUEUE_HEARTBEAT - took)):
            began = time.monotonic()
            try:
                self.beat()
            except Exception as error:
                log.warning("a heartbeat failed: %s", error, exc_info=unforeseen(error))
                connection.close()
            took = time.monotonic() - began
        connection.close()


class Sweeper:
    """Frees the jobs of dead workers.

    A worker is dead when the same stale beat is seen in two sweeps by a sweeper that was connected
    throughout: a restart of PostgreSQL, which nobody could beat through, rescues nobody.
    """

    def __init__(self) -> None:
        self.seen: dict[int, datetime] = {}
        self.backend: int | None = None

    def sweep(self) -> list[int]:
        """Look once; the ids of the jobs that were freed."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backend = cursor.fetchone()[0]
        if backend != self.backend:
            self.seen = {}
            self.backend = backend
        stale = Worker.objects.filter(stopped_at=None, beat_at__lt=Now() - timedelta(seconds=settings.QUEUE_LEASE))
        workers = {worker.pk: worker for worker in stale}
        dead = [worker for worker in workers.values() if self.seen.get(worker.pk) == worker.beat_at]
        self.seen = {worker.pk: worker.beat_at for worker in workers.values()}
        return [job_id for worker in dead for job_id in self._bury(worker)]

    def _bury(self, worker: Worker) -> list[int]:
        """Close the worker's row if its beat is still the one that was seen, and free its jobs."""
        with transaction.atomic():
            unbeaten = Worker.objects.filter(pk=worker.pk, stopped_at=None, beat_at=worker.beat_at)
            is_dead = bool(unbeaten.update(stopped_at=Now()))
            rescued = ledger.rescue(worker.pk, str(worker)) if is_dead else []
        self.seen.pop(worker.pk, None)
        if is_dead:
            log.warning("worker %s died; freed %d jobs", worker, len(rescued))
        return rescued


def rescue_orphans() -> list[int]:
    """Free what a process claimed in the moment in which it was taken for dead.

    If it lives, it adopts what it runs with its next beat: what is younger than a lease may be in good hands.
    """
    long = settings.QUEUE_LEASE
    gone = Worker.objects.filter(stopped_at__lt=Now() - timedelta(seconds=long), jobs__state="active").distinct()
    return [job_id for worker in gone for job_id in ledger.rescue(worker.pk, str(worker), held_for=long)]
