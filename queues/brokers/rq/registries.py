"""rq's books of what this process runs: its registries, its worker key, and what it has fetched and not yet claimed.

They are for rq's tools and for people to read; the ledger does not depend on them. A thread of its own writes them,
together where many come at once, so that no job waits for them.
"""

import logging
import threading
import time
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import BrokerUnavailable
from .connection import broker_errors
from .keys import JOB_PREFIX
from .messages import FINISHED_KEPT_SECONDS

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

FETCHED_TTL = 600
LARGE_BATCH = 1000
GATHER = 0.01
"""Seconds that an entry waits for others."""
BEGAN, STALE, FINISHED, FAILED, ENDED = "began", "stale", "finished", "failed", "ended"

WRITE = """
-- KEYS[1]: the worker's key, if there is one. ARGV: time now, seconds for which ended messages are kept, seconds after
-- which a run is taken for lost, prefix of job keys; then fives of queue, id, token, what became of it, and the list
-- of fetched ids in which it lies (nothing: in none any more).
local succeeded, failed = 0, 0
for i = 5, #ARGV, 5 do
    local queue, id, token, what, fetched = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
    local key, run = ARGV[4] .. id, id .. ':' .. token
    if fetched ~= '' then redis.call('LREM', fetched, 1, id) end
    if what == 'began' then
        redis.call('ZADD', 'rq:wip:' .. queue, ARGV[1] + ARGV[3], run)
    elseif what == 'stale' then
        redis.call('DEL', key)
    else
        if fetched == '' then redis.call('ZREM', 'rq:wip:' .. queue, run) end
        if what == 'finished' then succeeded = succeeded + 1 else failed = failed + 1 end
        if what == 'ended' then
            redis.call('DEL', key)
        else
            redis.call('ZADD', 'rq:' .. what .. ':' .. queue, ARGV[1] + ARGV[2], id)
            redis.call('HSET', key, 'status', what)
            redis.call('EXPIRE', key, ARGV[2])
        end
    end
end
if KEYS[1] and succeeded > 0 then redis.call('HINCRBY', KEYS[1], 'successful_job_count', succeeded) end
if KEYS[1] and failed > 0 then redis.call('HINCRBY', KEYS[1], 'failed_job_count', failed) end
"""


class Entry(NamedTuple):
    queue: str
    message_id: str
    token: str
    what: str
    fetched: str = ""


class Books:
    """Takes entries from any thread, and writes them in their order."""

    def __init__(self, connection: "Redis") -> None:
        self.worker_keys: Sequence[str] = ()
        self._script = connection.register_script(WRITE)
        self._entries: SimpleQueue[Sequence[Entry] | threading.Event] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def write(self, *entries: Entry) -> None:
        """Have these written soon; while Redis is away they are dropped."""
        if not entries:
            return
        self._entries.put(entries)
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="books", daemon=True)
                self._thread.start()

    def flush(self, seconds: float) -> None:
        """Wait until what came so far is written or dropped, at most so long."""
        if self._thread is not None:
            written = threading.Event()
            self._entries.put(written)
            written.wait(seconds)

    def _run(self) -> None:
        while True:
            batch, waiting = self._next_batch()
            if batch:
                try:
                    self._write(batch)
                except BrokerUnavailable as error:
                    log.warning("%d entries of rq's books are lost: %s", len(batch), error)
                except Exception:
                    log.exception("%d entries of rq's books are lost", len(batch))
            if waiting is not None:
                waiting.set()

    def _next_batch(self) -> tuple[list[Entry], threading.Event | None]:
        """At least one entry, or somebody who waits for those before."""
        batch: dict[tuple[str, str], Entry] = {}
        came = self._entries.get()
        time.sleep(GATHER)
        while not isinstance(came, threading.Event):
            for entry in came:
                run = (entry.message_id, entry.token)
                began = batch.get(run)
                batch[run] = entry._replace(fetched=began.fetched) if began else entry
            if len(batch) >= LARGE_BATCH:
                return list(batch.values()), None
            try:
                came = self._entries.get_nowait()
            except Empty:
                return list(batch.values()), None
        return list(batch.values()), came

    def _write(self, batch: Sequence[Entry]) -> None:
        arguments: list[Any] = [time.time(), FINISHED_KEPT_SECONDS, FETCHED_TTL, JOB_PREFIX]
        for entry in batch:
            arguments += entry
        with broker_errors():
            self._script(keys=self.worker_keys, args=arguments)
