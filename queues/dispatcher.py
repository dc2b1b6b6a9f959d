"""The dispatcher moves committed jobs to the broker. It runs in every worker; several may run side by side."""

import logging
import threading

from django.conf import settings
from django.db import connection

from .brokers.base import Broker
from .errors import BrokerUnavailable, unforeseen
from .ledger import outbox
from .postgres import prepared
from .settings import declared

log = logging.getLogger(__name__)

LONGEST_PAUSE = 10.0
SETTLE = 0.003
"""Seconds until the next look after something was published: the lanes of this process begin with it meanwhile, and
what is committed in between goes in one batch."""


class Dispatcher:
    """Leases due rows of the outbox and publishes them, woken by NOTIFY with a poll behind it."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.stopping = threading.Event()
        self.pause = 0.0

    def run(self) -> None:
        """Offer until `stopping` is set; outages of PostgreSQL or the broker are waited out."""
        prepared.plan_by_index()
        while not self.stopping.is_set():
            try:
                published = self.offer()
                if published:
                    self.stopping.wait(SETTLE)
                self.remove_withdrawn()
                if not published:
                    self._wait()
                self.pause = 0.0
            except Exception as error:
                self._back_off(error)
        connection.close()

    def sweep(self) -> int:
        """Offer, and clean up; how many offers were published."""
        published = self.offer()
        self.remove_withdrawn()
        return published

    def offer(self) -> int:
        """One round over all queues; how many offers were published."""
        if not self.broker.dispatches:
            return 0
        delay = settings.QUEUE_BROKER_DELAY if self.broker.holds_delays else None
        queues = list(declared())
        offers = outbox.lease_windows(queues, settings.QUEUE_WINDOW, settings.QUEUE_DELAYED_WINDOW, delay)
        if offers:
            try:
                self.broker.publish(offers)
            except BrokerUnavailable:
                outbox.release(offers)
                raise
        return len(offers)

    def remove_withdrawn(self) -> None:
        """Take the messages of withdrawn jobs out of the broker."""
        offers = outbox.withdrawn()
        if offers:
            if self.broker.dispatches:
                self.broker.remove(offers)
            outbox.forget(offers)

    def _wait(self) -> None:
        """Until a commit rings, at most QUEUE_POLL seconds; then let consumers of this process look."""
        connection.ensure_connection()
        raw = connection.connection
        raw.execute(f"LISTEN {outbox.CHANNEL}")
        rung = list(raw.notifies(timeout=settings.QUEUE_POLL, stop_after=1))
        if rung:
            list(raw.notifies(timeout=0))
        self.broker.wake()

    def _back_off(self, error: Exception) -> None:
        connection.close()
        self.pause = min(LONGEST_PAUSE, max(0.25, self.pause * 2))
        log.warning("dispatcher pauses for %.1f s: %s", self.pause, error, exc_info=unforeseen(error))
        self.stopping.wait(self.pause)


def dispatch_all(broker: Broker) -> int:
    """Publish all that is due or delayed and fits; for commands and tests."""
    dispatcher = Dispatcher(broker)
    total = 0
    while moved := dispatcher.sweep():
        total += moved
    return total
