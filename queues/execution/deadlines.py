"""Deadlines of jobs that run in threads.

At the deadline the watchdog has `DeadlineExceeded` raised in the job's thread. If the thread has not ended soon
after, it hangs (in a blocking call, or in a job that swallows the exception): the watchdog gives the verdict, which
makes the token void, and abandons the thread.

Thread and watchdog decide two questions between them: is the exception raised, and did the thread end in time? Each
is answered by whoever takes its lock first; the lock is new in every run and never released.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextvars import copy_context

from django.conf import settings

from ..errors import DeadlineExceeded
from ..lifecycle.execution import Execution
from ..lifecycle.verdict import Verdict
from . import judge, runner
from .interrupts import cancel_queries, connections_here, drop_connections, may_hold_shared_lock, raise_in, stack_of

log = logging.getLogger(__name__)

TICK = 0.1
"""Seconds between two checks of all runs."""


class Run:
    """One run of a job in the thread that makes this object; times are of the monotonic clock."""

    def __init__(self, execution: Execution, abandon_thread: Callable[[], None]) -> None:
        self.execution = execution
        self.abandon_thread = abandon_thread
        self.thread = threading.get_ident()
        self.connections = connections_here()
        self.deadline = time.monotonic() + execution.queue.timeout
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
    """Runs jobs in the threads that ask for it; a helper thread of the worker calls `check` every TICK seconds."""

    def __init__(self, put: Callable[[Execution, Verdict], None], on_hang: Callable[[], None] | None) -> None:
        """`put` takes a verdict. `on_hang` has this process replaced when a job hangs in it; where nobody replaces it
        (None), the thread is abandoned.
        """
        self.put = put
        self.on_hang = on_hang
        self.runs: dict[int, Run] = {}

    def run_job(self, execution: Execution, abandon_thread: Callable[[], None]) -> Verdict | None:
        """Run the job in this thread; None if the watchdog has given the verdict, and abandoned the thread."""
        run = Run(execution, abandon_thread)
        try:
            self._run(run)
        except BaseException as error:  # the deadline's, in the moments in which the runner does not catch it
            run.verdict = run.verdict or judge.judge(execution, error)
        self.runs.pop(run.thread, None)  # here and below no exception can come any more
        if run.interrupted:
            drop_connections()
        if run.end():
            return run.verdict
        late = self._seconds_late(run)
        log.error("#%d ended %.1f s after its deadline, too late for a verdict", execution.claim.id, late)
        return None

    def _run(self, run: Run) -> None:
        try:
            self.runs[run.thread] = run
            run.verdict = copy_context().run(runner.run, run.execution)
        finally:
            run.close()

    def check(self) -> None:
        """Interrupt the runs that are overdue, and give the verdict on those that hang."""
        for run in list(self.runs.values()):
            try:
                self._check(run)
            except Exception:
                log.exception("the deadline of #%d could not be kept", run.execution.claim.id)

    def _check(self, run: Run) -> None:
        """The grace counts from the first check after the deadline: this process may have been stopped for a while."""
        now = time.monotonic()
        if now < run.deadline:
            return
        run.overdue_since = run.overdue_since or now
        if now - run.overdue_since < settings.QUEUE_DEADLINE_GRACE:
            run.interrupt()
        elif run.end():
            self._give_verdict(run)

    def _give_verdict(self, run: Run) -> None:
        """On a run that hangs; its process is replaced, or where nobody does that, its thread is abandoned."""
        self.runs.pop(run.thread, None)
        where, claim = stack_of(run.thread), run.execution.claim
        late = self._seconds_late(run)
        log.error("%s #%d still hangs %.1f s after its deadline. %s", claim.name, claim.id, late, where)
        if self.on_hang is not None:
            self.on_hang()
        else:
            run.abandon_thread()
        self.put(run.execution, judge.judge_timeout(run.execution, where))

    @staticmethod
    def _seconds_late(run: Run) -> float:
        return time.monotonic() - run.deadline
