"""rq-scheduler, made safe: it moves message ids when their time comes and reads no serialized data."""

import logging
import time
from typing import TYPE_CHECKING, Any

import redis
from rq_scheduler import Scheduler as StockScheduler

from ...brokers.rq.connection import broker_errors, client
from ...brokers.rq.keys import JOB_PREFIX, QUEUE_PREFIX, SCHEDULED
from ...errors import BrokerUnavailable
from ...settings import declared
from ...supervisor import supervised

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

BATCH = 1000

MOVE_DUE = """
-- Move due message ids from the delayed set to the lists of their queues.
-- KEYS: the delayed set. ARGV: time, batch, prefix of job keys, prefix of queue keys, then the declared queues.
-- Guarantee: an id is published by the one whose ZREM returns 1; an id of no declared queue is dropped.
local declared = {}
for i = 5, #ARGV do declared[ARGV[i]] = true end
local moved = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
    if redis.call('ZREM', KEYS[1], id) == 1 then
        local origin = redis.pcall('HGET', ARGV[3] .. id, 'origin')
        if type(origin) == 'string' and declared[origin] then
            redis.pcall('RPUSH', ARGV[4] .. origin, id)
            redis.pcall('HSET', ARGV[3] .. id, 'status', 'queued')
        end
        moved = moved + 1
    end
end
return moved
"""


def move_due(connection: "Redis", *, overdue: float = 0.0) -> int:
    """Publish every delayed message whose time came at least `overdue` seconds ago; how many were."""
    script = connection.register_script(MOVE_DUE)
    total = 0
    while True:
        arguments: list[Any] = [time.time() - overdue, BATCH, JOB_PREFIX, QUEUE_PREFIX, *declared()]
        moved = int(script(keys=[SCHEDULED], args=arguments))
        total += moved
        if moved < BATCH:
            return total


class Scheduler(StockScheduler):
    """`manage.py rqscheduler`: looks every `interval` seconds (default 0.5) and outlives Redis outages."""

    default_interval = 0.5

    def __init__(self, *args: Any, interval: float | None = None, **kwargs: Any) -> None:
        kwargs["connection"] = client()
        super().__init__(*args, interval=interval or self.default_interval, **kwargs)
        self._stopping = False

    def run(self, burst: bool = False) -> None:
        """Move due messages until told to stop; several schedulers may run side by side."""
        self._install_signal_handlers()
        wait = self._interval
        while not self._stopping:
            try:
                with broker_errors():
                    self._show_life()
                    moved = self.enqueue_jobs()
                if moved:
                    log.info("published %d delayed jobs", moved)
                wait = self._interval
            except BrokerUnavailable as error:
                wait = min(max(wait * 2, 0.5), 10.0)
                log.warning("%s; looking again in %.1f s", error, wait)
            if burst:
                break
            self._sleep(wait)
        self._say_goodbye()

    def _show_life(self) -> None:
        """Keep rq-scheduler's key for this process; write it anew if Redis has lost it."""
        if self.connection.exists(self.key):
            self.heartbeat()
        else:
            self.register_birth()

    def enqueue_jobs(self) -> int:
        return move_due(self.connection)

    def _sleep(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < ends:
            time.sleep(min(0.2, max(0.0, ends - time.monotonic())))

    def _install_signal_handlers(self) -> None:
        supervised.stop_on_signals(self._stop)

    def _stop(self) -> None:
        self._stopping = True

    def _say_goodbye(self) -> None:
        try:
            self.register_death()
        except redis.RedisError as error:
            log.warning("Redis is away (%s)", error)
