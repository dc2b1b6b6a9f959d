"""The test kit for people who write jobs: run what was enqueued here and now, in this thread.

place_order(...)
assert_enqueued(process_payment, order_id=1)
drain()
"""

from typing import Any

from django.db import connection

from . import context, ledger, outbox, runner, signals
from . import settings as queue_settings
from .job import JobDefinition
from .ledger import Claim, Verdict
from .models import Job
from .states import JobState

LONGEST_DRAIN = 1000


class JobFailed(AssertionError):
    """A job that drain() ran did not complete."""


def assert_enqueued(definition: JobDefinition, **args: Any) -> Job:
    """The waiting job of that name with these arguments (a subset is enough); fails with what is there instead."""
    waiting = Job.objects.filter(name=definition.name, state=JobState.WAITING)
    found = waiting.filter(args__contains=args).first()
    there = [f"{job.name}({job.args})" for job in Job.objects.filter(state=JobState.WAITING)]
    assert found is not None, f"{definition.name}({args}) does not wait; waiting: {', '.join(there) or 'nothing'}"
    return found


def drain(*, queue: str | None = None, raises: bool = True) -> int:
    """Run due jobs until none is due; how many ran. A job that fails makes drain() fail with its traceback."""
    ran = 0
    while (claim := _claim_next(queue)) is not None:
        _run(claim, raises=raises)
        ran += 1
        if ran > LONGEST_DRAIN:
            raise AssertionError(f"more than {LONGEST_DRAIN} jobs ran; the last was {claim.name}({claim.args})")
    return ran


def run_next(*, queue: str | None = None, raises: bool = True, asked_to_stop: bool = False) -> Job | None:
    """Run one due job; the job afterwards, None if none was due.

    `asked_to_stop`: an operator has cancelled it as it began, so that `job.cancelled()` is true.
    """
    claim = _claim_next(queue)
    if claim is None:
        return None
    _run(claim, raises=raises, asked_to_stop=asked_to_stop)
    return Job.objects.get(pk=claim.id)


def make_due(**filters: Any) -> int:
    """Let delayed jobs (those that match) be due now; how many."""
    ids = list(Job.objects.filter(state=JobState.WAITING, **filters).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE queues_job SET run_at = clock_timestamp() WHERE id = ANY(%s)", [ids])
        cursor.execute("UPDATE queues_outbox SET due_at = clock_timestamp() WHERE job_id = ANY(%s)", [ids])
        return int(cursor.rowcount)


def _claim_next(queue: str | None) -> Claim | None:
    for name in [queue] if queue else list(queue_settings.declared()):
        claims = ledger.claim(outbox.lease(name, 1), None)
        if claims:
            return claims[0]
    return None


def _run(claim: Claim, *, raises: bool, asked_to_stop: bool = False) -> Verdict:
    context.began([claim])
    if asked_to_stop:
        ledger.ask_to_stop([claim.id])
        context.running_of(claim).ask_to_stop()
    try:
        signals.started(claim)
        verdict = runner.run(claim)
        ledger.finish(claim, verdict, "test")
    finally:
        context.ended(claim)
    unwanted = verdict.state == JobState.FAILED or (verdict.state == JobState.WAITING and verdict.traceback)
    if raises and unwanted:
        raise JobFailed(f"{claim.name}({claim.args}): {verdict.error}\n\n{verdict.traceback}")
    return verdict


__all__ = ["JobFailed", "assert_enqueued", "drain", "make_due", "run_next"]
