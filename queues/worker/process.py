"""The executor runs jobs in this process: a lane per queue, a heartbeat, a dispatcher and a housekeeper.

broker -> lane: receive -> claim -> thread (or child process): run -> verdict -> ledger
"""

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from typing import Protocol

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction

from .. import context, ledger
from .. import settings as queue_settings
from ..brokers.base import Broker, Consumer
from ..dispatcher import Dispatcher
from ..errors import BrokerUnavailable
from ..execution.deadlines import Deadlines
from ..ledger import Claim, outbox, workers
from ..ledger.pauses import PausedQueues
from ..maintenance.housekeeper import Housekeeper
from ..postgres.outages import OUTAGE, START, wait_out
from ..supervisor import supervised
from .children.pool import Children
from .completer import WRITERS, Endings
from .fetcher import Lane
from .held import InFlight
from .permits import Permits
from .reporter import Reporter

log = logging.getLogger(__name__)

SWITCH = 0.001
"""Seconds for which a thread may keep the interpreter from others: those that talk to PostgreSQL and Redis wait for it
several times a batch. Set in processes that do nothing but run jobs."""


LANE_ENDS_WITHIN = 15.0


class Helper(Protocol):
    """What goes on beside the jobs, on a thread of its own, until `stopping` is set."""

    stopping: threading.Event

    def run(self) -> None: ...


