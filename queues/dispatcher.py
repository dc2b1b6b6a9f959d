"""The dispatcher moves committed jobs to the broker. It runs in every worker; several may run side by side."""

import time

from django.conf import settings
from django.db import connection

from .brokers.base import Broker
from .errors import BrokerUnavailable
from .helper_thread import HelperThread
from .ledger import outbox
from .settings import declared

SETTLE = 0.003
"""Seconds until the next round after something was published: the fetchers of this process begin with it meanwhile, and
what is committed in between goes in one batch."""


class Dispatcher:
    """Offers due rows of the outbox and publishes them, woken by NOTIFY with a poll behind it."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker

    def helper(self) -> HelperThread:
        """The thread that dispatches until it is stopped."""
        return HelperThread("dispatcher", self._turn, engine_only=True)

    def _turn(self) -> None:
        published = self.offer()
        if published:
            time.sleep(SETTLE)
        self.remove_withdrawn()
        if not published:
            self._wait_for_commit()

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
        offers = outbox.offer_windows(queues, settings.QUEUE_WINDOW, settings.QUEUE_DELAYED_WINDOW, delay)
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

    def _wait_for_commit(self) -> None:
        """Until a commit notifies, at most QUEUE_POLL seconds; then wake consumers of this process."""
        connection.ensure_connection()
        raw = connection.connection
        raw.execute(f"LISTEN {outbox.CHANNEL}")
        notified = list(raw.notifies(timeout=settings.QUEUE_POLL, stop_after=1))
        if notified:
            list(raw.notifies(timeout=0))
        self.broker.wake()


def dispatch_all(broker: Broker) -> int:
    """Publish all that is due or delayed and fits; for commands and tests."""
    dispatcher = Dispatcher(broker)
    total = 0
    while moved := dispatcher.sweep():
        total += moved
    return total
