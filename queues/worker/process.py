"""The worker process: composes its parts, runs until stopped, and drains.

broker -> fetcher: receive, claim -> job thread (or child process): run -> completer: verdict -> ledger

The parts are handed to each other here; none of them knows this module.
"""

import logging
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from ..brokers.base import Broker, Consumer
from ..dispatcher import Dispatcher
from ..errors import BrokerUnavailable
from ..execution.deadlines import TICK, Deadlines
from ..helper_thread import HelperThread
from ..ledger import outbox
from ..ledger.pauses import PausedQueues
from ..maintenance.housekeeper import Housekeeper
from ..postgres.outages import OUTAGE, START, wait_out
from ..settings import queue_named
from ..supervisor import supervised
from .capacity import JobQuota
from .children.pool import Children
from .completer import Completer
from .fetcher import Fetcher
from .held import Held
from .reporter import Reporter
from .session import Session
from .signal_sender import SignalSender

log = logging.getLogger(__name__)

SWITCH = 0.001
"""Seconds for which a thread may keep the interpreter from others: those that talk to PostgreSQL and Redis wait for it
several times a batch. Set in processes that do nothing but run jobs."""
FETCHER_ENDS_WITHIN = 15.0
"""Seconds to wait at the drain for a fetcher: its claim may be on its way, and what it answers must be released."""
BURST_WAIT = 0.2
"""Seconds that a fetcher of a burst worker waits for the first offer."""
HELPER_ENDS_WITHIN = 5.0
"""Seconds, besides QUEUE_POLL, to wait at the end for a helper thread."""


class WorkerProcess:
    """Runs the jobs of some queues until stopped, or until `burst`, `max_jobs` or `max_idle_time` (s) end it.

    `replaceable`: a parent starts another process when this one ends, so it may end when a job hangs.
    """

    def __init__(
        self,
        queues: Sequence[str],
        broker: Broker,
        *,
        name: str,
        burst: bool = False,
        max_jobs: int | None = None,
        max_idle_time: float | None = None,
        on_open: Callable[[Consumer], None] | None = None,
        replaceable: bool = False,
    ) -> None:
        self.queues = [queue_named(queue) for queue in dict.fromkeys(queues)]
        self.burst = burst
        self.max_idle_time = max_idle_time
        self.replaceable = replaceable
        self.stop_asked = False  # a plain flag: an Event that a signal handler sets may deadlock with its waiter
        self.is_hung = False
        names = [queue.name for queue in self.queues]
        self.held = Held()
        self.session = Session(name, names, broker, self.held, on_open=on_open, on_lost_lease=self._release_unstarted)
        self.quota = JobQuota(max_jobs)
        self.children = Children()
        self.signal_sender = SignalSender()
        self.completer = Completer(self.session, self.held, self.signal_sender)
        self.deadlines = Deadlines(self.completer.put, on_hang=self.drain_and_be_replaced if replaceable else None)
        paused = PausedQueues()
        self.fetchers = [
            Fetcher(
                queue,
                self.session,
                self.held,
                self.quota,
                paused,
                self.completer,
                self.children,
                self.deadlines,
                wait=min(settings.QUEUE_POLL, BURST_WAIT) if burst else settings.QUEUE_POLL,
            )
            for queue in self.queues
        ]
        reporter = Reporter(self.held, self.signal_sender)
        beat = settings.QUEUE_HEARTBEAT
        self.helpers = [
            Dispatcher(broker).helper(),
            Housekeeper(broker).helper(),
            HelperThread("reporter", reporter.report, every=settings.QUEUE_REPORT),
            HelperThread("deadlines", self.deadlines.check, every=TICK),
            HelperThread("heartbeat", self.session.renew, every=beat),
            HelperThread("broker-heartbeat", self.session.send_heartbeat, every=beat),
            HelperThread("liveness", supervised.count_liveness, every=beat),
        ]
        self.writers = self.completer.helpers()
        self.sender_thread = HelperThread("signals", self.signal_sender.send, last_turn=self.signal_sender.send)

    def run(self) -> int:
        """Work until done or stopped; how many jobs were run. Runs in the calling thread."""
        if self.replaceable:
            sys.setswitchinterval(SWITCH)
        try:
            wait_out(self.session.open, "the start", within=START, stopped=lambda: self.stop_asked)
        except OUTAGE:
            if self.stop_asked:
                return 0
            raise
        connection.close()  # by the time this thread needs one again it might be broken
        fetching = [fetcher.helper for fetcher in self.fetchers]
        for helper in [*self.helpers, *self.writers, self.sender_thread, *fetching]:
            helper.start()
        try:
            while not (self.stop_asked or self.is_hung or supervised.parent_is_gone() or self._is_done()):
                time.sleep(0.1)
        finally:
            self._drain()
            for helpers in (self.helpers, self.writers, [self.sender_thread]):  # each may have work for the next
                _end(helpers)
            self._close()
        return self.held.jobs_run

    def stop(self) -> None:
        """Claim nothing more; `run` drains and returns. Safe in a signal handler."""
        self.stop_asked = True

    def drain_and_be_replaced(self) -> None:
        """A job hangs: claim nothing more; `run` drains and returns, and the process is to be replaced."""
        self.is_hung = True
        for fetcher in self.fetchers:
            fetcher.helper.stop()

    def _release_unstarted(self) -> None:
        for fetcher in self.fetchers:
            fetcher.release_unstarted("its worker was declared dead")

    def _is_done(self) -> bool:
        if self.quota.is_used_up:
            return self.held.is_empty
        if self.burst and self._nothing_left():
            return True
        idle = time.monotonic() - self.held.active_at if self.held.is_empty else 0.0
        return self.max_idle_time is not None and idle > self.max_idle_time

    def _nothing_left(self) -> bool:
        """Nothing runs, and no job of these queues is due (offered or not) and may be claimed."""
        if not (self.held.is_empty and all(fetcher.idle for fetcher in self.fetchers)):
            return False
        suspended = all(fetcher.suspended for fetcher in self.fetchers)
        queues = [] if suspended else [queue.name for queue in self.queues]
        try:
            return not outbox.anything_left(queues, self.session.worker_id)
        except (DatabaseError, InterfaceError) as error:
            log.debug("cannot say whether anything is left: %s", error)
            connection.close()
            return False

    def _drain(self) -> None:
        """Let running jobs end within QUEUE_GRACE seconds; release the rest without spending an attempt."""
        for fetcher in self.fetchers:
            fetcher.helper.stop()
        connection.close()
        with suppress(DatabaseError, InterfaceError):
            self.session.begin_to_drain()
        connection.close()
        for fetcher in self.fetchers:
            fetcher.helper.join(FETCHER_ENDS_WITHIN)
        ends = time.monotonic() + settings.QUEUE_GRACE
        while not self.held.is_empty and time.monotonic() < ends:
            time.sleep(0.05)
        left = self.held.all()
        if left:
            ids = [execution.claim.id for execution in left]
            log.warning("%d jobs did not end within the grace period: %s", len(left), ids)
        self.children.stop()
        if left:
            self.completer.release(left, "the worker stopped")

    def _close(self) -> None:
        try:
            self.session.close()
        except (DatabaseError, InterfaceError, BrokerUnavailable) as error:
            log.warning("the worker could not deregister: %s", error)


def _end(helpers: Sequence[HelperThread]) -> None:
    for helper in helpers:
        helper.stop()
    for helper in helpers:
        helper.join(settings.QUEUE_POLL + HELPER_ENDS_WITHIN)
