"""How many jobs of a queue this process may hold: those that run, and a few more if they are short.

Three limits are kept here together: the slots of the queue (as many jobs at once as its concurrency), the prefetched
jobs (claimed before a thread is free for them, so that no thread waits for a claim), and the job quota of the process
(`--max-jobs`).
"""

import threading
import time

from ..settings import Queue
from ..supervisor import supervised

PREFETCH_SECONDS = 0.02
"""Seconds of work that may be prefetched for each thread; when half of it is begun, the next jobs are claimed."""
MOST_PREFETCHED = 500
"""Jobs that may be prefetched at most: all of them have to be rescued when the process dies."""
FEW_PREFETCHED = 4
"""If fewer are prefetched, a thread may soon have to wait for a claim."""
KEEP = 1.0
"""Seconds for which received offers are kept while no slot is free; then they are requeued for other workers."""
GATHER = 0.002
"""Seconds to wait for more free slots where little is prefetched: to claim many jobs costs about as much as one."""


class JobQuota:
    """How many jobs the process may still claim, `limit` in all (None: any number); used by all its fetchers."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._free = limit
        self._used = 0
        self._lock = threading.Lock()

    @property
    def is_used_up(self) -> bool:
        """Whether `limit` jobs were claimed. What is only taken does not count: its claim may get less."""
        return self.limit is not None and self._used >= self.limit

    def take(self, wanted: int) -> int:
        """How many of the wanted jobs may be claimed."""
        with self._lock:
            if self._free is None:
                return wanted
            taken = min(wanted, self._free)
            self._free -= taken
            return taken

    def use(self, claimed: int, *, of: int) -> None:
        """Of the taken jobs (`of`) these were claimed; the others are free again."""
        with self._lock:
            self._used += claimed
            if self._free is not None:
                self._free += of - claimed
                supervised.count_claimed(claimed)


class Durations:
    """An estimate of the seconds that a job takes: the `mean`, and what the `short` ones take, a third of all.

    Where many threads run at once, most jobs wait for the interpreter and take long by the clock; but the shortest
    third of them does not wait. Both estimates begin with one second: no job counts as short before some were seen.
    """

    LEARNING = 0.1
    UP, DOWN = 1.05, 0.9  # they balance where a third of the jobs take less: ln(1.05) * 2/3 + ln(0.9) * 1/3 is about 0
    SHORTEST = 1e-6

    def __init__(self) -> None:
        self.mean = 1.0
        self.short = 1.0

    def learn(self, seconds: float) -> None:
        self.mean += self.LEARNING * (seconds - self.mean)
        self.short = max(self.SHORTEST, self.short * (self.UP if seconds > self.short else self.DOWN))


class Capacity:
    """The slots of one queue in this process. A slot is taken before a claim, and free when the job's verdict is given.

    The longer the jobs take, the fewer are prefetched, since other workers could run them at once. None are prefetched
    for a queue with a rate or a global scope, where each claim takes what other processes could start now, nor under
    `--max-jobs`.
    """

    def __init__(self, queue: Queue, quota: JobQuota, durations: Durations) -> None:
        self.concurrency = queue.concurrency
        self.quota = quota
        self.durations = durations
        self.prefetches = queue.rate is None and queue.scope != "global" and quota.limit is None
        self.taken = 0
        self._enough = 1
        self._changed = threading.Condition()

    @property
    def size(self) -> int:
        if not self.prefetches:
            return self.concurrency
        prefetched = int(self.concurrency * PREFETCH_SECONDS / max(self.durations.mean, 1e-6))
        return self.concurrency + min(MOST_PREFETCHED, prefetched)

    def take(self, wanted: int, *, keep: float = KEEP, gather: float = GATHER) -> int:
        """Up to `wanted` slots for jobs that the quota allows; 0 if none is free within `keep` seconds."""
        taken = self._take_slots(wanted, keep, gather)
        granted = self.quota.take(taken)
        self.free(taken - granted)
        return granted

    def claimed(self, jobs: int, *, of: int) -> None:
        """Of the taken slots (`of`) these have a job now; the others are free again."""
        self.quota.use(jobs, of=of)
        self.free(of - jobs)

    def free(self, slots: int = 1) -> None:
        with self._changed:
            self.taken -= slots
            if self.size - self.taken >= self._enough:
                self._changed.notify()

    def _take_slots(self, wanted: int, keep: float, gather: float) -> int:
        """Wait for a free slot, then a little for more of them: one claim for many jobs is cheaper.

        If enough is prefetched to keep the threads busy, wait until half of it is begun, else `gather` seconds. If the
        jobs have become longer meanwhile, there may be fewer slots than before, and none is free: then wait again.
        """
        until = time.monotonic() + keep
        with self._changed:
            while self._wait_for(1, until - time.monotonic()):
                prefetched = self.size - self.concurrency
                if prefetched < FEW_PREFETCHED:
                    self._wait_for(min(wanted, self.size // 2), gather)
                else:
                    self._wait_for(min(wanted, prefetched // 2), PREFETCH_SECONDS / 2)
                granted = min(wanted, self.size - self.taken)
                if granted > 0:
                    self.taken += granted
                    return granted
        return 0

    def _wait_for(self, enough: int, seconds: float) -> bool:
        """Until `enough` slots are free. The waiting thread is woken no sooner: each wake-up stops a job's thread."""
        self._enough = enough
        return self._changed.wait_for(lambda: self.size - self.taken >= enough, max(0.0, seconds))