class Executor:
    """Runs the jobs of some queues until stopped, or until `burst`, `max_jobs` or `max_idle_time` (s) end it.

    `replaceable`: somebody starts another process when this one ends, so it may end when a job hangs.
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
        on_start: Callable[[Consumer], None] | None = None,
        replaceable: bool = False,
    ) -> None:
        self.queues = [queue_settings.get(queue) for queue in dict.fromkeys(queues)]
        self.broker = broker
        self.name = name
        self.burst = burst
        self.max_idle_time = max_idle_time
        self.on_start = on_start
        self.stop_asked = False  # a plain flag: an Event that a signal handler sets may deadlock with its waiter
        self.replaceable = replaceable
        self.wedged = False
        self.children = Children()
        self.deadlines = Deadlines(self)
        self.endings = Endings(self)
        self.permits = Permits(max_jobs)
        self.jobs_run = 0
        self.active_at = time.monotonic()
        self.in_flight = InFlight()
        self.lock = threading.Lock()
        self.lanes: list[Lane] = []
        self.worker_id = 0
        self.has_lost_lease = False
        self.consumer: Consumer
        self.helpers: dict[str, Helper] = {
            "dispatcher": Dispatcher(broker),
            "housekeeper": Housekeeper(broker),
            "reporter": Reporter(),
            "deadlines": self.deadlines,
            **{f"endings-{n}": self.endings for n in range(WRITERS)},
            "broker-heartbeat": workers.Heartbeat(self._show_life),
            "heartbeat": workers.Heartbeat(self._renew),
            "sign-of-life": workers.Heartbeat(supervised.give_sign_of_life),
        }
        self.paused = PausedQueues()

    def run(self) -> int:
        """Work until done or stopped; how many jobs were run. Runs in the calling thread."""
        if self.replaceable:
            sys.setswitchinterval(SWITCH)
        try:
            wait_out(self._register, "the start", within=START, stopped=lambda: self.stop_asked)
        except OUTAGE:
            if self.stop_asked:
                return 0
            raise
        connection.close()  # by the time this thread needs one again it might be broken
        helpers = [Thread(target=helper.run, name=name, daemon=True) for name, helper in self.helpers.items()]
        self.lanes = [Lane(queue, self) for queue in self.queues]
        for thread in [*helpers, *self.lanes]:
            thread.start()
        try:
            while not (self.stop_asked or self.wedged or supervised.is_orphan() or self._done()):
                time.sleep(0.1)
        finally:
            self._drain()
            for helper in self.helpers.values():
                helper.stopping.set()
            for thread in helpers:
                thread.join(timeout=settings.QUEUE_POLL + 5)
            self._sign_off()
        return self.jobs_run

    def stop(self) -> None:
        """Claim nothing more; `run` drains and returns. Safe in a signal handler."""
        self.stop_asked = True

    def wedge(self) -> None:
        """A job hangs: claim nothing more; `run` drains and returns, and the process is to be replaced."""
        self.wedged = True
        for lane in self.lanes:
            lane.stopping.set()

    def _register(self) -> None:
        """Write a row for this process, free what a dead predecessor held, and open our end of the broker."""
        names = [queue.name for queue in self.queues]
        with transaction.atomic():
            worker_id = workers.register(self.name, names)
            workers.bury(supervised.predecessor())
        consumer = self.broker.consumer(worker_id, names)
        supervised.succeed(worker_id)
        self.worker_id, self.consumer = worker_id, consumer
        if self.on_start is not None:
            self.on_start(self.consumer)

    def _renew(self) -> None:
        """Renew the lease; a process that was taken for dead goes on under a new one.

        What it claimed under the former one before it knew is not lost, but nobody renews that lease any more.
        """
        if not workers.renew(self.worker_id):
            log.error("this worker was taken for dead; its jobs were freed, it goes on under a new lease")
            self._register()
            self.has_lost_lease = True
            for lane in self.lanes:
                lane.give_back_unbegun("its worker was taken for dead")
        if self.has_lost_lease:
            ledger.adopt(self.in_flight.all(), self.worker_id)
        unheard_of = self.in_flight.unheard_of(ledger.held_by(self.worker_id))
        if unheard_of:
            ledger.free_unheard_of(unheard_of, self.worker_id, self.name)

    def _show_life(self) -> None:
        """On a thread of its own: a broker that hangs must not cost the lease."""
        self.consumer.beat()

    def _done(self) -> bool:
        if self.permits.are_used_up:
            return self.in_flight.is_empty
        if self.burst and self._nothing_left():
            return True
        idle = time.monotonic() - self.active_at if self.in_flight.is_empty else 0.0
        return self.max_idle_time is not None and idle > self.max_idle_time

    def _nothing_left(self) -> bool:
        """Nothing runs, and no job of these queues is due (offered or not) and may be claimed."""
        if not (self.in_flight.is_empty and all(lane.idle for lane in self.lanes)):
            return False
        suspended = all(lane.suspended for lane in self.lanes)
        queues = [] if suspended else [queue.name for queue in self.queues]
        try:
            return not outbox.anything_left(queues, self.worker_id)
        except (DatabaseError, InterfaceError) as error:
            log.debug("whether anything is left cannot be said: %s", error)
            connection.close()
            return False

    def started(self, claims: Sequence[Claim]) -> None:
        context.began(claims)
        self.in_flight.begin(claims)
        with self.lock:
            supervised.count_claimed(len(claims))
            self.active_at = time.monotonic()

    def forget(self, claims: Sequence[Claim]) -> None:
        """These claims are not this process's any more."""
        for claim in claims:
            context.ended(claim)
        self.in_flight.end(claims)

    def count_run(self, jobs: int) -> None:
        with self.lock:
            self.jobs_run += jobs
            self.active_at = time.monotonic()

    def _drain(self) -> None:
        """Let running jobs end within QUEUE_GRACE seconds; give the rest back without spending an attempt."""
        for lane in self.lanes:
            lane.stopping.set()
        connection.close()
        with suppress(DatabaseError, InterfaceError):
            workers.begin_to_drain(self.worker_id)
        connection.close()
        for lane in self.lanes:
            lane.join(timeout=LANE_ENDS_WITHIN)
        ends = time.monotonic() + settings.QUEUE_GRACE
        while not self.in_flight.is_empty and time.monotonic() < ends:
            time.sleep(0.05)
        left = self.in_flight.all()
        if left:
            log.warning("%d jobs did not end within the grace period: %s", len(left), [claim.id for claim in left])
        self.children.stop()
        if left:
            self.endings.give_back(left, "the worker stopped")

    def _sign_off(self) -> None:
        try:
            workers.sign_off(self.worker_id)
            self.consumer.close()
        except (DatabaseError, InterfaceError, BrokerUnavailable) as error:
            log.warning("could not sign off: %s", error)
