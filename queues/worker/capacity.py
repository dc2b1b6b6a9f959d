"""How many jobs of a queue this process may hold: those that run, and a few more if they are short.

The slots of the queue (as many jobs at once as its concurrency), what may be prefetched (claimed ahead, so that no
thread has to wait for the next claim), and the job quota of the process (`--max-jobs`) are answered here together.
"""

import threading
import time

from ..settings import Queue
from ..supervisor import supervised

LONGEST_AHEAD = 0.02
"""Seconds of work that may be prefetched for each thread; when half of it is begun the next is claimed."""
MOST_AHEAD = 500
"""Jobs that may be prefetched: so many are lost for a moment when the process dies."""
FEW_AHEAD = 4
"""If fewer are prefetched, threads soon wait for a claim."""
KEEP = 1.0
"""Seconds that received offers are kept while no slot is free; then others may have them."""
GATHER = 0.002
"""Seconds to wait for more free slots where little is prefetched: a claim of many jobs costs about as much as one."""


class JobQuota:
    """How many jobs the process may still claim, `limit` in all (None: any number); used by all its fetchers."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._free = limit
        self._used = 0
        self._lock = threading.Lock()

    @property
    def is_used_up(self) -> bool:
        """Whether so many jobs were claimed; while some are only asked for, they may be free again."""
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
        """Of so many that were taken the others are free again."""
        with self._lock:
            self._used += claimed
            if self._free is not None:
                self._free += of - claimed
                supervised.count_claimed(claimed)


class Durations:
    """An estimate of the seconds that a job takes: the `mean`, and what the `short` ones take, a third of all.

    A job that waits for the interpreter, because many threads run at once, takes long by the clock, but never a third
    of them does. Both begin with a second, as if no job were known to be short.
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

    The longer the jobs take, the fewer are prefetched: others could have had them. None are for a queue with a rate or
    a global scope, where each claim takes what other processes could start now, and none under `--max-jobs`.
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
        ahead = int(self.concurrency * LONGEST_AHEAD / max(self.durations.mean, 1e-6))
        return self.concurrency + min(MOST_AHEAD, ahead)

    def take(self, wanted: int, *, keep: float = KEEP, gather: float = GATHER) -> int:
        """Up to `wanted` slots for jobs that the quota allows; 0 if there is none for `keep` seconds."""
        taken = self._take_slots(wanted, keep, gather)
        granted = self.quota.take(taken)
        self.free(taken - granted)
        return granted

    def claimed(self, jobs: int, *, of: int) -> None:
        """So many were claimed with the slots that were taken; the others are free again."""
        self.quota.use(jobs, of=of)
        self.free(of - jobs)

    def free(self, slots: int = 1) -> None:
        with self._changed:
            self.taken -= slots
            if self.size - self.taken >= self._enough:
                self._changed.notify()

    def _take_slots(self, wanted: int, keep: float, gather: float) -> int:
        """Wait for a free slot, then a while if that could be many more.

        The while: as long as enough is prefetched for the threads, else `gather` seconds. The size may have shrunk
        meanwhile: then wait again.
        """
        until = time.monotonic() + keep
        with self._changed:
            while self._wait_for(1, until - time.monotonic()):
                ahead = self.size - self.concurrency
                if ahead < FEW_AHEAD:
                    self._wait_for(min(wanted, self.size // 2), gather)
                else:
                    self._wait_for(min(wanted, ahead // 2), LONGEST_AHEAD / 2)
                granted = min(wanted, self.size - self.taken)
                if granted > 0:
                    self.taken += granted
                    return granted
        return 0

    def _wait_for(self, enough: int, seconds: float) -> bool:
        """Until so many are free. The waiting thread is woken no sooner, since each time it stops a job's thread."""
        self._enough = enough
        return self._changed.wait_for(lambda: self.size - self.taken >= enough, max(0.0, seconds))
