"""WORKER_MODE=in-process: consumers take due rows straight from the outbox; there are no messages."""

import threading
from collections.abc import Collection, Sequence

from ..ledger import outbox
from ..lifecycle.offer import Offer
from .base import Broker, Consumer


class InProcessConsumer(Consumer):
    """An offer that it took and that nobody claims is offered again by the recheck."""

    def __init__(self, wakeup: threading.Condition) -> None:
        self.wakeup = wakeup

    def receive(self, queue: str, limit: int, timeout: float) -> list[Offer]:
        offers = outbox.offer_due(queue, limit)
        if not offers:
            with self.wakeup:
                self.wakeup.wait(timeout)
            offers = outbox.offer_due(queue, limit)
        return offers

    def requeue(self, offers: Sequence[Offer]) -> None:
        outbox.release(offers)


class InProcessBroker(Broker):
    dispatches = False

    def __init__(self) -> None:
        self.wakeup = threading.Condition()

    def publish(self, offers: Sequence[Offer]) -> None:
        raise RuntimeError("in-process consumers lease from the outbox themselves")

    def lost(self, offers: Sequence[Offer], workers: Collection[int]) -> list[Offer]:
        return list(offers)

    def consumer(self, worker_id: int, queues: Sequence[str]) -> InProcessConsumer:
        return InProcessConsumer(self.wakeup)

    def wake(self) -> None:
        with self.wakeup:
            self.wakeup.notify_all()
