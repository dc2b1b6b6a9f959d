"""A lane: one queue's way from the broker into this process's threads."""

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from .. import ledger, signals
from ..definitions import registry
from ..errors import BrokerUnavailable, unforeseen
from ..execution import runner
from ..ledger import Claim, Verdict, limits, outbox, pauses
from ..ledger.limits import Admitted
from ..lifecycle.offer import Offer
from ..postgres import prepared
from ..settings import Queue
from .pace import Pace
from .slots import Slots
from .threads import Threads

if TYPE_CHECKING:
    from .process import Executor

log = logging.getLogger(__name__)

UNKNOWN_JOB_WAITS = 5.0
BUFFER_KEPT = 1.0
BUSY_PAUSE = 0.05
GATHER = 0.002
STUCK = 0.5


class Lane(threading.Thread):
    """Receives as many offers as there are slots, claims as many as are free, runs them in its threads."""

    def __init__(self, queue: Queue, executor: "Executor") -> None:
        super().__init__(name=f"lane-{queue.name}", daemon=True)
        self.queue = queue
        self.executor = executor
        self.stopping = threading.Event()
        self.idle = False
        self.suspended = False
        self.buffer: deque[Offer] = deque()
        ahead = queue.rate is None and queue.scope != "global" and executor.permits.most is None
        pace = Pace()
        self.slots = Slots(queue.concurrency, pace, ahead=ahead)
        self.threads = Threads(queue.concurrency, f"job-{queue.name}", pace, self._work)
        self.pause = 0.0
        self.unsure = False

    def run(self) -> None:
        prepared.plan_by_index()
        while not self.stopping.is_set():
            try:
                self._turn()
                self.pause = 0.0
            except Exception as error:
                self._back_off(error)
        self._give_back()
        self.give_back_unbegun("the worker stopped")
        self.threads.end()
        connection.close()

    def _turn(self) -> None:
        self.suspended = self.executor.consumer.suspended()
        if self.suspended:
            self._give_back()
            self.idle = True
            self.stopping.wait(settings.QUEUE_POLL)
            return
        if self._may_claim_nothing():
            self.idle = True
            self._give_back()
            self.stopping.wait(min(settings.QUEUE_POLL, pauses.CHECK))
            return
        if self.executor.endings.are_behind:
            self.stopping.wait(BUSY_PAUSE)
            return
        if self.threads.are_stuck(STUCK):
            self.give_back_unbegun("it was claimed ahead of jobs that take long")
        if not self.buffer:
            self.buffer.extend(self._receive())
        self.idle = not self.buffer
        if self.idle:
            return
        slots = self._take_slots(len(self.buffer))
        if slots:
            self._claim(slots)
        else:
            self._give_back()

    def _may_claim_nothing(self) -> bool:
        paused = self.executor.paused.has(self.queue.name)
        return paused or self.threads.too_many_hang or self.executor.permits.are_used_up

    def _receive(self) -> list[Offer]:
        if self.unsure:
            self.executor.consumer.recover(self.queue.name)
            self.unsure = False
        wait = min(settings.QUEUE_POLL, 0.2 if self.executor.burst else settings.QUEUE_POLL)
        return self.executor.consumer.receive(self.queue.name, self.slots.size, wait)

    def _take_slots(self, wanted: int) -> int:
        """Wait for a free slot and take up to `wanted`; 0 if there is none, so that others may have the buffer."""
        taken = self.slots.take(wanted, BUFFER_KEPT, GATHER)
        if not taken:
            return 0
        granted = 0 if self.stopping.is_set() else self.executor.permits.take(taken)
        self.slots.free(taken - granted)
        if not granted:  # a stop, or --max-jobs: the last ones are being claimed by other lanes, which may fail
            self.stopping.wait(BUSY_PAUSE)
        return granted

    def _claim(self, slots: int) -> None:
        offers = [self.buffer.popleft() for _ in range(slots)]
        admitted = Admitted([], refused=offers)
        try:
            with self.executor.in_flight.asking_for(offers):
                admitted = limits.claim(self.queue, offers, self.executor.worker_id)
                self.executor.started(admitted.claims)
        finally:
            self.buffer.extendleft(reversed(admitted.refused))
            self.executor.permits.use(len(admitted.claims), of=slots)
            self.slots.free(slots - len(admitted.claims))
        try:
            self._put_aside(offers[: slots - len(admitted.refused)], admitted.claims)
        finally:
            self.threads.run(admitted.claims)
        if admitted.wait:
            self.stopping.wait(admitted.wait)
        elif not admitted.claims:
            self.executor.paused.forget()

    def _put_aside(self, offers: list[Offer], claims: list[Claim]) -> None:
        """What was not claimed is dropped if it is stale; what came early or is unknown here is offered again."""
        claimed = {claim.id for claim in claims}
        left = outbox.still_waiting([offer for offer in offers if offer.job_id not in claimed])
        known = registry.names()
        outbox.release([offer for offer in left if offer.name in known])
        outbox.release([offer for offer in left if offer.name not in known], postpone=UNKNOWN_JOB_WAITS)
        self.executor.consumer.claimed(offers, claims)

    def give_up_thread(self) -> None:
        """A job hangs in one of the threads: its slot is free for another thread."""
        self.threads.give_up_one()
        self.slots.free()

    def _work(self, claim: Claim) -> bool:
        """Bring a job to its end; whether the thread may take the next one, or was given up meanwhile."""
        try:
            verdict = self._run(claim)
            if verdict is None:
                return False
            self.executor.endings.put(claim, verdict)
        except BaseException:
            log.exception("job #%d could not be brought to an end", claim.id)
        self.slots.free()
        return True

    def _run(self, claim: Claim) -> Verdict | None:
        signals.started(claim)
        try:
            in_child = claim.suspect or ledger.runs_in_child(claim.name, claim.queue)
            return self.executor.children.run(claim) if in_child else self.executor.deadlines.run_job(claim, self)
        except Exception as error:
            log.exception("job #%d could not be run", claim.id)
            return runner.judge(claim, error)

    def give_back_unbegun(self, reason: str) -> None:
        """Let others have what was claimed and no thread has begun; called by any thread."""
        claims = self.threads.take_back()
        if claims:
            self.executor.endings.give_back(claims, reason)
            self.slots.free(len(claims))

    def _give_back(self) -> None:
        if self.buffer:
            offers = list(self.buffer)
            self.buffer.clear()
            try:
                self.executor.consumer.requeue(offers)
            except (BrokerUnavailable, DatabaseError, InterfaceError) as error:
                log.warning("%d offers could not be given back (%s); they will be offered again", len(offers), error)
                self.unsure = True

    def _back_off(self, error: Exception) -> None:
        self.unsure = True
        connection.close()
        self.pause = min(5.0, max(0.25, self.pause * 2))
        log.warning("queue %s pauses for %.1f s: %s", self.queue.name, self.pause, error, exc_info=unforeseen(error))
        self.stopping.wait(self.pause)
