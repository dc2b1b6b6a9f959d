"""The threads of a lane. Daemons, unlike those of concurrent.futures: a job that hangs keeps no process from ending."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from django.db import connections

log = logging.getLogger(__name__)


class Threads:
    """At most `count` threads, started when they are first needed; each keeps its database connection.

    A thread whose job hangs may be given up: another takes its place, and it ends when its call does.
    """

    def __init__(self, count: int, name: str) -> None:
        self.count = count
        self.name = name
        self.started = 0
        self.hanging = 0
        self.lock = threading.Lock()
        self.calls: SimpleQueue[Callable[[], bool] | None] = SimpleQueue()

    def run(self, call: Callable[[], bool]) -> None:
        """Let the next free thread make the call, which says whether the thread may go on (False: it was given up)."""
        with self.lock:
            missing = self.started < self.count
            self.started += missing
        if missing:
            threading.Thread(target=self._serve, name=f"{self.name}_{self.started - 1}", daemon=True).start()
        self.calls.put(call)

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
            self.calls.put(None)

    def _serve(self) -> None:
        while (call := self.calls.get()) is not None:
            if not call():
                self._has_ended()
                break
        connections.close_all()

    def _has_ended(self) -> None:
        with self.lock:
            self.hanging -= 1
