"""The receiving end of the rq broker in one worker process.

Received messages stay in a list of this process and queue until they are claimed. What is in a living worker's list
counts as held; what is in a dead one's is offered again.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from rq.suspension import WORKERS_SUSPENDED

from ...lifecycle.claim import Claim
from ...lifecycle.offer import Offer
from ...lifecycle.verdict import Finished
from ...states import JobState
from ..base import Consumer
from .connection import broker_errors
from .keys import REGISTRIES, fetched_key, queue_key, registry_key
from .registries import ENDED, FAILED, FETCHED_TTL, FINISHED, STALE, STARTED, Registries, RegistryUpdate

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

RECEIVE = """
-- Move up to ARGV[1] ids from a queue's list (KEYS[1]) to a worker's fetched list (KEYS[2], kept ARGV[2] seconds).
local ids = {}
for i = 1, tonumber(ARGV[1]) do
    local id = redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT')
    if not id then break end
    ids[i] = id
end
if #ids > 0 then redis.call('EXPIRE', KEYS[2], ARGV[2]) end
return ids
"""

SUSPENSION_CHECK = 0.5
"""Seconds for which an answer to `suspended` is trusted."""
FLUSH_TIMEOUT = 5.0
"""Seconds in which the last updates of the registries have to be written."""
REGISTRY = {JobState.COMPLETED: FINISHED, JobState.FAILED: FAILED}
"""The registry of rq that keeps a message for some minutes; without one it is deleted."""


class RqConsumer(Consumer):
    def __init__(self, connection: "Redis", receiving: "Redis", worker_id: int, queues: Sequence[str]) -> None:
        """`receiving` must send no command twice: what a lost first reply held would stay in our list unknown to us."""
        self.connection = connection
        self.receiving = receiving
        self.queues = queues
        self.fetched = {queue: fetched_key(worker_id, queue) for queue in queues}
        self.on_beat: Callable[[], None] = lambda: None
        self.registries = Registries(connection)
        self._receive = receiving.register_script(RECEIVE)
        self._suspended = (0.0, False)
        self._lock = threading.Lock()

    def receive(self, queue: str, limit: int, timeout: float) -> list[Offer]:
        keys = (queue_key(queue), self.fetched[queue])
        with broker_errors():
            messages = self._receive(keys=keys, args=(limit, FETCHED_TTL))
            if not messages:
                first = self.receiving.blmove(*keys, cast(int, timeout), "LEFT", "RIGHT")
                messages = [] if first is None else [first]
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
        tokens = {claim.message_id: claim.token.hex for claim in claims}
        updates = []
        for offer in offers:
            message, fetched = offer.message_id, self.fetched[offer.queue]
            token = tokens.get(message, "")
            updates.append(RegistryUpdate(offer.queue, message, token, STARTED if token else STALE, fetched))
        self.registries.write(*updates)

    def finished(self, finished: Sequence[Finished]) -> None:
        updates = (
            RegistryUpdate(claim.queue, claim.message_id, claim.token.hex, REGISTRY.get(verdict.state, ENDED))
            for claim, verdict in ((execution.claim, verdict) for execution, verdict in finished)
        )
        self.registries.write(*updates)

    def requeue(self, offers: Sequence[Offer]) -> None:
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
        self.registries.flush(FLUSH_TIMEOUT)
        with broker_errors():
            self.connection.delete(*self.fetched.values())
