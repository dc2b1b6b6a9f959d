"""The rows of worker processes. A row's heartbeat is the lease of all the jobs that its process holds."""

import os
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from ..lifecycle.child_rule import ChildRule
from ..models import Worker
from . import rescues


def register(name: str, queues: Sequence[str]) -> int:
    """Write this process's row; its id is what claims are made for."""
    return int(Worker.objects.create(name=name, host=socket.gethostname(), pid=os.getpid(), queues=list(queues)).pk)


def begin_to_drain(worker_id: int) -> None:
    """The process claims nothing more from now on: it is no longer ready."""
    Worker.objects.filter(pk=worker_id, stopped_at=None).update(draining_at=Now())


def is_ready(name: str = "") -> bool:
    """Whether a worker process of this host (of that name) has a fresh heartbeat and is not draining."""
    here = Worker.objects.filter(pk__in=living(), host=socket.gethostname(), draining_at=None)
    return here.filter(name=name).exists() if name else here.exists()


def deregister(worker_id: int) -> None:
    """The process ends in good order and holds no jobs any more."""
    Worker.objects.filter(pk=worker_id, stopped_at=None).update(stopped_at=Now())


def living() -> list[int]:
    """The processes whose heartbeat is fresh."""
    fresh = Now() - timedelta(seconds=settings.QUEUE_LEASE)
    return list(Worker.objects.filter(stopped_at=None, beat_at__gte=fresh).values_list("pk", flat=True))


def renew(worker_id: int) -> bool:
    """One heartbeat; False if the process was declared dead and its jobs were freed."""
    return bool(Worker.objects.filter(pk=worker_id, stopped_at=None).update(beat_at=Now()))


def declare_dead(worker_id: int, child_rule: ChildRule, *, beat_at: datetime | None = None) -> list[int] | None:
    """Close the row of a dead process and free its jobs; their ids. None if the row is closed already.

    `beat_at`: only if its last heartbeat is still this one.
    """
    with transaction.atomic():
        rows = Worker.objects.filter(pk=worker_id, stopped_at=None)
        if beat_at is not None:
            rows = rows.filter(beat_at=beat_at)
        dead = rows.first()
        if dead is None or not rows.update(stopped_at=Now()):
            return None
        return rescues.rescue(worker_id, str(dead), child_rule)
