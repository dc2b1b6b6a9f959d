"""The ends of runs: verdicts are written, the executor and the broker are told.

Those of completed jobs are written together, as many as come within a moment. A job's thread hands its verdict over
and is free for the next job; until the verdict is durable the job stays active, under the lease of its process.
"""

import logging
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, connection

from .. import ledger, signals
from ..errors import BrokerUnavailable
from ..execution.runner import given_back
from ..ledger import Claim, Ending, Verdict
from ..ledger.verdicts import count_late_verdict
from ..postgres import prepared
from ..postgres.outages import restarted_since, wait_out
from ..states import JobState

if TYPE_CHECKING:
    from .process import Executor

log = logging.getLogger(__name__)

WRITERS = 2
"""Threads that write: while PostgreSQL has one batch, the next is gathered and sent."""
LARGEST_BATCH = 200
ENOUGH = 16
"""So many wait for no more: a larger batch would make none of them cheaper by much."""
MOST_WAITING = 1000
LOOK = 0.2
RESTART_PAUSE = 1.0
"""Seconds until a job is offered again that PostgreSQL's restart has cut off."""
GATHER = 0.002
"""Seconds that a verdict may wait for those of jobs that still run; far less than anybody notices."""
NAP = 0.001
"""Seconds between looks at what has come meanwhile: to be woken by each would stop each job's thread."""


class Endings:
    """A helper of the executor; goes on after `stopping` is set until nothing is left to write."""

    def __init__(self, executor: "Executor") -> None:
        self.executor = executor
        self.stopping = threading.Event()
        self.completed: SimpleQueue[Ending] = SimpleQueue()

    @property
    def are_behind(self) -> bool:
        """So many wait that no more jobs should be begun."""
        return self.completed.qsize() > MOST_WAITING

    def put(self, claim: Claim, verdict: Verdict) -> None:
        """Have the verdict written; what became of the job is told in this thread if anybody listens."""
        ending = Ending(claim, verdict)
        if verdict.state == JobState.COMPLETED and not signals.anybody_hears(claim.name):
            self.completed.put(ending)
        else:
            self._finish(ending)

    def give_back(self, claims: Sequence[Claim], reason: str) -> None:
        """Let others have jobs that were claimed; where PostgreSQL is away the lease sees to it."""
        try:
            ledger.finish_all([Ending(claim, given_back(reason)) for claim in claims], self.executor.name)
        except (DatabaseError, InterfaceError) as error:
            log.warning("%d jobs could not be given back (%s); they will be rescued", len(claims), error)
        self.executor.forget(claims)

    def run(self) -> None:
        """Write what completed jobs hand over; in each of the WRITERS threads."""
        prepared.plan_by_index()
        while batch := self._next_batch():
            try:
                self._complete(batch)
            except Exception:
                log.exception("%d completed jobs could not be brought to an end", len(batch))
                connection.close()
        connection.close()

    def _next_batch(self) -> list[Ending]:
        """What waits, at least one; empty when all is done. While other jobs run, theirs may come along."""
        batch = self._first()
        until = time.monotonic() + GATHER
        while batch:
            with suppress(Empty):
                while len(batch) < LARGEST_BATCH:
                    batch.append(self.completed.get_nowait())
            if len(batch) >= min(ENOUGH, len(self.executor.in_flight)) or time.monotonic() > until:
                break
            time.sleep(NAP)
        return batch

    def _first(self) -> list[Ending]:
        """Wait for one; empty when all is done."""
        while True:
            try:
                return [self.completed.get(timeout=LOOK)]
            except Empty:
                if self.stopping.is_set():
                    return []

    def _complete(self, endings: Sequence[Ending]) -> None:
        try:
            written = wait_out(lambda: ledger.finish_all(endings, self.executor.name), "verdicts")
        except Exception as error:
            self._write_alone(endings, error)
        else:
            self._close(endings, written)

    def _write_alone(self, endings: Sequence[Ending], error: Exception) -> None:
        """One of them cannot be written: it goes on trying in a thread of its own, and holds up no other."""
        if len(endings) > 1:
            log.warning("%d verdicts are written one by one: %s", len(endings), error)
            for ending in endings:
                self._complete([ending])
        else:
            threading.Thread(target=self._finish_in_thread, args=endings, name="verdict", daemon=True).start()

    def _finish_in_thread(self, ending: Ending) -> None:
        self._finish(ending)
        connection.close()

    def _finish(self, ending: Ending) -> None:
        """While PostgreSQL is away, keep trying: the token decides whether it still counts."""
        claim, verdict, worker = ending.claim, ending.verdict, self.executor.name
        what, errors = f"verdict on #{claim.id}", (DatabaseError, InterfaceError)
        written = False
        try:
            if verdict.lost_database and wait_out(lambda: restarted_since(claim.started_at), what, errors=errors):
                verdict = given_back(f"PostgreSQL was restarted while it ran: {verdict.error}", wait=RESTART_PAUSE)
            written = wait_out(lambda: ledger.finish(claim, verdict, worker), what, errors=errors)
        finally:
            self._close([Ending(claim, verdict)], {claim.id} if written else set())

    def _close(self, endings: Sequence[Ending], written: Collection[int]) -> None:
        """These runs are over, and the verdicts on those jobs are written; the others came too late."""
        self.executor.forget([ending.claim for ending in endings])
        self.executor.count_run(len(endings))
        for ending in endings:
            if ending.claim.id not in written:
                log.error("verdict on #%d came too late: the job was freed meanwhile", ending.claim.id)
                with suppress(DatabaseError, InterfaceError):
                    count_late_verdict(ending.claim.queue)
        try:
            self.executor.consumer.finished(endings)
        except BrokerUnavailable as error:
            log.debug("the broker was not told of %d jobs: %s", len(endings), error)
