"""The rq broker: offers become rq messages in Redis lists and in rq-scheduler's set."""

from collections.abc import Collection, Sequence
from itertools import groupby

from django.utils import timezone

from ...lifecycle.offer import Offer
from ..base import Broker
from .connection import broker_errors, client
from .consumer import RqConsumer
from .delays import move_due
from .keys import JOB_PREFIX, SCHEDULED, fetched_key, queue_key
from .messages import write

BATCH = 500


class RqBroker(Broker):
    dispatches = True
    holds_delays = True

    def publish(self, offers: Sequence[Offer]) -> None:
        at = timezone.now()
        to_tail = [offer for offer in offers if not offer.to_front]
        to_head = [offer for offer in reversed(offers) if offer.to_front]
        ordered = to_tail + to_head
        with broker_errors():
            for start in range(0, len(ordered), BATCH):
                pipeline = client().pipeline(transaction=False)
                write(pipeline, ordered[start : start + BATCH], at)
                pipeline.execute()

    def lost(self, offers: Sequence[Offer], workers: Collection[int]) -> list[Offer]:
        """Compare with one snapshot of the delayed set, of the queues and of what living workers have fetched."""
        queues = sorted({offer.queue for offer in offers})
        with broker_errors():
            pipeline = client().pipeline(transaction=True)
            pipeline.zrange(SCHEDULED, 0, -1)
            for queue in queues:
                pipeline.lrange(queue_key(queue), 0, -1)
                for worker in workers:
                    pipeline.lrange(fetched_key(worker, queue), 0, -1)
            parts = [part for part in pipeline.execute(raise_on_error=False) if isinstance(part, list)]
        found = {message.decode(errors="replace") for part in parts for message in part}
        return [offer for offer in offers if offer.message_id not in found]

    def remove(self, offers: Sequence[Offer]) -> None:
        with broker_errors():
            pipeline = client().pipeline(transaction=False)
            for offer in offers:
                pipeline.zrem(SCHEDULED, offer.message_id)
                pipeline.delete(JOB_PREFIX + offer.message_id)
            removed = pipeline.execute()[::2]
            lists = [offer for offer, was_delayed in zip(offers, removed, strict=True) if not was_delayed]
            for queue, in_queue in groupby(sorted(lists, key=lambda o: o.queue), key=lambda o: o.queue):
                for offer in in_queue:
                    pipeline.lrem(queue_key(queue), 1, offer.message_id)
            pipeline.execute()

    def take_over(self, overdue: float) -> int:
        with broker_errors():
            return move_due(client(), overdue=overdue)

    def consumer(self, worker_id: int, queues: Sequence[str]) -> RqConsumer:
        return RqConsumer(client(), client(retries=0), worker_id, queues)
