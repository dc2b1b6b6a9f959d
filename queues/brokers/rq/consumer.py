"""A worker process's end of the rq broker.

Received messages lie in a list of the process's and the queue's own until they are claimed: a living worker's
list counts as held, a dead one's does not, and its jobs are offered again.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from rq.suspension import WORKERS_SUSPENDED

from ...ledger import Claim, Ending, Verdict
from ...offer import Offer
from ...states import JobState
from .connection import broker_errors
from .keys import JOB_PREFIX, REGISTRIES, fetched_key, queue_key, registry_key, wip_key
from .messages import FINISHED_KEPT_SECONDS

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

FETCHED_TTL = 600

RECEIVE = """
-- Move up to ARGV[1] ids from a queue's list (KEYS[1]) to what a worker has fetched (KEYS[2], kept ARGV[2] seconds).
local ids = {}
for i = 1, tonumber(ARGV[1]) do
    local id = redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT')
    if not id then break end
    ids[i] = id
end
if #ids > 0 then redis.call('EXPIRE', KEYS[2], ARGV[2]) end
return ids
"""

CLAIMED = """
-- Ids leave what a worker has fetched (KEYS[1]); those with a token run from now on (KEYS[2]: wip), others are stale.
-- ARGV: score in wip, prefix of job keys, then pairs of id and token.
for i = 3, #ARGV, 2 do
    local id, token = ARGV[i], ARGV[i + 1]
    redis.call('LREM', KEYS[1], 1, id)
    if token == '' then
        redis.call('DEL', ARGV[2] .. id)
    else
        redis.call('ZADD', KEYS[2], ARGV[1], id .. ':' .. token)
    end
end
"""

FINISHED = """
-- Ids run no longer; they are counted in the worker's key (KEYS[1], if there is one). ARGV: time now, seconds to keep,
-- prefix of job keys, then fours of queue, id, token and registry (finished, failed; nothing: the message is dropped).
local succeeded, failed = 0, 0
for i = 4, #ARGV, 4 do
    local queue, id, registry = ARGV[i], ARGV[i + 1], ARGV[i + 3]
    if registry == 'finished' then succeeded = succeeded + 1 else failed = failed + 1 end
    redis.call('ZREM', 'rq:wip:' .. queue, id .. ':' .. ARGV[i + 2])
    if registry == '' then
        redis.call('DEL', ARGV[3] .. id)
    else
        redis.call('ZADD', 'rq:' .. registry .. ':' .. queue, ARGV[1] + ARGV[2], id)
        redis.call('HSET', ARGV[3] .. id, 'status', registry)
        redis.call('EXPIRE', ARGV[3] .. id, ARGV[2])
    end
end
if KEYS[1] and succeeded > 0 then redis.call('HINCRBY', KEYS[1], 'successful_job_count', succeeded) end
if KEYS[1] and failed > 0 then redis.call('HINCRBY', KEYS[1], 'failed_job_count', failed) end
"""
SUSPENSION_CHECK = 0.5


class RqConsumer:
    def __init__(self, connection: "Redis", worker_id: int, queues: Sequence[str]) -> None:
        self.connection = connection
        self.queues = queues
        self.fetched = {queue: fetched_key(worker_id, queue) for queue in queues}
        self.on_beat: Callable[[], None] = lambda: None
        self.worker_keys: Sequence[str] = ()
        self._receive = connection.register_script(RECEIVE)
        self._claimed = connection.register_script(CLAIMED)
        self._finished = connection.register_script(FINISHED)
        self._suspended = (0.0, False)
        self._lock = threading.Lock()

    def receive(self, queue: str, limit: int, timeout: float) -> list[Offer]:
        keys = (queue_key(queue), self.fetched[queue])
        with broker_errors():
            messages = self._receive(keys=keys, args=(limit, FETCHED_TTL))
            if not messages:
                first = self.connection.blmove(*keys, cast(int, timeout), "LEFT", "RIGHT")
                if first is None:
                    return []
                messages = [first, *self._receive(keys=keys, args=(limit - 1, FETCHED_TTL))]
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
        tokens = {claim.as_offer: claim.token.hex for claim in claims}
        arguments: list[Any] = [time.time() + FETCHED_TTL, JOB_PREFIX]
        for offer in offers:
            arguments += (offer.message_id, tokens.get(offer, ""))
        queue = offers[0].queue
        with broker_errors():
            self._claimed(keys=(self.fetched[queue], wip_key(queue)), args=arguments)

    def finished(self, endings: Sequence[Ending]) -> None:
        arguments: list[Any] = [time.time(), FINISHED_KEPT_SECONDS, JOB_PREFIX]
        for ending in endings:
            claim = ending.claim
            arguments += (claim.queue, claim.as_offer.message_id, claim.token.hex, _registry(ending.verdict))
        with broker_errors():
            self._finished(keys=self.worker_keys, args=arguments)

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


def _registry(verdict: Verdict) -> str:
    """The registry of rq in which the message stays for some minutes; empty: none."""
    return {JobState.COMPLETED: "finished", JobState.FAILED: "failed"}.get(verdict.state, "")
