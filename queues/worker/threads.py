"""The threads of a lane. Daemons, unlike those of concurrent.futures: a job that hangs keeps no process from ending."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from django.db import connections

from ..ledger import Claim
from .pace import Pace

log = logging.getLogger(__name__)

IDLE = 30.0
"""Seconds after which a thread that has nothing to do ends, and with it its database connection."""
SHORT = 0.0005
"""Seconds that jobs may take for one thread to run them all: more would only wait for the interpreter."""
STALL = 0.002
"""Seconds without a begun job after which another thread helps the one that runs short jobs."""


class Threads:
    """At most `count` threads, started when they are needed; each keeps its database connection until it ends.

    Where jobs are short one thread runs them, and another watches: as soon as a job keeps the first busy, the other
    runs the rest. Else all run. A thread whose job hangs may be given up: another takes its place, and it ends when
    its call does.
    """

    def __init__(self, count: int, name: str, pace: Pace, work: Callable[[Claim], bool]) -> None:
        """`work` runs a job and says whether its thread may go on (False: it was given up)."""
        self.count = count
        self.name = name
        self.pace = pace
        self.work = work
        self.started = 0
        self.idle = 0
        self.hanging = 0
        self.watched = False
        self.runner: threading.Thread | None = None
        self.came_at = self.begun_at = 0.0
        self.ended = False
        self.claims: deque[Claim] = deque()
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)

    def run(self, claims: Sequence[Claim]) -> None:
        """Let the next free threads run these jobs."""
        with self.lock:
            self.claims.extend(claims)
            self.came_at = time.monotonic()
            missing = self._call_one()
        if missing:
            self._start()

    def take_back(self) -> list[Claim]:
        """The jobs that no thread has begun; from now on none will."""
        with self.lock:
            claims = list(self.claims)
            self.claims.clear()
        return claims

    def are_stuck(self, seconds: float) -> bool:
        """Whether jobs wait here, and for so long none has come and none was begun."""
        return bool(self.claims) and time.monotonic() - max(self.came_at, self.begun_at) > seconds

    def give_up_one(self) -> None:
        """One of the threads hangs and does not count any more; its call will return False."""
        with self.lock:
            self.started -= 1
            self.hanging += 1
            missing = self._call_one()
        if missing:
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
        while (claim := self._next()) is not None:
            began = time.monotonic()
            if not self.work(claim):
                self._has_ended()
                break
            self.pace.learn(time.monotonic() - began)
        connections.close_all()

    def _next(self) -> Claim | None:
        """The next job that this thread should run; None if it is to end."""
        me = threading.current_thread()
        with self.lock:
            while not self.claims or not self._may_run(me):
                if self.runner is me:
                    self.runner = None
                if not self._wait():
                    self.started -= 1
                    return None
            claim = self.claims.popleft()
            self.runner = me
            self.begun_at = time.monotonic()
            missing = self._call_one()
        if missing:
            self._start()
        return claim

    def _may_run(self, me: threading.Thread) -> bool:
        """Whether this thread is the one that runs short jobs, or takes over from it, or the jobs are not short."""
        free = self.runner is None or self.runner is me or self.pace.short > SHORT
        return free or time.monotonic() - self.begun_at > STALL

    def _wait(self) -> bool:
        """Until something changes, or for a moment if jobs are to be watched; False if this thread is to end."""
        if self.ended and not self.claims:
            return False
        watching = bool(self.claims) and not self.watched
        self.watched |= watching
        self.idle += not watching
        called = self.changed.wait(STALL if watching else IDLE)
        self.idle -= not watching
        self.watched &= not watching
        return called or watching or bool(self.claims)

    def _call_one(self) -> bool:
        """If jobs wait and nobody sees to it, wake a thread; True if there is none and one is to be started."""
        if not self.claims or (self.watched and self.runner is not None and self.pace.short <= SHORT):
            return False
        if self.idle or self.watched:
            self.changed.notify()
            return False
        missing = self.started < self.count
        self.started += missing
        return missing

    def _start(self) -> None:
        threading.Thread(target=self._serve, name=f"{self.name}_{self.started - 1}", daemon=True).start()

    def _has_ended(self) -> None:
        with self.lock:
            self.hanging -= 1
