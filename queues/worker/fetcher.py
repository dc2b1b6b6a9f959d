"""A fetcher brings the offers of one queue from the broker into this process's threads: receive, claim, run."""

import logging
from collections import deque
from collections.abc import Sequence

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from .. import ledger, signals
from ..definitions import registry
from ..errors import BrokerUnavailable
from ..execution import judge
from ..execution.deadlines import Deadlines
from ..helper_thread import HelperThread
from ..ledger import Admitted, outbox, pauses
from ..lifecycle.claim import Claim
from ..lifecycle.execution import Execution
from ..lifecycle.offer import Offer
from ..lifecycle.verdict import Verdict
from ..settings import Queue
from .capacity import Capacity, Durations, JobQuota
from .children.pool import Children
from .completer import Completer
from .held import Held
from .session import Session
from .threads import JobThreads

log = logging.getLogger(__name__)

UNKNOWN_JOB_WAITS = 5.0
"""Seconds until a job is offered again whose name this process does not know: a newer process may know it by then."""
BUSY_PAUSE = 0.05
"""Seconds until the next turn while verdicts wait to be written, or no slot is granted."""
STUCK = 0.5
"""Seconds after which prefetched jobs that no thread has begun are released: those before them are long."""


class Fetcher:
    """One queue of this process. Its `helper` is the thread that receives and claims; job threads run the jobs."""

    def __init__(
        self,
        queue: Queue,
        session: Session,
        held: Held,
        quota: JobQuota,
        paused: pauses.PausedQueues,
        completer: Completer,
        children: Children,
        deadlines: Deadlines,
        *,
        wait: float,
    ) -> None:
        """`wait`: seconds that a turn waits for the first offer."""
        self.queue = queue
        self.session = session
        self.held = held
        self.paused = paused
        self.completer = completer
        self.children = children
        self.deadlines = deadlines
        self.wait = wait
        durations = Durations()
        self.quota = quota
        self.capacity = Capacity(queue, quota, durations)
        self.threads = JobThreads(queue.concurrency, f"job-{queue.name}", durations, self._work)
        self.helper = HelperThread(f"fetcher-{queue.name}", self._turn, last_turn=self._end, engine_only=True)
        self.buffer: deque[Offer] = deque()
        self.idle = False
        self.suspended = False
        self.must_recover = False

    def release_unstarted(self, reason: str) -> None:
        """Let others have what was claimed and no thread has begun; called by any thread."""
        executions = self.threads.take_unstarted()
        if executions:
            self.completer.release(executions, reason)
            self.capacity.free(len(executions))

    def _turn(self) -> None:
        try:
            self._receive_and_claim()
        except Exception:
            self.must_recover = True
            raise

    def _receive_and_claim(self) -> None:
        self.suspended = self.session.consumer.suspended()
        if self.suspended or self._may_not_claim():
            self.idle = True
            self._requeue()
            self._sleep(min(settings.QUEUE_POLL, pauses.CHECK))
            return
        if self.completer.is_behind:
            self._sleep(BUSY_PAUSE)
            return
        if self.threads.are_stuck(STUCK):
            self.release_unstarted("it was prefetched, and waited for jobs that take long")
        if not self.buffer:
            self.buffer.extend(self._receive())
        self.idle = not self.buffer
        if self.buffer:
            self._claim_what_fits()

    def _may_not_claim(self) -> bool:
        return self.paused.has(self.queue.name) or self.threads.too_many_hang or self.quota.is_used_up

    def _receive(self) -> list[Offer]:
        if self.must_recover:
            self.session.consumer.recover(self.queue.name)
            self.must_recover = False
        return self.session.consumer.receive(self.queue.name, self.capacity.size, self.wait)

    def _claim_what_fits(self) -> None:
        slots = self.capacity.take(len(self.buffer))
        if slots and not self.helper.stopping.is_set():
            self._claim(slots)
            return
        self.capacity.claimed(0, of=slots)
        self._requeue()  # others may have what finds no slot here
        self._sleep(BUSY_PAUSE)

    def _claim(self, slots: int) -> None:
        offers = [self.buffer.popleft() for _ in range(slots)]
        admitted = Admitted([], refused=offers)
        executions: list[Execution] = []
        try:
            with self.held.claiming(offers):
                admitted = ledger.claim(self.queue, offers, self.session.worker_id, registry.names())
                executions = [Execution(claim, self.queue) for claim in admitted.claims]
                self.held.begin(executions)
        finally:
            self.buffer.extendleft(reversed(admitted.refused))
            self.capacity.claimed(len(executions), of=slots)
        try:
            self._settle_offers(offers[: slots - len(admitted.refused)], admitted.claims)
        finally:
            self.threads.run(executions)
        if admitted.wait:
            self._sleep(admitted.wait)
        elif not executions:
            self.paused.forget()

    def _settle_offers(self, offers: Sequence[Offer], claims: Sequence[Claim]) -> None:
        """What was not claimed is dropped if it is stale; what came early or is unknown here is offered again."""
        if len(claims) < len(offers):
            claimed = {claim.id for claim in claims}
            left = outbox.still_waiting([offer for offer in offers if offer.job_id not in claimed])
            known = registry.names()
            outbox.release([offer for offer in left if offer.name in known])
            outbox.release([offer for offer in left if offer.name not in known], postpone=UNKNOWN_JOB_WAITS)
        self.session.consumer.claimed(offers, claims)

    def _work(self, execution: Execution) -> bool:
        """Bring a job to its verdict; whether the thread may take the next one, or was abandoned meanwhile."""
        try:
            verdict = self._run(execution)
            if verdict is None:
                return False
            self.completer.put(execution, verdict)
        except BaseException:
            log.exception("job #%d has no verdict", execution.claim.id)
        self.capacity.free()
        return True

    def _run(self, execution: Execution) -> Verdict | None:
        claim = execution.claim
        signals.started(claim)
        try:
            if claim.suspect or registry.runs_in_child(claim.name, execution.queue):
                return self.children.run(execution)
            return self.deadlines.run_job(execution, self._abandon_thread)
        except Exception as error:
            log.exception("job #%d could not be run", claim.id)
            return judge.judge(execution, error)

    def _abandon_thread(self) -> None:
        """A job hangs in one of the threads: its slot is free for another thread."""
        self.threads.abandon_one()
        self.capacity.free()

    def _requeue(self) -> None:
        if self.buffer:
            offers = list(self.buffer)
            self.buffer.clear()
            try:
                self.session.consumer.requeue(offers)
            except (BrokerUnavailable, DatabaseError, InterfaceError) as error:
                log.warning("%d offers could not be requeued (%s); they will be offered again", len(offers), error)
                self.must_recover = True

    def _end(self) -> None:
        self._requeue()
        self.release_unstarted("the worker stopped")
        self.threads.end()

    def _sleep(self, seconds: float) -> None:
        self.helper.stopping.wait(seconds)
