"""Deletes finished jobs in short batches, each in a transaction of its own, so that no lock is held for long."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from ..models import Job
from ..states import FINAL

Label = tuple[int, str, str, str]
"""Number, name, queue and state of a deleted job."""


def delete_all(jobs: QuerySet[Job], batch: int) -> int:
    """Delete these jobs, `batch` at a time; the number of deleted ones."""
    deleted = 0
    while found := delete_some(jobs, batch):
        deleted += len(found)
        if len(found) < batch:
            break
    return deleted


def delete_some(jobs: QuerySet[Job], batch: int) -> Sequence[Label]:
    """Delete up to `batch` of these jobs, oldest first; the labels of the deleted ones.

    Skipped are live jobs, jobs that another transaction has locked (an operator's retry), and withdrawn jobs whose
    message is still in the broker.
    """
    free = jobs.filter(state__in=FINAL, outbox_row=None).select_for_update(skip_locked=True, of=("self",))
    with transaction.atomic():
        chosen = list(free.order_by("finished_at").values_list("pk", "name", "queue", "state")[:batch])
        Job.objects.filter(pk__in=[pk for pk, *_ in chosen]).delete()
    return chosen
