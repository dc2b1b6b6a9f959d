"""The job threads of a queue. Daemons, unlike those of concurrent.futures: a hung job keeps no process from ending."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from django.db import connections

from ..lifecycle.execution import Execution
from .capacity import Durations

log = logging.getLogger(__name__)

IDLE = 30.0
"""Seconds after which a thread that has nothing to do ends, and with it its database connection."""
SHORT = 0.0005
"""Seconds that jobs may take for one thread to run them all: more threads would only wait for the interpreter."""
STALL = 0.002
"""Seconds without a begun job after which another thread helps the one that runs short jobs."""


class JobThreads:
    """At most `count` threads, started when they are needed; each keeps its database connection until it ends.

    Where jobs are short one thread (the runner) runs them all, and another watches: as soon as a job keeps the runner
    busy, the watcher runs the rest. Where jobs take longer all threads run. A thread whose job hangs may be abandoned:
    another takes its place, and it ends when its call does.
    """

    def __init__(self, count: int, name: str, durations: Durations, work: Callable[[Execution], bool]) -> None:
        """`work` runs a job and says whether its thread may go on (False: it was abandoned)."""
        self.count = count
        self.name = name
        self.durations = durations
        self.work = work
        self.started = 0
        self.idle = 0
        self.hanging = 0
        self.is_watched = False
        self.runner: threading.Thread | None = None
        self.came_at = self.begun_at = 0.0
        self.ended = False
        self.waiting: deque[Execution] = deque()
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)

    def run(self, executions: Sequence[Execution]) -> None:
        """Let the next free threads run these jobs."""
        with self.lock:
            self.waiting.extend(executions)
            self.came_at = time.monotonic()
            is_missing = self._wake_one()
        if is_missing:
            self._start()

    def take_unstarted(self) -> list[Execution]:
        """The jobs that no thread has begun; from now on none will."""
        with self.lock:
            unstarted = list(self.waiting)
            self.waiting.clear()
        return unstarted

    def are_stuck(self, seconds: float) -> bool:
        """Whether jobs wait here, and for so long none has come and none was begun."""
        return bool(self.waiting) and time.monotonic() - max(self.came_at, self.begun_at) > seconds

    def abandon_one(self) -> None:
        """One of the threads hangs and does not count any more; its call will return False."""
        with self.lock:
            self.started -= 1
            self.hanging += 1
            is_missing = self._wake_one()
        if is_missing:
            self._start()
        if self.too_many_hang:
            log.error("%d threads of %s hang: no more jobs are run there until one ends", self.hanging, self.name)

    @property
    def too_many_hang(self) -> bool:
        """Whether more hang than there should be threads at all."""
        return self.hanging > self.count

    def end(self) -> None:
        """Let each thread end after its call; nobody waits for it."""
        with self.lock:
            self.ended = True
            self.changed.notify_all()

    def _serve(self) -> None:
        while (execution := self._next()) is not None:
            began = time.monotonic()
            if not self.work(execution):
                self._has_ended()
                break
            self.durations.learn(time.monotonic() - began)
        connections.close_all()

    def _next(self) -> Execution | None:
        """The next job that this thread should run; None if it is to end."""
        me = threading.current_thread()
        with self.lock:
            while not self.waiting or not self._may_run(me):
                if self.runner is me:
                    self.runner = None
                if not self._wait():
                    self.started -= 1
                    return None
            execution = self.waiting.popleft()
            self.runner = me
            self.begun_at = time.monotonic()
            is_missing = self._wake_one()
        if is_missing:
            self._start()
        return execution

    def _may_run(self, me: threading.Thread) -> bool:
        """Whether this thread is the runner of short jobs, or takes over from it, or the jobs are not short."""
        is_free = self.runner is None or self.runner is me or self.durations.short > SHORT
        return is_free or time.monotonic() - self.begun_at > STALL

    def _wait(self) -> bool:
        """Until something changes; False if this thread is to end. One thread at a time watches the runner of short
        jobs: it waits for a moment only and does not count as idle.
        """
        if self.ended and not self.waiting:
            return False
        if self.waiting and not self.is_watched:
            self.is_watched = True
            self.changed.wait(STALL)
            self.is_watched = False
            return True
        self.idle += 1
        was_woken = self.changed.wait(IDLE)
        self.idle -= 1
        return was_woken or bool(self.waiting)

    def _wake_one(self) -> bool:
        """If jobs wait and no thread will see them, wake one; True if there is none, and one is to be started."""
        if not self.waiting or (self.is_watched and self.runner is not None and self.durations.short <= SHORT):
            return False
        if self.idle or self.is_watched:
            self.changed.notify()
            return False
        is_missing = self.started < self.count
        self.started += is_missing
        return is_missing

    def _start(self) -> None:
        threading.Thread(target=self._serve, name=f"{self.name}_{self.started - 1}", daemon=True).start()

    def _has_ended(self) -> None:
        with self.lock:
            self.hanging -= 1
