"""What the engine asks of a broker. A broker may lose everything it holds: the ledger offers it again."""

from collections.abc import Collection, Sequence
from typing import Protocol

from ..lifecycle.claim import Claim
from ..lifecycle.offer import Offer
from ..lifecycle.verdict import Finished


class Consumer(Protocol):
    """One worker process's end of a broker. Every method may raise BrokerUnavailable."""

    def receive(self, queue: str, limit: int, timeout: float) -> list[Offer]:
        """Up to `limit` offers of a queue, waiting at most `timeout` seconds for the first."""

    def recover(self, queue: str) -> None:
        """After an error: put back what was received for a queue's lane that now holds nothing."""

    def suspended(self) -> bool:
        """Whether workers were told to claim nothing for now."""

    def claimed(self, offers: Sequence[Offer], claims: Sequence[Claim]) -> None:
        """These offers were tried to be claimed, and these claims came of it: the rest can be dropped."""

    def finished(self, finished: Sequence[Finished]) -> None:
        """These verdicts are written, or came too late."""

    def give_back(self, offers: Sequence[Offer]) -> None:
        """Put received and unclaimed offers back for others."""

    def beat(self) -> None:
        """Show that this process lives."""

    def close(self) -> None:
        """Say good-bye; called once, after the last job."""


class Broker(Protocol):
    """The engine's end of a broker. Every method may raise BrokerUnavailable."""

    dispatches: bool
    """Whether offers are published to it; if not, its consumers lease from the outbox themselves."""

    holds_delays: bool
    """Whether it keeps delayed offers until they are due."""

    def publish(self, offers: Sequence[Offer]) -> None:
        """Take offers; delayed ones (due in the future) are held until they are due."""

    def lost(self, offers: Sequence[Offer], workers: Collection[int]) -> list[Offer]:
        """Those of the offers that lie neither here nor with one of these living workers."""

    def remove(self, offers: Sequence[Offer]) -> None:
        """Take messages of withdrawn jobs out, wherever they lie."""

    def take_over(self, overdue: float) -> int:
        """Publish delayed messages that nobody moved for `overdue` seconds after their time; how many."""

    def consumer(self, worker_id: int, queues: Sequence[str]) -> Consumer:
        """The receiving end for a worker process."""

    def wake(self) -> None:
        """Jobs were written: consumers that wait in this process may look."""
