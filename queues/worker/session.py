"""This process as a worker: its row in the ledger (the lease of its jobs) and its end of the broker."""

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
    """Open until the process ends; renewed by its heartbeat. What changes when the lease is lost stands here."""

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
        """Write a row for this process, free what a dead predecessor held, and open our end of the broker."""
        with transaction.atomic():
            worker_id = workers.register(self.name, self.queues)
            workers.declare_dead(supervised.previous_worker_id(), registry.placement())
        consumer = self.broker.consumer(worker_id, self.queues)
        supervised.set_worker_id(worker_id)
        self.worker_id, self.consumer = worker_id, consumer
        if self.on_open is not None:
            self.on_open(consumer)

    def renew(self) -> None:
        """Renew the lease. A worker that was declared dead registers again and continues.

        What it claimed under the former row before it noticed is not lost, but nobody renews that lease any more.
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
        """To the broker; on a thread of its own: a broker that hangs must not cost the lease."""
        self.consumer.beat()

    def begin_to_drain(self) -> None:
        workers.begin_to_drain(self.worker_id)

    def close(self) -> None:
        workers.deregister(self.worker_id)
        self.consumer.close()
