"""The test kit for people who write jobs: run what was enqueued here and now, in this thread.

place_order(...)
assert_enqueued(process_payment, order_id=1)
drain()
with moved(hours=1):
    drain()
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.test import override_settings

from . import ledger, signals
from .definitions import registry
from .definitions.job import JobDefinition
from .execution import runner
from .ledger import outbox
from .lifecycle.execution import Execution
from .lifecycle.verdict import Finished, Verdict
from .maintenance.recurring import make_rows, tick
from .models import Job, Outbox
from .settings import declared, queue_named
from .states import JobState

LONGEST_DRAIN = 1000
LONGEST_LIST = 10


class JobFailed(AssertionError):
    """A job that drain() ran did not complete."""


def assert_enqueued(definition: JobDefinition, **args: Any) -> Job:
    """The waiting job of that name with these arguments (a subset is enough); fails with what is there instead."""
    found = _waiting(definition, args).first()
    assert found is not None, f"{definition.name}({_words(args)}) does not wait.\n{_near_misses(definition)}"
    return found


def assert_not_enqueued(definition: JobDefinition, **args: Any) -> None:
    """Fails if a job of that name waits with these arguments (a subset is enough; none: whatever its arguments)."""
    found = _waiting(definition, args).first()
    assert found is None, f"{_text(found)}, due at {found.run_at}"


def drain(*, queue: str | None = None, raises: bool = True) -> int:
    """Run due jobs until none is due; how many ran. A job that fails makes drain() fail with its traceback."""
    ran = 0
    while (execution := _claim_next(queue)) is not None:
        _run(execution, raises=raises)
        ran += 1
        if ran > LONGEST_DRAIN:
            raise AssertionError(f"more than {LONGEST_DRAIN} jobs ran; the last was {_named(execution)}")
    return ran


def run_next(*, queue: str | None = None, raises: bool = True, asked_to_stop: bool = False) -> Job | None:
    """Run one due job; the job afterwards, None if none was due.

    `asked_to_stop`: an operator has cancelled it as it began, so that `job.cancelled()` is true.
    """
    execution = _claim_next(queue)
    if execution is None:
        return None
    _run(execution, raises=raises, asked_to_stop=asked_to_stop)
    return Job.objects.get(pk=execution.claim.id)


@contextmanager
def moved(length: timedelta | None = None, **units: float) -> Iterator[None]:
    """Inside it is so much later for the engine: `with moved(hours=1): drain()`; afterwards it is as early as before.

    Takes a timedelta or its words. Delays and back-offs pass, and `tick()` finds what recurs; what is enqueued
    inside counts from there. It is the engine's clock alone: timezone.now() and the database's stay. A delay
    until a datetime is moved with the rest if it was enqueued before.
    """
    by = length if length is not None else timedelta(**units)
    make_rows()
    _postpone(-by)
    try:
        with override_settings(QUEUE_CLOCK_SHIFT=settings.QUEUE_CLOCK_SHIFT + by.total_seconds()):
            yield
    finally:
        _postpone(by)


def make_due(**filters: Any) -> int:
    """Let waiting jobs (those that match) be due now, however long their delay; how many.

    For the next attempt of a job that fails again and again; `moved` shows when a job falls due.
    """
    ids = list(Job.objects.filter(state=JobState.WAITING, **filters).values_list("pk", flat=True))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE queues_outbox SET due_at = clock_timestamp() WHERE job_id = ANY(%s)", [ids])
        cursor.execute("UPDATE queues_job SET run_at = clock_timestamp() WHERE id = ANY(%s)", [ids])
        return int(cursor.rowcount)


def _postpone(by: timedelta) -> None:
    """The database's clock, by which jobs fall due, cannot be moved; so their times are, and all relations stay."""
    with transaction.atomic():
        Outbox.objects.update(due_at=F("due_at") + by)
        Job.objects.filter(state=JobState.WAITING).update(run_at=F("run_at") + by)


def _waiting(definition: JobDefinition, args: dict[str, Any]) -> QuerySet[Job]:
    unknown = [name for name in args if name not in definition.parameters]
    known = ", ".join(definition.parameters) or "no arguments"
    assert not unknown, f"{definition.name} takes {known}, not {', '.join(unknown)}"
    return Job.objects.filter(name=definition.name, state=JobState.WAITING, args__contains=args).order_by("pk")


def _near_misses(definition: JobDefinition) -> str:
    """The jobs of that name, then what else waits."""
    same = Job.objects.filter(name=definition.name).order_by("pk")
    others = Job.objects.filter(state=JobState.WAITING).exclude(name=definition.name).order_by("pk")
    groups = {f"Of {definition.name} there is": same, "Besides, there waits": others}
    return "\n".join(f"{title}:{_listed(list(jobs[: LONGEST_LIST + 1]))}" for title, jobs in groups.items())


def _listed(jobs: list[Job]) -> str:
    lines = [f"\n  {_text(job)}" for job in jobs[:LONGEST_LIST]]
    return "".join(lines) + "\n  ..." * (len(jobs) > LONGEST_LIST) or " nothing"


def _text(job: Job) -> str:
    return f"{job.name}({_words(job.args)}) #{job.pk}, {job.state}"


def _words(args: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in args.items())


def _claim_next(queue: str | None) -> Execution | None:
    """Of one due job. Limits do not count here."""
    for name in [queue] if queue else list(declared()):
        unlimited = replace(queue_named(name), rate=None, scope="process")
        for claim in ledger.claim(unlimited, outbox.offer_due(name, 1), None, registry.names()).claims:
            return Execution(claim, queue_named(name))
    return None


def _run(execution: Execution, *, raises: bool, asked_to_stop: bool = False) -> Verdict:
    claim = execution.claim
    if asked_to_stop:
        ledger.ask_to_stop([claim.id])
        execution.ask_to_stop()
    signals.started(claim)
    verdict = runner.run(execution)
    finished = Finished(execution, verdict)
    for state in ledger.finish([finished], "test").values():
        signals.attempt_ended(finished, state)
    unwanted = verdict.state == JobState.FAILED or (verdict.state == JobState.WAITING and verdict.traceback)
    if raises and unwanted:
        raise JobFailed(f"{_named(execution)}: {verdict.error}\n\n{verdict.traceback}")
    return verdict


def _named(execution: Execution) -> str:
    return f"{execution.claim.name}({execution.claim.args})"


__all__ = ["JobFailed", "assert_enqueued", "assert_not_enqueued", "drain", "make_due", "moved", "run_next", "tick"]
