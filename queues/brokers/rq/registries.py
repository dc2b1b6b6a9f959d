"""rq's registries of what this process runs, its worker key, and what it has fetched and not yet claimed.

They are for rq's tools and for people to read; the ledger does not depend on them. A thread writes the updates, in
batches where many arrive at once, so that no job waits for them.
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
"""Seconds that an update waits for others."""
STARTED, STALE, FINISHED, FAILED, ENDED = "started", "stale", "finished", "failed", "ended"
"""What a message is now: its job runs; no job can be claimed with it; its run ended in that registry; or in none."""

WRITE = """
-- KEYS[1]: the worker's key, if there is one. ARGV: time now, seconds for which ended messages are kept, seconds after
-- which a run counts as lost, prefix of job keys; then five for each update: queue, id, token, status, and the list of
-- fetched ids that holds it (empty: none any more).
local succeeded, failed = 0, 0
for i = 5, #ARGV, 5 do
    local queue, id, token, status, fetched = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
    local key, run = ARGV[4] .. id, id .. ':' .. token
    if fetched ~= '' then redis.call('LREM', fetched, 1, id) end
    if status == 'started' then
        redis.call('ZADD', 'rq:wip:' .. queue, ARGV[1] + ARGV[3], run)
    elseif status == 'stale' then
        redis.call('DEL', key)
    else
        if fetched == '' then redis.call('ZREM', 'rq:wip:' .. queue, run) end
        if status == 'finished' then succeeded = succeeded + 1 else failed = failed + 1 end
        if status == 'ended' then
            redis.call('DEL', key)
        else
            redis.call('ZADD', 'rq:' .. status .. ':' .. queue, ARGV[1] + ARGV[2], id)
            redis.call('HSET', key, 'status', status)
            redis.call('EXPIRE', key, ARGV[2])
        end
    end
end
if KEYS[1] and succeeded > 0 then redis.call('HINCRBY', KEYS[1], 'successful_job_count', succeeded) end
if KEYS[1] and failed > 0 then redis.call('HINCRBY', KEYS[1], 'failed_job_count', failed) end
"""


class RegistryUpdate(NamedTuple):
    """A message of a queue is in this status now; `fetched` is the list that it leaves, if it is still in one."""

    queue: str
    message_id: str
    token: str
    status: str
    fetched: str = ""


class Registries:
    """Takes updates from any thread, and writes them in their order."""

    def __init__(self, connection: "Redis") -> None:
        self.worker_keys: Sequence[str] = ()
        self._script = connection.register_script(WRITE)
        self._updates: SimpleQueue[Sequence[RegistryUpdate] | threading.Event] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def write(self, *updates: RegistryUpdate) -> None:
        """Have these written soon; while Redis is away they are dropped."""
        if not updates:
            return
        self._updates.put(updates)
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="registries", daemon=True)
                self._thread.start()

    def flush(self, seconds: float) -> None:
        """Wait until all earlier updates are written or dropped, at most so many seconds."""
        if self._thread is not None:
            written = threading.Event()
            self._updates.put(written)
            written.wait(seconds)

    def _run(self) -> None:
        while True:
            batch, flushed = self._next_batch()
            if batch:
                try:
                    self._write(batch)
                except BrokerUnavailable as error:
                    log.warning("%d updates of rq's registries are lost: %s", len(batch), error)
                except Exception:
                    log.exception("%d updates of rq's registries are lost", len(batch))
            if flushed is not None:
                flushed.set()

    def _next_batch(self) -> tuple[list[RegistryUpdate], threading.Event | None]:
        """The next updates, and the event of a flush that waits for them; at least one of the two.

        A run that starts and ends in the same batch is written once: as ended, and out of the fetched list.
        """
        batch: dict[tuple[str, str], RegistryUpdate] = {}
        item = self._updates.get()
        time.sleep(GATHER)
        while not isinstance(item, threading.Event):
            for update in item:
                run = (update.message_id, update.token)
                started = batch.get(run)
                batch[run] = update._replace(fetched=started.fetched) if started else update
            if len(batch) >= LARGE_BATCH:
                return list(batch.values()), None
            try:
                item = self._updates.get_nowait()
            except Empty:
                return list(batch.values()), None
        return list(batch.values()), item

    def _write(self, batch: Sequence[RegistryUpdate]) -> None:
        arguments: list[Any] = [time.time(), FINISHED_KEPT_SECONDS, FETCHED_TTL, JOB_PREFIX]
        for update in batch:
            arguments += update
        with broker_errors():
            self._script(keys=self.worker_keys, args=arguments)
