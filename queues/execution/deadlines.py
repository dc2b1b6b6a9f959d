"""Deadlines of jobs that run in threads.

At the deadline the watchdog has `DeadlineExceeded` raised in the job's thread. If the thread has not ended soon
after, it hangs (in a blocking call, or in a job that swallows the exception): the watchdog writes the verdict, which
makes the token void, and gives the thread up.

Thread and watchdog decide two questions between them: does the exception go out, and did the thread end in time?
Each belongs to whoever takes its ticket first, a lock that is new in every run and that nobody gives back.
"""

import logging
import threading
import time
from contextvars import copy_context
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connections

from .. import settings as queue_settings
from ..errors import DeadlineExceeded
from ..ledger import Claim, Verdict
from . import runner
from .interrupts import cancel_queries, connections_here, drop_connections, may_hold_shared_lock, raise_in, stack_of

if TYPE_CHECKING:
    from ..worker.fetcher import Lane
    from ..worker.process import Executor

log = logging.getLogger(__name__)

TICK = 0.1


class Run:
    """One run of a job in the thread that makes this object; times are of the monotonic clock."""

    def __init__(self, claim: Claim, lane: "Lane") -> None:
        self.claim = claim
        self.lane = lane
        self.thread = threading.get_ident()
        self.connections = connections_here()
        self.deadline = time.monotonic() + queue_settings.get(claim.queue).timeout
        self.overdue_since: float | None = None
        self.verdict: Verdict | None = None
        self.interrupted = False
        self._exception_goes_out = threading.Lock()
        self._end = threading.Lock()

    def interrupt(self) -> None:
        """Hand over the run's one exception, unless the job has ended: then none ever comes.

        A query that the thread waits for is cancelled, by a thread of its own since PostgreSQL may be away. It hits
        this run alone: the connections of an interrupted run are dropped.
        """
        if may_hold_shared_lock(self.thread) or not self._exception_goes_out.acquire(blocking=False):
            return
        try:
            raise_in(self.thread, DeadlineExceeded)
        finally:
            self.interrupted = True
        threading.Thread(target=cancel_queries, args=(self.connections,), name="cancel", daemon=True).start()

    def close(self) -> None:
        """The job has ended. The exception, if it went out and has not come yet, comes in here or never."""
        if self._exception_goes_out.acquire(blocking=False):
            return
        while not self.interrupted:
            time.sleep(0.001)
        raise_in(self.thread, None)

    def end(self) -> bool:
        """Whether the caller, thread or watchdog, is the one that says how the run ended."""
        return self._end.acquire(blocking=False)


class Deadlines:
    """Runs jobs in the threads that ask for it, and watches over them in one of its own."""

    def __init__(self, executor: "Executor") -> None:
        self.executor = executor
        self.stopping = threading.Event()
        self.runs: dict[int, Run] = {}

    def run_job(self, claim: Claim, lane: "Lane") -> Verdict | None:
        """Run the job in this thread; None if the watchdog has given the verdict, and the thread up."""
        run = Run(claim, lane)
        try:
            self._run(run)
        except BaseException as error:  # the deadline's, in the moments in which the runner does not catch it
            run.verdict = run.verdict or runner.judge(claim, error)
        self.runs.pop(run.thread, None)  # here and below no exception can come any more
        if run.interrupted:
            drop_connections()
        if run.end():
            return run.verdict
        log.error("#%d ended %.1f s after its deadline, too late for a verdict", claim.id, self._late(run))
        return None

    def _run(self, run: Run) -> None:
        try:
            self.runs[run.thread] = run
            run.verdict = copy_context().run(runner.run, run.claim)
        finally:
            run.close()

    def run(self) -> None:
        """Watch until `stopping` is set."""
        while not self.stopping.wait(TICK):
            for run in list(self.runs.values()):
                try:
                    self._look_at(run)
                except Exception:
                    log.exception("the deadline of #%d could not be kept", run.claim.id)

    def _look_at(self, run: Run) -> None:
        """The grace counts from the first look after the deadline: this process may have been stopped for a while."""
        now = time.monotonic()
        if now < run.deadline:
            return
        run.overdue_since = run.overdue_since or now
        if now - run.overdue_since < settings.QUEUE_DEADLINE_GRACE:
            run.interrupt()
        elif run.end():
            self._give_up(run)

    def _give_up(self, run: Run) -> None:
        """Write the verdict on a run that hangs, and have its process replaced; where nobody does that, its thread."""
        self.runs.pop(run.thread, None)
        where = stack_of(run.thread)
        late = self._late(run)
        log.error("%s #%d still hangs %.1f s after its deadline. %s", run.claim.name, run.claim.id, late, where)
        if self.executor.replaceable:
            self.executor.wedge()
        else:
            run.lane.give_up_thread()
        verdict = runner.judge_timeout(run.claim, where)
        threading.Thread(target=self._write, args=(run.claim, verdict), name="late-verdict", daemon=True).start()

    def _write(self, claim: Claim, verdict: Verdict) -> None:
        """In a thread of its own: PostgreSQL may be away, and other deadlines do not wait for it."""
        self.executor.endings.put(claim, verdict)
        connections.close_all()

    @staticmethod
    def _late(run: Run) -> float:
        return time.monotonic() - run.deadline
