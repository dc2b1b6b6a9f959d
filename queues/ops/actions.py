"""The actions of operators on jobs and queues; each writes an audit entry."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from .. import ledger
from ..ledger import deletions, outbox
from ..models import AuditEntry, Job, QueueState
from ..settings import queue_named
from ..states import FINAL, LIVE, JobState

BATCH = 500
CANCEL_ROUNDS = 5


class Cancelled(NamedTuple):
    """The ids of waiting jobs that were cancelled, and of running jobs that were asked to stop."""

    waiting: list[int]
    running: list[int]

    def __str__(self) -> str:
        asked = f"{len(self.running)} running job{' was' if len(self.running) == 1 else 's were'} asked to stop"
        return f"{len(self.waiting)} cancelled" + (f", {asked}" if self.running else "")


def retry_jobs(job_ids: Sequence[int], *, actor: str, detail: str = "") -> list[int]:
    """Let failed or cancelled jobs run again with a new budget of attempts; the ids of those that will run."""
    with transaction.atomic():
        return _audited("retry", ledger.retry(job_ids), actor, detail)


def retry_matching(*, actor: str, queue: str = "", name: str = "", error: str = "", containing: str = "") -> list[int]:
    """Retry the failed jobs that match all given criteria; the ids of those that will run.

    `error` is the whole text of the error, `containing` a part of it. Retried in batches, each in a transaction.
    ValueError if no criterion is given.
    """
    possible = {"queue": queue, "name": name, "error": error, "error__icontains": containing}
    criteria = {field: value for field, value in possible.items() if value}
    if not criteria:
        raise ValueError("say which failed jobs to retry: by queue, name or error")
    detail = "all failed: " + ", ".join(f"{field.split('__')[0]} {value!r}" for field, value in criteria.items())
    failed = Job.objects.filter(state=JobState.FAILED, **criteria)
    return [job_id for ids in _batches(failed) for job_id in retry_jobs(ids, actor=actor, detail=detail)]


def cancel_jobs(job_ids: Sequence[int], *, actor: str) -> Cancelled:
    """Cancel waiting and delayed jobs, and ask running ones to stop if they were not asked before."""
    done = Cancelled([], [])
    with transaction.atomic():
        left = list(job_ids)
        for _ in range(CANCEL_ROUNDS):  # a job may be claimed, or wait again, between the two statements
            done.waiting.extend(ledger.cancel(left, reason=f"cancelled by {actor}"))
            done.running.extend(ledger.ask_to_stop(left))
            missed = Job.objects.filter(pk__in=left, state__in=LIVE, cancel_asked_at=None)
            if not (left := list(missed.values_list("pk", flat=True))):
                break
        _audited("cancel", done.waiting, actor)
        _audited("cancel", done.running, actor, "asked to stop")
    return done


def cancel_under(key: str, *, actor: str) -> Cancelled:
    """Cancel the live job of this key, or ask it to stop if it runs."""
    return cancel_jobs(list(Job.objects.filter(key=key, state__in=LIVE).values_list("pk", flat=True)), actor=actor)


def discard_jobs(job_ids: Sequence[int], *, actor: str) -> list[int]:
    """Delete the finished ones of these jobs with their attempts; the ids of the deleted ones."""
    discarded: list[int] = []
    for ids in _batches(Job.objects.filter(pk__in=list(job_ids), state__in=FINAL)):
        with transaction.atomic():
            found = deletions.delete_some(Job.objects.filter(pk__in=ids), BATCH)
            details = [f"#{pk} {name} of queue {queue}, {state}" for pk, name, queue, state in found]
            AuditEntry.objects.bulk_create(AuditEntry(actor=actor, action="discard", detail=each) for each in details)
        discarded += [pk for pk, *_ in found]
    return discarded


def clean(queue: str, state: str, older: timedelta, *, actor: str) -> int:
    """Delete a queue's jobs that reached this final state longer ago than `older`; the number of deleted jobs.

    Deleted in batches, each in a transaction with its own audit entry. ValueError for a state that is not final.
    """
    if state not in FINAL:
        raise ValueError(f"only finished jobs can be cleaned: expected one of {', '.join(FINAL)}, got {state!r}")
    name, before = queue_named(queue).name, timezone.now() - older
    jobs = Job.objects.filter(queue=name, state=state, finished_at__lt=before)
    deleted = 0
    while True:
        with transaction.atomic():
            found = len(deletions.delete_some(jobs, BATCH))
            if found:
                time = f"{timezone.localtime(before):%Y-%m-%d %H:%M:%S}"
                detail = f"{name}: {found} {state} jobs that ended before {time}"
                AuditEntry.objects.create(actor=actor, action="clean", detail=detail)
        deleted += found
        if found < BATCH:
            return deleted


def pause_queue(queue: str, *, actor: str) -> bool:
    """Let no job of this queue start in any process until the queue is resumed; False if it was paused already."""
    name = queue_named(queue).name
    with transaction.atomic():
        QueueState.objects.get_or_create(name=name)
        changed = QueueState.objects.filter(name=name, paused_at=None).update(paused_at=Now())
        return _audited_queue("pause", name, changed, actor)


def resume_queue(queue: str, *, actor: str) -> bool:
    """Let the jobs of a paused queue start again; False if it was not paused."""
    name = queue_named(queue).name
    with transaction.atomic():
        changed = QueueState.objects.filter(name=name, paused_at__isnull=False).update(paused_at=None)
        outbox.notify()
        return _audited_queue("resume", name, changed, actor)


def _batches(jobs: QuerySet[Job]) -> Iterator[list[int]]:
    """The ids of these jobs in ascending order, BATCH at a time; none comes twice, even if jobs change meanwhile."""
    last = 0
    while ids := list(jobs.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield ids
        last = ids[-1]


def _audited(action: str, job_ids: list[int], actor: str, detail: str = "") -> list[int]:
    AuditEntry.objects.bulk_create(
        AuditEntry(actor=actor, action=action, job_id=job_id, detail=detail) for job_id in job_ids
    )
    return job_ids


def _audited_queue(action: str, queue: str, changed: int, actor: str) -> bool:
    if changed:
        AuditEntry.objects.create(actor=actor, action=action, detail=f"queue {queue}")
    return bool(changed)
