"""Retention: deletes the finished jobs that their queues no longer keep, by age and by count."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from ..ledger import deletions
from ..models import Job, Worker
from ..settings import Queue, declared
from ..states import JobState

PRUNE_BATCH = 1000
WORKER_ROWS_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class RetentionRule:
    """Finished jobs of which a queue keeps the newest `count`, each no longer than `age`."""

    jobs: QuerySet[Job]
    age: timedelta
    count: int | None

    def expired(self) -> Iterator[QuerySet[Job]]:
        """The jobs that are too old, then those beyond the count."""
        yield self.jobs.filter(finished_at__lt=timezone.now() - self.age)
        if self.count is not None and (newest := self._newest_beyond(self.count)):
            at, pk = newest
            yield self.jobs.filter(Q(finished_at__lt=at) | Q(finished_at=at, pk__lte=pk))

    def _newest_beyond(self, count: int) -> tuple[datetime, int] | None:
        newest_first: Any = self.jobs.order_by("-finished_at", "-pk").values_list("finished_at", "pk")
        found: tuple[datetime, int] | None = newest_first[count : count + 1].first()
        return found


def prune() -> int:
    """Delete in short batches the jobs that no queue keeps any longer, and old rows of workers; the number of jobs."""
    deleted = sum(deletions.delete_all(jobs, PRUNE_BATCH) for rule in _rules() for jobs in rule.expired())
    Worker.objects.filter(stopped_at__lt=timezone.now() - WORKER_ROWS_KEPT).exclude(jobs__state="active").delete()
    return deleted


def _rules() -> Iterator[RetentionRule]:
    """The rules of all declared queues; jobs of other queues are kept for the default times."""
    queues = declared()
    for name, queue in queues.items():
        yield from _rules_of(queue, Q(queue=name))
    yield from _rules_of(Queue("no longer declared"), ~Q(queue__in=list(queues)))


def _rules_of(queue: Queue, which: Q) -> tuple[RetentionRule, RetentionRule]:
    """The rule for completed jobs, and that for failed and cancelled ones."""
    jobs = Job.objects.filter(which)
    completed, others = [JobState.COMPLETED], [JobState.FAILED, JobState.CANCELLED]
    return (
        RetentionRule(jobs.filter(state__in=completed), queue.keep_completed, queue.keep_completed_count),
        RetentionRule(jobs.filter(state__in=others), queue.keep_failed, queue.keep_failed_count),
    )
