"""Signals: what happens to jobs, for whoever wants to count, show or alarm.

    @receiver(job_failed, sender="payments.process_payment")
    def alarm(sender: str, job_id: int, error: str, **_: object) -> None: ...

The sender is the job's name. All carry `job_id`, `queue`, `subject`, `key` (None without one) and `attempt`, and:

signal          also                  sent
job_enqueued                          when it waits anew: just written (attempt 0), or by an operator's retry
job_started                           when its thread or child process is about to run it
job_progressed  progress, note        when what it last said is written
job_completed   result                when that verdict is written
job_retried     error, wait (s)       when the attempt failed or took its own process down and the job waits again
job_failed      error                 when it is given up (dead letter)
job_cancelled   reason                when it will not run (again): withdrawn, cancelled, or stopped on request
job_rescued     error                 when it waits again because its worker died

A job that snoozed or was given back sends nothing. All are sent after the commit, by the process that did it: in the
thread that runs the job (progress: by the reporter). A listener that fails is logged with its traceback and hurts
nothing; one that is slow holds the thread up. Where nobody listens nothing is done.
"""

import logging
import sys
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.dispatch import Signal

if TYPE_CHECKING:
    from .ledger import Claim, Verdict
    from .lifecycle.execution import Progress

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

    def tell(self, name: str, **payload: Any) -> None:
        """Send to whoever listens to jobs of this name; nothing that goes wrong there gets out."""
        name = sys.intern(name)
        if not self.has_listeners(name):
            return
        try:
            self.send_robust(name, **payload)
        except Exception:
            log.exception("a listener to %s could not be told", name)

    def tell_of(self, claim: "Claim", **payload: Any) -> None:
        """The same about a claimed job; nothing is put together where nobody listens."""
        if self.has_listeners(sys.intern(claim.name)):
            self.tell(claim.name, **about(claim), **payload)

    def tell_after_commit(self, name: str, **payload: Any) -> None:
        """The same once the transaction, if there is one, is committed."""
        if self.has_listeners(sys.intern(name)):
            transaction.on_commit(partial(self.tell, name, **payload))


job_enqueued = JobSignal()
job_started = JobSignal()
job_progressed = JobSignal()
job_completed = JobSignal()
job_retried = JobSignal()
job_failed = JobSignal()
job_cancelled = JobSignal()
job_rescued = JobSignal()


def anybody_hears(name: str) -> bool:
    """Whether somebody wants to know when a job of this name is completed, or what it says."""
    return any(signal.has_listeners(sys.intern(name)) for signal in (job_completed, job_progressed))


ABOUT = ("job_id", "queue", "subject", "key", "attempt")
"""What every payload has, in this order in the rows of the ledger's statements, after the name."""


def about(claim: "Claim") -> dict[str, Any]:
    values = (claim.id, claim.queue, claim.subject, claim.key, claim.attempt)
    return dict(zip(ABOUT, values, strict=True))


def started(claim: "Claim") -> None:
    job_started.tell_of(claim)


def progressed(claim: "Claim", progress: "Progress") -> None:
    job_progressed.tell_of(claim, progress=progress.percent, note=progress.note)


def attempt_ended(claim: "Claim", verdict: "Verdict", state: str) -> None:
    """The verdict is written; `state` is what the job has become, which an operator's wish may have changed."""
    if state == "completed":
        job_completed.tell_of(claim, result=verdict.result)
    elif state == "failed":
        job_failed.tell_of(claim, error=verdict.error)
    elif state == "cancelled":
        job_cancelled.tell_of(claim, reason=verdict.error)
    elif verdict.outcome in ("retry", "crashed"):
        job_retried.tell_of(claim, error=verdict.error, wait=verdict.wait)


def tell_rows(signal: JobSignal, rows: Iterable[tuple[Any, ...]], **payload: Any) -> None:
    """Tell of rows of (name, *ABOUT) that the current transaction has written, once it is committed."""
    for name, *values in rows:
        signal.tell_after_commit(name, **dict(zip(ABOUT, values, strict=True)), **payload)
