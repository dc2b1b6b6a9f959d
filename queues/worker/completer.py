"""Writes verdicts, many at once.

A job's thread queues its verdict and takes the next job. Until the verdict is durable the job stays active, under the
lease of its process. What follows a verdict (signals, the broker) is done after it is written.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from queue import Empty, SimpleQueue

from django.db import DatabaseError, InterfaceError, connection

from .. import ledger, signals
from ..errors import BrokerUnavailable
from ..helper_thread import HelperThread
from ..lifecycle.execution import Execution
from ..lifecycle.verdict import Finished, Verdict, released
from ..postgres.outages import OUTAGE, restarted_since, wait_out
from ..states import JobState
from .held import Held
from .session import Session
from .signal_sender import SignalSender

log = logging.getLogger(__name__)

WRITERS = 2
"""Threads that write: while PostgreSQL has one batch, the next is gathered and sent."""
LARGEST_BATCH = 200
ENOUGH = 16
"""So many wait for no more: a larger batch would make none of them cheaper by much."""
MOST_WAITING = 1000
WAIT = 0.2
"""Seconds that a writer waits for a verdict in one turn."""
RESTART_PAUSE = 1.0
"""Seconds until a job is offered again that PostgreSQL's restart has cut off."""
GATHER = 0.002
"""Seconds that a verdict may wait for those of jobs that still run; far less than anybody notices."""
NAP = 0.001
"""Seconds between two checks for more verdicts: a wake-up for each of them would stop a job's thread each time."""
ANY_ERROR = (DatabaseError, InterfaceError)


class Completer:
    """Takes verdicts from any thread; the threads of `helpers` write them until they are stopped and none is left."""

    def __init__(self, session: Session, held: Held, signal_sender: SignalSender) -> None:
        self.session = session
        self.held = held
        self.signal_sender = signal_sender
        self._waiting: SimpleQueue[Finished] = SimpleQueue()
        self._in_order = threading.Lock()

    @property
    def is_behind(self) -> bool:
        """So many verdicts or signals wait that no more jobs should be claimed."""
        return self._waiting.qsize() > MOST_WAITING or self.signal_sender.is_behind

    @property
    def has_some(self) -> bool:
        """Whether verdicts wait to be written."""
        return not self._waiting.empty()

    def put(self, execution: Execution, verdict: Verdict) -> None:
        """Have the verdict written soon."""
        self._waiting.put(Finished(execution, verdict))

    def release(self, executions: Sequence[Execution], reason: str) -> None:
        """Write at once that others may have these jobs; where PostgreSQL is away they are rescued after the lease."""
        try:
            ledger.finish([Finished(execution, released(reason)) for execution in executions], self.session.name)
        except ANY_ERROR as error:
            log.warning("%d jobs could not be released (%s); they will be rescued", len(executions), error)
        self.held.end(executions, ran=False)

    def helpers(self) -> list[HelperThread]:
        return [Writer(self).helper(f"completer-{number}") for number in range(WRITERS)]

    def next_batch(self) -> list[Finished]:
        """What waits, or comes within a moment; while other jobs run, their verdicts may come along."""
        batch: list[Finished] = []
        with suppress(Empty):
            batch.append(self._waiting.get(timeout=WAIT))
        until = time.monotonic() + GATHER
        while batch:
            with suppress(Empty):
                while len(batch) < LARGEST_BATCH:
                    batch.append(self._waiting.get_nowait())
            if len(batch) >= min(ENOUGH, len(self.held)) or time.monotonic() > until:
                break
            time.sleep(NAP)
        return batch

    def write(self, batch: Sequence[Finished]) -> None:
        """Raises an outage of PostgreSQL: then the batch is to be written again."""
        try:
            self._finish(batch)
        except OUTAGE:
            raise
        except Exception as error:
            self._write_alone(batch, error)

    def _write_alone(self, batch: Sequence[Finished], error: Exception) -> None:
        """One of them cannot be written: it goes on trying in a thread of its own, and delays no other."""
        if len(batch) > 1:
            log.warning("%d verdicts are written one by one: %s", len(batch), error)
            for one in batch:
                wait_out(partial(self.write, [one]), "a verdict")
        else:
            threading.Thread(target=self._go_on_trying, args=(batch,), name="verdict", daemon=True).start()

    def _go_on_trying(self, batch: Sequence[Finished]) -> None:
        """The token decides whether the verdict still counts when it can be written."""
        try:
            wait_out(partial(self._finish, batch), "a verdict", errors=ANY_ERROR)
        except Exception:
            log.exception("the verdict on #%d cannot be written", batch[0].execution.claim.id)
            self.held.end([one.execution for one in batch])
        connection.close()

    def _finish(self, batch: Sequence[Finished]) -> None:
        """Write this batch. Signals are sent in the order of the writing."""
        listened = any(signals.has_listeners(one.execution.claim.name) for one in batch)
        with self._in_order if listened else nullcontext():
            batch = [self._without_blame(one) if one.verdict.lost_database else one for one in batch]
            states = ledger.finish(batch, self.session.name)
            if listened:
                self._notify_listeners(batch, states)
        self._close(batch, states)

    def _without_blame(self, finished: Finished) -> Finished:
        """A job whose connection was cut by a restart of PostgreSQL is released: its attempt is not spent."""
        execution, verdict = finished
        if restarted_since(execution.claim.started_at):
            verdict = released(f"PostgreSQL was restarted while it ran: {verdict.error}", wait=RESTART_PAUSE)
        return Finished(execution, verdict)

    def _notify_listeners(self, batch: Sequence[Finished], states: Mapping[int, JobState]) -> None:
        for one in batch:
            claim = one.execution.claim
            if claim.id in states and signals.has_listeners(claim.name):
                self.signal_sender.put(partial(signals.attempt_ended, one, states[claim.id]))

    def _close(self, batch: Sequence[Finished], states: Mapping[int, JobState]) -> None:
        """These executions are over. Verdicts on jobs that have no state here came too late."""
        self.held.end([one.execution for one in batch])
        for claim in (one.execution.claim for one in batch):
            if claim.id not in states:
                log.error("verdict on #%d came too late: the job was freed meanwhile", claim.id)
                with suppress(*ANY_ERROR):
                    ledger.count_late_verdict(claim.queue)
        try:
            self.session.consumer.finished(batch)
        except BrokerUnavailable as error:
            log.debug("the broker did not get %d verdicts: %s", len(batch), error)


class Writer:
    """One of the threads that write. A batch that met an outage is kept, and written when PostgreSQL is back."""

    def __init__(self, completer: Completer) -> None:
        self.completer = completer
        self.batch: Sequence[Finished] = ()

    def helper(self, name: str) -> HelperThread:
        return HelperThread(name, self.write_some, last_turn=self.write_rest, engine_only=True)

    def write_some(self) -> None:
        self.batch = self.batch or self.completer.next_batch()
        if self.batch:
            self.completer.write(self.batch)
        self.batch = ()

    def write_rest(self) -> None:
        while self.batch or self.completer.has_some:
            wait_out(self.write_some, "verdicts")
