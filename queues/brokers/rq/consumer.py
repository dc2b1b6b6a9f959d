"""A worker process's end of the rq broker.

Received messages lie in a list of the process's and the queue's own until they are claimed: a living worker's
list counts as held, a dead one's does not, and its jobs are offered again.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from rq.suspension import WORKERS_SUSPENDED

from ...ledger import Claim, Verdict
from ...offer import Offer
from ...states import JobState
from .connection import broker_errors
from .keys import JOB_PREFIX, REGISTRIES, fetched_key, queue_key, registry_key, wip_key
from .messages import FINISHED_KEPT_SECONDS

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import Pipeline

log = logging.getLogger(__name__)

FETCHED_TTL = 600
SUSPENSION_CHECK = 0.5


class RqConsumer:
    def __init__(self, connection: "Redis", worker_id: int, queues: Sequence[str]) -> None:
        self.connection = connection
        self.queues = queues
        self.fetched = {queue: fetched_key(worker_id, queue) for queue in queues}
        self.on_beat: Callable[[], None] = lambda: None
        self.on_finished: Callable[[Pipeline, bool], None] = lambda pipeline, succeeded: None
        self._suspended = (0.0, False)
        self._lock = threading.Lock()

    def receive(self, queue: str, limit: int, timeout: float) -> list[Offer]:
        key, fetched = queue_key(queue), self.fetched[queue]
        with broker_errors():
            first = self.connection.blmove(key, fetched, cast(int, timeout), "LEFT", "RIGHT")
            if first is None:
                return []
            pipeline = self.connection.pipeline(transaction=False)
            pipeline.expire(fetched, FETCHED_TTL)
            for _ in range(limit - 1):
                pipeline.lmove(key, fetched, "LEFT", "RIGHT")
            messages = [first, *(message for message in pipeline.execute()[1:] if message is not None)]
        return self._parsed(messages, queue)

    def recover(self, queue: str) -> None:
        with broker_errors():
            while self.connection.lmove(self.fetched[queue], queue_key(queue), "RIGHT", "LEFT") is not None:
                pass

    def _parsed(self, messages: list[bytes], queue: str) -> list[Offer]:
        offers = []
        for message in messages:
            offer = Offer.parse(message.decode(errors="replace"), queue)
            if offer is None:
                log.warning("dropped a message that bears no job: queue=%s message=%.60r", queue, message)
                with broker_errors():
                    self.connection.lrem(self.fetched[queue], 1, cast(str, message))
            else:
                offers.append(offer)
        return offers

    def suspended(self) -> bool:
        with self._lock:
            checked_at, suspended = self._suspended
            if time.monotonic() - checked_at > SUSPENSION_CHECK:
                with broker_errors():
                    suspended = bool(self.connection.exists(WORKERS_SUSPENDED))
                self._suspended = (time.monotonic(), suspended)
        return suspended

    def claimed(self, offers: Sequence[Offer], claims: Sequence[Claim]) -> None:
        running = {claim.as_offer for claim in claims}
        with broker_errors():
            pipeline = self.connection.pipeline(transaction=False)
            for offer in offers:
                pipeline.lrem(self.fetched[offer.queue], 1, offer.message_id)
                if offer not in running:
                    pipeline.delete(JOB_PREFIX + offer.message_id)
            for claim in claims:
                pipeline.zadd(wip_key(claim.queue), {self._execution(claim): time.time() + FETCHED_TTL})
            pipeline.execute()

    def finished(self, claim: Claim, verdict: Verdict) -> None:
        message_id = claim.as_offer.message_id
        with broker_errors():
            pipeline = self.connection.pipeline(transaction=False)
            pipeline.zrem(wip_key(claim.queue), self._execution(claim))
            registry = {JobState.COMPLETED: "finished", JobState.FAILED: "failed"}.get(verdict.state)
            if registry:
                expires = time.time() + FINISHED_KEPT_SECONDS
                pipeline.zadd(registry_key(registry, claim.queue), {message_id: expires})
                pipeline.hset(JOB_PREFIX + message_id, "status", registry)
                pipeline.expire(JOB_PREFIX + message_id, FINISHED_KEPT_SECONDS)
            else:
                pipeline.delete(JOB_PREFIX + message_id)
            self.on_finished(pipeline, verdict.state == JobState.COMPLETED)
            pipeline.execute()

    @staticmethod
    def _execution(claim: Claim) -> str:
        return f"{claim.as_offer.message_id}:{claim.token.hex}"

    def give_back(self, offers: Sequence[Offer]) -> None:
        with broker_errors():
            pipeline = self.connection.pipeline(transaction=True)
            for offer in reversed(offers):
                pipeline.lrem(self.fetched[offer.queue], 1, offer.message_id)
                pipeline.lpush(queue_key(offer.queue), offer.message_id)
            pipeline.execute()

    def beat(self) -> None:
        with broker_errors():
            pipeline = self.connection.pipeline(transaction=False)
            for queue in self.queues:
                pipeline.expire(self.fetched[queue], FETCHED_TTL)
                for registry in REGISTRIES:
                    pipeline.zremrangebyscore(registry_key(registry, queue), 0, time.time())
            pipeline.execute(raise_on_error=False)
            self.on_beat()

    def close(self) -> None:
        with broker_errors():
            self.connection.delete(*self.fetched.values())
