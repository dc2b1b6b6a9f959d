"""WORKER_MODE=in-process: consumers lease due rows straight from the outbox; no broker is needed."""

import threading
from collections.abc import Collection, Sequence

from ..ledger import Claim, Ending, outbox
from ..lifecycle.offer import Offer


class InProcessConsumer:
    def __init__(self, bell: threading.Condition) -> None:
        self.bell = bell

    def receive(self, queue: str, limit: int, timeout: float) -> list[Offer]:
        offers = outbox.lease(queue, limit)
        if not offers:
            with self.bell:
                self.bell.wait(timeout)
            offers = outbox.lease(queue, limit)
        return offers

    def recover(self, queue: str) -> None:
        """What was leased and not claimed is offered again by the recheck."""

    def suspended(self) -> bool:
        return False

    def claimed(self, offers: Sequence[Offer], claims: Sequence[Claim]) -> None:
        """The claim took the row; there is no message."""

    def finished(self, endings: Sequence[Ending]) -> None:
        """The ledger has it all."""

    def give_back(self, offers: Sequence[Offer]) -> None:
        outbox.release(offers)

    def beat(self) -> None:
        """The ledger's heartbeat is enough."""

    def close(self) -> None:
        """Nothing is open."""


class InProcessBroker:
    dispatches = False
    holds_delays = False

    def __init__(self) -> None:
        self.bell = threading.Condition()

    def publish(self, offers: Sequence[Offer]) -> None:
        raise RuntimeError("in-process consumers lease from the outbox themselves")

    def lost(self, offers: Sequence[Offer], workers: Collection[int]) -> list[Offer]:
        return list(offers)

    def remove(self, offers: Sequence[Offer]) -> None:
        """There are no messages."""

    def take_over(self, overdue: float) -> int:
        return 0

    def consumer(self, worker_id: int, queues: Sequence[str]) -> InProcessConsumer:
        return InProcessConsumer(self.bell)

    def wake(self) -> None:
        with self.bell:
            self.bell.notify_all()
