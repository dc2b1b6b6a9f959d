"""Finished jobs leave the ledger in short batches, each a transaction of its own, so that no lock is held long."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ..models import Job
from ..settings import Queue
from ..states import FINAL, JobState

Label = tuple[int, str, str, str]
"""Number, name, queue and state of a job that was deleted."""


@dataclass(frozen=True)
class Room:
    """Finished jobs that a queue keeps under the same rule."""

    jobs: QuerySet[Job]
    age: timedelta
    count: int | None

    def overdue(self) -> Iterator[QuerySet[Job]]:
        """Those that are too old, then those beyond the count."""
        yield self.jobs.filter(finished_at__lt=timezone.now() - self.age)
        if self.count is not None and (edge := self._first_beyond(self.count)):
            at, pk = edge
            yield self.jobs.filter(Q(finished_at__lt=at) | Q(finished_at=at, pk__lte=pk))

    def _first_beyond(self, count: int) -> tuple[datetime, int] | None:
        newest: Any = self.jobs.order_by("-finished_at", "-pk").values_list("finished_at", "pk")
        found: tuple[datetime, int] | None = newest[count : count + 1].first()
        return found


def rooms(which: Q, queue: Queue) -> tuple[Room, Room]:
    """The completed jobs of a queue, and its failed and cancelled ones."""
    jobs = Job.objects.filter(which)
    completed, others = [JobState.COMPLETED], [JobState.FAILED, JobState.CANCELLED]
    return (
        Room(jobs.filter(state__in=completed), queue.keep_completed, queue.keep_completed_count),
        Room(jobs.filter(state__in=others), queue.keep_failed, queue.keep_failed_count),
    )


def delete_all(jobs: QuerySet[Job], batch: int) -> int:
    """Delete these jobs, `batch` at a time; how many."""
    deleted = 0
    while found := delete_some(jobs, batch):
        deleted += len(found)
        if len(found) < batch:
            break
    return deleted


def delete_some(jobs: QuerySet[Job], batch: int) -> Sequence[Label]:
    """Delete up to `batch` of these jobs, oldest first; which.

    Passed over: live ones, those in another's hands (an operator's retry), and those whose message is not out
    of the broker yet.
    """
    free = jobs.filter(state__in=FINAL, waiting=None).select_for_update(skip_locked=True, of=("self",))
    with transaction.atomic():
        chosen = list(free.order_by("finished_at").values_list("pk", "name", "queue", "state")[:batch])
        Job.objects.filter(pk__in=[pk for pk, *_ in chosen]).delete()
    return chosen
