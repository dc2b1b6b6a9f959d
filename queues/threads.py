"""The threads of a lane. Daemons, unlike those of concurrent.futures: a job that hangs keeps no process from ending."""

import logging
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from django.db import connections

from .ledger import Claim

log = logging.getLogger(__name__)

IDLE = 30.0
"""Seconds after which a thread that has nothing to do ends, and with it its database connection."""


class Threads:
    """At most `count` threads, started when they are needed; each keeps its database connection until it ends.

    A thread whose job hangs may be given up: another takes its place, and it ends when its call does.
    """

    def __init__(self, count: int, name: str, work: Callable[[Claim], bool]) -> None:
        """`work` runs a job and says whether its thread may go on (False: it was given up)."""
        self.count = count
        self.name = name
        self.work = work
        self.started = 0
        self.hanging = 0
        self.moved_at = 0.0
        self.lock = threading.Lock()
        self.claims: SimpleQueue[Claim | None] = SimpleQueue()

    def run(self, claim: Claim) -> None:
        """Let the next free thread run the job."""
        with self.lock:
            missing = self.started < self.count
            self.started += missing
            self.moved_at = time.monotonic()
            self.claims.put(claim)
        if missing:
            threading.Thread(target=self._serve, name=f"{self.name}_{self.started - 1}", daemon=True).start()

    def take_back(self) -> list[Claim]:
        """The jobs that no thread has begun; from now on none will."""
        claims = list[Claim]()
        try:
            while claim := self.claims.get_nowait():
                claims.append(claim)
        except Empty:
            pass
        return claims

    def are_stuck(self, seconds: float) -> bool:
        """Whether jobs wait here, and for so long none has come and none was begun."""
        return not self.claims.empty() and time.monotonic() - self.moved_at > seconds

    def give_up_one(self) -> None:
        """One of the threads hangs and does not count any more; its call will return False."""
        with self.lock:
            self.started -= 1
            self.hanging += 1
        if self.too_many_hang:
            log.error("%d threads of %s hang: no more jobs are run there until one ends", self.hanging, self.name)

    @property
    def too_many_hang(self) -> bool:
        """Whether more hang than there should be threads at all."""
        return self.hanging > self.count

    def end(self) -> None:
        """Let each thread end after its call; nobody waits for it."""
        for _ in range(self.started):
            self.claims.put(None)

    def _serve(self) -> None:
        while (claim := self._next()) is not None:
            self.moved_at = time.monotonic()
            if not self.work(claim):
                self._has_ended()
                break
        connections.close_all()

    def _next(self) -> Claim | None:
        """The next job; None if the thread is to end."""
        while True:
            try:
                return self.claims.get(timeout=IDLE)
            except Empty:
                with self.lock:
                    if self.claims.empty():  # what is put from now on finds a thread missing
                        self.started -= 1
                        return None

    def _has_ended(self) -> None:
        with self.lock:
            self.hanging -= 1
