"""WORKER_MODE=none: jobs are written and stay waiting; nothing runs them."""

from collections.abc import Collection, Sequence

from ..lifecycle.offer import Offer
from .base import Consumer


class NoBroker:
    dispatches = False
    holds_delays = False

    def publish(self, offers: Sequence[Offer]) -> None:
        raise RuntimeError("WORKER_MODE=none publishes nothing")

    def lost(self, offers: Sequence[Offer], workers: Collection[int]) -> list[Offer]:
        return list(offers)

    def remove(self, offers: Sequence[Offer]) -> None:
        """There is nothing to remove."""

    def take_over(self, overdue: float) -> int:
        return 0

    def consumer(self, worker_id: int, queues: Sequence[str]) -> Consumer:
        raise RuntimeError("WORKER_MODE=none runs no jobs")

    def wake(self) -> None:
        """Nobody waits."""
