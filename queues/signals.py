"""Signals: what happens to jobs, for programs that count, show or alarm.

    @receiver(job_failed, sender="payments.process_payment")
    def alarm(sender: str, job_id: int, error: str, **_: object) -> None: ...

The sender is the job's name. All carry `job_id`, `queue`, `subject`, `key` (None without one) and `attempt`, and:

signal          also                  sent
job_enqueued                          when it waits anew: just written (attempt 0), or by an operator's retry
job_started                           when its thread or child process is about to run it
job_progressed  progress, note        when its last report is written
job_completed   result                when that verdict is written
job_retried     error, wait (s)       when the attempt failed or took its own process down and the job waits again
job_failed      error                 when it has failed for good (dead letter)
job_cancelled   reason                when it will not run (again): withdrawn, cancelled, or stopped on request
job_rescued     error                 when it waits again because its worker died

A job that snoozed or was released sends nothing. All are sent by the process that did it, after the commit. A worker
sends what follows a report or a verdict from one thread of its own, in the order in which they were written: a slow
receiver delays no verdict, and when too many signals wait, the worker claims nothing until it has caught up.
`job_started` is sent by the thread that runs the job. A receiver that fails is logged with its traceback and hurts
nothing. Where nobody listens nothing is done.
"""

import logging
import sys
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from .lifecycle.claim import Claim
from .lifecycle.execution import Report
from .lifecycle.verdict import Finished
from .states import JobState, Outcome

log = logging.getLogger(__name__)


class JobSignal(Signal):
    """A signal whose senders are names: Django compares senders by identity, so equal names are made one object."""

    def __init__(self) -> None:
        super().__init__()
        self._names: set[str] = set()

    def connect(self, receiver: Any, sender: object = None, weak: bool = True, dispatch_uid: Any = None) -> None:
        if isinstance(sender, str):
            sender = sys.intern(sender)
            self._names.add(sender)  # an interned name lives as long as somebody holds it
        super().connect(receiver, sender, weak, dispatch_uid)

    def disconnect(self, receiver: Any = None, sender: object = None, dispatch_uid: Any = None) -> bool:
        sender = sys.intern(sender) if isinstance(sender, str) else sender
        return super().disconnect(receiver, sender, dispatch_uid)

    def has_listeners(self, sender: Any = None) -> bool:
        return bool(self.receivers) and super().has_listeners(sender)

    def send_to_listeners(self, name: str, **payload: Any) -> None:
        """Send to the receivers for jobs of this name; no error of theirs gets out."""
        name = sys.intern(name)
        if not self.has_listeners(name):
            return
        try:
            self.send_robust(name, **payload)
        except Exception:
            log.exception("a signal about %s could not be sent", name)

    def send_about(self, claim: Claim, **payload: Any) -> None:
        """The same about a claimed job; no payload is made where nobody listens."""
        if self.has_listeners(sys.intern(claim.name)):
            self.send_to_listeners(claim.name, **about(claim), **payload)

    def send_after_commit(self, name: str, **payload: Any) -> None:
        """The same once the transaction, if there is one, is committed."""
        if self.has_listeners(sys.intern(name)):
            transaction.on_commit(partial(self.send_to_listeners, name, **payload))


job_enqueued = JobSignal()
job_started = JobSignal()
job_progressed = JobSignal()
job_completed = JobSignal()
job_retried = JobSignal()
job_failed = JobSignal()
job_cancelled = JobSignal()
job_rescued = JobSignal()


AFTER_A_VERDICT = (job_progressed, job_completed, job_retried, job_failed, job_cancelled)


def has_listeners(name: str) -> bool:
    """Whether a receiver wants to know of reports or verdicts of jobs of this name."""
    return any(signal.has_listeners(sys.intern(name)) for signal in AFTER_A_VERDICT)


ABOUT = ("job_id", "queue", "subject", "key", "attempt")
"""What every payload has, in this order in the rows of the ledger's statements, after the name."""


def about(claim: Claim) -> dict[str, Any]:
    values = (claim.id, claim.queue, claim.subject, claim.key, claim.attempt)
    return dict(zip(ABOUT, values, strict=True))


def started(claim: Claim) -> None:
    job_started.send_about(claim)


def progressed(claim: Claim, report: Report) -> None:
    job_progressed.send_about(claim, progress=report.percent, note=report.note)


def attempt_ended(finished: Finished, state: JobState) -> None:
    """The verdict and the last report are written; `state` is what the job has become: cancelled, if it was asked to
    stop.
    """
    (execution, verdict), claim = finished, finished.execution.claim
    if execution.progress != execution.written:
        execution.written = execution.progress
        progressed(claim, execution.progress)
    if state == JobState.COMPLETED:
        job_completed.send_about(claim, result=verdict.result)
    elif state == JobState.FAILED:
        job_failed.send_about(claim, error=verdict.error)
    elif state == JobState.CANCELLED:
        job_cancelled.send_about(claim, reason=verdict.error)
    elif verdict.outcome in (Outcome.RETRY, Outcome.CRASHED):
        job_retried.send_about(claim, error=verdict.error, wait=verdict.wait)


def send_rows(signal: JobSignal, rows: Iterable[tuple[Any, ...]], **payload: Any) -> None:
    """Send about rows of (name, *ABOUT) that the current transaction has written, once it is committed."""
    for name, *values in rows:
        signal.send_after_commit(name, **dict(zip(ABOUT, values, strict=True)), **payload)
