"""This process as a worker: its row in the ledger (the lease of its jobs) and its consumer of the broker."""

import logging
from collections.abc import Callable, Sequence

from django.db import transaction

from .. import ledger
from ..brokers.base import Broker, Consumer
from ..definitions import registry
from ..ledger import workers
from ..supervisor import supervised
from .held import Held

log = logging.getLogger(__name__)


class Session:
    """Opened at the start, renewed by the heartbeat, closed at the end. It has what changes when the lease is lost."""

    consumer: Consumer

    def __init__(
        self,
        name: str,
        queues: Sequence[str],
        broker: Broker,
        held: Held,
        *,
        on_open: Callable[[Consumer], None] | None = None,
        on_lost_lease: Callable[[], None],
    ) -> None:
        self.name = name
        self.queues = queues
        self.broker = broker
        self.held = held
        self.on_open = on_open
        self.on_lost_lease = on_lost_lease
        self.worker_id = 0
        self.has_lost_lease = False

    def open(self) -> None:
        """Write a row for this process, free the jobs of the row before it, and open the consumer of the broker.

        The row before is that of a dead child which this one replaces, or our own that was declared dead.
        """
        with transaction.atomic():
            worker_id = workers.register(self.name, self.queues)
            workers.declare_dead(supervised.previous_worker_id(), registry.child_rule())
        consumer = self.broker.consumer(worker_id, self.queues)
        supervised.set_worker_id(worker_id)
        self.worker_id, self.consumer = worker_id, consumer
        if self.on_open is not None:
            self.on_open(consumer)

    def renew(self) -> None:
        """Renew the lease. A worker that was declared dead registers again and continues.

        Nobody renews the lease of the former row any more. So what was claimed under it, and still runs here, is
        reassigned to the new row, also with each later heartbeat: a claim may have been on its way.
        """
        if not workers.renew(self.worker_id):
            log.error("this worker was declared dead; its jobs were freed, it continues under a new lease")
            self.open()
            self.has_lost_lease = True
            self.on_lost_lease()
        if self.has_lost_lease:
            ledger.reassign([execution.claim for execution in self.held.all()], self.worker_id)
        unacknowledged = self.held.unacknowledged(ledger.held_by(self.worker_id))
        if unacknowledged:
            ledger.release_unacknowledged(unacknowledged, self.worker_id, self.name)

    def send_heartbeat(self) -> None:
        """To the broker. It has a thread of its own, so that a broker that hangs does not delay the lease."""
        self.consumer.beat()

    def begin_to_drain(self) -> None:
        workers.begin_to_drain(self.worker_id)

    def close(self) -> None:
        workers.deregister(self.worker_id)
        self.consumer.close()
