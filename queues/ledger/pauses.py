"""Paused queues: nothing of theirs is offered or claimed.

The statements that offer and claim read the pauses themselves, so that they are exact. `PausedQueues` caches the names,
so that idle fetchers do not query.
"""

import threading
import time

from ..models import QueueState

CHECK = 0.5
"""Seconds for which a process uses what it read."""

PAUSED = "ARRAY(SELECT name FROM queues_queuestate WHERE paused_at IS NOT NULL)"
"""For SQL: `queue <> ALL (…)`; read once a statement."""


def paused_queues() -> set[str]:
    """The names of the queues that are paused now."""
    return set(QueueState.objects.filter(paused_at__isnull=False).values_list("name", flat=True))


class PausedQueues:
    """What one process knows about paused queues, at most CHECK seconds old; shared by its fetchers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: set[str] = set()
        self._read_at = float("-inf")

    def forget(self) -> None:
        """Query again the next time: nothing could be claimed, so a queue may have been paused just now."""
        self._read_at = float("-inf")

    def has(self, name: str) -> bool:
        with self._lock:
            if time.monotonic() - self._read_at > CHECK:
                self._names = paused_queues()
                self._read_at = time.monotonic()
            return name in self._names
