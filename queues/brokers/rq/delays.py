"""Delayed messages: rq-scheduler's set, and the move of due ones into the lists of their queues."""

import time
from typing import TYPE_CHECKING, Any

from ...settings import declared
from .keys import JOB_PREFIX, QUEUE_PREFIX, SCHEDULED

if TYPE_CHECKING:
    from redis import Redis

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
    """Publish every delayed message that has been due for at least `overdue` seconds; how many there were."""
    script = connection.register_script(MOVE_DUE)
    total = 0
    while True:
        arguments: list[Any] = [time.time() - overdue, BATCH, JOB_PREFIX, QUEUE_PREFIX, *declared()]
        moved = int(script(keys=[SCHEDULED], args=arguments))
        total += moved
        if moved < BATCH:
            return total
