"""Finished jobs that their queue keeps no longer are deleted, by age and by count."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from ..ledger import deletions
from ..models import Worker
from ..settings import Queue, declared

PRUNE_BATCH = 1000
WORKER_ROWS_KEPT = timedelta(days=7)


def prune() -> int:
    """Delete finished jobs that their queue keeps no longer, by age and by count, in short batches; how many."""
    parts = [(Q(queue=name), queue) for name, queue in declared().items()]
    parts.append((~Q(queue__in=list(declared())), Queue("no longer declared")))
    overdue = (jobs for part in parts for room in deletions.rooms(*part) for jobs in room.overdue())
    deleted = sum(deletions.delete_all(jobs, PRUNE_BATCH) for jobs in overdue)
    Worker.objects.filter(stopped_at__lt=timezone.now() - WORKER_ROWS_KEPT).exclude(jobs__state="active").delete()
    return deleted
