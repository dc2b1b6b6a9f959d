"""WORKER_MODE=none: jobs are written and stay waiting; nothing runs them."""

from collections.abc import Collection, Sequence

from ..lifecycle.offer import Offer
from .base import Broker, Consumer


class NoBroker(Broker):
    dispatches = False

    def publish(self, offers: Sequence[Offer]) -> None:
        raise RuntimeError("WORKER_MODE=none publishes nothing")

    def lost(self, offers: Sequence[Offer], workers: Collection[int]) -> list[Offer]:
        return list(offers)

    def consumer(self, worker_id: int, queues: Sequence[str]) -> Consumer:
        raise RuntimeError("WORKER_MODE=none runs no jobs")
