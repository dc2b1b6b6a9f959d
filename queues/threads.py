"""The threads of a lane. Daemons, unlike those of concurrent.futures: a job that hangs keeps no process from ending."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

from django.db import connections


class Threads:
    """At most `count` threads, started when they are first needed; each keeps its database connection."""

    def __init__(self, count: int, name: str) -> None:
        self.count = count
        self.name = name
        self.started = 0
        self.calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def run(self, call: Callable[[], None]) -> None:
        """Let the next free thread make the call."""
        if self.started < self.count:
            threading.Thread(target=self._serve, name=f"{self.name}_{self.started}", daemon=True).start()
            self.started += 1
        self.calls.put(call)

    def end(self) -> None:
        """Let each thread end after its call; nobody waits for it."""
        for _ in range(self.started):
            self.calls.put(None)

    def _serve(self) -> None:
        while (call := self.calls.get()) is not None:
            call()
        connections.close_all()
