"""What the engine asks of a broker. A broker may lose everything it holds: the ledger offers it again.

What only some brokers can do has a default here, which does nothing.
"""

# ruff: noqa: B027  An empty method here is a default, no forgotten @abstractmethod.

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar

from ..lifecycle.claim import Claim
from ..lifecycle.offer import Offer
from ..lifecycle.verdict import Finished


class Consumer(ABC):
    """The receiving end of a broker in one worker process. Every method may raise BrokerUnavailable."""

    @abstractmethod
    def receive(self, queue: str, limit: int, timeout: float) -> list[Offer]:
        """Up to `limit` offers of a queue, waiting at most `timeout` seconds for the first."""

    @abstractmethod
    def requeue(self, offers: Sequence[Offer]) -> None:
        """Put received and unclaimed offers back for other workers, in their order."""

    def recover(self, queue: str) -> None:
        """After an error: put back whatever was received of a queue. Its fetcher holds no offer then."""

    def suspended(self) -> bool:
        """Whether an operator has suspended all workers: they claim nothing."""
        return False

    def claimed(self, offers: Sequence[Offer], claims: Sequence[Claim]) -> None:
        """These claims are what came of claiming these offers. An offer without a claim is stale and can be dropped."""

    def finished(self, finished: Sequence[Finished]) -> None:
        """These verdicts are written, or came too late."""

    def beat(self) -> None:
        """Send a heartbeat: this process lives."""

    def close(self) -> None:
        """Called once, after the last job."""


class Broker(ABC):
    """The sending end of a broker. Every method may raise BrokerUnavailable."""

    dispatches: ClassVar[bool]
    """Whether a dispatcher publishes offers to it. If not, its consumers take them from the outbox."""

    holds_delays: ClassVar[bool] = False
    """Whether it can keep delayed offers until they are due."""

    @abstractmethod
    def publish(self, offers: Sequence[Offer]) -> None:
        """Take offers; delayed ones (due in the future) are kept until they are due."""

    @abstractmethod
    def lost(self, offers: Sequence[Offer], workers: Collection[int]) -> list[Offer]:
        """Those of the offers that neither the broker nor one of these living workers holds."""

    @abstractmethod
    def consumer(self, worker_id: int, queues: Sequence[str]) -> Consumer:
        """The receiving end for a worker process."""

    def remove(self, offers: Sequence[Offer]) -> None:
        """Delete the messages of withdrawn jobs. One that stays does no harm: its offer cannot be claimed."""

    def take_over(self, overdue: float) -> int:
        """Publish delayed offers that nobody has moved for `overdue` seconds after their time; how many."""
        return 0

    def wake(self) -> None:
        """Jobs were written: let consumers that wait in this process check the outbox."""
